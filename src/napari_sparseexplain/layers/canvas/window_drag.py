"""Dragging with the right button changes window and level.

napari has no gesture of its own on the right button; vispy's camera zooms with it. That is held
back while the drag goes on; the wheel, a double click and Alt with the left button still zoom.
Where a drawing tool is active the right button is the tool's.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from napari.layers import Image

from .grey_window import is_signed, limits_of, set_window, windowed_layer

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: vispy's numbers of the buttons.
LEFT_BUTTON, RIGHT_BUTTON = 1, 2

#: Pixels to the right that double the width.
DOUBLING = 160.0

#: Pixels up or down that move the level by one width.
LEVEL_STEP = 320.0


class WindowDrag:
    """Listens to one viewer; right widens the window, up brightens the picture."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        #: Whether the gesture acts; the viewer's own right drag does where it does not.
        self.enabled: Callable[[], bool] = lambda: True
        #: The layer that is meant in the cell under the pointer.
        self.layer_at: Callable[[Any], Image | None] = lambda cell: windowed_layer(viewer, cell)
        #: Whether the left button does the same for now.
        self.left: Callable[[], bool] = lambda: False
        #: Told the layer during the drag, and None when it ends.
        self.on_drag: Callable[[Image | None], None] = lambda layer: None
        viewer.mouse_drag_callbacks.append(self._on_press)

    def detach(self) -> None:
        """Listen no more."""
        if self._on_press in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_press)

    def _on_press(self, viewer: Any, event: Any) -> Generator[None, None, None]:
        if not self._is_mine(event.button) or event.modifiers or not self._acts(viewer):
            return
        layer = self.layer_at(event.viewbox)
        if layer is None:
            return
        low, high = limits_of(layer)
        level, width = (low + high) / 2, high - low
        start = tuple(event.pos)
        # The camera would zoom with the same button.
        event.handled = True
        yield
        while event.type == "mouse_move":
            event.handled = True
            right, down = event.pos[0] - start[0], event.pos[1] - start[1]
            moved = level if is_signed(layer) else level + down / LEVEL_STEP * width
            set_window(layer, moved, width * 2.0 ** (right / DOUBLING))
            self.on_drag(layer)
            yield
        event.handled = True
        self.on_drag(None)

    def _is_mine(self, button: int) -> bool:
        return button == RIGHT_BUTTON or (button == LEFT_BUTTON and self.left())

    def _acts(self, viewer: Any) -> bool:
        selected = viewer.layers.selection.active
        drawing = selected is not None and selected.mode != "pan_zoom"
        return viewer.dims.ndisplay == 2 and not drawing and self.enabled()
