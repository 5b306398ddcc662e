"""How well the mask can be read from each layer: one bar a layer."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from ..parts.elided_label import ElidedLabel
from ..parts.wrapped_label import wrapped_label

#: Ends of the names of the scores of a probe.
DICE, CORRELATION = ": Dice of the probe", ": correlation of the probe"

_COLOUR = "#56b4e9"


class _Bar(QWidget):
    """A bar from 0 to 1."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self._share = min(max(share, 0.0), 1.0)
        self.setMinimumSize(60, 12)

    def paintEvent(self, a0: object) -> None:
        """The bar."""
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        top = self.height() / 2 - 4
        painter.setBrush(QColor(128, 128, 128, 60))
        painter.drawRect(QRectF(0, top, self.width(), 8))
        painter.setBrush(QColor(_COLOUR))
        painter.drawRect(QRectF(0, top, self._share * self.width(), 8))


class ProbeBars(QWidget):
    """Name, bar and Dice of every probed layer, and what they are of.

    Attributes
    ----------
    dice : dict of str to float or None
        Of each layer; empty before anything was probed.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.dice: dict[str, float | None] = {}
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._page: QWidget | None = None
        self.said = wrapped_label()
        self.said.setEnabled(False)
        self._box.addWidget(self.said)
        self.hide()

    def show_scores(self, title: str, scores: Mapping[str, float | None], words: str) -> None:
        """The scores of the method ``layer-probes``, and what must be read beside."""
        self.dice = {
            name.removesuffix(DICE): value for name, value in scores.items() if name.endswith(DICE)
        }
        page = QWidget()
        grid = QGridLayout(page)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        grid.addWidget(ElidedLabel(title), 0, 0, 1, 2)
        grid.addWidget(_right("Dice"), 0, 2)
        for place, (layer, value) in enumerate(self.dice.items(), start=1):
            grid.addWidget(ElidedLabel(layer), place, 0)
            grid.addWidget(_Bar(value or 0.0), place, 1)
            shown = value is not None and value == value
            label = _right(f"{value:.2f}" if shown else "–")
            together = scores.get(layer + CORRELATION)
            if together is not None:
                label.setToolTip(f"Correlation with the mask: {together:.2f}")
            grid.addWidget(label, place, 2)
        self._replace(page)
        self.said.setText(words)
        self.show()

    def clear(self) -> None:
        """Nothing was probed, or not of this model and study."""
        self.dice = {}
        self.said.setText("")
        self._replace(None)
        self.hide()

    def _replace(self, page: QWidget | None) -> None:
        if self._page is not None:
            self._box.removeWidget(self._page)
            self._page.hide()
            self._page.deleteLater()
        self._page = page
        if page is not None:
            self._box.insertWidget(0, page)


def _right(text: str) -> QLabel:
    label = QLabel(text)
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label
