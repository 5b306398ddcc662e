"""What each level of the network suppressed, as small bars."""

from __future__ import annotations

import re
from collections.abc import Mapping

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from ...layers.colormaps import SKY, VERMILION

_SCORE = re.compile(
    r"^(?P<side>encoder|decoder) level (?P<level>\d+): "
    r"(?P<what>energy suppressed|coefficients zeroed)$"
)


def band_shares(
    scores: Mapping[str, float | None],
) -> dict[tuple[str, int], tuple[float | None, float | None]]:
    """Share of the energy suppressed and of the coefficients zeroed, by side and level."""
    found: dict[tuple[str, int], dict[str, float | None]] = {}
    for name, value in scores.items():
        match = _SCORE.match(name)
        if match:
            place = (match["side"], int(match["level"]))
            found.setdefault(place, {})[match["what"]] = value
    return {
        place: (both.get("energy suppressed"), both.get("coefficients zeroed"))
        for place, both in found.items()
    }


class ShareBar(QWidget):
    """A bar from 0 to 1, to the left in another colour when the band was boosted."""

    def __init__(self) -> None:
        super().__init__()
        self._share: float | None = None
        self.setMinimumSize(40, 10)

    def set_share(self, share: float | None) -> None:
        """Draw another share; None draws nothing."""
        self._share = share
        self.update()

    def paintEvent(self, a0: object) -> None:
        """The bar."""
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        middle, height = self.height() / 2, 8.0
        frame = QRectF(0, middle - height / 2, self.width(), height)
        painter.setBrush(QColor(128, 128, 128, 60))
        painter.drawRect(frame)
        if self._share is None:
            return
        length = min(abs(self._share), 1.0) * frame.width()
        painter.setBrush(QColor(SKY if self._share >= 0 else VERMILION))
        painter.drawRect(QRectF(frame.left(), frame.top(), length, height))


class BandTable(QWidget):
    """One row a level: energy taken away (bar and per cent), coefficients set to zero."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(1, 1)
        for column, text in ((0, "Level"), (1, "Energy suppressed"), (3, "Set to 0")):
            label = QLabel(text)
            label.setEnabled(False)
            self._grid.addWidget(label, 0, column)
        self._rows: dict[tuple[str, int], tuple[QLabel, ShareBar, QLabel, QLabel]] = {}
        self.hide()

    def show_scores(self, scores: Mapping[str, float | None]) -> None:
        """Write the shares of an explanation; hidden when it has none."""
        shares = band_shares(scores)
        if set(shares) != set(self._rows):
            self._rebuild(list(shares))
        for place, (energy, zeroed) in shares.items():
            _, bar, percent, zeros = self._rows[place]
            bar.set_share(energy)
            percent.setText(_percent(energy))
            zeros.setText(_percent(zeroed))
            hint = "" if energy is None or energy >= 0 else "Below 0: thresholds boosted this band"
            bar.setToolTip(hint)
            percent.setToolTip(hint)
        self.setVisible(bool(shares))

    def _rebuild(self, places: list[tuple[str, int]]) -> None:
        for widgets in self._rows.values():
            for widget in widgets:
                self._grid.removeWidget(widget)
                widget.hide()
                widget.deleteLater()
        self._rows = {}
        for row, (side, level) in enumerate(places, start=1):
            widgets = (QLabel(f"{side.capitalize()} {level}"), ShareBar(), QLabel(), QLabel())
            widgets[2].setMinimumWidth(44)
            widgets[2].setAlignment(Qt.AlignmentFlag.AlignRight)
            widgets[3].setAlignment(Qt.AlignmentFlag.AlignRight)
            for column, widget in enumerate(widgets):
                self._grid.addWidget(widget, row, column)
            self._rows[side, level] = widgets


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{round(100 * share)} %"
