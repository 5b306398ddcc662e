"""Nothing is drawn on the screen that no test looks at.

Nobody sees a test's window. What is in it is laid out and prepared for every picture as ever; the
card's part of the work, which Mesa does on the CPU (compile each layer's and each bar's program,
hand over its textures, fill the pixels), is done where a test takes a picture. And a window is
painted when a test lets it come to rest, not at each of the changes before. Together they were a
third of what the tests of windows cost.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from napari._qt.qt_main_window import Window, _QtMainWindow
from napari._vispy.canvas import VispyCanvas
from qtpy.QtCore import QEvent
from shiboken6 import isValid
from vispy.visuals.shaders.program import ModularProgram

from napari_sparseexplain.widgets.view.cells_canvas import CellsCanvas

#: Windows that have asked to be painted since they last were.
_waiting: dict[Any, None] = {}


def paint_at_rest() -> None:
    """Let windows wait for `paint_what_waits`, in this process."""
    event = _QtMainWindow.event

    @wraps(event)
    def taken(self: Any, event_: Any) -> bool:
        if event_.type() == QEvent.Type.UpdateRequest and self.isVisible():
            # Qt asks once, and again only after it was answered.
            _waiting[self] = None
            return True
        return event(self, event_)

    _QtMainWindow.event = taken  # type: ignore[method-assign]
    _answers.append(event)


#: How a window that asks is painted.
_answers: list[Callable[[Any, Any], bool]] = []


def paint_what_waits() -> None:
    """Paint the windows that have asked for it."""
    for window in list(_waiting):
        del _waiting[window]
        if isValid(window) and window.isVisible():
            _answers[-1](window, QEvent(QEvent.Type.UpdateRequest))


def draw_only_what_is_looked_at() -> None:
    """Let vispy run its programs for pictures that are asked for, in this process."""
    asked = 0
    draw = ModularProgram.draw

    @wraps(draw)
    def drawn(self: Any, *args: Any, **kwargs: Any) -> None:
        if asked:
            draw(self, *args, **kwargs)

    def looking(take: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(take)
        def taken(*args: Any, **kwargs: Any) -> Any:
            nonlocal asked
            asked += 1
            try:
                return take(*args, **kwargs)
            finally:
                asked -= 1

        return taken

    paint = CellsCanvas.paintEvent

    @wraps(paint)
    def painted(self: Any, event: Any) -> None:
        if asked:
            paint(self, event)

    CellsCanvas.paintEvent = painted  # type: ignore[method-assign]
    ModularProgram.draw = drawn
    VispyCanvas.screenshot = looking(VispyCanvas.screenshot)  # type: ignore[method-assign]
    Window._screenshot = looking(Window._screenshot)  # type: ignore[method-assign]
