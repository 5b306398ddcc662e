"""The words in the picture that say which slice it is, in the single view and in the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..layers.corner_text import CornerText
from ..layers.slice_title import slice_title
from .resting_timer import RestingTimer

if TYPE_CHECKING:
    from .workspace import Workspace


class TitleInPicture:
    """Keeps them true while slices, planes and scans change."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        viewer = workspace.viewer
        self._single = CornerText(viewer, "slice_title", "top_left")
        # In the grid the upper corners hold the cells' names; below it says what colours mean, too.
        self._grid = CornerText(viewer, "grid_slice_title", "bottom_left")
        # What changes often is answered once, when it rests: scrolling must stay as fast as ever.
        self._timer = RestingTimer(workspace, 0, self.write)
        for moved in (viewer.dims.events[name] for name in ("point", "order", "ndisplay")):
            moved.connect(self._timer.poke)
        viewer.canvas.events.size.connect(self._timer.poke)

    @property
    def text(self) -> str:
        """What stands there."""
        return self._single.text or self._grid.text

    def poke(self) -> None:
        """Write it anew once everything rests."""
        self._timer.poke()

    def write(self) -> None:
        """Write it anew."""
        window = self._workspace
        grid = window.grid_view.active
        words = slice_title(window.viewer, window.study, window.convention, one_line=grid)
        self._single.write("" if grid else words)
        self._grid.write(words if grid else "")
