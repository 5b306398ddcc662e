"""A map's colour bar is there while the map is seen, and not while a scan stands in its place."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_sparseexplain.layers.cells.grid_view import GridView
from napari_sparseexplain.layers.colour_bar import CellColourBar, show_colour_bar
from napari_sparseexplain.layers.scan_placeholder import ScanPlaceholders

SCAN = np.zeros((2, 3, 3), np.float32)


@pytest.fixture
def layer() -> Image:
    found = Image(np.ones((2, 3, 3), np.float32), contrast_limits=(0, 1), visible=False)
    show_colour_bar(found, 66.0)
    return found


def test_it_is_one_that_can_be_shown_off_the_canvas(layer: Image) -> None:
    assert isinstance(layer.colorbar, CellColourBar), "napari's own fails on measuring its ticks"


def test_it_comes_and_goes_with_its_layer(layer: Image) -> None:
    assert not layer.colorbar.visible, "napari would make a hidden layer's too"
    layer.visible = True
    assert layer.colorbar.visible
    layer.visible = False
    assert not layer.colorbar.visible


def test_while_a_scan_stands_in_its_place_there_is_none(layer: Image) -> None:
    layer.visible = True
    placeholders = ScanPlaceholders()
    placeholders.put(layer, SCAN, (1.0, 1.0, 1.0), (0.0, 1.0))
    assert not layer.colorbar.visible, "its numbers are the map's"
    layer.visible = False
    layer.visible = True
    assert not layer.colorbar.visible, "the scan is still there"
    placeholders.take_back([layer])
    assert layer.colorbar.visible


def test_a_layer_that_was_hidden_meanwhile_gets_it_back_when_it_is_seen(layer: Image) -> None:
    layer.visible = True
    placeholders = ScanPlaceholders()
    placeholders.put(layer, SCAN, (1.0, 1.0, 1.0), (0.0, 1.0))
    layer.visible = False
    placeholders.take_back([layer])
    assert not layer.colorbar.visible
    layer.visible = True
    assert layer.colorbar.visible


def test_a_layer_without_one_gets_none() -> None:
    plain = Image(np.ones((2, 3, 3), np.float32))
    placeholders = ScanPlaceholders()
    placeholders.put(plain, SCAN, (1.0, 1.0, 1.0), (0.0, 1.0))
    placeholders.take_back([plain])
    assert not plain.colorbar.visible


def test_a_map_whose_cell_goes_gets_no_bar_on_its_way() -> None:
    """Each costs a tenth of a second and more; in cells they are painted."""
    viewer = ViewerModel()
    shown: list[bool] = []
    for _ in range(2):
        found = Image(np.ones((2, 3, 3), np.float32), visible=False)
        show_colour_bar(found, 66.0)
        found.colorbar.events.visible.connect(shown.append)
        viewer.layers.append(found)
    view = GridView(viewer)
    for layer in (*viewer.layers, *viewer.layers):
        view.show([layer])
    assert True not in shown
    view.leave()
    viewer.layers[0].visible = True
    assert viewer.layers[0].colorbar.visible, "in the single view it is napari's"
