"""Lines over a cell: outlines of masks, marks, directions of fibres, the clicked voxel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QLineF, QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF

from ...export.pictures.mask_outlines import DASHES, outlines
from ..mask_style import line_width

if TYPE_CHECKING:
    from napari.layers import Labels

    from ..canvas.annotation_outlines import Path
    from .cell_view import CellView
    from .layer_slice import LayerSlice

#: Pixels of the screen: a line of a mark, its dark edge, directions, the ring about a voxel.
_MARK, _EDGE, _FIBRE, _RING = 1.5, 3.5, 2.0, 15.0

_DARK = QColor(0, 0, 0, 170)


def paint_outlines(
    painter: QPainter, layer: Labels, plane: LayerSlice, view: CellView, *, dashed: bool
) -> None:
    """The outlines of a mask in the colours of its labels."""
    found = outlines(plane.values)
    if not found:
        return
    labels = np.array([label for label, _ in found]).astype(plane.values.dtype)
    colours = np.asarray(layer.colormap.map(labels), dtype=float)
    start, step = np.asarray(plane.start), np.asarray(plane.step)
    for (_, lines), colour in zip(found, colours, strict=True):
        if colour[3] == 0:
            continue
        pen = QPen(QColor.fromRgbF(*(float(part) for part in colour[:3])), float(line_width(layer)))
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        if dashed:
            pen.setDashPattern(list(DASHES))
        painter.setPen(pen)
        for line in lines:
            painter.drawPolyline(_polygon(view.pixels(line * step + start)))


def paint_segments(
    painter: QPainter,
    ends: npt.NDArray[np.float32],
    colours: npt.NDArray[np.float32],
    view: CellView,
    width: float = _FIBRE,
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
        painter.setPen(QPen(QColor.fromRgbF(*(float(np.clip(c, 0, 1)) for c in colour)), width))
        chosen = points[place.reshape(-1) == number]
        painter.drawLines([QLineF(*(float(v) for v in line)) for line in chosen])


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
