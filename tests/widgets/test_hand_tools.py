"""What a hand does beyond scrolling: left button, digits, flips, slabs, cine, magnifier."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QEvent, Qt

from napari_sparseexplain.layers.cells.slab import Slab, slab_of
from napari_sparseexplain.widgets.view.tools.picture_turns import (
    actual_size,
    flip,
    invert,
    smooth,
)

from .canvas_hand import LEFT, NONE, PLAIN, _send, drag, native, press, wheel
from .conftest import settle

pytestmark = pytest.mark.gui


def test_the_left_button_does_what_is_chosen(opened: Any) -> None:
    viewer, menu, canvas = opened.viewer, opened.view_bar.view_menu, native(opened.viewer)
    flair = opened.study_layer("flair")
    limits, zoom, point = tuple(flair.contrast_limits), viewer.scene.camera.zoom, viewer.dims.point
    menu.choose_left("window")
    drag(canvas, (100, 100), (180, 100), LEFT)
    assert flair.contrast_limits[1] - flair.contrast_limits[0] > limits[1] - limits[0]
    press(canvas, Qt.Key.Key_0)
    assert tuple(flair.contrast_limits) == pytest.approx(limits), "0: as the scan opened"
    menu.choose_left("zoom")
    drag(canvas, (100, 100), (100, 60), LEFT)
    assert viewer.scene.camera.zoom > zoom
    opened.fit()
    centre = tuple(viewer.scene.camera.center)
    menu.choose_left("scroll")
    drag(canvas, (100, 100), (100, 124), LEFT)
    assert viewer.dims.point[0] > point[0]
    assert tuple(viewer.scene.camera.center) == pytest.approx(centre)
    menu.choose_left("magnify")
    plain = opened.cells.picture()
    _send(canvas, QEvent.Type.MouseButtonPress, (150, 150), LEFT, LEFT, PLAIN)
    large = opened.cells.picture()
    _send(canvas, QEvent.Type.MouseButtonRelease, (150, 150), LEFT, NONE, PLAIN)
    assert large != plain
    assert opened.cells.magnified is None, "it goes with the button"
    menu.choose_left("move")
    drag(canvas, (100, 100), (130, 100), LEFT)
    assert tuple(viewer.scene.camera.center) != centre


def test_ctrl_and_wheel_zoom_and_scroll_nothing(opened: Any) -> None:
    viewer = opened.viewer
    zoom, point = viewer.scene.camera.zoom, tuple(viewer.dims.point)
    wheel(native(viewer), (100, 100), 1, Qt.KeyboardModifier.ControlModifier)
    assert viewer.scene.camera.zoom > zoom
    assert tuple(viewer.dims.point) == point


def test_what_is_turned_is_said_and_letters_follow(opened: Any) -> None:
    viewer, letters = opened.viewer, opened.letters
    before = letters.letters()
    flip(viewer, across=True)
    settle(0.05)
    assert (letters.letters()["left"], letters.letters()["right"]) == (
        before["right"],
        before["left"],
    )
    assert opened.title.text.endswith("flipped"), "it is neither convention now"
    notes = [finding.message for finding in opened.page("review").reading().findings]
    assert any("flipped" in note for note in notes)
    flip(viewer, across=True, down=True)
    assert letters.letters()["top"] == before["bottom"]
    opened.set_plane("axial")
    opened.set_convention(opened.convention)
    assert letters.letters() == before
    flair = opened.study_layer("flair")
    dark = opened.cells.picture().pixelColor(2, 2).lightness()
    invert(viewer)
    assert flair.colormap.name == "gray_r"
    invert(viewer)
    assert flair.colormap.name == "gray"
    assert opened.cells.picture().pixelColor(2, 2).lightness() == dark
    actual_size(viewer)
    assert viewer.scene.camera.zoom == pytest.approx(1 / min(flair.scale[-2:]))
    smooth(viewer, False)
    assert str(flair.interpolation2d) == "nearest"
    smooth(viewer, True)
    opened.fit()


def test_slabs_are_taken_through_the_picture_and_told(opened: Any) -> None:
    viewer, menu = opened.viewer, opened.view_bar.view_menu
    spacing = opened.study.grid.spacing[0]
    menu.show_slab(Slab("max", 4 * spacing))
    settle(0.05)
    assert slab_of(viewer) == Slab("max", 4 * spacing)
    assert "MIP" in opened.title.text
    opened.set_plane("coronal")
    margins = np.add(viewer.dims.margin_left, viewer.dims.margin_right)
    assert np.flatnonzero(margins).tolist() == [1], "it turns with the plane"
    notes = [finding.message for finding in opened.page("review").reading().findings]
    assert any("slab" in note for note in notes)
    opened.set_plane("axial")
    menu.toggle_slab()
    assert slab_of(viewer) is None
    assert str(opened.study_layer("flair").projection_mode) == "none"


def test_cine_plays_until_it_is_stopped(opened: Any) -> None:
    cine, point = opened.view_bar.view_menu.cine, opened.viewer.dims.point[0]
    cine.set_rate(30)
    cine.toggle()
    assert cine.playing
    settle(0.3)
    assert opened.viewer.dims.point[0] != point
    cine.toggle()
    assert not cine.playing
    cine.set_rate(15)


def test_the_corner_says_whose_picture_it_is_and_what_its_colours_mean(opened: Any) -> None:
    opened.identity.write()
    assert opened.identity.text == opened.study.name
    mask = opened.study_layer("seg")
    mask.visible = True
    opened.identity.write()
    names = opened.identity.classes
    legend = [
        overlay.text
        for name, overlay in opened.viewer.canvas.overlays.items()
        if name.startswith("mask_legend") and overlay.visible
    ]
    assert names
    assert legend == [f"■ {name}" for name in names]
    mask.visible = False
    opened.identity.write()
    assert opened.identity.classes == ()
    opened.modes.set_mode("grid")
    opened.identity.write()
    assert opened.identity.text == "", "side by side each picture has its name"
