"""The Review tab in a real window: the window as a review and back, marks, folders, exports."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari._qt.utils import QImg2array
from PIL import Image
from pydicom import dcmread

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.export.compositor import PictureSize, compose
from napari_sparseexplain.export.picture_file import png_bytes
from napari_sparseexplain.export.plane_picture import draw_panel
from napari_sparseexplain.export.plane_view import PlaneView
from napari_sparseexplain.layers.explanation_layers import explanation_layers
from napari_sparseexplain.layers.study_layers import METADATA_KEY
from napari_sparseexplain.review.annotation import annotation_on_grid
from napari_sparseexplain.review.store import restore_review
from napari_sparseexplain.widgets import unsaved_review
from napari_sparseexplain.widgets.workspace import open_workspace

from .conftest import settle

for folder in ("export", "volumes"):  # what writes DICOM for their tests
    sys.path.append(str(Path(__file__).resolve().parents[1] / folder))

from dicom_writing import noise, slices, write  # noqa: E402
from exported_studies import IDENTITY, explained, placed_voxels  # noqa: E402

pytestmark = pytest.mark.gui

TIME = datetime(2026, 1, 2, tzinfo=UTC)
SIZE = PictureSize(900, 700)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Unsaved reviews of tests lie in the test's own folder."""
    root = tmp_path / "unsaved"
    monkeypatch.setattr(unsaved_review, "user_data_path", lambda *_, **__: root)
    return root


@pytest.fixture
def tab(opened: Any) -> Any:
    """The Review tab in front, the small study open."""
    opened.show_tab(type(opened.review))
    return opened.review


def mark(workspace: Any, kind: Any, points: list[tuple[int, int]], text: str = "") -> Any:
    """An annotation on the slice in the picture."""
    index = workspace.current_slice
    return annotation_on_grid(
        kind, [(index, *p) for p in points], workspace.study.grid, study="study", plane="axial",
        index=index, text=text,
    )  # fmt: skip


def heat(workspace: Any) -> Explanation:
    """A signed map on two slices of the study."""
    study, index = workspace.study, workspace.current_slice
    data = np.random.default_rng(3).standard_normal((2, *study.grid.shape[1:])).astype(np.float32)
    item = ExplanationMap("heat", data, "heatmap", "Heat", value_range=(-2.0, 2.0), signed=True)
    record = Provenance("grad-cam", {"layer": "last"}, model="mine", weights_sha256="ab" * 32)
    return Explanation("grad-cam", (item,), record, study.grid, slice(index, index + 2), "WT")


def rest() -> None:
    """Let the window come to rest, also on a machine that has no time for it."""
    for _ in range(8):
        settle(0.05)


@contextmanager
def another_window(review: Path) -> Iterator[Any]:
    """The workspace of a new window in which a saved review was opened."""
    import napari

    window = napari.Viewer(show=True)
    try:
        window.window.resize(1280, 800)
        workspace = open_workspace(window)
        rest()
        workspace.show_tab(type(workspace.review))
        workspace.review.open(review)
        assert workspace.wait(30)
        rest()
        yield workspace
    finally:
        window.close()


def show_heat(workspace: Any) -> Explanation:
    """The map over the scan, half clear."""
    found = heat(workspace)
    (layer,) = (workspace.viewer._add_layer_from_data(*t) for t in
                explanation_layers(found, workspace.study))  # fmt: skip
    layer[0].opacity = 0.5
    settle(0.1)
    return found


def drawn_on_screen(workspace: Any, pane: int | None = None) -> np.ndarray:
    """The canvas without words and lines, (rows, columns, 3); or that of another plane."""
    model = workspace.viewer if pane is None else workspace.modes.views.panes[pane].model
    names = [layer.name_overlay for layer in model.layers]
    overlays = [*model.canvas.overlays.values(), *model.scene.overlays.values(), *names]
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
            reading = opened.review.reading()
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
    layers = list(opened.viewer.layers)
    boxes = [
        place
        for place, inside in opened.viewer.canvas.grid.iter_viewboxes(layers)
        if any(layers[n].visible for n in inside)
    ]
    for panel, (row, column) in zip(reading.review.panels, boxes, strict=True):
        height, width = panel.camera.canvas
        top = round(row * (shot.shape[0] - height))
        left = round(column * (shot.shape[1] - width))
        check_agreement(opened, reading, panel, shot[top : top + height, left : left + width])


