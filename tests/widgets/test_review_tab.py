"""The Review tab in a real window: key slices, marks, exports."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.utils._proxies import ReadOnlyWrapper
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from PIL import Image
from pydicom import dcmread

from napari_sparseexplain.export.pictures.compositor import compose
from napari_sparseexplain.layers.explanation_layers import explanation_layers
from napari_sparseexplain.review.frames import at_slice

from .conftest import settle
from .reviewing import mark, rest

for folder in ("export", "volumes"):  # what writes DICOM for their tests
    sys.path.append(str(Path(__file__).resolve().parents[1] / folder))

from dicom_writing import noise, slices, write  # noqa: E402
from exported_studies import IDENTITY, explained, placed_voxels  # noqa: E402

pytestmark = pytest.mark.gui


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


def test_keys_go_to_the_picture_after_a_list_was_used(
    tab: Any, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    monkeypatch.setattr(opened.modes, "focus_picture", lambda: given.append("picture"))
    tab.marking.mark_key_slice()
    table = tab.marking.keys.table
    table.cellClicked.emit(0, 0)
    table.item(0, 1).setText("grows")
    assert given == ["picture", "picture"]
    assert [key.note for key in tab.marking.key_slices] == ["grows"]


def draw_line(tab: Any, start: tuple[int, int], end: tuple[int, int]) -> None:
    """What a drag with napari's line tool leaves behind."""
    layer = tab.marking.drawing._shapes
    index = tab._window.current_slice
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
    tab.marking.write_label(0, "across")
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


def test_marks_of_several_clicks_are_complete_by_themselves_and_keys_act_on_them(
    tab: Any, opened: Any
) -> None:
    """A long axis gets a short one; angles end with their last click; undo, redo and delete."""
    marking, drawing = tab.marking, tab.marking.drawing
    marking.draw("bidirectional")
    draw_line(tab, (4, 4), (4, 24))
    (axes,) = marking.annotations
    assert axes.axes_mm == pytest.approx((20, 10), abs=1e-3)
    data = [np.array(d) for d in drawing._shapes.data]
    data[0][4] += (0, 3, 3)  # an end of the short axis is moved aside
    drawing._shapes.data = list(zip(data, drawing._shapes.shape_type, strict=True))
    settle(0.1)
    points = np.array(marking.annotations[0].points)
    assert (points[1] - points[0]) @ (points[3] - points[2]) == pytest.approx(0, abs=1e-3)
    marking.draw("cobb")
    layer = drawing._shapes
    clicks = [(4, 4), (4, 14), (8, 4), (12, 8)]
    for number, corner in enumerate(clicks):
        click(opened, layer, corner)
        assert len(marking.annotations) == (2 if number == 3 else 1)
    assert marking.annotations[1].angle_degrees == pytest.approx(45, abs=0.1)
    assert drawing.tool is None
    hands = marking.hands
    hands.delete()  # the one drawn last
    assert [a.kind for a in marking.annotations] == ["bidirectional"]
    assert "Ctrl+Z" in tab.run_bar.message.text()
    hands.undo()
    assert [a.kind for a in marking.annotations] == ["bidirectional", "cobb"]
    hands.undo()
    hands.undo()
    assert marking.annotations == (axes,)
    hands.redo()
    # While a mask is painted the keys are its own.
    labels = opened.viewer.add_labels(np.zeros((8, 40, 40), np.uint8), name="own")
    labels.mode = "paint"
    labels.paint((1, 5, 5), 1)
    before = marking.annotations
    hands.undo()
    assert not labels.data.any()
    assert marking.annotations == before
    opened.viewer.layers.remove(labels)


def click(opened: Any, layer: Any, corner: tuple[int, int]) -> None:
    """Move, press and release of the left button, by the callbacks that napari's canvas calls."""
    place = [opened.current_slice, *corner]
    world = tuple(layer.data_to_world(place))
    for kind, call in (
        ("mouse_move", mouse_move_callbacks),
        ("mouse_press", mouse_press_callbacks),
        ("mouse_release", mouse_release_callbacks),
    ):
        event = ReadOnlyWrapper(MouseEvent(kind, world, corner), exceptions=("handled",))
        call(layer, event)
    settle(0.05)


class MouseEvent:
    """What napari's callbacks read of an event of the mouse."""

    def __init__(self, kind: str, position: tuple[float, ...], pos: tuple[int, int]) -> None:
        self.type, self.position, self.pos = kind, position, np.array(pos)
        self.button, self.modifiers, self.handled = 1, [], False
        self.is_dragging, self.view_direction, self.up_direction = False, None, None
        self.dims_displayed, self.dims_point, self.delta = [1, 2], list(position), (0, 0)


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
    tab.dialogs.ask = lambda question: asked.append(question) is not None
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


