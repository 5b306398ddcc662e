"""Words on a painter, with a dark edge: read on a bright and on a dark picture."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from qtpy.QtWidgets import QApplication

from ..canvas.outlined_text import PIXELS_IN_POINT

#: Pixels between words and the edge of their cell.
EDGE = 6.0

_STEPS = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0)]


def font_of(points: float, *, bold: bool = False) -> QFont:
    """The program's font at a size of the canvas' words."""
    font = QFont(QApplication.font())
    font.setPixelSize(max(round(points * PIXELS_IN_POINT), 6))
    font.setBold(bold)
    return font


def as_seen(text: str) -> str:
    """Words that are in the order in which they are seen already: Qt shall not turn them again."""
    return f"\u202d{text}\u202c"


def write_line(painter: QPainter, text: str, at: tuple[float, float], colour: str | QColor) -> None:
    """One line whose baseline begins at (x, y), in the painter's font."""
    x, y = at
    painter.setPen(QColor(0, 0, 0, 190))
    for step_x, step_y in _STEPS:
        painter.drawText(QPointF(x + step_x, y + step_y), text)
    painter.setPen(QColor(colour))
    painter.drawText(QPointF(x, y), text)


def write_in_place(painter: QPainter, text: str, area: QRectF, points: float) -> None:
    """Words in the middle of an area that shows nothing, over several lines where they must be."""
    painter.setFont(font_of(points))
    painter.setPen(QColor("#b4bac4"))
    inner = area.adjusted(2 * EDGE, 2 * EDGE, -2 * EDGE, -2 * EDGE)
    painter.drawText(inner, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text)


def write_block(
    painter: QPainter,
    lines: Sequence[str],
    corner: QPointF,
    colour: str | QColor,
    *,
    right: bool = False,
    low: bool = False,
    box: QColor | None = None,
) -> QRectF:
    """Lines below each other, from a corner; gives the rectangle that they take.

    Parameters
    ----------
    right, low : bool
        Whether the corner is the right one, the lower one.
    box : QColor, optional
        Behind the words.
    """
    metrics = QFontMetricsF(painter.font())
    step = metrics.height()
    width = max((metrics.horizontalAdvance(line) for line in lines), default=0.0)
    height = step * len(lines)
    left = corner.x() - width if right else corner.x()
    top = corner.y() - height if low else corner.y()
    taken = QRectF(left, top, width, height)
    if box is not None and lines:
        painter.fillRect(taken.adjusted(-3, -1, 3, 1), box)
    for place, line in enumerate(lines):
        x = corner.x() - metrics.horizontalAdvance(line) if right else left
        write_line(painter, line, (x, top + place * step + metrics.ascent()), colour)
    return taken


def write_note(painter: QPainter, text: str, area: QRectF) -> None:
    """Words across the middle of an area, which is dim behind them."""
    painter.fillRect(area, QColor(0, 0, 0, 150))
    painter.setFont(font_of(8.0))
    inside = area.adjusted(3 * EDGE, 3 * EDGE, -3 * EDGE, -3 * EDGE)
    flags = Qt.AlignmentFlag.AlignCenter.value | Qt.TextFlag.TextWordWrap.value
    taken = QRectF(painter.boundingRect(inside, flags, text))
    painter.fillRect(taken.adjusted(-6, -3, 6, 3), QColor(0, 0, 0, 170))
    painter.setPen(QColor("white"))
    painter.drawText(inside, flags, text)


def write_letters(
    painter: QPainter, letters: dict[str, str], area: QRectF, colour: str, points: float
) -> None:
    """A letter hard at the middle of each edge (``left``, ``right``, ``top``, ``bottom``)."""
    painter.setFont(font_of(points, bold=True))
    metrics = QFontMetricsF(painter.font())
    high, margin = metrics.capHeight(), 4.0
    middle = area.center()
    for edge, letter in letters.items():
        wide = metrics.horizontalAdvance(letter)
        x, y = {
            "left": (area.left() + margin, middle.y() + high / 2),
            "right": (area.right() - margin - wide, middle.y() + high / 2),
            "top": (middle.x() - wide / 2, area.top() + margin + high),
            "bottom": (middle.x() - wide / 2, area.bottom() - margin),
        }[edge]
        write_line(painter, letter, (x, y), colour)


def scale_bar(painter: QPainter, area: QRectF, length: float, pixels: float, unit: str) -> None:
    """A bar of a round length in the lower right corner."""
    painter.setFont(font_of(6.5))
    right, low = area.right() - EDGE, area.bottom() - EDGE
    pen = QPen(QColor(0, 0, 0, 190), 4)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    for colour, width in ((QColor(0, 0, 0, 190), 4.0), (QColor("white"), 2.0)):
        pen.setColor(colour)
        pen.setWidthF(width)
        painter.setPen(pen)
        painter.drawLine(QPointF(right - pixels, low), QPointF(right, low))
    for end in (right - pixels, right):
        painter.setPen(QPen(QColor("white"), 1.5))
        painter.drawLine(QPointF(end, low - 3), QPointF(end, low + 3))
    words = f"{length:g} {unit}"
    metrics = QFontMetricsF(painter.font())
    wide = metrics.horizontalAdvance(words)
    x = min(right - pixels / 2 - wide / 2, right - wide)
    write_line(painter, words, (x, low - 5 - metrics.descent()), "white")
