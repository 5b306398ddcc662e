"""The ring about the clicked voxel: where it stands, in every cell, and in no list of layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_sparseexplain.layers.cells.shown_cells import cells_of

from .conftest import settle

pytestmark = pytest.mark.gui


def yellow(picture: np.ndarray) -> np.ndarray:
    """Pixels of the ring's colour."""
    red, green, blue = (picture[..., n].astype(int) for n in range(3))
    return (red > 150) & (green > 140) & (blue < 110)


def picture_of(workspace: Any) -> np.ndarray:
    """The canvas without letters, names and scale bar."""
    for overlay in workspace.viewer.canvas.overlays.values():
        overlay.visible = False
    for layer in workspace.viewer.layers:
        cells_of(workspace.viewer).show_name(layer, False)
        if layer.name.startswith("Mask"):
            layer.opacity = 0.0
    settle()
    return workspace.viewer.screenshot(canvas_only=True, flash=False)[..., :3]


def click(workspace: Any, index: tuple[int, int, int]) -> None:
    workspace._clicks.clicked.emit(index)
    settle(0.1)


def test_the_ring_stands_where_the_voxel_is_and_moves(opened: Any) -> None:
    """Centre of gravity of the ring's pixels against napari's own world-to-canvas geometry."""
    middle = opened.current_slice
    click(opened, (middle, 8, 20))
    rows, columns = np.nonzero(yellow(picture_of(opened)))
    first = np.array([rows.mean(), columns.mean()])
    click(opened, (middle, 18, 10))
    rows, columns = np.nonzero(yellow(picture_of(opened)))
    moved = np.array([rows.mean(), columns.mean()]) - first
    ratio = opened.viewer.window._qt_window.devicePixelRatioF()
    zoom = opened.viewer.scene.camera.zoom * ratio
    np.testing.assert_allclose(moved, [10 * zoom, -10 * zoom], atol=2.0)


def test_the_ring_is_in_the_voxels_own_slice_alone(opened: Any) -> None:
    middle = opened.current_slice
    click(opened, (middle, 8, 20))
    assert opened.marker.visible
    opened.go_to_slice(middle + 1)
    assert not opened.marker.visible
    opened.go_to_slice(middle)
    assert opened.marker.visible
    opened.go_to_voxel((middle, 8, 20))
    for plane in ("coronal", "sagittal"):
        opened.set_plane(plane)
        assert opened.marker.visible, plane
    opened.viewer.dims.ndisplay = 3
    assert not opened.marker.visible


def test_it_stands_in_every_cell(opened: Any) -> None:
    opened.page("study").side_by_side.click()
    settle()
    shown = sum(layer.visible for layer in opened.viewer.layers)
    click(opened, (opened.current_slice, 8, 20))
    marked = yellow(picture_of(opened))
    rows, columns = cells_of(opened.viewer).shape
    cells = [
        cell.any()
        for band in np.array_split(marked, rows, axis=0)
        for cell in np.array_split(band, columns, axis=1)
    ]
    assert sum(cells) == shown == 3


def test_it_is_no_layer_and_another_study_has_none(opened: Any) -> None:
    before = list(opened.viewer.layers)
    click(opened, (opened.current_slice, 8, 20))
    assert list(opened.viewer.layers) == before
    opened.replace_study(opened.study, opened.study.with_role("t1", "t2"))
    assert opened.marker.visible, "the same voxels under another role"
    opened.viewer.layers.clear()
    settle()
    assert not opened.marker.visible
    assert opened.marker.index is None