@pytest.fixture
def patient(workspace: Any, tmp_path: Path) -> Any:
    """The workspace with a patient's DICOM study open, and the Review tab in front."""
    place = write(tmp_path / "Quandertide", slices(noise(4, 24, 20), **IDENTITY))
    workspace.open_path(place)
    assert workspace.wait(60)
    workspace.show_tab("review")
    rest()
    return workspace


def test_a_study_from_dicom_leaves_as_dicom_without_the_patient(
    patient: Any, tmp_path: Path
) -> None:
    workspace = patient
    study = workspace.study
    found = explained(study)
    for item in explanation_layers(found, study):
        workspace.viewer._add_layer_from_data(*item)
    workspace.go_to_slice(1)
    rest()
    tab = workspace.page("review")
    tab.exports.choose("dicom")
    tab.export(tmp_path / "out")
    assert workspace.wait(120)
    files = [f for f in (tmp_path / "out").rglob("*") if f.is_file()]
    made = {dcmread(f).Modality: f for f in files if f.suffix == ".dcm"}
    assert {"SEG", "OT"} <= set(made), tab.run_bar.message.text()
    # The slice in the picture, since none is marked.
    picture = dcmread(tmp_path / "out" / "001_axial_002.dcm")
    assert picture.SOPClassUID.name == "Secondary Capture Image Storage"
    assert any("ParametricMap" in dcmread(f).SOPClassUID.name.replace(" ", "") for f in files)
    labels = placed_voxels(made["SEG"], study)["labels"]
    wanted = {0: 0, 1: 1, 4: 2}  # label values, and the numbers of their segments
    mask = found["mask"].data
    np.testing.assert_array_equal(labels, np.vectorize(wanted.get)(mask))
    for file in files:
        content = file.read_bytes()
        for word in ("Quandertide", "MRN-7741", "19370214", "20031107"):
            assert word.encode() not in content, (file.name, word)


def test_key_slices_without_an_explanation_leave_as_dicom_pictures_with_their_marks(
    patient: Any, tmp_path: Path
) -> None:
    workspace, tab = patient, patient.page("review")
    for index in (1, 2):
        workspace.go_to_slice(index)
        tab.marking.mark_key_slice()
    tab.exports.choose("dicom")
    tab.marking.add_annotation(mark(workspace, "distance", [(4, 4), (4, 16)]))
    tab.dialogs.ask_new_folder = lambda *_: str(tmp_path / "out")
    rest()
    reading = tab.reading()
    tab.export_button.click()
    assert workspace.wait(120)
    files = sorted((tmp_path / "out").iterdir())
    pictures = ["001_axial_002.dcm", "002_axial_003.dcm"]
    assert [f.name for f in files] == [*pictures, "measurements.dcm", "view.dcm"]
    assert [dcmread(file).Modality for file in files[2:]] == ["SR", "PR"]
    made = [dcmread(file) for file in files[:2]]
    assert {m.SOPClassUID.name for m in made} == {"Secondary Capture Image Storage"}
    assert {m.PatientIdentityRemoved for m in made} == {"YES"}
    bare = reading.with_review(replace(reading.review, annotations=()))
    for place, (key, capture) in enumerate(zip(reading.review.key_slices, made, strict=True)):
        drawn, without = (
            np.asarray(compose(at_slice(one, key), tab.exports.picture_size).image.convert("RGB"))
            for one in (reading, bare)
        )
        # Without the last lines, which say when.
        np.testing.assert_array_equal(capture.pixel_array[:-100], drawn[:-100])
        assert (drawn[:-100] != without[:-100]).any() == (place == 1)
    for file in files:
        assert b"Quandertide" not in file.read_bytes()
    asked: list[str] = []
    tab.dialogs.ask = lambda question: bool(asked.append(question))
    tab.export(tmp_path / "out")
    assert "is there already" in asked[0]


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
    tab: Any, opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    monkeypatch.setattr("napari_sparseexplain.widgets.explain_tab.show_error_dialog", said.append)
    monkeypatch.setattr(type(opened.page("attribution")), "computing", True)
    tab.export(tmp_path / "now.png")
    assert "Attribution: still computing" in str(said[-1])
    monkeypatch.setattr(type(opened.page("attribution")), "computing", False)
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
    assert "opened from DICOM images" in str(said[-1])
    tab.dialogs.ask_new_folder = lambda *_: pytest.fail("a folder was asked for")
    tab.export_button.click()
    assert not (tmp_path / "dicom").exists()
    opened.viewer.layers.clear()
    settle(0.2)
    tab.export(tmp_path / "now.png")
    assert "no study is open" in str(said[-1])
    assert not (tmp_path / "now.png").exists()
