"""The words in the picture that say which slice it is, in the single view and in the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.components.canvas import Orientation

from ...layers.canvas.corner_room import corner_lines
from ...layers.canvas.corner_text import CornerText
from ...layers.canvas.orientation_letters import is_flipped
from ...layers.canvas.slice_title import slice_title, title_lines
from ...layers.cells.shown_cells import cells_of, view_size
from ..parts.resting_timer import RestingTimer

if TYPE_CHECKING:
    from .view_window import ViewWindow

#: In points: words side by side, as the cells' names.
_GRID_SIZE = 6.5

#: Lines of the title side by side.
_GRID_LINES = 4

#: Pixels between overlays of one corner, across and down.
_PADDING = (10.0, 5.0)


class TitleInPicture:
    """Keeps them true while slices, planes and scans change.

    Side by side they stand in the lower right corner of the canvas, above the scale bar, since
    upper corners hold the cells' names; letters say there which side is which, so the convention
    is left out.
    """

    def __init__(self, window: ViewWindow) -> None:
        self._window = window
        viewer = window.viewer
        # Words of the lower corner stand below each other, each with the whole width.
        viewer.canvas.overlay_tiling.bottom_left = Orientation.VERTICAL
        viewer.canvas.overlay_tiling.padding = _PADDING
        self._single = CornerText(viewer, "slice_title", "top_left")
        self._grid = CornerText(viewer, "grid_slice_title", "bottom_right", size=_GRID_SIZE)
        # What changes often is answered once, when it rests: scrolling must stay as fast as ever.
        self._timer = RestingTimer(window.signals, 0, self.write)
        moved = [viewer.dims.events[name] for name in ("point", "order", "ndisplay")]
        moved += [viewer.dims.events.margin_left, viewer.scene.camera.events.orientation]
        for event in (*moved, viewer.canvas.events.size, cells_of(viewer).events.changed):
            event.connect(self._timer.restart)
        # Which scans are in the picture decides whether one must be said not to be registered.
        for layer in viewer.layers:
            layer.events.visible.connect(self._timer.restart)
        viewer.layers.events.inserted.connect(self._on_inserted)

    def _on_inserted(self, event: Any) -> None:
        event.value.events.visible.connect(self._timer.restart)
        self._timer.restart()

    @property
    def text(self) -> str:
        """What stands there."""
        return self._single.text or self._grid.text

    def restart(self) -> None:
        """Write it anew once everything rests."""
        self._timer.restart()

    def write_now(self) -> None:
        """Write what is about to be written anew."""
        if self._timer.isActive():
            self.write()

    def write(self) -> None:
        """Write it anew."""
        self._timer.stop()
        window, viewer = self._window, self._window.viewer
        grid = window.grid_view.active
        self._single.write("" if grid else slice_title(viewer, window.study, window.convention))
        lines = title_lines(viewer, window.study) if grid else []
        if lines and window.study and is_flipped(viewer, window.study.grid, window.convention):
            lines.append("flipped")
        words = "\n".join(lines)
        room = view_size(viewer)[1] - 2 * _PADDING[0]
        self._grid.write(corner_lines(words, _GRID_SIZE, room, _GRID_LINES))
