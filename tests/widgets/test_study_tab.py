"""The Study tab in a real window: layers in mm, letters from the affine, nothing lost on errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.utils.notifications import notification_manager

from napari_sparseexplain.layers.cells.shown_cells import cells_of

from .conftest import settle

pytestmark = pytest.mark.gui


def shown(workspace: Any) -> list[str]:
    return [layer.name for layer in workspace.viewer.layers if layer.visible]


def test_a_study_opens_in_millimetres_on_its_lesion(opened: Any) -> None:
    layers = opened.viewer.layers
    assert [layer.name for layer in layers] == ["T1 · tiny", "FLAIR · tiny", "Mask · tiny"]
    for layer in layers:
        assert tuple(layer.scale) == (2.0, 1.0, 1.0)
        assert {str(unit) for unit in layer.units} == {"millimeter"}
    assert shown(opened) == ["FLAIR · tiny", "Mask · tiny"]
    mask = np.asarray(layers["Mask · tiny"].data)
    assert mask[opened.current_slice].any()
    assert opened.viewer.canvas.overlays.scale_bar.visible


def test_letters_and_picture_agree_with_an_las_file(opened: Any) -> None:
    """The ball lies left, front, up in the patient; the radiological picture shows it so."""
    assert opened.letters.letters() == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    mask = np.asarray(opened.viewer.layers["Mask · tiny"].data)
    slices, rows, columns = np.nonzero(mask)
    depth, height, width = mask.shape
    assert slices.mean() > (depth - 1) / 2, "superior: a later slice"
    assert rows.mean() < (height - 1) / 2, "anterior: in the upper half"
    assert columns.mean() > (width - 1) / 2, "left of the patient: in the right half"


@pytest.mark.parametrize(
    ("plane", "letters"),
    [
        ("coronal", {"left": "R", "right": "L", "top": "S", "bottom": "I"}),
        ("sagittal", {"left": "A", "right": "P", "top": "S", "bottom": "I"}),
    ],
)
def test_letters_follow_the_plane_and_superior_stays_up(
    opened: Any, plane: str, letters: dict[str, str]
) -> None:
    opened.set_plane(plane)
    settle()
    assert opened.letters.letters() == letters
    overlay = opened.viewer.canvas.overlays["orientation"]
    assert overlay.letters == letters
    assert overlay.visible


def test_letters_follow_a_camera_flip_and_leave_in_3d(opened: Any) -> None:
    opened.viewer.scene.camera.orientation2d = ("up", "left")
    assert opened.letters.letters() == {"left": "L", "right": "R", "top": "P", "bottom": "A"}
    opened.viewer.dims.ndisplay = 3
    assert opened.letters.letters() == {}
    assert not opened.viewer.canvas.overlays["orientation"].visible


def test_the_canvas_is_not_black_and_right_side_up(opened: Any) -> None:
    """The bright ball is seen where the letters say: right half, upper half of the picture."""
    opened.viewer.layers["Mask · tiny"].visible = False
    opened.viewer.canvas.overlays["orientation"].visible = False
    opened.viewer.canvas.overlays.scale_bar.visible = False
    settle()
    picture = opened.viewer.screenshot(canvas_only=True, flash=False)[..., :3].mean(axis=-1)
    assert picture.max() > 100
    rows, columns = np.nonzero(picture > 0.9 * picture.max())
    assert rows.mean() < picture.shape[0] / 2
    assert columns.mean() > picture.shape[1] / 2


def test_a_bad_file_is_told_and_nothing_is_lost(opened: Any, tmp_path: Path) -> None:
    bad = tmp_path / "broken.nii.gz"
    bad.write_bytes(b"this is no scan")
    before, study = list(opened.viewer.layers), opened.study
    count = len(notification_manager.records)
    opened.open_path(bad)
    assert opened.wait(20)
    settle()
    assert list(opened.viewer.layers) == before
    assert opened.study is study
    told = [record.message for record in notification_manager.records[count:]]
    assert any("broken.nii.gz" in message for message in told)
    assert "broken.nii.gz" in opened.page("study").run_bar.message.text()


def test_side_by_side_and_back(opened: Any) -> None:
    before = shown(opened)
    opened.page("study").side_by_side.click()
    settle()
    assert opened.grid_view.active
    assert shown(opened) == ["T1 · tiny", "FLAIR · tiny", "Mask · tiny"]
    assert all(cells_of(opened.viewer).is_named(layer) for layer in opened.viewer.layers)
    opened.page("study").side_by_side.click()
    settle()
    assert not opened.grid_view.active
    assert shown(opened) == before


def test_a_role_is_edited_in_place(opened: Any) -> None:
    layer = opened.viewer.layers["T1 · tiny"]
    row = opened.page("study").rows["t1"]
    row.role_edited.emit("t1", "t2")
    settle()
    assert opened.study["t2"].role == "t2"
    assert layer in opened.viewer.layers
    assert layer.name == "T2 · tiny"
    opened.page("study").rows["t2"].role_edited.emit("t2", "flair")
    assert "t2" in opened.study, "a role that is taken is refused"


def test_dropping_a_folder_makes_it_the_active_study(workspace: Any, study_folder: Path) -> None:
    workspace.viewer.open(str(study_folder), plugin="napari-sparseexplain")
    settle()
    assert workspace.study.name == "tiny"
    assert workspace.letters.letters()["left"] == "R"
    workspace.viewer.layers.clear()
    settle()
    assert workspace.study is None
    assert workspace.letters.letters() == {}


def test_a_click_says_where_in_the_patient(opened: Any) -> None:
    opened.signals.voxel_clicked.emit((4, 10, 20))
    text = opened.page("study").read_out.text()
    assert "slice 5, row 11, column 21" in text
    # Column grows to the left, row to the back, slice upwards; see LAS in conftest.
    world = opened.study.grid.world((4, 10, 20))
    assert f"{'R' if world[0] >= 0 else 'L'} {abs(world[0]):.1f}" in text
    assert "FLAIR" in text


def test_menu_entries_open_one_workspace(viewer: Any) -> None:
    from napari._app_model import get_app_model

    from napari_sparseexplain.widgets.workspace import DOCK_NAME

    for entry in ("proxy", "study", "responses"):
        get_app_model().commands.execute_command(f"napari-sparseexplain.{entry}")
        settle(0.5)
    assert set(viewer.window.dock_widgets) == {DOCK_NAME, "Responses (SparseExplain)"}


def test_a_volume_beside_a_series_over_time(opened: Any, tmp_path: Path) -> None:
    """A viewer with four axes still fits, and letters, a study with three."""
    import nibabel as nib

    from .conftest import LAS, tiny_head

    moving = np.stack([tiny_head(), tiny_head() * 0.5], axis=-1)
    nib.save(nib.Nifti1Image(moving, LAS), tmp_path / "bold.nii.gz")
    first = opened.study
    opened.open_path(tmp_path / "bold.nii.gz")
    assert opened.wait(30)
    settle()
    assert opened.viewer.dims.ndim == 4
    assert opened.letters.letters()["top"] == "A"
    opened.activate(first)
    opened.set_plane("coronal")
    opened.page("study").side_by_side.click()
    settle()
    assert opened.study is first
    assert opened.letters.letters() == {"left": "R", "right": "L", "top": "S", "bottom": "I"}


def test_a_mask_of_the_study_cannot_be_painted_and_a_copy_of_it_can(opened: Any) -> None:
    from napari._app_model import get_app_model

    layers = opened.viewer.layers
    mask = opened.study_layer("seg")
    before = np.asarray(mask.data).copy()
    assert not mask.editable
    layers.selection = {mask}
    get_app_model().commands.execute_command("napari.layer.duplicate").result()
    settle()
    copy = layers[layers.index(mask) + 1]
    assert copy.editable
    copy.paint((4, 3, 3), 1)
    assert int(copy.data[4, 3, 3]) == 1
    np.testing.assert_array_equal(np.asarray(mask.data), before)
    assert opened.layers_of(opened.study).count(copy) == 0  # nor is it exported as the study's
