"""A list of marks: where each is, and words that a person may change in place."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

#: Lines that are seen without scrolling.
_LINES = 4


class MarkTable(QTableWidget):
    """Two columns: what and where (a click goes there), and words (a double click edits them).

    Signals
    -------
    jumped(int): a line was clicked. edited(int, str): its words were changed.
    """

    jumped = Signal(int)
    edited = Signal(int, str)

    def __init__(self, heads: tuple[str, str], parent: QWidget | None = None) -> None:
        super().__init__(0, 2, parent)
        self.setHorizontalHeaderLabels(list(heads))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        assert rows is not None
        assert columns is not None
        rows.hide()
        rows.setDefaultSectionSize(22)
        columns.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        columns.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        columns.setFixedHeight(22)
        self.setFixedHeight(22 * (_LINES + 1) + 4)
        self.cellClicked.connect(lambda row, _: self.jumped.emit(row))
        self.cellChanged.connect(self._on_changed)

    @property
    def chosen(self) -> int:
        """The chosen line; -1 for none."""
        found = self.selectionModel()
        lines = [] if found is None else found.selectedRows()
        return lines[0].row() if lines else -1

    def show_lines(self, lines: Sequence[tuple[str, str]]) -> None:
        """Fill it; the chosen line stays chosen where it is still there."""
        kept = self.chosen
        self.blockSignals(True)
        self.setRowCount(len(lines))
        for number, (where, words) in enumerate(lines):
            place = QTableWidgetItem(where)
            place.setFlags(place.flags() & ~Qt.ItemFlag.ItemIsEditable)
            self.setItem(number, 0, place)
            text = QTableWidgetItem(words)
            text.setToolTip(words)
            self.setItem(number, 1, text)
        self.blockSignals(False)
        if 0 <= kept < len(lines):
            self.selectRow(kept)

    def _on_changed(self, row: int, column: int) -> None:
        item = self.item(row, column)
        if column == 1 and item is not None:
            self.edited.emit(row, item.text().strip())
