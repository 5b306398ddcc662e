"""Where the words of the marks on a slice stand in a view: beside the mark, off other words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...export.pictures.lettering import line_height, text_width
from ...review.label_position import WORDS_GAP, LabelledMark, label_corners
from ..cells.cell_view import CellView
from ..cells.shown_cells import view_size

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from .marks_on_slice import Mark

#: Height of the words in pixels of the screen, and in a cell.
PIXELS, CELL_PIXELS = 13, 10


def camera_view(viewer: ViewerModel) -> CellView:
    """What the camera of a viewer sees in its single view, or in one of its cells."""
    camera = viewer.scene.camera
    vertical, horizontal = (str(way) for way in camera.orientation2d)
    height, width = view_size(viewer)
    return CellView(
        (round(height), round(width)),
        float(camera.zoom),
        (float(camera.center[-2]), float(camera.center[-1])),
        vertical != "up",
        horizontal != "left",
    )


def words_of(
    marks: Sequence[Mark], view: CellView, pixels: int
) -> Iterator[tuple[str, float, float, str]]:
    """Lines of words with x and y of their left ends' middles, and colours.

    Marks outside the view have none.

    Parameters
    ----------
    pixels : int
        Height of the words.
    """
    height, width = view.size
    step, gap = line_height(pixels), pixels * WORDS_GAP
    seen: list[tuple[Mark, list[str]]] = []
    labelled: list[LabelledMark] = []
    for mark in marks:
        points = view.pixels(mark.points)
        if (points.max(axis=0) < 0).any() or (points.min(axis=0) > (width, height)).any():
            continue
        words = mark.label.split("\n") if mark.label else []
        wide = max((text_width(word, pixels) for word in words), default=0.0)
        box = (wide, float(step * len(words))) if words else None
        seen.append((mark, words))
        labelled.append(LabelledMark(mark.kind, points, box))
    corners = label_corners(labelled, gap, (width, height))
    for (mark, words), corner in zip(seen, corners, strict=True):
        for place, word in enumerate(words if corner is not None else ()):
            assert corner is not None
            yield word, corner[0], corner[1] + (place + 0.5) * step, mark.colour
