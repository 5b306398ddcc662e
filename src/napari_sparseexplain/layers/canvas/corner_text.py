"""Read-outs in the corners of the canvas: which slice, where in the patient, window and level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.components.overlays import TextOverlay

from ...export.typesetting.joined_letters import lines_in_seen_order

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: In points, where nothing else is told.
CORNER_SIZE = 8.0
_COLOUR = "#FFFFFF"
_BOX = (0.0, 0.0, 0.0, 0.55)


class CornerText:
    """One text in one corner of a viewer's canvas, over all cells of its grid.

    Parameters
    ----------
    name : str
        Key among the canvas' overlays; those of one corner are stacked by napari.
    corner : str
        As ``"bottom_left"``.
    colour : str
    size : float
        In points.
    box : bool
        Whether the picture is darkened behind it.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        name: str,
        corner: str,
        colour: str = _COLOUR,
        size: float = CORNER_SIZE,
        *,
        box: bool = True,
    ) -> None:
        self._overlay: Any = TextOverlay(
            text="",
            position=corner,  # pyright: ignore[reportArgumentType]  (pydantic converts it)
            gridded=False,
            visible=False,
            color=colour,  # pyright: ignore[reportArgumentType]
            font_size=size,
            box=box,
            box_color=_BOX,  # pyright: ignore[reportArgumentType]
        )
        self._said = ""
        viewer.canvas.overlays[name] = self._overlay

    @property
    def text(self) -> str:
        """What stands there; empty when nothing does."""
        return self._said if self._overlay.visible else ""

    def write(self, text: str) -> None:
        """Show a text; an empty one takes it away."""
        if text:
            self._said = text
            # The canvas draws letter by letter from left to right.
            seen = lines_in_seen_order(text)
            if self._overlay.text != seen:
                self._overlay.text = seen
        if self._overlay.visible != bool(text):
            self._overlay.visible = bool(text)
