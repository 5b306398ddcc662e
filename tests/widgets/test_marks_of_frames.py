"""Marks of a series over time in a real window: seen at their frame alone, and gone back to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from .conftest import LAS, settle, tiny_head
from .reviewing import another_window, rest

pytestmark = pytest.mark.gui


@pytest.fixture
def cine(workspace: Any, tmp_path: Path) -> Any:
    """The workspace with five frames of the small head, and the Review tab in front."""
    data = np.stack([tiny_head() * (1 + 0.1 * n) for n in range(5)], axis=-1)
    nib.save(nib.Nifti1Image(data, LAS), tmp_path / "cine.nii.gz")
    workspace.open_path(tmp_path / "cine.nii.gz")
    assert workspace.wait(30)
    workspace.show_tab("review")
    rest()
    assert workspace.viewer.dims.ndim == 4
    return workspace


def go_to(workspace: Any, frame: int) -> None:
    workspace.viewer.dims.set_point(0, frame)
    settle(0.1)


def draw_distance(workspace: Any, frame: int) -> Any:
    """A distance drawn on slice 3 of a frame."""
    marking = workspace.page("review").marking
    workspace.go_to_slice(3)
    go_to(workspace, frame)
    marking.draw("distance")
    layer = marking.drawing._shapes
    layer.add(np.array([[3, 4, 4], [3, 4, 24]], float), shape_type="line")
    settle(0.1)
    return layer


def words(workspace: Any) -> list[str]:
    return [text for text, *_ in workspace.page("review").marking.drawing.words.lines]


def test_a_measure_is_seen_at_its_frame_alone(cine: Any) -> None:
    marking = cine.page("review").marking
    shapes = draw_distance(cine, 2)
    (line,) = marking.annotations
    assert line.leading == (2,)
    assert words(cine) == ["20.0 mm"]
    assert "frame 3/5" in marking.annotating.table.item(0, 0).text()
    go_to(cine, 3)
    assert len(shapes.data) == 0
    assert words(cine) == []
    draw_distance(cine, 3)
    assert [a.leading for a in marking.annotations] == [(2,), (3,)]
    assert len(shapes.data) == 1
    marking.undo()
    assert marking.annotations == (line,)
    marking.annotating.table.jumped.emit(0)
    settle(0.1)
    assert cine.viewer.dims.point[0] == 2
    assert len(shapes.data) == 1
    record = cine.page("review").reading().review
    assert record.panels[0].scan.leading == (2,)


def test_a_frame_is_sought_with_the_tool_in_hand_and_a_begun_polygon_ends_on_its_own(
    cine: Any,
) -> None:
    marking = cine.page("review").marking
    shapes = draw_distance(cine, 1)
    marking.draw("polygon")
    go_to(cine, 2)
    assert shapes.mode == "add_polygon"
    go_to(cine, 1)
    assert (shapes.mode, len(shapes.data)) == ("add_polygon", 1)
    moved: list[Any] = []
    for row, column in ((5, 5), (5, 15), (15, 15), (15, 6)):
        event = _Press(np.array([0, 3.0, row, column]) * [1, 2, 1, 1])
        for call in shapes.mouse_drag_callbacks:
            moved.append(call(shapes, event))
        for step in moved:
            if step is not None:
                next(step, None)
    if not shapes._is_creating:
        pytest.skip("this napari begins a polygon in another way")
    go_to(cine, 3)
    assert not shapes._is_creating
    assert {a.leading for a in marking.annotations} == {(1,)}
    assert len(shapes.data) == 0


class _Press:
    """As much of a click as napari's polygon tool asks for."""

    type = "mouse_press"
    modifiers: tuple[str, ...] = ()
    handled = False

    def __init__(self, position: Any) -> None:
        self.position, self.pos = tuple(position[-4:]), np.array(position[-2:])
        self.view_direction, self.up_direction, self.dims_displayed = None, None, [2, 3]


def test_key_slices_have_frames_and_are_gone_back_to(cine: Any, tmp_path: Path) -> None:
    marking = cine.page("review").marking
    cine.go_to_slice(3)
    for frame in (1, 4, 4):
        go_to(cine, frame)
        marking.mark_key_slice()
    assert [(k.index, k.leading) for k in marking.key_slices] == [(3, (1,)), (3, (4,))]
    assert "frame 5/5 is a key slice already" in cine.page("review").run_bar.message.text()
    table = marking.keys.table
    assert table.chosen == 1, "the one just marked"
    assert [table.item(i, 0).text() for i in (0, 1)] == ["axial 4, frame 2/5", "axial 4, frame 5/5"]
    go_to(cine, 0)
    table.jumped.emit(0)
    settle(0.1)
    assert cine.viewer.dims.point[0] == 1
    assert "frame 2/5" in cine.title.text
    cine.jumps.key_slice(1)
    settle(0.1)
    assert cine.viewer.dims.point[0] == 4
    cine.jumps.key_slice(-1)
    assert cine.viewer.dims.point[0] == 1
    marking.step_key_slice(1)
    assert cine.viewer.dims.point[0] == 4
    draw_distance(cine, 4)
    cine.page("review").save(tmp_path / "review")
    assert cine.wait(30)
    with another_window(tmp_path / "review") as other:
        assert other.viewer.dims.point[0] == 4
        assert other.page("review").marking.key_slices == marking.key_slices
        assert words(other) == ["20.0 mm"]
        go_to(other, 0)
        assert words(other) == []


def test_a_click_reads_the_frame_in_the_picture(cine: Any) -> None:
    go_to(cine, 2)
    cine.signals.voxel_clicked.emit((4, 16, 16))
    (volume,) = cine.study.images.values()
    here, first = (float(np.asarray(volume.data[frame])[4, 16, 16]) for frame in (2, 0))
    assert here != first
    told = cine.page("review").read_out.text()
    assert f"frame 3/5  {here:.4g}" in told
    assert f"{first:.4g}" not in told


def test_a_scan_without_time_has_no_frame_in_a_window_with_one(
    cine: Any, study_folder: Path
) -> None:
    cine.open_path(study_folder)
    assert cine.wait(30)
    settle()
    go_to(cine, 3)
    cine.page("review").marking.mark_key_slice()
    assert cine.page("review").marking.key_slices[0].leading == ()
    assert "frame" not in cine.title.text
