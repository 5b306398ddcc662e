"""What the colours of components mean: one bar with numbers for all cells that share it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QLinearGradient, QPainter
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from ...layers.colormaps import signed_colormap


class GradientBar(QWidget):
    """The colours of signed maps, negative at the left."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(60, 10)
        self._stops = [
            (float(place), QColor.fromRgbF(*(float(v) for v in colour)))
            for place, colour in zip(
                np.linspace(0, 1, 21), signed_colormap().map(np.linspace(0, 1, 21)), strict=True
            )
        ]

    def paintEvent(self, a0: object) -> None:
        """The bar."""
        painter = QPainter(self)
        gradient = QLinearGradient(QPointF(0, 0), QPointF(self.width(), 0))
        for place, colour in self._stops:
            gradient.setColorAt(place, colour)
        painter.fillRect(QRectF(0, self.height() / 2 - 4, self.width(), 8), gradient)


class ColourScale(QWidget):
    """One line for each group of cells: its name, its lower end, the bar, its upper end."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(2, 1)
        self._lines: list[tuple[QLabel, QLabel, GradientBar, QLabel]] = []
        self.hide()

    def show_limits(self, groups: Sequence[tuple[str, tuple[float, float]]]) -> None:
        """Names of groups and their display limits; hidden without any."""
        while len(self._lines) < len(groups):
            line = (QLabel(), QLabel(), GradientBar(), QLabel())
            line[1].setAlignment(Qt.AlignmentFlag.AlignRight)
            for column, widget in enumerate(line):
                self._grid.addWidget(widget, len(self._lines), column)
            self._lines.append(line)
        for place, line in enumerate(self._lines):
            for widget in line:
                widget.setVisible(place < len(groups))
        for line, (name, (low, high)) in zip(self._lines, groups, strict=False):
            line[0].setText(name)
            line[1].setText(f"{low:.2g}".replace("-", "\N{MINUS SIGN}"))
            line[3].setText(f"+{high:.2g}" if high > 0 else f"{high:.2g}")
        self.setVisible(bool(groups))
