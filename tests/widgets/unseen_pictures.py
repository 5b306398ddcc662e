"""Nothing is drawn on the screen that no test looks at.

Nobody sees a test's window. What is in it is laid out and prepared for every picture as ever; the
card's part of the work, which Mesa does on the CPU (compile each layer's and each bar's program,
hand over its textures, fill the pixels), is done where a test takes a picture: a sixth of what the
tests of windows cost.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from napari._qt.qt_main_window import Window
from napari._vispy.canvas import VispyCanvas
from vispy.visuals.shaders.program import ModularProgram


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

    ModularProgram.draw = drawn
    VispyCanvas.screenshot = looking(VispyCanvas.screenshot)  # type: ignore[method-assign]
    Window._screenshot = looking(Window._screenshot)  # type: ignore[method-assign]