def _agree_within_a_pixel(ours: np.ndarray, shot: np.ndarray) -> float:
    """Share of pixels that occur, within 2 of 255, at most one pixel away on the screen."""
    best = np.full(ours.shape[:2], 255)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            moved = np.roll(shot, (down, right), axis=(0, 1))
            best = np.minimum(best, np.abs(ours.astype(int) - moved.astype(int)).max(axis=-1))
    return float(np.mean(best <= 2))


def test_a_saved_review_comes_back_onto_another_window_and_gives_the_same_picture(
    tab: Any, opened: Any, tmp_path: Path, viewer: Any
) -> None:
    show_heat(opened)
    opened.study_layer("flair").contrast_limits = (10.0, 180.0)
    opened.go_to_slice(opened.current_slice)
    viewer.scene.camera.zoom *= 1.5
    tab.marking.mark_key_slice("grows")
    tab.marking.add_annotation(mark(opened, "distance", [(10, 6), (10, 18)]))
    tab.marking.add_annotation(mark(opened, "text", [(5, 5)], "rim"))
    opened.click((opened.current_slice, 12, 14))
    settle(0.2)
    first = png_bytes(compose(tab.reading(), SIZE, created=TIME))
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    assert "Saved" in tab.run_bar.message.text()

    with another_window(tmp_path / "review") as second:
        assert [k.note for k in second.review.marking.key_slices] == ["grows"]
        assert len(second.review.marking.annotations) == 2
        assert second.study_layer("flair").contrast_limits == [10.0, 180.0]
        assert second.current_slice == opened.current_slice
        again = png_bytes(compose(second.review.reading(), SIZE, created=TIME))
    assert again == first


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


def test_saving_says_which_results_are_hidden_and_so_left_out(
    tab: Any, opened: Any, tmp_path: Path
) -> None:
    show_heat(opened)
    tab.save(tmp_path / "whole")
    assert opened.wait(30)
    assert "hidden" not in tab.run_bar.message.text()
    opened.viewer.layers[-1].visible = False
    tab.save(tmp_path / "part")
    assert opened.wait(30)
    assert "hidden: grad-cam" in tab.run_bar.message.text()


def test_a_grid_with_marks_and_another_zoom_comes_back(
    tab: Any, opened: Any, tmp_path: Path
) -> None:
    tab.marking.add_annotation(mark(opened, "distance", [(10, 6), (10, 18)]))
    tab.marking.add_annotation(mark(opened, "text", [(5, 5)], "rim"))
    opened.grid_view.show([opened.study_layer("flair"), opened.study_layer("t1")])
    rest()
    opened.viewer.scene.camera.zoom *= 1.7
    rest()
    first = png_bytes(compose(tab.reading(), SIZE, created=TIME))
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    with another_window(tmp_path / "review") as second:
        assert len(second.review.marking.annotations) == 2
        # A cell for each scan alone.
        assert sum(layer.visible for layer in second.viewer.layers) == 2
        again = png_bytes(compose(second.review.reading(), SIZE, created=TIME))
    assert again == first


def test_the_grid_comes_back_with_its_cells(tab: Any, opened: Any, tmp_path: Path) -> None:
    found = show_heat(opened)
    layer = next(
        x for x in opened.viewer.layers
        if getattr(x.metadata.get(METADATA_KEY), "explanation", None) is found
    )  # fmt: skip
    layer.opacity = 1.0
    opened.grid_view.show([opened.study_layer("flair"), opened.study_layer("t1"), layer])
    settle(0.2)
    before = tab.reading()
    assert len(before.review.panels) == 3
    assert before.review.panels[-1].overlays[0].limits == (-2.0, 2.0)
    first = png_bytes(compose(before, SIZE, created=TIME))
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    opened.grid_view.leave()
    opened.go_to_slice(0)
    tab.open(tmp_path / "review")
    assert opened.wait(30)
    settle(0.3)
    assert opened.grid_view.active
    assert png_bytes(compose(tab.reading(), SIZE, created=TIME)) == first


