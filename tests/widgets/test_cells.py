"""Cells in the real window: enlarged, laid out, filled by menu and drag, outlined, moved apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Layer
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.export.pictures.compositor import PictureSize, compose
from napari_sparseexplain.layers.cells import hanging_files
from napari_sparseexplain.layers.cells.grid_view import Layout
from napari_sparseexplain.layers.cells.shown_cells import cells_of
from napari_sparseexplain.layers.explanation_layers import explanation_layers
from napari_sparseexplain.layers.mask_style import mask_style, set_mask_style
from napari_sparseexplain.widgets.view import hanging_menu
from napari_sparseexplain.widgets.view.cell_menu import CellMenu

from .canvas_hand import LEFT, SHIFT, drag, wheel
from .conftest import settle
from .reviewing import TIME

pytestmark = pytest.mark.gui


def middle(workspace: Any, cell: int) -> tuple[float, float]:
    canvas = workspace.cells
    place = cells_of(workspace.viewer).places((canvas.height(), canvas.width()))[cell]
    assert place is not None
    return place.left + place.width / 2, place.top + place.height / 2


def double_click(workspace: Any, cell: int) -> None:
    at = QPointF(*middle(workspace, cell))
    there = QPointF(workspace.cells.mapToGlobal(at.toPoint()))
    event = QMouseEvent(
        QEvent.Type.MouseButtonDblClick, at, there, LEFT, LEFT, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(workspace.cells, event)
    settle(0.05)


def side_by_side(workspace: Any) -> list[Any]:
    """Both scans, each with the mask over it."""
    t1, flair, seg = (workspace.study_layer(role) for role in ("t1", "flair", "seg"))
    workspace.grid_view.show_cells([[t1, seg], [flair, seg]])
    settle(0.05)
    return [t1, flair, seg]


def test_a_double_click_gives_one_picture_the_canvas_and_the_next_brings_all(opened: Any) -> None:
    side_by_side(opened)
    native = opened.viewer.window._qt_viewer.canvas.native
    assert opened.cells.isVisible()
    assert not native.isVisible()
    zoom = opened.viewer.scene.camera.zoom
    double_click(opened, 1)
    assert opened.grid_view.enlarged == 1
    reading = opened.page("review").reading()
    assert [panel.scan.role for panel in reading.review.panels] == ["flair"]
    double_click(opened, 1)
    assert opened.grid_view.enlarged is None
    assert opened.viewer.scene.camera.zoom == zoom
    opened.modes.set_mode("single")
    assert not native.isVisible(), "the single view is painted too"
    opened.study_layer("flair").interpolation2d = "cubic"
    assert native.isVisible(), "but what the painter does not know is napari's"
    assert not opened.cells.isVisible()
    opened.study_layer("flair").interpolation2d = "nearest"
    assert opened.cells.isVisible()


def test_layouts_are_chosen_and_kept_while_pictures_change(opened: Any) -> None:
    picker = opened.view_bar.layout_picker
    picker.choose(Layout(2, 1))
    settle(0.05)
    assert opened.grid_view.active, "side by side comes on"
    assert picker.text() == "Layout: 2 × 1"
    cells = cells_of(opened.viewer)
    assert cells.shape == (2, 1)
    side_by_side(opened)
    assert cells.shape == (2, 1)
    picker.step()
    assert opened.grid_view.layout.automatic
    picker.step()
    assert cells.one_large
    picker.squares.resize(picker.squares.sizeHint())
    picker.squares.picked.emit(1, 2)
    assert cells.shape == (1, 2)
    picker.choose(Layout())


def test_the_menu_of_a_cell_changes_what_stands_in_it(opened: Any) -> None:
    t1, flair, seg = side_by_side(opened)
    menu = CellMenu(opened, 0, opened.cells)
    chosen = [a.text() for a in menu.over.actions() if a.isChecked()]
    assert chosen == [seg.name]
    next(a for a in menu.over.actions() if a.text() == seg.name).trigger()
    assert opened.grid_view.cells == ((t1,), (flair, seg))
    assert seg.visible, "it stands in the other cell still"
    menu = CellMenu(opened, 0, opened.cells)
    next(a for a in menu.picture.actions() if a.text() == flair.name).trigger()
    assert opened.grid_view.cells == ((flair,), (flair, seg))
    assert not t1.visible
    menu = CellMenu(opened, 1, opened.cells)
    styles = {a.text(): a for entry in menu.actions() if entry.text() == "Masks"
              for a in entry.menu().actions()}  # fmt: skip
    styles["Outline of 3 px"].trigger()
    assert (mask_style(seg), seg.contour) == ("outline", 3)
    CellMenu(opened, 1, opened.cells).actions()[-1].trigger()
    assert opened.grid_view.cells == ((flair,),)
    opened.cells.layers_dropped.emit(0, [seg])
    assert opened.grid_view.cells == ((flair, seg),)
    set_mask_style(seg, "fill")


def test_outlines_are_seen_in_the_cell_and_in_the_export_and_their_inside_is_free(
    opened: Any, tmp_path: Path
) -> None:
    _, _, seg = side_by_side(opened)
    set_mask_style(seg, "outline", 2)
    opened.grid_view.enlarge(1)
    for overlay in opened.viewer.canvas.overlays.values():
        overlay.visible = False
    settle(0.1)
    shot = opened.viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    coloured = np.ptp(shot, axis=-1) > 60
    plane = np.asarray(seg.data[opened.current_slice]) > 0
    side = cells_of(opened.viewer)
    (place,) = [p for p in side.places(shot.shape[:2]) if p is not None]
    view = side.view(1, place, opened.viewer)
    rows, columns = np.nonzero(plane)
    inner = rows.mean().round(), columns.mean().round()
    x, y = np.rint(view.pixels([inner])[0]).astype(int)
    assert plane[int(inner[0]), int(inner[1])]
    assert not coloured[y - 2 : y + 3, x - 2 : x + 3].any(), "the scan is seen inside"
    reach = [view.pixels([(r, c)])[0] for r, c in ((rows.min(), 0), (rows.max(), 0))]
    found = np.nonzero(coloured)[0]
    for edge, pixel in zip((found.min(), found.max()), (reach[0][1], reach[1][1]), strict=True):
        assert abs(edge - pixel) < view.zoom, "the line runs along the mask's edge"
    reading = opened.page("review").reading()
    (panel,) = reading.review.panels
    assert [(o.drawn, o.line_width) for o in panel.overlays] == [("outline", 2)]
    picture = np.asarray(compose(reading, PictureSize(500, 500), created=TIME).image)
    there = np.ptp(picture[:400].astype(int), axis=-1) > 60
    assert there.any()
    set_mask_style(seg, "fill")


def test_pictures_are_moved_and_zoomed_together_or_apart(opened: Any) -> None:
    side_by_side(opened)
    cells, camera = cells_of(opened.viewer), opened.viewer.scene.camera
    before = tuple(camera.center)
    start = middle(opened, 0)
    drag(opened.cells, start, (start[0] + 20, start[1] + 10), LEFT)
    assert camera.center[-1] == pytest.approx(before[-1] - 20 / camera.zoom)
    opened.view_bar.layout_picker.linked.setChecked(False)
    zoom = camera.zoom
    wheel(opened.cells, middle(opened, 1), 1, SHIFT)
    assert camera.zoom == zoom
    assert cells.camera(0) is None
    own = cells.camera(1)
    assert own is not None
    assert own.ratio > 1
    wheel(opened.cells, middle(opened, 0), -1)
    opened.view_bar.layout_picker.linked.setChecked(True)
    assert cells.camera(1) is None


def test_the_keys_change_masks_over_scans(opened: Any) -> None:
    from napari_sparseexplain.widgets.view.keys import KEYS
    from napari_sparseexplain.widgets.view.mask_keys import MaskKeys

    _, _, seg = side_by_side(opened)
    keys = MaskKeys(opened, opened.jumps, opened.cells)
    assert {"Shift-M", ",", ".", "Shift-Z", "Shift-D"} <= {entry.key for entry in KEYS}
    seg.opacity = 0.4
    keys.opacity(1)
    assert seg.opacity == pytest.approx(0.5)
    keys.style()
    assert mask_style(seg) == "outline"
    keys.style()
    keys.style()
    assert mask_style(seg) == "fill"
    keys.enlarge()
    assert opened.grid_view.enlarged == 0
    keys.enlarge()
    assert opened.grid_view.enlarged is None


def test_hanging_protocols_are_listed_applied_saved_and_deleted(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hanging_files, "own_folder", lambda: tmp_path)
    menu = opened.view_bar.layout_picker.hanging
    menu.fill()
    entries = {action.text(): action for action in menu.actions()}
    assert entries["Brain tumour: four sequences"].toolTip().startswith("It needs T1ce, T2.")
    assert not entries["Save as…"].isEnabled(), "one picture is no layout"
    entries["Brain tumour: four sequences"].trigger()
    settle(0.05)
    view = opened.grid_view
    t1, flair, seg = (opened.study_layer(role) for role in ("t1", "flair", "seg"))
    assert view.cells == ((t1, seg), (), (), (flair, seg))
    assert mask_style(seg) == "outline"
    assert view.layout == Layout(2, 2)
    assert opened.view_bar.layout_picker.text() == "Layout: 2 × 2"
    view.show_cells([[flair], [t1, seg]])
    menu.save_as("My pair")
    view.leave()
    menu.fill()
    (mine,) = [action for action in menu.actions() if action.text() == "My pair"]
    assert mine is menu.actions()[0], "what was saved for such a study fits it best"
    mine.trigger()
    assert view.cells == ((flair,), (t1, seg))

    # What is not there is said in its cell; where nothing is, the picture stays.
    told: list[Any] = []
    monkeypatch.setattr(hanging_menu, "show_error_dialog", told.append)
    {a.text(): a for a in menu.actions()}["Prior beside current"].trigger()
    assert view.cells == ((), (flair, seg))
    assert cells_of(opened.viewer).told(0).startswith("Not there: scan of the prior study")
    picture = opened.viewer.screenshot(canvas_only=True, flash=False)[..., :3]
    left = picture[:, : picture.shape[1] // 2]
    middle_of = left[len(left) // 3 : 2 * len(left) // 3]
    assert (middle_of > 150).any(axis=-1).sum() > 50, "words"
    reading = opened.page("review").reading()
    assert [panel.scan.role for panel in reading.review.panels] == ["flair"]
    {a.text(): a for a in menu.actions()}["Diffusion maps of two populations"].trigger()
    assert "nothing of “Diffusion maps of two populations” is there" in str(told.pop())
    assert view.cells == ((), (flair, seg))

    (tmp_path / "broken.json").write_text("{")
    menu.fill()
    (broken,) = [a for a in menu.actions() if "broken.json" in a.text()]
    assert "cannot be read" in broken.toolTip()
    (deleting,) = [a.menu() for a in menu.actions() if a.text() == "Delete"]
    deleting.actions()[0].trigger()
    assert [path.name for path in tmp_path.iterdir()] == ["broken.json"]


def test_a_protocol_follows_a_run_only_where_a_person_wants_it(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hanging_files, "own_folder", lambda: tmp_path)
    wanted = [False]
    monkeypatch.setattr(hanging_menu, "preference", lambda name: wanted[0])
    study = opened.study
    data = np.ones(study.grid.shape, np.float32)
    heat = ExplanationMap("heatmap", data, "heatmap")
    result = Explanation(
        "xrai", (heat,), Provenance("xrai"), study.grid, slice(0, study.grid.shape[0])
    )
    (layer,) = (Layer.create(*told) for told in explanation_layers(result, study))
    opened.viewer.layers.append(layer)
    opened.signals.result_shown.emit("attribution")
    assert not opened.grid_view.active
    wanted[0] = True
    opened.signals.result_shown.emit("attribution")
    seg, scan = opened.study_layer("seg"), opened.study_layer("flair")
    assert opened.grid_view.cells == ((scan,), (scan, seg), (layer,))
    opened.grid_view.leave()
    opened.viewer.layers.remove(layer)
