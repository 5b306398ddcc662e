"""Which layers stand in the grid after some were taken out."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_sparseexplain.layers.cells.grid_view import GridView


@pytest.fixture
def viewer() -> ViewerModel:
    found = ViewerModel()
    for name in ("scan", "one", "two"):
        found.add_image(np.ones((2, 6, 6), np.float32), name=name)
    return found


def of(viewer: ViewerModel, *names: str) -> list[Image]:
    return [viewer.layers[name] for name in names]  # type: ignore[misc]


def test_company_does_not_stay_alone(viewer: ViewerModel) -> None:
    view = GridView(viewer)
    scan, one, two = of(viewer, "scan", "one", "two")
    view.show([scan, one, two], company=[scan])
    view.discard([one])
    assert view.layers == (scan, two)
    view.discard([two])
    assert not view.active, "the scan stood beside the maps alone"
    assert not two.visible
    assert scan.visible, "as before the grid"


def test_what_was_chosen_itself_stays_alone(viewer: ViewerModel) -> None:
    view = GridView(viewer)
    scan, one = of(viewer, "scan", "one")
    view.show([scan, one], company=[scan])
    view.show([scan, one])
    view.discard([one])
    assert view.layers == (scan,)


def test_company_is_remembered_when_the_grid_comes_again(viewer: ViewerModel) -> None:
    view = GridView(viewer)
    scan, one = of(viewer, "scan", "one")
    view.show([scan, one], company=[scan])
    view.leave()
    assert view.again()
    view.remove([one])
    assert not view.active
    assert one not in viewer.layers
