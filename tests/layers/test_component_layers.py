"""Cells of a decomposition: their arrays, their limits, what shares them, and the colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.layers.component_layers import (
    INPUT,
    OVERLAY,
    RECONSTRUCTION,
    RESIDUAL,
    Cell,
    Sharing,
    cell_data,
    cell_limits,
    class_colours,
    classes_over,
    linked_groups,
)

COLUMNS = (INPUT, OVERLAY, "healthy-tissue", "oedema", RECONSTRUCTION, RESIDUAL)
CELLS = [Cell(role, column) for role in ("t1", "flair") for column in COLUMNS]


@pytest.fixture
def found() -> Explanation:
    """Two classes in two modalities, the second stronger."""
    rng = np.random.default_rng(0)
    maps: list[ExplanationMap] = []

    def add(name: str, data: Any, kind: Any = "component") -> None:
        maps.append(ExplanationMap(name, data, kind))

    for strength, role in ((1.0, "t1"), (3.0, "flair")):
        healthy, oedema, left = strength * 0.1 * rng.standard_normal((3, 1, 4, 5))
        add(f"component-healthy-tissue-{role}", healthy)
        add(f"component-oedema-{role}", oedema)
        add(f"reconstruction-{role}", healthy + oedema)
        add(f"residual-{role}", left)
    labels = np.zeros((1, 4, 5), dtype=np.uint8)
    labels[0, 1:3, 2] = 2
    add("mask", labels, "segmentation")
    return Explanation("components", tuple(maps), Provenance("components", {}))


def test_the_input_is_the_sum_and_the_residual(found: Explanation) -> None:
    for role in ("t1", "flair"):
        parts = [cell_data(found, Cell(role, c)) for c in ("healthy-tissue", "oedema", RESIDUAL)]
        np.testing.assert_allclose(sum(parts), cell_data(found, Cell(role, INPUT)))


@pytest.mark.parametrize(("sharing", "groups"), [("modality", 2), ("all", 1), ("cell", 6)])
def test_limits_are_those_of_the_cells_that_share_them(
    found: Explanation, sharing: Sharing, groups: int
) -> None:
    limits = cell_limits(found, CELLS, sharing)
    linked = linked_groups(CELLS, sharing)
    assert len(linked) == groups
    for group in linked:
        peak = max(float(np.abs(cell_data(found, cell)).max()) for cell in group)
        assert {limits[cell] for cell in group} == {(-peak, peak)}
    for cell in CELLS:
        if not cell.signed:
            assert limits[cell] == (0.0, 1.0)
            assert all(cell not in group for group in linked)


def test_a_component_of_nothing_has_limits_that_can_be_drawn(found: Explanation) -> None:
    data = found["component-oedema-t1"].data
    data[:] = 0
    assert cell_limits(found, [Cell("t1", "oedema")], "cell") == {Cell("t1", "oedema"): (-1.0, 1.0)}


def test_classes_colour_what_they_cover_and_nothing_else(found: Explanation) -> None:
    scan = np.full((1, 4, 5), 0.5)
    labels = found["mask"].data
    picture = classes_over(scan, labels)
    assert picture.shape == (1, 4, 5, 3)
    assert picture.dtype == np.uint8
    outside = picture[labels == 0]
    assert (outside == outside[0, 0]).all()
    inside = picture[labels == 2].astype(int)
    assert (np.ptp(inside, axis=-1) > 20).all()


def test_every_label_has_a_colour_of_its_own() -> None:
    colours = class_colours([0, 1, 2, 4, 7, 9])
    assert len(set(colours.values())) == 6
