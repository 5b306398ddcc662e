"""The colour bar of a map in its cell, with the values of its ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QPointF, QRectF
from qtpy.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter, QPen

from ...export.pictures.burned_in import number_text
from ..colour_bar import bar_length
from .painted_words import font_of, write_line

if TYPE_CHECKING:
    from napari.layers import Layer

#: Width of a bar, the share of its cell's height that it takes at most, and its least length.
_WIDTH, _SHARE, _SHORTEST = 7.0, 0.4, 14.0

#: Colours between which a gradient is drawn.
_STOPS = 33


def paint_bar(painter: QPainter, layer: Layer, area: QRectF, low: float) -> None:
    """A bar at the left edge of a cell that ends at ``low``, for a layer that has one."""
    length = bar_length(layer)
    if length is None:
        return
    length = min(length, area.height() * _SHARE)
    if length < _SHORTEST:
        return
    image: Any = layer
    bottom, top = (float(v) for v in image.contrast_limits)
    left = area.left() + 8.0
    bar = QRectF(left, low - length, _WIDTH, length)
    gradient = QLinearGradient(QPointF(left, low), QPointF(left, low - length))
    for place in np.linspace(0, 1, _STOPS):
        part = place ** float(image.gamma)
        red, green, blue = np.asarray(image.colormap.map(np.array([part])))[0, :3]
        gradient.setColorAt(float(place), QColor.fromRgbF(float(red), float(green), float(blue)))
    painter.fillRect(bar, gradient)
    painter.setPen(QPen(QColor(255, 255, 255, 200), 1))
    painter.drawRect(bar)
    painter.setFont(font_of(5.5))
    metrics = QFontMetricsF(painter.font())
    ends = [(bottom, low), (top, low - length)]
    if length > 4 * metrics.height():
        ends.insert(1, ((bottom + top) / 2, low - length / 2))
    for value, y in ends:
        at = (bar.right() + 4, y + metrics.capHeight() / 2)
        write_line(painter, number_text(value), at, "white")
