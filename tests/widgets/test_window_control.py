"""Window and level in a real window: the hand, the presets, and what the canvas says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_sparseexplain.layers.canvas.grey_window import window_caption

from .canvas_hand import drag, native
from .conftest import settle

pytestmark = pytest.mark.gui


def test_dragging_presets_and_read_out(opened: Any) -> None:
    viewer, control = opened.viewer, opened.view_bar.window_control
    canvas, layer = native(viewer), opened.study_layer("flair")
    settle()
    assert control.layer is layer
    assert control.choice.currentText() == "Auto"
    low, high = first = tuple(map(float, layer.contrast_limits))
    assert control.read_out.text.startswith(f"FLAIR  W {high - low:.0f}")

    zoom, centre = viewer.scene.camera.zoom, viewer.scene.camera.center
    said: list[str] = []
    layer.events.contrast_limits.connect(lambda: said.append(control.read_out.text))
    # 160 px to the right double the width; 64 px down raise the level by a fifth of the width.
    drag(canvas, (100, 100), (260, 164))
    level, width = sum(layer.contrast_limits) / 2, np.ptp(layer.contrast_limits)
    assert width == pytest.approx(2 * (high - low), rel=1e-6)
    assert level == pytest.approx((low + high) / 2 + 0.2 * (high - low), rel=1e-6)
    assert viewer.scene.camera.zoom == zoom, "the camera's own right drag is held back"
    assert viewer.scene.camera.center == centre
    assert f"W {width:.0f}" in control.read_out.text
    assert said, "the numbers stand there while the hand moves"
    settle()
    assert control.choice.currentText() == "By hand"

    control.auto()
    settle()
    assert tuple(layer.contrast_limits) == pytest.approx(first)
    assert control.choice.currentText() == "Auto"
    control.step(1)
    settle()
    assert control.choice.currentText() == control.presets[1].name
    control.step(-1)
    control.step(-1)
    settle()
    assert control.choice.currentText() == "Full range"
    control.auto_slice()
    seen = np.asarray(layer.data)[opened.current_slice]
    assert seen.min() <= layer.contrast_limits[0] < layer.contrast_limits[1] <= seen.max()


def test_the_cell_under_the_pointer_is_meant_and_a_tool_keeps_its_button(opened: Any) -> None:
    viewer = opened.viewer
    canvas = opened.cells
    opened.page("study").side_by_side.click()
    settle()
    assert opened.view_bar.window_control.read_out.text == ""
    t1, flair = opened.study_layer("t1"), opened.study_layer("flair")
    # The first cell holds T1, although FLAIR is the selected layer.
    before = [tuple(layer.contrast_limits) for layer in (t1, flair)]
    drag(canvas, (40, 60), (80, 60))
    assert tuple(t1.contrast_limits) != before[0]
    words = canvas._painter.words([t1], 400, 400)
    assert words[-1] == window_caption(t1), "each cell says its own"
    assert tuple(flair.contrast_limits) == before[1]

    drawn = viewer.add_labels(np.zeros(t1.data.shape, np.uint8), scale=t1.scale, units=t1.units)
    viewer.layers.selection.active = drawn
    drawn.mode = "paint"
    limits, zoom = tuple(t1.contrast_limits), viewer.scene.camera.zoom
    drag(canvas, (40, 60), (80, 60))
    assert tuple(t1.contrast_limits) == limits
    assert viewer.scene.camera.zoom == zoom
