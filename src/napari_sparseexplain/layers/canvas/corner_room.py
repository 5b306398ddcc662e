"""How words in a corner of a view keep clear of the letter at the middle of its edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...export.pictures.lettering import fitted, text_width, wrapped
from ..cells.shown_cells import cells_of, view_size
from .corner_text import CORNER_SIZE
from .orientation_letters import MOST_LETTERED_CELLS
from .outlined_text import PIXELS_IN_POINT

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Pixels left of the words, of half a letter with some air, and of the scale bar in its corner.
_EDGE, _LETTER, _SCALE_BAR = 10.0, 16.0, 90.0


def corner_room(viewer: ViewerModel) -> float:
    """Pixels for words between the left edge of a view and its upper or lower letter.

    With so many cells that the letters stand once, the view is the whole canvas.
    """
    width = float(viewer.canvas.size[1])
    cells = cells_of(viewer)
    if not cells.active or len(cells.cells) <= MOST_LETTERED_CELLS:
        width = view_size(viewer)[1]
    return beside_letter(width)


def beside_letter(width: float) -> float:
    """Pixels for words between the left edge of a cell of a width and its upper letter."""
    return width / 2 - _EDGE - _LETTER


def fits_corner(line: str, viewer: ViewerModel) -> bool:
    """Whether a line of a `CornerText` of the usual size keeps clear of the letter."""
    return text_width(line, round(CORNER_SIZE * PIXELS_IN_POINT)) <= corner_room(viewer)


def caption_room(viewer: ViewerModel) -> float:
    """Pixels for words in the lower left corner of the whole canvas.

    In the grid they stand above the lower letters, as `TitleInPicture` keeps them, and reach to
    the scale bar; in the single view they stand beside the letter.
    """
    if cells_of(viewer).active:
        return float(viewer.canvas.size[1]) - 2 * _EDGE - _SCALE_BAR
    return corner_room(viewer)


def corner_lines(text: str, points: float, room: float, most: int) -> str:
    """The text in lines no wider than ``room`` pixels, ``most`` of them; the last one is cut.

    Parameters
    ----------
    text : str
        Its own lines stay apart while there is room for all.
    points : float
        Size of the text.
    """
    size = round(points * PIXELS_IN_POINT)
    lines = [line for part in text.split("\n") for line in wrapped(part, size, room, most)]
    if len(lines) > most:
        lines = wrapped(text.replace("\n", " · "), size, room, most)
    return "\n".join(lines)


def wrapped_lines(text: str, points: float, room: float) -> list[str]:
    """The text in as many lines no wider than ``room`` pixels as it takes: none of it is cut."""
    size = round(points * PIXELS_IN_POINT)
    return [line for part in text.split("\n") for line in wrapped(part, size, room, 12)]


def cell_lines(text: str, points: float, room: float, most: int = 2) -> str:
    """A name, its parts (``"IG · WT"``) below each other where one line has no room for them."""
    size = round(points * PIXELS_IN_POINT)
    parts = text.split(" · ")
    if text_width(text, size) <= room:
        return text
    lines = [*parts[: most - 1], " · ".join(parts[most - 1 :])]
    return "\n".join(fitted(line, size, room) for line in lines if line)


def name_lines(text: str, points: float, room: float, across: float) -> str:
    """A cell's name with no word lost, where there is any way.

    In one line or two beside the upper letter; where words would be cut there its parts below
    each other, those under the letter across the cell.

    Parameters
    ----------
    room, across : float
        Pixels beside the letter (`corner_room`), and across the cell.
    """
    size, parts = round(points * PIXELS_IN_POINT), text.split(" · ")
    beside = min(room, across)
    usual = cell_lines(text, points, beside)
    if usual.replace("\n", " · ") == text:
        return usual
    under = "" if text_width(parts[0], size) <= beside else "\n"
    return under + "\n".join(fitted(part, size, across) for part in parts)
