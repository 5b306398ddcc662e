"""The lines of annotations in the cells.

The layers of annotations stand in no cell: what is drawn on them is painted in every one instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..cells.shown_cells import cells_of
from .marks_on_slice import Mark

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Half the width of the cross at a text, in pixels of the screen.
_CROSS = 4

#: A line through points (row, column) in the viewer's unit, and its colour.
Path = tuple[tuple[tuple[float, float], ...], str]


class AnnotationOutlines:
    """The lines in the cells of one viewer."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._paths: tuple[Path, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """What is drawn."""
        return self._paths

    def show(self, marks: Sequence[Mark]) -> None:
        """Draw these where the picture is painted; elsewhere their own layers do."""
        cells = cells_of(self._viewer)
        arm = _CROSS / float(self._viewer.scene.camera.zoom)
        paths = mark_paths(marks, arm) if cells.painted else ()
        if self._paths != paths:
            self._paths = paths
            cells.events.looks()


def mark_paths(marks: Sequence[Mark], arm: float) -> tuple[Path, ...]:
    """The lines of marks; ``arm`` is the length of those of a text's cross."""
    return tuple(path for mark in marks for path in _paths(mark, arm))


def _paths(mark: Mark, arm: float) -> Iterator[Path]:
    """The lines of a mark; of a text a cross with arms of that length."""
    lines = [mark.points]
    if mark.kind == "text":
        lines = [mark.points[0] + np.outer((-arm, arm), way) for way in ((1, 0), (0, 1))]
    elif mark.kind in ("polygon", "ellipse"):
        lines = [np.concatenate([mark.points, mark.points[:1]])]
    for line in lines:
        yield tuple((float(row), float(column)) for row, column in line), mark.colour
