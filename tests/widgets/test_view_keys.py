"""Keys: none of napari's is taken, each does what the sheet says, in a real window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_sparseexplain.export.pictures.burned_in import number_text
from napari_sparseexplain.review.review import KeySlice
from napari_sparseexplain.widgets.view.key_sheet import sheet_html
from napari_sparseexplain.widgets.view.keys import KEYS, MOUSE

from .canvas_hand import PLAIN, SHIFT, drag, move, native, press, wheel
from .conftest import settle


def test_no_key_is_napari_s() -> None:
    """Neither a default shortcut, of the viewer or of a layer's tools, nor a menu entry's."""
    from napari.utils.key_bindings import coerce_keybinding
    from napari.utils.shortcuts import default_shortcuts

    taken = {str(key): name for name, keys in default_shortcuts.items() for key in keys}
    ours = [str(coerce_keybinding(entry.key)) for entry in KEYS]
    assert len(set(ours)) == len(ours)
    assert not set(ours) & set(taken)
    # Menu entries and all that napari binds itself hold Ctrl (or Cmd), Alt, or a function key
    # other than F1: none of ours does.
    assert not [key for key in ours if "Ctrl" in key or "Alt" in key or "Meta" in key]


def test_the_sheet_tells_every_key_and_what_a_gesture_replaces() -> None:
    text = sheet_html()
    assert all(entry.words in text.replace("&#x27;", "'") for entry in KEYS)
    assert all(gesture in text for gesture, _, _ in MOUSE)
    assert "instead of napari&#x27;s zoom" in text


@pytest.mark.gui
def test_keys_and_wheel(opened: Any) -> None:
    viewer, study = opened.viewer, opened.study
    canvas = native(viewer)
    canvas.setFocus()
    key = Qt.Key

    def tap(which: Any, modifiers: Any = PLAIN) -> None:
        press(canvas, which, modifiers)
        settle(0.05)

    # Slices.
    opened.go_to_slice(3)
    tap(key.Key_Down)
    assert opened.current_slice == 4
    tap(key.Key_Up)
    tap(key.Key_Up)
    assert opened.current_slice == 2
    tap(key.Key_End)
    assert opened.current_slice == study.grid.shape[0] - 1
    tap(key.Key_Down)
    assert opened.current_slice == study.grid.shape[0] - 1, "the last one"
    tap(key.Key_Home)
    assert opened.current_slice == 0
    tap(key.Key_PageDown)
    assert opened.current_slice == study.grid.shape[0] - 1
    tap(key.Key_Home)
    zoom = viewer.scene.camera.zoom
    wheel(canvas, (100, 100), -2)
    assert opened.current_slice == 2
    wheel(canvas, (100, 100), 1)
    assert opened.current_slice == 1
    assert viewer.scene.camera.zoom == zoom
    wheel(canvas, (100, 100), 1, SHIFT)
    assert viewer.scene.camera.zoom == pytest.approx(1.15 * zoom)
    assert opened.current_slice == 1

    # The largest lesion, of the mask.
    tap(key.Key_J)
    mask = np.asarray(opened.study_layer("seg").data)
    place = tuple(
        round(v / mm) for v, mm in zip(viewer.dims.point, study.grid.spacing, strict=True)
    )
    assert mask[place]
    assert mask.sum(axis=(1, 2))[place[0]] == mask.sum(axis=(1, 2)).max()
    assert opened.jumps.said == f"Lesion 1 of 1 · {(mask > 0).sum() * 2 / 1000:.3g} ml"

    # Key slices: nobody keeps them, none is marked, three in two planes.
    opened.review_hooks.key_slices, own = None, opened.review_hooks.key_slices
    tap(key.Key_N)
    assert opened.jumps.said == "No review is open"
    opened.review_hooks.key_slices = own
    tap(key.Key_N)
    assert opened.jumps.said == "No key slice is marked"
    tap(key.Key_K)
    assert [k.index for k in opened.page("review").marking.key_slices] == [opened.current_slice]
    marked: list[KeySlice] = []
    opened.review_hooks.key_slices = lambda: marked
    marked += [KeySlice("s", "axial", 6), KeySlice("s", "coronal", 9), KeySlice("s", "axial", 2)]
    opened.go_to_slice(3)
    tap(key.Key_N)
    assert opened.current_slice == 6
    tap(key.Key_N)
    assert viewer.dims.order == (1, 0, 2)
    assert viewer.dims.point[1] == 9
    tap(key.Key_N)
    assert viewer.dims.order == (0, 1, 2)
    assert opened.current_slice == 2
    tap(key.Key_N, SHIFT)
    assert viewer.dims.order == (1, 0, 2)
    opened.set_plane("axial")
    called: list[str] = []
    opened.review_hooks.mark = lambda: called.append("mark")
    opened.review_hooks.export = lambda: called.append("export")
    tap(key.Key_K)
    tap(key.Key_E, SHIFT)
    assert called == ["mark", "export"]

    # Overlays and windows.
    seg = opened.study_layer("seg")
    tap(key.Key_H)
    assert not seg.visible
    assert opened.study_layer("flair").visible
    tap(key.Key_H)
    assert seg.visible
    before = tuple(opened.study_layer("flair").contrast_limits)
    tap(key.Key_W)
    assert tuple(opened.study_layer("flair").contrast_limits) != before
    tap(key.Key_U)  # level and width are set: the ends come back but for rounding
    assert tuple(opened.study_layer("flair").contrast_limits) == pytest.approx(before)

    # Views.
    tap(key.Key_G)
    assert opened.modes.mode == "grid"
    tap(key.Key_H)
    assert "cell" in opened.jumps.said
    tap(key.Key_G)
    assert opened.modes.mode == "single"
    tap(key.Key_R, SHIFT)
    assert opened.convention == "neurological"
    tap(key.Key_R, SHIFT)

    # Blink: nothing to blink, then the two selected layers.
    tap(key.Key_Q)
    assert "two" in opened.jumps.said
    t1, flair = opened.study_layer("t1"), opened.study_layer("flair")
    viewer.layers.selection = {t1, flair}
    tap(key.Key_Q)
    assert (t1.visible, flair.visible) == (True, False)
    tap(key.Key_Q)
    assert (t1.visible, flair.visible) == (False, True)
    tap(key.Key_Q, SHIFT)
    assert opened.jumps.blinking
    tap(key.Key_Q, SHIFT)
    assert not opened.jumps.blinking

    # The probe: patient's millimetres by the affine, and what the layers hold.
    point = viewer.dims.point
    centre = (12.0, 18.0)
    viewer.scene.camera.center = (0.0, *centre)
    settle(0.1)
    move(canvas, (canvas.width() / 2, canvas.height() / 2))
    settle(0.15)
    index = (opened.current_slice, 12, 18)
    shown = opened.probe.values.text()
    value = float(np.asarray(flair.data)[index])
    assert f"FLAIR {number_text(value)}" in shown
    assert f"Mask {mask[index]}" in shown
    assert "T1 " in shown, "hidden scans tell too"
    before = t1.data
    t1.data = np.full_like(np.asarray(before), 7)
    settle(0.15)
    assert "T1 7" in opened.probe.values.text(), "what comes under a resting pointer is read"
    t1.data = before
    settle(0.15)
    world = study.grid.world((point[0] / 2, centre[0], centre[1]))
    words = dict(part.split(" ") for part in opened.probe.place.text()[:-3].split("  "))
    for axis, letters in enumerate(("RL", "AP", "SI")):
        letter = letters[0] if world[axis] >= 0 else letters[1]
        assert float(words[letter]) == pytest.approx(abs(world[axis]), abs=0.3)
    move(canvas, (2, 2))
    settle(0.15)
    assert opened.probe.values.text() == ""
    limits = flair.contrast_limits
    drag(canvas, (2, 2), (canvas.width() / 2, canvas.height() / 2))
    settle(0.15)
    assert "FLAIR " in opened.probe.values.text(), "a dragged pointer is where it was let go"
    flair.contrast_limits = limits

    # The sheet, from its key and from Help.
    tap(key.Key_F1)
    assert opened._key_sheet.isVisible()
    opened._key_sheet.close()
    entries = [a for a in viewer.window.help_menu.actions() if "SparseExplain" in a.text()]
    assert len(entries) == 1
    entries[0].trigger()
    assert opened._key_sheet.isVisible()
    opened._key_sheet.close()
