"""Fibre directions in the cells, on the slice in the picture.

Their layer is hidden there, and the lines are painted in every cell, as those of annotations are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..cells.drawn_lines import DrawnLines
from ..cells.shown_cells import cells_of
from ..fibre_directions import FibreLines
from .linked_cameras import spatial_axes

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from ...volumes import Grid


class FibresInCells:
    """Keeps the lines of one result in all cells of a viewer's grid."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._lines: FibreLines | None = None
        self._spacing = np.ones(3)
        self._cells = cells_of(viewer)
        for name in ("point", "order", "ndisplay", "ndim"):
            getattr(viewer.dims.events, name).connect(self.refresh)
        self._cells.events.changed.connect(self.refresh)

    @property
    def drawn(self) -> DrawnLines | None:
        """What stands in the cells; None where nothing does."""
        return self._cells.fibres

    def show(self, lines: FibreLines | None, grid: Grid | None = None) -> None:
        """Draw these, or none."""
        self._lines = lines
        if grid is not None:
            self._spacing = np.asarray(grid.spacing, dtype=np.float64)
        self.refresh()

    def refresh(self, _event: Any = None) -> None:
        """The slice in the picture may be another."""
        drawn = self._on_slice() if self._lines is not None else None
        if drawn is not self._cells.fibres:
            self._cells.fibres = drawn
            self._cells.events.looks()

    def _on_slice(self) -> DrawnLines | None:
        place = slice_place(self._viewer, self._spacing)
        axes = spatial_axes(self._viewer)
        if self._lines is None or place is None or axes is None or not self._cells.active:
            return None
        lines = self._lines.on_slice(*place)
        if not len(lines):
            return None
        ends = np.stack([lines.centres - lines.halves, lines.centres + lines.halves], axis=1)
        _, row, column = axes
        drawn = (ends.reshape(-1, 3) * self._spacing)[:, [column, row]]
        return DrawnLines(drawn.astype(np.float32), np.repeat(lines.colours, 2, axis=0))


def slice_place(viewer: ViewerModel, spacing: npt.NDArray[np.float64]) -> tuple[int, int] | None:
    """Axis (0 S, 1 P, 2 L) through the picture, and the slice along it; None in 3-D."""
    axes = spatial_axes(viewer)
    if axes is None:
        return None
    step = viewer.dims.point[viewer.dims.ndim - 3 + axes[0]] / spacing[axes[0]]
    return axes[0], round(float(step))