def test_three_planes_come_back_and_give_the_same_picture(
    tab: Any, opened: Any, tmp_path: Path
) -> None:
    show_heat(opened)
    opened.modes.set_mode("orthogonal")
    rest()
    opened.click((opened.current_slice, 11, 20))
    opened.viewer.scene.camera.zoom *= 1.6
    opened.viewer.scene.camera.center = (0.0, 12.5, 15.25)
    rest()
    first = png_bytes(compose(tab.reading(), SIZE, created=TIME))
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    opened.modes.set_mode("single")
    opened.fit()
    opened.go_to_slice(0)
    tab.open(tmp_path / "review")
    assert opened.wait(30)
    rest()
    assert opened.modes.mode == "orthogonal"
    assert png_bytes(compose(tab.reading(), SIZE, created=TIME)) == first


def test_key_slices_are_marked_noted_sorted_and_visited(tab: Any, opened: Any) -> None:
    for index in (5, 2, 2):
        opened.go_to_slice(index)
        tab.marking.mark_key_slice()
    assert [k.index for k in tab.marking.key_slices] == [5, 2]
    assert "already" in tab.run_bar.message.text()
    table = tab.marking.keys.table
    table.item(1, 1).setText("lowest")
    assert tab.marking.key_slices[1].note == "lowest"
    tab.marking.sort_key_slices()
    assert [(k.index, k.note) for k in tab.marking.key_slices] == [(2, "lowest"), (5, "")]
    opened.set_plane("coronal")
    tab.marking.mark_key_slice()
    table.jumped.emit(1)
    assert tab.reading().review.panels[0].plane == "axial"
    assert opened.current_slice == 5
    tab.marking.step_key_slice(1)
    assert tab.reading().review.panels[0].plane == "coronal"
    tab.marking.step_key_slice(1)
    assert opened.current_slice == 2
    tab.marking.remove_key_slice(0)
    assert [k.plane for k in tab.marking.key_slices] == ["axial", "coronal"]


def draw_line(tab: Any, start: tuple[int, int], end: tuple[int, int]) -> None:
    """What a drag with napari's line tool leaves behind."""
    layer = tab.marking.drawing._shapes
    index = tab._workspace.current_slice
    assert layer.mode == "add_line"
    layer.add(np.array([[index, *start], [index, *end]], float), shape_type="line")
    settle(0.1)


def test_what_is_drawn_is_measured_listed_and_undone(tab: Any, opened: Any) -> None:
    active = opened.viewer.layers.selection.active
    tab.marking.draw("distance")
    draw_line(tab, (4, 4), (4, 24))
    (line,) = tab.marking.annotations
    assert line.kind == "distance"
    assert line.length_mm == pytest.approx(20.0, abs=1e-3)
    shapes = tab.marking.drawing._shapes
    assert list(shapes.features["label"]) == ["20.0 mm"]
    assert opened.viewer.layers.selection.active is active
    tab.marking.draw("arrow")
    draw_line(tab, (10, 10), (20, 14))
    assert [a.kind for a in tab.marking.annotations] == ["distance", "arrow"]
    tail, head = opened.study.grid.index(tab.marking.annotations[1].points)
    assert np.allclose(tail[1:], (10, 10), atol=1e-3)
    assert np.allclose(head[1:], (20, 14), atol=1e-3)

    data = [np.array(d) for d in shapes.data]
    data[0][:, 1] += 3
    shapes.data = list(zip(data, shapes.shape_type, strict=True))
    settle(0.1)
    moved = opened.study.grid.index(tab.marking.annotations[0].points)
    assert np.allclose(moved[:, 1], 7, atol=1e-3)
    tab.marking.write_words(0, "across")
    assert tab.marking.annotating.table.item(0, 1).text() == "across"
    for _ in range(2):
        tab.marking.undo()
    assert tab.marking.annotations[0] == line
    tab.marking.undo()
    tab.marking.undo()
    assert tab.marking.annotations == ()
    assert len(shapes.data) == 0
    tab.marking.redo()
    assert tab.marking.annotations == (line,)
    tab.marking.remove_annotation(0)
    assert tab.marking.annotations == ()


