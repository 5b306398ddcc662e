"""Where cells lie on the canvas: in rows and columns, or one large and the others small."""

from __future__ import annotations

from typing import NamedTuple

#: One row of pictures is easier to compare: a second row must make them this much larger.
ROW_PREFERENCE = 1.15

#: Pixels between the cells.
CELL_SPACING = 3

#: Share of the canvas that the large cell has beside small ones.
LARGE_SHARE = 0.72


class Place(NamedTuple):
    """A rectangle of whole pixels of the canvas."""

    left: int
    top: int
    width: int
    height: int

    def holds(self, x: float, y: float) -> bool:
        """Whether a point of the canvas lies in it."""
        inside = self.left <= x < self.left + self.width
        return inside and self.top <= y < self.top + self.height


def grid_shape(
    count: int, canvas: tuple[float, float], picture: tuple[float, float]
) -> tuple[int, int]:
    """Rows and columns that show ``count`` pictures largest, fewer rows when nearly as large.

    Parameters
    ----------
    count : int
        Number of pictures.
    canvas : tuple of float
        Height and width of the canvas in pixels.
    picture : tuple of float
        Height and width of one picture, in any one unit.
    """
    best, best_scale = (1, max(count, 1)), 0.0
    for rows in range(1, max(count, 1) + 1):
        columns = -(-count // rows) or 1
        scale = min(canvas[0] / rows / picture[0], canvas[1] / columns / picture[1])
        if scale > best_scale * (ROW_PREFERENCE if best_scale else 1.0):
            best, best_scale = (rows, columns), scale
    return best


def row_shape(
    count: int, columns: int, canvas: tuple[float, float], picture: tuple[float, float]
) -> tuple[int, int]:
    """Rows and columns where ``columns`` pictures belong together, as one modality's classes.

    They stand in one row, or broken into rows of equal length where that makes the pictures
    larger: a row of six is a strip of stamps on a canvas that is higher than wide. Pictures of one
    group alone have nothing to stand under one another for, and fill the canvas as they can.

    Parameters
    ----------
    count : int
        Number of pictures.
    columns : int
        How many belong together; a row holds them all, or a divisor of them.
    canvas, picture : tuple of float
        As in `grid_shape`.
    """
    if count <= columns:
        return grid_shape(count, canvas, picture)
    best, best_scale = (-(-count // columns), columns), 0.0
    for parts in range(1, columns + 1):
        if columns % parts:
            continue
        across = columns // parts
        rows = -(-count // across)
        scale = min(canvas[0] / rows / picture[0], canvas[1] / across / picture[1])
        if scale > best_scale * (ROW_PREFERENCE if best_scale else 1.0):
            best, best_scale = (rows, across), scale
    return best


def equal_places(count: int, shape: tuple[int, int], canvas: tuple[int, int]) -> list[Place]:
    """Cells of one size, row by row.

    Parameters
    ----------
    count : int
        Number of cells.
    shape : pair of int
        Rows and columns.
    canvas : pair of int
        Height and width in pixels.
    """
    rows, columns = shape
    tops, heights = _shared(canvas[0], rows)
    lefts, widths = _shared(canvas[1], columns)
    found = []
    for place in range(count):
        row, column = divmod(place, columns)
        if row < rows:
            found.append(Place(lefts[column], tops[row], widths[column], heights[row]))
    return found


def large_places(count: int, canvas: tuple[int, int]) -> list[Place]:
    """The first cell large, the others in a column beside it; below it on a high canvas."""
    height, width = canvas
    if count <= 1:
        return equal_places(count, (1, 1), canvas)
    if width >= height:
        large = round(width * LARGE_SHARE)
        tops, heights = _shared(height, count - 1)
        left = large + CELL_SPACING
        small = [Place(left, t, width - left, h) for t, h in zip(tops, heights, strict=True)]
        return [Place(0, 0, large, height), *small]
    large = round(height * LARGE_SHARE)
    lefts, widths = _shared(width, count - 1)
    top = large + CELL_SPACING
    small = [Place(x, top, w, height - top) for x, w in zip(lefts, widths, strict=True)]
    return [Place(0, 0, width, large), *small]


def _shared(length: int, parts: int) -> tuple[list[int], list[int]]:
    """Where parts of (nearly) one size begin, and their sizes, with space between them."""
    each = (length - CELL_SPACING * (parts - 1)) / parts
    starts = [round(n * (each + CELL_SPACING)) for n in range(parts)]
    ends = [round(n * (each + CELL_SPACING) + each) for n in range(parts)]
    return starts, [max(end - start, 1) for start, end in zip(starts, ends, strict=True)]
