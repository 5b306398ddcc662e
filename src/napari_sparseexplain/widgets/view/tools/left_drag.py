"""What dragging with the left button does: move the picture, window, zoom, scroll or magnify."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Literal

from ....layers.canvas.slice_wheel import zoom_about
from ....layers.canvas.window_drag import LEFT_BUTTON

if TYPE_CHECKING:
    from napari.components import ViewerModel

LeftTool = Literal["move", "window", "zoom", "scroll", "magnify"]

#: Names in the menu.
LEFT_TOOLS: dict[LeftTool, str] = {
    "move": "Move",
    "window": "Window and level",
    "zoom": "Zoom",
    "scroll": "Scroll slices",
    "magnify": "Magnifier",
}

#: Pixels upwards that double the picture, and downwards to the next slice.
_DOUBLING, _SLICE = 140.0, 8.0


class LeftDrag:
    """Listens to the left button over one viewer; `WindowDrag` does *window* itself.

    Parameters
    ----------
    tool : callable
        What is chosen.
    step : callable
        Scrolls by a number of slices.
    lens : callable
        Told where on the canvas the magnifier stands, in pixels; None: nowhere.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        tool: Callable[[], LeftTool],
        step: Callable[[int], None],
        lens: Callable[[tuple[float, float] | None], None],
    ) -> None:
        self._viewer, self._step, self._lens = viewer, step, lens
        self._tool = tool
        viewer.mouse_drag_callbacks.append(self._on_press)

    def detach(self) -> None:
        """Listen no more."""
        if self._on_press in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_press)

    def _on_press(self, viewer: Any, event: Any) -> Generator[None, None, None]:
        active = viewer.layers.selection.active
        drawing = active is not None and active.mode != "pan_zoom"
        if event.button != LEFT_BUTTON or event.modifiers or drawing or viewer.dims.ndisplay != 2:
            return
        tool = self._tool()
        if tool not in ("zoom", "scroll", "magnify"):
            return
        place, last = tuple(event.position)[-3:], float(event.pos[1])
        left_over = 0.0
        # The camera would move with the same button.
        event.handled = True
        if tool == "magnify":
            self._lens((float(event.pos[0]), float(event.pos[1])))
        yield
        while event.type == "mouse_move":
            event.handled = True
            down, last = float(event.pos[1]) - last, float(event.pos[1])
            if tool == "zoom":
                zoom_about(viewer, place, 2.0 ** (-down / _DOUBLING))
            elif tool == "scroll":
                left_over += down / _SLICE
                whole = int(left_over)
                left_over -= whole
                if whole:
                    self._step(whole)
            else:
                self._lens((float(event.pos[0]), float(event.pos[1])))
            yield
        event.handled = True
        self._lens(None)
