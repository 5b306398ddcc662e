"""The colour bar of a map in its cell, with the values of its ends."""

from __future__ import annotations

from collections.abc import Iterable
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

#: Pixels between two bars.
_BETWEEN = 8.0

#: Colours between which a gradient is drawn.
_STOPS = 33


def paint_bars(painter: QPainter, layers: Iterable[Layer], area: QRectF, low: float) -> None:
    """Bars at the left edge of a cell that end at ``low``, for the layers that have one."""
    left = area.left() + 8.0
    for layer in layers:
        length = bar_length(layer)
        if length is None:
            continue
        length = min(length, area.height() * _SHARE)
        if length >= _SHORTEST:
            left += _paint_bar(painter, layer, left, low, length) + _BETWEEN


def _paint_bar(painter: QPainter, layer: Layer, left: float, low: float, length: float) -> float:
    """One bar; gives its width with that of its numbers."""
    image: Any = layer
    bottom, top = (float(v) for v in image.contrast_limits)
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
    wide = 0.0
    for value, y in ends:
        at = (bar.right() + 4, y + metrics.capHeight() / 2)
        write_line(painter, number_text(value), at, "white")
        wide = max(wide, metrics.horizontalAdvance(number_text(value)))
    return _WIDTH + 4 + wide
