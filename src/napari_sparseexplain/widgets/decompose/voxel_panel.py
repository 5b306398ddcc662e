"""What a clicked voxel is made of: every class's share and codes, and the numbers behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from ...layers.component_layers import short_class
from ...layers.study_layers import role_title
from .class_table import MarkedBar, percent

if TYPE_CHECKING:
    from ...explanation.components.slice_components import VoxelReading


class CodeBars(QWidget):
    """One thin bar a code, about 0; classes share their scale."""

    def __init__(self, colour: str) -> None:
        super().__init__()
        self._colour = QColor(colour)
        self._codes: npt.NDArray[np.floating] = np.zeros(0)
        self._peak = 1.0
        self.setMinimumSize(64, 18)

    def set_codes(self, codes: npt.NDArray[np.floating], peak: float) -> None:
        """Draw codes; ``peak`` is a bar of full height."""
        self._codes, self._peak = codes, peak or 1.0
        self.setToolTip("Deepest codes: " + ", ".join(f"{value:.3g}" for value in codes))
        self.update()

    def paintEvent(self, a0: object) -> None:
        """The bars."""
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        signed = bool((self._codes < 0).any())
        full = float(self.height() - 2) / (2 if signed else 1)
        zero = self.height() / 2 if signed else self.height() - 1.0
        painter.setBrush(QColor(128, 128, 128, 90))
        painter.drawRect(QRectF(0, zero, self.width(), 1))
        if not self._codes.size:
            return
        step = self.width() / self._codes.size
        painter.setBrush(self._colour)
        for place, value in enumerate(self._codes):
            length = full * min(max(float(value) / self._peak, -1.0), 1.0)
            top = zero - max(length, 0.0)
            painter.drawRect(QRectF(place * step, top, max(step - 1.0, 1.0), abs(length)))


class VoxelPanel(QWidget):
    """Two tables: shares and codes by class; values by class and modality."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._page: QWidget | None = None
        self.reading: VoxelReading | None = None
        self.hide()

    def clear(self) -> None:
        """Nothing was clicked, or not where there is an answer."""
        self.reading = None
        self._replace(None)
        self.hide()

    def show_reading(self, reading: VoxelReading, colours: Sequence[str]) -> None:
        """Fill the tables; ``colours`` are those of the classes."""
        self.reading = reading
        page = QWidget()
        box = QVBoxLayout(page)
        box.setContentsMargins(0, 0, 0, 0)
        box.addLayout(_shares(reading, colours))
        box.addLayout(_values(reading))
        self._replace(page)
        self.show()

    def _replace(self, page: QWidget | None) -> None:
        if self._page is not None:
            self._box.removeWidget(self._page)
            self._page.hide()
            self._page.deleteLater()
        self._page = page
        if page is not None:
            self._box.addWidget(page)


def _shares(reading: VoxelReading, colours: Sequence[str]) -> QGridLayout:
    grid = _grid(("Class", "Share of energy", "", "P", "Codes"))
    grid.setColumnStretch(1, 1)
    grid.setColumnStretch(4, 1)
    peak = float(np.abs(reading.codes).max(initial=0.0))
    for c, name in enumerate(reading.classes):
        bar, codes = MarkedBar(colours[c]), CodeBars(colours[c])
        bar.set_shares(float(reading.shares[c]))
        codes.set_codes(reading.codes[c], peak)
        widgets = (
            QLabel(short_class(name)),
            bar,
            _right(percent(float(reading.shares[c]))),
            _right(f"{reading.probabilities[c]:.2f}"),
            codes,
        )
        for column, widget in enumerate(widgets):
            grid.addWidget(widget, c + 1, column)
    return grid


def _values(reading: VoxelReading) -> QGridLayout:
    grid = _grid(("Value", *(role_title(role) for role in reading.roles)))
    grid.setColumnStretch(0, 1)
    rows = [(short_class(n), v) for n, v in zip(reading.classes, reading.components, strict=True)]
    rows += [("Residual", reading.residual), ("= Input", reading.input)]
    for place, (title, values) in enumerate(rows, start=1):
        grid.addWidget(QLabel(title), place, 0)
        for column, value in enumerate(values, start=1):
            text = f"{float(value):.3f}".replace("-", "\N{MINUS SIGN}")
            grid.addWidget(_right(text), place, column)
    return grid


def _grid(heads: Sequence[str]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(6)
    grid.setVerticalSpacing(1)
    for column, text in enumerate(heads):
        label = QLabel(text) if column < 1 or not text else _head(text)
        label.setEnabled(False)
        grid.addWidget(label, 0, column)
    return grid


def _head(text: str) -> QLabel:
    return QLabel(text) if text in ("Share of energy", "Codes") else _right(text)


def _right(text: str) -> QLabel:
    label = QLabel(text)
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label
