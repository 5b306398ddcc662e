"""Lines over a cell: outlines of masks, marks, directions of fibres, the clicked voxel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QLineF, QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF

from ...export.pictures.mask_outlines import DASHES, outlines
from ..mask_style import line_width

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Labels, Vectors

    from ..canvas.annotation_outlines import Path
    from .cell_view import CellView
    from .layer_slice import LayerSlice

#: Pixels of the screen: a line of a mark, its dark edge, directions, the ring about a voxel.
_MARK, _EDGE, _FIBRE, _RING = 1.5, 3.5, 2.0, 15.0

_DARK = QColor(0, 0, 0, 170)


@dataclass(frozen=True, eq=False)
class MaskLines:
    """The outlines of a mask in one slice.

    Attributes
    ----------
    lines : tuple of (colour, lines)
        Points (x, y) of a line are (column, row) in the viewer's unit.
    width : float
        Pixels.
    dashed : bool
    """

    lines: tuple[tuple[QColor, tuple[QPolygonF, ...]], ...]
    width: float
    dashed: bool

    def paint(self, painter: QPainter, view: CellView) -> None:
        """Draw them in a cell."""
        painter.save()
        painter.translate(view.size[1] / 2, view.size[0] / 2)
        painter.scale(view.zoom * (1 if view.right else -1), view.zoom * (1 if view.down else -1))
        painter.translate(-view.centre[1], -view.centre[0])
        for colour, lines in self.lines:
            pen = QPen(colour, self.width)
            pen.setCosmetic(True)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            if self.dashed:
                pen.setDashPattern(list(DASHES))
            painter.setPen(pen)
            for line in lines:
                painter.drawPolyline(line)
        painter.restore()


def mask_lines(layer: Labels, plane: LayerSlice, *, dashed: bool) -> MaskLines:
    """The outlines of a mask in the colours of its labels, as wide as its style says."""
    found = outlines(plane.values)
    labels = np.array([label for label, _ in found], dtype=plane.values.dtype)
    colours = np.asarray(layer.colormap.map(labels), dtype=float).reshape(-1, 4)
    start, step = np.asarray(plane.start), np.asarray(plane.step)
    lines = tuple(
        (
            QColor.fromRgbF(*(float(part) for part in colour[:3])),
            tuple(_polygon((line * step + start)[:, ::-1]) for line in paths),
        )
        for (_, paths), colour in zip(found, colours, strict=True)
        if colour[3] > 0
    )
    return MaskLines(lines, float(line_width(layer)), dashed)


def paint_segments(
    painter: QPainter,
    ends: npt.NDArray[np.float32],
    colours: npt.NDArray[np.float32],
    view: CellView,
    width: float = _FIBRE,
    opacity: float = 1.0,
) -> None:
    """Pieces of line, each in its colour.

    Parameters
    ----------
    ends : ndarray, shape (2 n, 2)
        (column, row) in the viewer's unit, two of each line.
    colours : ndarray, shape (2 n, 4)
    """
    points = view.pixels(np.asarray(ends, np.float64)[:, ::-1]).reshape(-1, 4)
    kinds, place = np.unique(np.asarray(colours)[::2], axis=0, return_inverse=True)
    for number, colour in enumerate(kinds):
        shade = QColor.fromRgbF(*(float(np.clip(c, 0, 1)) for c in colour))
        shade.setAlphaF(shade.alphaF() * opacity)
        painter.setPen(QPen(shade, width))
        chosen = points[place.reshape(-1) == number]
        painter.drawLines([QLineF(*(float(v) for v in line)) for line in chosen])


def vector_segments(
    layer: Vectors, dims: Dims
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Ends and colours of the vectors on the viewer's slice, as `paint_segments` takes them."""
    data: Any = np.asarray(layer.data)
    colours = np.asarray(layer.edge_color, np.float32)
    missing = dims.ndim - layer.ndim
    step, start = np.asarray(layer.scale), np.asarray(layer.translate)
    for axis in dims.not_displayed:
        if (own := axis - missing) >= 0:
            here = (dims.point[axis] - start[own]) / step[own]
            on = np.abs(data[:, 0, own] - here) <= 0.5
            data, colours = data[on], colours[on]
    own_axes = [axis - missing for axis in dims.displayed][::-1]
    ends = np.stack([data[:, 0], data[:, 0] + data[:, 1] * float(layer.length)], axis=1)
    placed = (ends * step + start)[..., own_axes].reshape(-1, 2)
    return placed.astype(np.float32), np.repeat(colours, 2, axis=0)


def paint_paths(painter: QPainter, paths: Iterable[Path], view: CellView) -> None:
    """The lines of marks, with a dark edge."""
    for points, colour in paths:
        polygon = _polygon(view.pixels(np.asarray(points)))
        for pen in (QPen(_DARK, _EDGE), QPen(QColor(colour), _MARK)):
            painter.setPen(pen)
            painter.drawPolyline(polygon)


def paint_ring(painter: QPainter, place: Sequence[float], view: CellView, colour: Any) -> None:
    """The ring about the clicked voxel."""
    x, y = view.pixels([place])[0]
    ring = QRectF(x - _RING / 2, y - _RING / 2, _RING, _RING)
    for pen in (QPen(_DARK, _EDGE), QPen(QColor.fromRgbF(*colour), _MARK)):
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(ring)


def _polygon(pixels: npt.NDArray[np.float64]) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in pixels.tolist()])
