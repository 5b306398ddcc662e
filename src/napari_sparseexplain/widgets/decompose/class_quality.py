"""How well a model tells its classes apart, from its card: Dice, and where each class goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from ...evidence.confusion import CARD_ENTRY, confusion_rows
from ...layers.component_layers import short_class
from ...networks.bundle.model_card import ModelCard
from ..parts.wrapped_label import wrapped_label


class ClassQuality(QWidget):
    """One row a true class: its Dice, and the share of it that the model gave each class."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 4, 0, 0)
        box.setSpacing(2)
        self.source = wrapped_label()
        self.source.setEnabled(False)
        box.addWidget(self.source)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(0, 1)
        box.addLayout(self._grid)
        self._cells: list[QLabel] = []
        self.set_card(None)

    def set_card(self, card: ModelCard | None) -> None:
        """Another model; hidden where its card tells nothing of its classes."""
        for cell in self._cells:
            cell.hide()
            cell.setParent(None)
            cell.deleteLater()
        self._cells = []
        told = None if card is None else card.metrics.get(CARD_ENTRY)
        self.setVisible(isinstance(told, Mapping))
        if not isinstance(told, Mapping):
            return
        where = told.get("measured on", "data that its card leaves out")
        self.source.setText(f"Measured on {where}; on the right what each true class was taken for")
        names = [short_class(name) for name in told["dice"]]
        self._add(0, ["True class", "Dice", *names], faint=True)
        for row, cells in enumerate(confusion_rows(told), start=1):
            self._add(row, [short_class(cells[0]), *cells[1:]], hint=_by_case(told, cells[0]))

    def text(self) -> list[list[str]]:
        """What stands in the table, row by row."""
        rows: dict[int, list[str]] = {}
        for cell in self._cells:
            place = self._grid.getItemPosition(self._grid.indexOf(cell))
            rows.setdefault(int(place[0]), []).append(cell.text())  # type: ignore[index]
        return [rows[row] for row in sorted(rows)]

    def _add(self, row: int, texts: list[str], *, hint: str = "", faint: bool = False) -> None:
        for column, text in enumerate(texts):
            cell = QLabel(text)
            cell.setEnabled(not faint)
            cell.setToolTip(hint)
            if column:
                cell.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._grid.addWidget(cell, row, column)
            self._cells.append(cell)


def _by_case(told: Mapping[str, Any], name: str) -> str:
    """Dice of a class in each case."""
    cases = told.get("cases", {})
    lines = []
    for case, dice in cases.items():
        value = dice.get(name)
        lines.append(f"{case}: {'not there' if value is None else f'{value:.3f}'}")
    share = "The shares say which class the model gave to what truly is this one."
    return "\n".join([share, *(["Dice by case"] if lines else []), *lines])
