"""Jumps to what is worth looking at (lesions, key slices), blink, overlays off and on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QTimer

from ...layers.batched_changes import batched_changes
from ...layers.canvas.corner_text import CornerText
from ...layers.canvas.frame_in_picture import frame_in_picture, go_to_frame
from ...layers.canvas.slice_title import plane_of, shown_index
from ...layers.explanation_layers import ExplanationLayer
from ...layers.study_layers import METADATA_KEY
from ...volumes.edge_letters import PLANES
from ...volumes.labels.lesions import lesions
from ..parts.resting_timer import RestingTimer
from ..review.hooks import ReviewHooks
from .modes import ViewModes

if TYPE_CHECKING:
    from .view_window import ViewWindow

#: Milliseconds that a word about a key stays on the canvas.
WORD_TIME = 3000

#: Milliseconds of each picture while it blinks by itself.
BLINK_TIME = 600

_PLANE_ORDER = tuple(PLANES)


class ViewJumps:
    """Acts on the one view of a window; says on the canvas what it did, or why it did not."""

    def __init__(self, window: ViewWindow, modes: ViewModes, hooks: ReviewHooks) -> None:
        self._window, self._modes, self._hooks = window, modes, hooks
        self._viewer = window.viewer
        self._hidden: list[Layer] = []
        #: What was said last.
        self.said = ""
        self._word = CornerText(self._viewer, "view_word", "top_right")
        self._word_timer = RestingTimer(window.signals, WORD_TIME, lambda: self._word.write(""))
        self._blink_timer = QTimer(window.signals)
        self._blink_timer.setInterval(BLINK_TIME)
        self._blink_timer.timeout.connect(self.blink)

    @property
    def blinking(self) -> bool:
        """Whether it blinks by itself."""
        return self._blink_timer.isActive()

    def show_message(self, text: str) -> None:
        """A word about what a key did, for a moment."""
        self.said = text
        self._word.write(text)
        self._word_timer.restart()

    # -- places ----------------------------------------------------------------------------

    def lesion(self) -> None:
        """The largest lesion; again: the next largest."""
        study, plane = self._window.study, plane_of(self._viewer)
        layer = self._label_layer()
        if study is None or plane is None:
            return
        if layer is None:
            self.show_message("No label map of this study")
            return
        data = np.asarray(layer.data)
        data = data[(0,) * (data.ndim - 3)]
        start = np.rint(np.asarray(layer.translate[-3:]) / study.grid.spacing).astype(int)
        found = lesions(data, PLANES[plane][0])
        if not found:
            self.show_message(f"Nothing is labelled in {layer.name}")
            return
        places = [tuple(int(v) for v in start + lesion.place) for lesion in found]
        here = tuple(shown_index(self._viewer, study.grid, axis) for axis in range(3))
        number = (places.index(here) + 1) % len(places) if here in places else 0
        s, p, l = places[number]  # noqa: E741
        self._window.go_to_voxel((s, p, l))
        size = ""
        if study.grid.calibrated:
            size = f" · {found[number].voxels * np.prod(study.grid.spacing) / 1000:.3g} ml"
        self.show_message(f"Lesion {number + 1} of {len(found)}{size}")

    def key_slice(self, by: int) -> None:
        """The next (1) or the previous (-1) key slice, in its plane."""
        ask = self._hooks.key_slices
        study, plane = self._window.study, plane_of(self._viewer)
        if ask is None:
            self.show_message("No review is open")
            return
        if study is None or plane is None or not ask():
            self.show_message("No key slice is marked")
            return
        axis, (frame, _) = PLANES[plane][0], frame_in_picture(self._viewer, study)
        # One without a frame is there at the frame in the picture.
        marked = sorted(
            {(_PLANE_ORDER.index(key.plane), key.index, key.leading or frame) for key in ask()}
        )
        here = (_PLANE_ORDER.index(plane), shown_index(self._viewer, study.grid, axis), frame)
        if by > 0:
            target = next((key for key in marked if key > here), marked[0])
        else:
            target = next((key for key in reversed(marked) if key < here), marked[-1])
        wanted = _PLANE_ORDER[target[0]]
        if wanted != plane:
            self._window.set_plane(wanted)
        go_to_frame(self._viewer, target[2])
        through = PLANES[wanted][0]
        self._window.step_slice(target[1] - shown_index(self._viewer, study.grid, through), through)
        self.show_message(f"Key slice {marked.index(target) + 1} of {len(marked)}")

    def mark(self) -> None:
        """Mark the slice in the picture as a key slice."""
        self._ask(self._hooks.mark)

    def export(self) -> None:
        """Export what is in the picture."""
        self._ask(self._hooks.export)

    def flicker(self) -> None:
        """The other one of the current scan and its prior."""
        ask = self._hooks.flicker
        self.show_message("No review is open" if ask is None else ask())

    # -- comparisons -----------------------------------------------------------------------

    def overlays(self) -> None:
        """Everything over the scans off; again: as it was."""
        hidden = [layer for layer in self._hidden if layer in self._viewer.layers]
        if hidden:
            self._hidden = []
            with batched_changes(self._viewer.layers):
                for layer in hidden:
                    layer.visible = True
            self.show_message("Overlays on")
            return
        cells = self._window.grid_view.layers if self._window.grid_view.active else ()
        over = [
            layer
            for layer in self._viewer.layers
            if layer.visible and _is_overlay(layer) and layer not in cells
        ]
        if not over:
            side = " (side by side each map has a cell of its own)" if cells else ""
            self.show_message(f"No overlay to hide{side}")
            return
        self._hidden = over
        with batched_changes(self._viewer.layers):
            for layer in over:
                layer.visible = False
        self.show_message("Overlays off")

    def blink(self) -> None:
        """The other one of two explanations (the two selected layers, else the last two)."""
        pair = self._pair()
        if pair is None:
            self._blink_timer.stop()
            self.show_message("Blink needs two explanations, or two selected layers")
            return
        first, second = pair
        if self._window.grid_view.active:
            self._modes.set_mode("single")
        shown = second if first.visible else first
        other = first if shown is second else second
        if not shown.visible:
            shown.visible = True
        if other.visible:
            other.visible = False
        self.show_message(f"{1 if shown is first else 2} of 2: {shown.name}")

    def blink_on(self) -> None:
        """Blink by itself; again: stop."""
        if self._blink_timer.isActive():
            self._blink_timer.stop()
            self.show_message("Blinking stopped")
        elif self._pair() is None:
            self.blink()
        else:
            self._blink_timer.start()

    def stop(self) -> None:
        """The window goes."""
        self._blink_timer.stop()
        self._word_timer.stop()

    def _ask(self, hook: object) -> None:
        if callable(hook):
            hook()
        else:
            self.show_message("No review is open")

    def _label_layer(self) -> Labels | None:
        """The selected label map, else the topmost visible one, else the study's first."""
        selected = self._viewer.layers.selection.active
        if isinstance(selected, Labels) and selected.ndim >= 3:
            return selected
        maps = [x for x in self._viewer.layers if isinstance(x, Labels) and x.ndim >= 3]
        mine = [
            x
            for x in maps
            if getattr(x.metadata.get(METADATA_KEY), "study", None) is self._window.study
        ]
        shown = [x for x in maps if x.visible and (x in mine or METADATA_KEY not in x.metadata)]
        return shown[-1] if shown else (mine[0] if mine else None)

    def _pair(self) -> tuple[Layer, Layer] | None:
        selected = [x for x in self._viewer.layers if x in self._viewer.layers.selection]
        if len(selected) == 2:
            return selected[0], selected[1]
        found = [
            layer
            for layer in self._window.grid_view.recent
            if _explains(layer) and isinstance(layer, Image)
        ]
        if len(found) < 2:
            found = [
                layer
                for layer in self._viewer.layers
                if _explains(layer) and isinstance(layer, Image)
            ][-2:]
        return (found[0], found[1]) if len(found) >= 2 else None


def _explains(layer: Layer) -> bool:
    return isinstance(layer.metadata.get(METADATA_KEY), ExplanationLayer)


def _is_overlay(layer: Layer) -> bool:
    return _explains(layer) or not isinstance(layer, Image)
