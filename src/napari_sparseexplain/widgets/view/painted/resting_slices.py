"""napari cuts its slices once scrolling rests, while the picture is painted from the arrays.

At every step napari cuts the slice of each layer twice, the hidden ones' too, and hands the visible
ones to the card. What is painted needs none of it; napari's read-outs do, a moment later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....layers.cells.shown_cells import cells_of
from ...parts.resting_timer import RestingTimer

if TYPE_CHECKING:
    from napari import Viewer

    from ..cells_canvas import CellsCanvas

#: Milliseconds without a step.
_REST = 80


class RestingSlices:
    """Holds napari's slices back while a viewer's picture is painted.

    Parameters
    ----------
    viewer : Viewer
    canvas : CellsCanvas
        What paints the picture.
    """

    def __init__(self, viewer: Viewer, canvas: CellsCanvas) -> None:
        self._viewer, self._canvas, self._cells = viewer, canvas, cells_of(viewer)
        self._timer = RestingTimer(canvas, _REST, self._cut)
        self._steps = [viewer.dims.events[name] for name in ("point", "current_step")]
        self._held = False
        self._cells.events.changed.connect(self.follow)
        self._cells.events.single.connect(self.follow)
        self.follow()

    def follow(self, _event: object = None) -> None:
        """The picture is painted now, or napari's again."""
        self._hold(bool(self._cells.painted))

    def stop(self) -> None:
        """The window goes: napari is as it was."""
        self._hold(False)

    def _hold(self, held: bool) -> None:
        if held == self._held:
            return
        self._held = held
        for steps in self._steps:
            old, new = self._viewer._update_layers, self._timer.restart
            if not held:
                old, new = new, old
            steps.disconnect(old)
            steps.connect(new)
        if not held and self._timer.isActive():
            self._timer.stop()
            self._cut()

    def _cut(self) -> None:
        with self._canvas.unchanged():
            self._viewer._update_layers()
        # What stands under the pointer is told of the slice that is in the picture now.
        self._viewer.cursor.events.position()