def test_words_are_asked_for_and_a_click_is_no_annotation(tab: Any, opened: Any) -> None:
    tab.marking.ask_words = lambda question: "rim"
    tab.marking.draw("text")
    tab.marking.drawing._points.add([[opened.current_slice, 8.0, 9.0]])
    settle(0.1)
    (note,) = tab.marking.annotations
    assert (note.kind, note.text) == ("text", "rim")
    tab.marking.draw("distance")
    draw_line(tab, (4, 4), (4, 4.2))  # type: ignore[arg-type]
    assert tab.marking.annotations == (note,)
    opened.set_plane("sagittal")
    tab.marking.go_to_annotation(0)
    assert tab.reading().review.panels[0].plane == "axial"


def test_export_writes_pictures_and_report_and_asks_before_it_replaces(
    tab: Any, opened: Any, tmp_path: Path
) -> None:
    tab.exports.sizes.setCurrentText("1000 × 900, screen")
    tab.marking.mark_key_slice("one")
    out = tmp_path / "slice.png"
    tab.export(out)
    assert opened.wait(60)
    assert Image.open(out).size == (1000, 900)
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["panels"][0]["index"] == opened.current_slice
    assert "tiny" not in out.with_suffix(".json").read_text()
    before, asked = out.stat().st_mtime_ns, []
    tab.ask = lambda question: asked.append(question) is not None
    tab.export(out)
    assert opened.wait(60)
    assert len(asked) == 1
    assert out.stat().st_mtime_ns == before
    for what, names in (("key slices", 2), ("every slice", 8), ("report", 1)):
        tab.exports.choose(what)
        tab.exports.every.setValue(2)
        place = tmp_path / what.replace(" ", "-")
        tab.export(place / "report.pdf" if what == "report" else place)
        assert opened.wait(120)
        assert len(list(place.iterdir())) == names, what


def test_a_study_from_dicom_leaves_as_dicom_without_the_patient(
    workspace: Any, tmp_path: Path
) -> None:
    place = write(tmp_path / "Quandertide", slices(noise(4, 24, 20), **IDENTITY))
    workspace.open_path(place)
    assert workspace.wait(60)
    study = workspace.study
    found = explained(study)
    for item in explanation_layers(found, study):
        workspace.viewer._add_layer_from_data(*item)
    workspace.show_tab(type(workspace.review))
    workspace.go_to_slice(1)
    rest()
    tab = workspace.review
    tab.exports.choose("dicom")
    tab.export(tmp_path / "out")
    assert workspace.wait(120)
    files = [f for f in (tmp_path / "out").rglob("*") if f.is_file()]
    made = {dcmread(f).Modality: f for f in files if f.suffix == ".dcm"}
    assert {"SEG", "OT"} <= set(made), tab.run_bar.message.text()
    assert any("ParametricMap" in dcmread(f).SOPClassUID.name.replace(" ", "") for f in files)
    labels = placed_voxels(made["SEG"], study)["labels"]
    wanted = {0: 0, 1: 1, 4: 2}  # label values, and the numbers of their segments
    mask = found["mask"].data
    np.testing.assert_array_equal(labels, np.vectorize(wanted.get)(mask))
    for file in files:
        content = file.read_bytes()
        for word in ("Quandertide", "MRN-7741", "19370214", "20031107"):
            assert word.encode() not in content, (file.name, word)


def test_a_cancelled_series_leaves_nothing(tab: Any, opened: Any, tmp_path: Path) -> None:
    tab.exports.choose("every slice")
    tab.exports.every.setValue(1)
    tab.runner.progressed.connect(lambda step: tab.runner.cancel() if step.done >= 2 else None)
    tab.export(tmp_path / "series")
    assert opened.wait(60)
    settle(0.2)
    assert "Cancelled" in tab.run_bar.message.text()
    assert list((tmp_path / "series").iterdir()) == []


