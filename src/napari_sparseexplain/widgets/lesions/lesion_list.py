"""The lesions as lines: sorted by a click on a head, kept or switched off by a check box."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem

from ...evidence.lesions.table import Cell, LesionTable, shown_cell

_ROW_HEIGHT = 22


class _Item(QTableWidgetItem):
    """Sorted by its value, not by its text; what has none stands last."""

    def __init__(self, text: str, value: Cell) -> None:
        super().__init__(text)
        self.value = value

    def __lt__(self, other: Any) -> bool:
        mine, its = self.value, getattr(other, "value", None)
        if mine is None or its is None:
            return its is None and mine is not None
        if isinstance(mine, str) or isinstance(its, str):
            return str(mine) < str(its)
        return mine < its


class LesionList(QTableWidget):
    """One line a lesion.

    Signals
    -------
    chosen(int): the number of the lesion that was clicked or stepped to.
    switched(): a lesion was switched on or off.
    """

    chosen = Signal(int)
    switched = Signal()

    def __init__(self) -> None:
        super().__init__(0, 0)
        self.setAccessibleName("Lesions")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        rows, heads = self.verticalHeader(), self.horizontalHeader()
        assert rows is not None
        assert heads is not None
        rows.hide()
        rows.setDefaultSectionSize(_ROW_HEIGHT)
        heads.setToolTip("Click to sort")
        heads.setHighlightSections(False)
        self.cellClicked.connect(lambda row, _: self._tell(row))
        self.currentCellChanged.connect(self._on_current)
        self.itemChanged.connect(self._on_item)

    def show_table(self, table: LesionTable | None) -> None:
        """Fill it, all lesions kept, none chosen."""
        self.blockSignals(True)
        self.setSortingEnabled(False)
        self.setRowCount(0)
        columns = () if table is None else table.columns
        self.setColumnCount(len(columns))
        for place, column in enumerate(columns):
            head = QTableWidgetItem(column.title)
            head.setToolTip(f"{column.says}. Click to sort")
            self.setHorizontalHeaderItem(place, head)
        rows = () if table is None else table.rows
        self.setRowCount(len(rows))
        for line, row in enumerate(rows):
            for place, (cell, column) in enumerate(zip(row, columns, strict=True)):
                item = _Item(shown_cell(cell, column), cell)
                if not isinstance(cell, str):
                    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    item.setTextAlignment(right)
                if place == 0:
                    item.setCheckState(Qt.CheckState.Checked)
                    item.setToolTip("Ticked: kept. Untick to switch it off in an edited copy")
                self.setItem(line, place, item)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.resizeColumnsToContents()
        self.setCurrentCell(-1, -1)
        self.blockSignals(False)

    @property
    def off(self) -> list[int]:
        """Numbers of the lesions that are switched off."""
        unticked = Qt.CheckState.Unchecked
        firsts = (self.item(row, 0) for row in range(self.rowCount()))
        return [self._number(f) for f in firsts if f is not None and f.checkState() == unticked]

    @property
    def current(self) -> int | None:
        """Number of the chosen lesion."""
        item = self.item(self.currentRow(), 0)
        return None if item is None else self._number(item)

    def choose(self, number: int) -> None:
        """As if the line of a lesion were clicked."""
        for row in range(self.rowCount()):
            if self._number(self.item(row, 0)) == number:
                self.setCurrentCell(row, 0)

    def switch(self, number: int, on: bool) -> None:
        """As if the box of a lesion were ticked or unticked."""
        for row in range(self.rowCount()):
            item = self.item(row, 0)
            if item is not None and self._number(item) == number:
                item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)

    @staticmethod
    def _number(item: Any) -> int:
        return int(item.value)

    def _tell(self, row: int) -> None:
        item = self.item(row, 0)
        if item is not None:
            self.chosen.emit(self._number(item))

    def _on_current(self, row: int, _column: int, before: int, _before: int) -> None:
        if row != before and row >= 0:
            self._tell(row)

    def _on_item(self, item: Any) -> None:
        if item.column() == 0:
            self.switched.emit()
