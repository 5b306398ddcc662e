"""Three planes, side by side, single, full: one state, in a real window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari._qt.utils import QImg2array

from .canvas_hand import LEFT, SHIFT, drag, move, native, wheel
from .conftest import settle

pytestmark = pytest.mark.gui


@pytest.fixture
def three(opened: Any) -> Any:
    """The small study in three planes."""
    opened.modes.set_mode("orthogonal")
    settle(0.4)
    return opened


def pane(workspace: Any, plane: str) -> Any:
    return next(p for p in workspace.modes.views.panes if p.plane == plane)


def canvas_of(workspace: Any, plane: str) -> Any:
    views = workspace.modes.views
    return views.painted[views.panes.index(pane(workspace, plane))]


def state(workspace: Any) -> dict[str, Any]:
    """What must survive every switch."""
    viewer = workspace.viewer
    return {
        "point": tuple(viewer.dims.point),
        "zoom": float(viewer.scene.camera.zoom),
        "centre": tuple(viewer.scene.camera.center)[-2:],
        "visible": {layer.name: layer.visible for layer in viewer.layers},
        "window": tuple(workspace.study_layer("flair").contrast_limits),
        "convention": workspace.convention,
    }


def test_planes_share_arrays_letters_point_and_zoom(three: Any) -> None:
    viewer, grid = three.viewer, three.study.grid
    assert [p.plane for p in three.modes.views.panes] == ["coronal", "sagittal"]
    # Nothing is copied, and what is hidden has no twin.
    for view in three.modes.views.panes:
        assert set(view.mirror.twins) == {layer for layer in viewer.layers if layer.visible}
        for layer, twin in view.mirror.twins.items():
            assert np.shares_memory(np.asarray(twin.data), np.asarray(layer.data))
    assert pane(three, "coronal").letters.letters() == {
        "left": "R", "right": "L", "top": "S", "bottom": "I",
    }  # fmt: skip
    assert pane(three, "sagittal").letters.letters()["left"] == "A"

    # One point: slices and crosshairs of all planes.
    three.go_to_voxel((5, 12, 20))
    settle()
    assert pane(three, "coronal").model.dims.point[1] == 12 * grid.spacing[1]
    assert pane(three, "sagittal").model.dims.point[2] == 20 * grid.spacing[2]
    assert three.modes.views.crosshair.place == (12.0, 20.0)
    assert pane(three, "coronal").crosshair.place == (10.0, 20.0)
    assert pane(three, "sagittal").crosshair.place == (10.0, 12.0)
    assert pane(three, "coronal").title.text.startswith("Coronal 13/32")

    # One scale: a millimetre is as long in every plane; a shared axis is panned together.
    camera = viewer.scene.camera
    camera.zoom *= 2
    camera.center = (0.0, 10.0, 25.0)
    settle()
    for view in three.modes.views.panes:
        assert view.model.scene.camera.zoom == pytest.approx(camera.zoom)
    assert pane(three, "coronal").model.scene.camera.center[-1] == pytest.approx(25.0)
    assert pane(three, "sagittal").model.scene.camera.center[-1] == pytest.approx(10.0)
    # And back: a pane leads as well.
    pane(three, "sagittal").model.scene.camera.center = (0.0, 6.0, 14.0)
    assert camera.center[-2] == pytest.approx(14.0)
    assert pane(three, "coronal").model.scene.camera.center[-2] == pytest.approx(6.0)

    # How layers look, and another plane in the main view.
    flair = three.study_layer("flair")
    flair.contrast_limits = (10, 90)
    flair.opacity = 0.5
    three.study_layer("t1").visible = True
    twins = pane(three, "coronal").mirror.twins
    assert tuple(twins[flair].contrast_limits) == (10, 90)
    assert twins[flair].opacity == 0.5
    order = [viewer.layers.index(layer) for layer in twins]
    shown = [pane(three, "coronal").model.layers.index(twin) for twin in twins.values()]
    assert np.argsort(order).tolist() == np.argsort(shown).tolist()
    viewer.layers.remove(three.study_layer("t1"))
    assert len(pane(three, "coronal").model.layers) == 2
    three.set_plane("sagittal")
    settle()
    assert {p.plane for p in three.modes.views.panes} == {"axial", "coronal"}
    assert pane(three, "axial").letters.letters()["top"] == "A"


def test_hands_in_the_other_planes(three: Any) -> None:
    viewer, grid = three.viewer, three.study.grid
    canvas = canvas_of(three, "coronal")
    model = pane(three, "coronal").model
    middle = (canvas.width() / 2, canvas.height() / 2)
    clicked: list[Any] = []
    three.signals.voxel_clicked.connect(clicked.append)

    before = viewer.dims.point[1]
    zoom = viewer.scene.camera.zoom
    wheel(canvas, middle, -2)
    settle(0.1)
    assert viewer.dims.point[1] == before + 2 * grid.spacing[1], "the wheel scrolls that plane"
    assert viewer.scene.camera.zoom == zoom
    # A click takes the crosshair there: the middle of the pane is the camera's centre.
    drag(canvas, middle, middle, LEFT)
    settle(0.1)
    centre = model.scene.camera.center[-2:]
    expected = (round(centre[0] / grid.spacing[0]), round(centre[1] / grid.spacing[2]))
    assert clicked
    assert abs(clicked[-1][0] - expected[0]) <= 1
    assert abs(clicked[-1][2] - expected[1]) <= 1
    assert three.current_slice == clicked[-1][0]
    # Shift and moving drags the crosshair.
    move(canvas, (middle[0] + 30, middle[1]), SHIFT)
    settle(0.1)
    assert viewer.dims.point[2] > clicked[-1][2] * grid.spacing[2]
    # The right button is window and level here too, for all planes.
    limits = tuple(three.study_layer("flair").contrast_limits)
    drag(canvas, middle, (middle[0] + 40, middle[1]))
    assert tuple(three.study_layer("flair").contrast_limits) != limits
    # Keys go where they are bound.
    assert canvas.focusProxy() is native(viewer)


def test_a_mode_left_before_it_was_painted_comes_back_whole(opened: Any) -> None:
    for mode in ("orthogonal", "single", "orthogonal"):
        opened.modes.set_mode(mode)
    settle(1.0)
    for canvas, view in zip(opened.modes.views.canvases, opened.modes.views.panes, strict=True):
        assert view.crosshair.place is not None
        red, green, blue = np.moveaxis(QImg2array(canvas.canvas.screenshot())[..., :3] / 255, -1, 0)
        # Of the mask's green; the crosshair is blue.
        assert np.mean((green - red > 0.1) & (green - blue > 0.03)) > 0.005, view.plane


@pytest.mark.parametrize("full", [False, True])
def test_planes_that_were_hidden_are_painted_again(opened: Any, full: bool) -> None:
    modes, flair = opened.modes, opened.study_layer("flair")
    flair.interpolation2d = "cubic"  # which napari draws
    hide = modes.toggle_full if full else lambda: modes.set_mode("single")
    show = modes.toggle_full if full else lambda: modes.set_mode("orthogonal")
    modes.set_mode("orthogonal")
    settle(0.6)
    painted: list[int] = []
    for canvas in modes.views.canvases:
        canvas.canvas._scene_canvas.events.draw.connect(lambda event: painted.append(1))
    hide()
    # Asked for while nobody sees the views.
    opened.set_convention("neurological")
    settle(0.3)
    show()
    settle(0.6)
    painted.clear()
    opened.set_convention("radiological")
    settle(0.6)
    flair.interpolation2d = "nearest"
    assert len(painted) >= 2, "a view still shows what it had before it was hidden"


def test_switching_loses_nothing(opened: Any) -> None:
    viewer = opened.viewer
    opened.go_to_voxel((3, 11, 13))
    opened.study_layer("flair").contrast_limits = (20, 200)
    opened.study_layer("seg").visible = False
    viewer.scene.camera.zoom *= 1.7
    viewer.scene.camera.center = (0.0, 12.0, 18.0)
    settle(0.3)
    before = state(opened)
    for mode in ("grid", "orthogonal", "grid", "single"):
        opened.modes.set_mode(mode)
        settle(0.4)
        assert opened.modes.mode == mode
        assert opened.view_bar.modes[mode].isChecked()
        now = state(opened)
        assert now["point"] == before["point"], mode
        assert now["window"] == before["window"], mode
        if mode == "grid":
            assert all(now["visible"].values())
        else:
            assert now["visible"] == before["visible"], mode
    # The other planes take height from the picture; with it back the zoom is the same.
    assert state(opened)["zoom"] == pytest.approx(before["zoom"])
    assert state(opened)["centre"] == pytest.approx(before["centre"])


def test_grid_full_window_and_a_closed_dock_come_back(opened: Any) -> None:
    before = opened.viewer.dims.point
    # The grid comes back with what stood in it.
    cells = [opened.study_layer("t1"), opened.study_layer("flair")]
    opened.grid_view.show(cells)
    opened.modes.set_mode("single")
    opened.modes.set_mode("grid")
    assert list(opened.grid_view.layers) == cells
    opened.modes.set_mode("single")

    # The picture alone, from three planes, and back to them.
    opened.modes.set_mode("orthogonal")
    settle()
    opened.modes.toggle_full()
    settle()
    assert opened.modes.mode == "single"
    assert not opened.isVisible()
    assert not opened.modes.views.isVisible()
    opened.modes.toggle_full()
    settle()
    assert opened.isVisible()
    assert opened.modes.mode == "orthogonal"
    # Closed by hand it is the single view; opened again it works.
    opened.modes.views.parentWidget().close()
    settle()
    assert opened.modes.mode == "single"
    opened.modes.set_mode("orthogonal")
    settle()
    assert opened.modes.views.isVisible()
    assert opened.viewer.dims.point == before


def test_neurological_mirrors_left_and_right_alone_in_every_view(three: Any) -> None:
    viewer = three.viewer
    three.view_bar.convention.click()
    settle(0.1)
    assert three.convention == "neurological"
    assert three.letters.letters() == {"left": "L", "right": "R", "top": "A", "bottom": "P"}
    coronal, sagittal = pane(three, "coronal"), pane(three, "sagittal")
    assert coronal.letters.letters()["left"] == "L"
    assert coronal.letters.letters()["top"] == "S"
    assert sagittal.letters.letters()["left"] == "A", "there is no left in a sagittal picture"
    # The lesion lies in the patient's left: now in the left half of the picture.
    for layer in viewer.layers:
        layer.visible = layer is three.study_layer("flair")
    for view in (viewer, coronal.model):
        for overlay in view.canvas.overlays.values():
            overlay.visible = False
    three.modes.views.crosshair.show(None)
    settle()
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].mean(axis=-1)
    _, columns = np.nonzero(picture > 0.95 * picture.max())
    assert columns.mean() < picture.shape[1] / 2
    three.set_plane("coronal")
    assert three.letters.letters()["left"] == "L"
    three.set_plane("sagittal")
    assert three.letters.letters()["left"] == "A"
    three.set_plane("axial")
    three.view_bar.convention.click()
    assert three.letters.letters()["left"] == "R"
    assert "radiological" in three.view_bar.convention.text().lower()
