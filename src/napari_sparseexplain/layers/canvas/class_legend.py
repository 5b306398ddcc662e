"""Names of classes on the canvas, each in its colour, and one line that says what is seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari.components.overlays import TextOverlay

from ...export.typesetting.joined_letters import lines_in_seen_order
from ..cells.shown_cells import cells_of
from .corner_room import caption_room, corner_lines

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: In points: in the single view, and in the grid, where a line less covers less of a cell.
_SIZE, _GRID_SIZE = 7.5, 6.5
#: Behind the words. In the grid they lie on a picture, which must be seen through them.
_BOX, _GRID_BOX = (0.0, 0.0, 0.0, 0.6), (0.0, 0.0, 0.0, 0.25)

#: Lines that a caption may take in a narrow canvas; what it says stands in the tab too.
_CAPTION_LINES = 4


class ClassLegend:
    """Legend and caption of one viewer, over the whole canvas, never in its cells.

    Overlays of one corner are stacked by napari, in the order of their names here.

    Parameters
    ----------
    name : str
        Tells the overlays of several legends in one viewer apart.
    """

    def __init__(self, viewer: ViewerModel, name: str = "class") -> None:
        self._viewer, self._name = viewer, name
        self._count = 0
        self.text = ""
        for event in (viewer.canvas.events.size, cells_of(viewer).events.changed):
            event.connect(self._write_caption)

    def show(self, entries: Sequence[tuple[str, str]]) -> None:
        """Write names and colours (``"#RRGGBB"``) into the upper left corner."""
        for place, (name, colour) in enumerate(entries):
            self._write(f"{self._name}_legend_{place}", f"■ {name}", "top_left", colour)
        for place in range(len(entries), self._count):
            self._hide(f"{self._name}_legend_{place}")
        self._count = max(self._count, len(entries))

    def caption(self, text: str) -> None:
        """Lines in the lower left corner; an empty text takes them away."""
        if text != self.text:
            self.text = text
            self._write_caption()

    def clear(self) -> None:
        """Take all of it away."""
        self.show(())
        self.caption("")

    def _write_caption(self) -> None:
        if self.text:
            grid = cells_of(self._viewer).active
            size, box = (_GRID_SIZE, _GRID_BOX) if grid else (_SIZE, _BOX)
            text = corner_lines(self.text, size, caption_room(self._viewer), _CAPTION_LINES)
            name = f"{self._name}_caption"
            self._write(name, text, "bottom_left", "#FFFFFF", size)
            overlay: Any = self._viewer.canvas.overlays[name]
            overlay.box_color = box
        else:
            self._hide(f"{self._name}_caption")

    def _write(self, key: str, text: str, position: str, colour: str, size: float = _SIZE) -> None:
        overlays = self._viewer.canvas.overlays
        if key not in overlays:
            overlays[key] = TextOverlay(
                position=position,  # pyright: ignore[reportArgumentType]  (pydantic converts)
                gridded=False,
                font_size=size,
                box=True,
                box_color=_BOX,  # pyright: ignore[reportArgumentType]
                visible=False,
            )
        overlay: Any = overlays[key]
        text = lines_in_seen_order(text)  # the canvas draws letter by letter from left to right
        if overlay.text != text:
            overlay.text = text
        if overlay.font_size != size:
            overlay.font_size = size
        overlay.color = colour
        if not overlay.visible:
            overlay.visible = True

    def _hide(self, key: str) -> None:
        overlays = self._viewer.canvas.overlays
        if key in overlays:
            overlay: Any = overlays[key]
            if overlay.visible:
                overlay.visible = False
