"""The classes of a decomposition: colour, switch, how specific its component is; Dice below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qtpy.QtCore import QRectF, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from ...layers.component_layers import class_colours, short_class
from ...networks.bundle.model_card import ModelCard
from ...volumes.labels.tumour import REGIONS


class MarkedBar(QWidget):
    """A bar from 0 to 1 with a mark to compare it with."""

    def __init__(self, colour: str) -> None:
        super().__init__()
        self._colour = QColor(colour)
        self._share: float | None = None
        self._mark: float | None = None
        self.setMinimumSize(44, 12)

    def set_shares(self, share: float | None, mark: float | None = None) -> None:
        """Draw another share and mark; None draws none."""
        self._share, self._mark = share, mark
        self.update()

    def paintEvent(self, a0: object) -> None:
        """The bar and its mark."""
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        top = self.height() / 2 - 4
        painter.setBrush(QColor(128, 128, 128, 60))
        painter.drawRect(QRectF(0, top, self.width(), 8))
        if self._share is not None:
            painter.setBrush(self._colour)
            painter.drawRect(QRectF(0, top, min(max(self._share, 0.0), 1.0) * self.width(), 8))
        if self._mark is not None:
            place = min(max(self._mark, 0.0), 1.0) * (self.width() - 2)
            painter.setBrush(self.palette().text().color())
            painter.drawRect(QRectF(place, top - 2, 2, 12))


def swatch(colour: str, side: int = 12) -> QIcon:
    """A square of one colour."""
    picture = QPixmap(side, side)
    picture.fill(QColor(colour))
    return QIcon(picture)


def percent(share: float | None) -> str:
    """A share for a table; a dash where it does not apply."""
    return "–" if share is None else f"{round(100 * share)} %"


class ClassTable(QWidget):
    """One row a class: legend, switch, energy in its own class beside the area of that class.

    Signals
    -------
    switched(): a class was switched off or on.
    """

    switched = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        self._rows = QGridLayout()
        self._dice = QGridLayout()
        for grid in (self._rows, self._dice):
            grid.setHorizontalSpacing(6)
            grid.setVerticalSpacing(1)
            box.addLayout(grid)
        self.residual = QLabel()
        box.addWidget(self.residual)
        self._rows.setColumnStretch(1, 1)
        self._dice.setColumnStretch(0, 1)
        self._widgets: list[QWidget] = []
        self._names: tuple[str, ...] = ()
        self.checks: list[QCheckBox] = []
        self._bars: list[tuple[MarkedBar, QLabel, QLabel]] = []
        self._scores: dict[tuple[str, str], QLabel] = {}

    @property
    def without(self) -> frozenset[int]:
        """Channels that are switched off."""
        return frozenset(c for c, check in enumerate(self.checks) if not check.isChecked())

    def set_card(self, card: ModelCard | None) -> None:
        """Rows for the classes of a model, all switched on."""
        names = () if card is None else tuple(card.classes.values())
        if names == self._names:
            return
        for widget in self._widgets:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
        self._widgets, self.checks, self._bars, self._scores = [], [], [], {}
        self._names = names
        if card is None:
            return
        self._head(self._rows, ("Class", "Energy in own class", "", "Area"))
        values = [int(value) for value in card.classes]
        colours = class_colours(values)
        for row, (value, name) in enumerate(zip(values, names, strict=True), start=1):
            check = QCheckBox(short_class(name))
            check.setIcon(swatch(colours[value]))
            check.setChecked(True)
            check.toggled.connect(lambda _: self.switched.emit())
            bar = MarkedBar(colours[value])
            numbers = (QLabel(), QLabel())
            for column, widget in enumerate((check, bar, *numbers)):
                self._place(self._rows, widget, row, column)
            self.checks.append(check)
            self._bars.append((bar, *numbers))
        self._head(self._dice, ("Dice, this result", *REGIONS))
        for row, title in enumerate(("All classes", "As switched", "Change"), start=1):
            self._place(self._dice, QLabel(title), row, 0)
            for column, region in enumerate(REGIONS, start=1):
                label = QLabel()
                self._place(self._dice, label, row, column)
                self._scores[title, region] = label
        self.show_scores({})

    def set_enabled(self, on: bool) -> None:
        """Whether the switches can be used."""
        for check in self.checks:
            check.setEnabled(on)

    def show_scores(self, scores: Mapping[str, float | None]) -> None:
        """Write the scores of an explanation of the method ``components``."""
        for check, (bar, energy, area), name in zip(
            self.checks, self._bars, self._names, strict=True
        ):
            share, part = scores.get(f"in-class energy, {name}"), scores.get(f"area share, {name}")
            bar.set_shares(share, part)
            energy.setText(percent(share))
            area.setText(percent(part))
            hint = (
                f"Of the energy of {name}'s component, {percent(share)} lies in that class, which "
                f"covers {percent(part)} of the brain (mark on the bar). Energy spread evenly over "
                "the brain would make both equal."
            )
            for widget in (bar, energy, area):
                widget.setToolTip(hint)
            check.setToolTip(_switch_hint(name, scores))
        for region in REGIONS:
            whole = scores.get(f"Dice {region}")
            shown = scores.get(f"Dice {region} shown", whole)
            change = None if whole is None or shown is None else shown - whole
            self._scores_text("All classes", region, whole)
            self._scores_text("As switched", region, shown)
            self._scores_text("Change", region, change, sign=True)
        left = scores.get("residual, share of the norm")
        self.residual.setText(f"Residual: {percent(left)} of the scan's norm is not explained.")
        self.residual.setVisible(left is not None)
        there = any(f"Dice {region}" in scores for region in REGIONS)
        for place in range(self._dice.count()):
            item = self._dice.itemAt(place)
            widget = None if item is None else item.widget()
            if widget is not None:
                widget.setVisible(there)

    def _scores_text(
        self, title: str, region: str, value: float | None, *, sign: bool = False
    ) -> None:
        label = self._scores.get((title, region))
        if label is not None:
            text = "–" if value is None else f"{value:.2f}"
            if sign and value is not None:
                text = f"{value:+.2f}" if abs(value) >= 0.005 else "0.00"
            label.setText(text.replace("-", "\N{MINUS SIGN}"))

    def _head(self, grid: QGridLayout, texts: Sequence[str]) -> None:
        for column, text in enumerate(texts):
            label = QLabel(text)
            label.setEnabled(False)
            self._place(grid, label, 0, column)

    def _place(self, grid: QGridLayout, widget: QWidget, row: int, column: int) -> None:
        grid.addWidget(widget, row, column)
        if (isinstance(widget, QLabel) and column > 1) or (grid is self._dice and column > 0):
            assert isinstance(widget, QLabel)
            widget.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            widget.setMinimumWidth(38)
        self._widgets.append(widget)


def _switch_hint(name: str, scores: Mapping[str, float | None]) -> str:
    lines = [f"Untick to see the segmentation without {name}: its codes are set to 0."]
    lost = {r: scores.get(f"Dice {r} lost without {name}") for r in REGIONS}
    known = [f"{r} {value:+.2f}" for r, value in lost.items() if value is not None]
    if known:
        lines.append("Dice lost without it: " + ", ".join(known))
    return "\n".join(lines)