def test_no_export_while_something_computes_and_none_without_a_study(
    tab: Any, opened: Any, tmp_path: Path, workspace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    monkeypatch.setattr("napari_sparseexplain.widgets.explain_tab.tell_error", said.append)
    monkeypatch.setattr(type(opened.attribution), "computing", True)
    tab.export(tmp_path / "now.png")
    assert "Attribution: still computing" in str(said[-1])
    monkeypatch.setattr(type(opened.attribution), "computing", False)
    opened.viewer.dims.ndisplay = 3
    tab.export(tmp_path / "now.png")
    assert "no axial, coronal or sagittal" in str(said[-1])
    opened.viewer.dims.ndisplay = 2
    tab.exports.choose("key slices")
    tab.export(tmp_path / "keys")
    assert opened.wait(30)
    assert "no slice is marked" in str(said[-1])
    tab.exports.choose("dicom")
    tab.export(tmp_path / "dicom")
    assert opened.wait(30)
    assert "no explanation" in str(said[-1])
    opened.viewer.layers.clear()
    settle(0.2)
    tab.export(tmp_path / "now.png")
    assert "no study is open" in str(said[-1])
    assert not (tmp_path / "now.png").exists()


def test_a_moved_study_is_asked_for_and_a_changed_one_refused(
    tab: Any, opened: Any, tmp_path: Path, study_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    monkeypatch.setattr("napari_sparseexplain.widgets.explain_tab.tell_error", said.append)
    tab.marking.mark_key_slice()
    tab.save(tmp_path / "review")
    assert opened.wait(30)
    opened.viewer.layers.clear()
    settle(0.2)
    study_folder.rename(tmp_path / "elsewhere")
    asked = []
    tab.ask_folder = lambda title, start="": asked.append(title) or str(tmp_path / "elsewhere")
    tab.open(tmp_path / "review")
    assert tab.runner.wait(30)
    assert opened.wait(30)
    assert "where is it now" in asked[0]
    assert opened.study is not None
    assert len(tab.marking.key_slices) == 1
    scan = tmp_path / "elsewhere" / "tiny_t1.nii.gz"
    scan.write_bytes((tmp_path / "elsewhere" / "tiny_seg.nii.gz").read_bytes())
    tab.open(tmp_path / "review")
    assert opened.wait(30)
    assert "checksum differs" in str(said[-1])
    assert len(tab.marking.key_slices) == 1


def click_link(label: Any) -> bool:
    """Click a label's first link with the mouse; whether there is one that can be clicked."""
    from qtpy.QtCore import QPoint, Qt
    from qtpy.QtTest import QTest

    settle()
    followed: list[str] = []
    label.linkActivated.connect(followed.append)
    for y in range(4, label.height(), 6):
        for x in range(4, label.width(), 6):
            QTest.mouseClick(label, Qt.MouseButton.LeftButton, pos=QPoint(x, y))
            if followed:
                return True
    return False


def test_a_crash_loses_no_more_than_the_last_seconds(
    tab: Any, opened: Any, own_folder: Path
) -> None:
    tab.unsaved.poll(0.0)
    assert not own_folder.exists()
    tab.marking.mark_key_slice("kept")
    for now in (0.0, 10.0, 25.0):
        tab.unsaved.poll(now)
        assert tab.unsaved.wait(20)
    (folder,) = own_folder.rglob("review.json")
    assert [k.note for k in restore_review(folder.parent).review.key_slices] == ["kept"]

    tab.marking.remove_key_slice(0)  # as in a new window
    tab._tell_found()
    assert tab.found.isVisible()
    assert click_link(tab.found)
    assert opened.wait(30)
    assert [k.note for k in tab.marking.key_slices] == ["kept"]
    tab.save(own_folder.parent / "mine")
    assert opened.wait(30)
    assert not list(own_folder.rglob("review.json"))


def test_what_cannot_be_in_a_review_is_said(tab: Any, opened: Any) -> None:
    opened.viewer.add_image(np.zeros((8, 32, 32)), name="foreign", scale=opened.study.grid.spacing)
    opened.study_layer("flair").colormap = "bop blue"
    reading = tab.reading()
    told = " ".join(f.message for f in reading.findings)
    assert "'foreign' belongs to no study" in told
    assert "bop blue" in told
    with pytest.raises(SparseExplainError, match="still being computed"):
        compose(replace(reading, pending=("XRAI",)), SIZE)
