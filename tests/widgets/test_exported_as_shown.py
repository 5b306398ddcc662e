"""What is exported agrees with what the window shows: single view, three planes, grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari._qt.utils import QImg2array

from napari_sparseexplain.export.pictures.compositor import compose
from napari_sparseexplain.export.pictures.plane_picture import draw_panel
from napari_sparseexplain.export.pictures.plane_view import PlaneView
from napari_sparseexplain.layers.cells.shown_cells import cells_of
from napari_sparseexplain.layers.study_layers import METADATA_KEY

from .conftest import settle
from .reviewing import SIZE, TIME, rest, show_heat

pytestmark = pytest.mark.gui


def drawn_on_screen(workspace: Any, pane: int | None = None) -> np.ndarray:
    """The canvas without words and lines, (rows, columns, 3); or that of another plane."""
    model = workspace.viewer if pane is None else workspace.modes.views.panes[pane].model
    overlays = [*model.canvas.overlays.values(), *model.scene.overlays.values()]
    for layer in model.layers:
        cells_of(model).show_name(layer, False)
    hidden = [o for o in overlays if o.visible]
    for overlay in hidden:
        overlay.visible = False
    settle(0.3)
    if pane is None:
        shot = workspace.viewer.screenshot(canvas_only=True, flash=False)[..., :3]
    else:
        image = workspace.modes.views.canvases[pane].canvas.screenshot()
        shot = QImg2array(image)[..., :3]
    for overlay in hidden:
        overlay.visible = True
    return shot


def check_agreement(workspace: Any, reading: Any, panel: Any, shot: np.ndarray) -> None:
    """Stated tolerance: 97 % of all pixels differ by at most 2 of 255, and 99.9 % are found with
    at most that difference within one pixel."""
    view = PlaneView(workspace.study.grid, panel.plane, panel.index, shot.shape[:2], panel.camera)
    ours = draw_panel(reading, panel, view)
    away = np.abs(ours.astype(int) - shot.astype(int)).max(axis=-1)
    assert np.mean(away <= 2) > 0.97, (panel.plane, panel.camera, np.mean(away <= 2))
    assert _agree_within_a_pixel(ours, shot) > 0.999, (panel.plane, panel.camera)


def test_the_picture_agrees_with_the_screen_at_three_zooms_and_in_two_planes(opened: Any) -> None:
    show_heat(opened)
    rest()  # the canvas has its size, and the slice is fitted into it
    viewer = opened.viewer
    for plane in ("axial", "coronal"):
        opened.set_plane(plane)
        rest()
        fitted = viewer.scene.camera.zoom
        for factor in (0.7, 1.0, 2.3):
            viewer.scene.camera.zoom = fitted * factor
            viewer.scene.camera.center = (0.0, 9.3, 13.2)
            settle(0.1)
            reading = opened.page("review").reading()
            (panel,) = reading.review.panels
            assert panel.plane == plane
            assert panel.camera.zoom == pytest.approx(fitted * factor, rel=1e-4)
            shot = drawn_on_screen(opened)
            assert shot.shape[:2] == panel.camera.canvas
            check_agreement(opened, reading, panel, shot)


def test_three_planes_are_exported_as_they_are_on_the_screen(tab: Any, opened: Any) -> None:
    show_heat(opened)
    opened.modes.set_mode("orthogonal")
    rest()
    point = opened.current_slice, 11, 20
    opened.click(point)
    opened.viewer.scene.camera.zoom *= 1.6
    rest()
    reading = tab.reading()
    review = reading.review
    assert review.crosshair
    assert [panel.plane for panel in review.panels] == ["axial", "coronal", "sagittal"]
    assert [panel.index for panel in review.panels] == list(point)
    assert review.probe == pytest.approx(opened.study.grid.world(point))
    for pane, panel in zip((None, 0, 1), review.panels, strict=True):
        shot = drawn_on_screen(opened, pane)
        assert shot.shape[:2] == panel.camera.canvas
        check_agreement(opened, reading, panel, shot)


def test_every_cell_of_the_grid_is_exported_as_it_is_on_the_screen(tab: Any, opened: Any) -> None:
    found = show_heat(opened)
    cells = [opened.study_layer("flair"), opened.study_layer("t1")]
    cells += [x for x in opened.viewer.layers
              if getattr(x.metadata.get(METADATA_KEY), "explanation", None) is found]  # fmt: skip
    opened.grid_view.show(cells, columns=2)
    rest()
    opened.viewer.scene.camera.zoom *= 1.4
    rest()
    reading = tab.reading()
    assert len(reading.review.panels) == 3
    shot = drawn_on_screen(opened)
    boxes = cells_of(opened.viewer).places(shot.shape[:2])
    for panel, box in zip(reading.review.panels, boxes, strict=True):
        assert box is not None
        seen = shot[box.top : box.top + box.height, box.left : box.left + box.width]
        assert seen.shape[:2] == panel.camera.canvas
        check_agreement(opened, reading, panel, seen)


def _agree_within_a_pixel(ours: np.ndarray, shot: np.ndarray) -> float:
    """Share of pixels that occur, within 2 of 255, at most one pixel away on the screen."""
    best = np.full(ours.shape[:2], 255)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            moved = np.roll(shot, (down, right), axis=(0, 1))
            best = np.minimum(best, np.abs(ours.astype(int) - moved.astype(int)).max(axis=-1))
    return float(np.mean(best <= 2))


def test_what_an_opaque_map_hides_on_its_slices_is_not_in_the_picture(
    tab: Any, opened: Any
) -> None:
    found = show_heat(opened)
    layer = opened.viewer.layers[-1]
    assert layer.metadata[METADATA_KEY].explanation is found
    opened.study_layer("seg").visible = True
    layer.opacity = 1.0
    rest()
    opened.viewer.scene.camera.zoom *= 1.3
    settle(0.2)
    reading = tab.reading()
    (panel,) = reading.review.panels
    assert panel.scan is not None  # other slices of this panel show it
    (facts,) = compose(reading, SIZE, created=TIME).record["panels"]
    assert len(facts["overlays"]) == 1
    shot = drawn_on_screen(opened)
    check_agreement(opened, reading, panel, shot)
    opened.go_to_slice(found.slices.stop)  # where nothing was computed
    settle(0.2)
    reading = tab.reading()
    (facts,) = compose(reading, SIZE, created=TIME).record["panels"]
    assert len(facts["overlays"]) == 2
    check_agreement(opened, reading, reading.review.panels[0], drawn_on_screen(opened))
