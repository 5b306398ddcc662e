"""The figures of a cine: a column a network, and by how much they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..parts.wrapped_label import wrapped_label

if TYPE_CHECKING:
    from ...training.left_ventricle.cine_volumes import CineVolumes

_INVITATION = (
    "Open a short-axis cine, tick networks, Run: volumes by Simpson's rule stand here. "
    "Research figures, not for diagnosis."
)


class CineTable(QScrollArea):
    """Figures, and in words what was not added.

    Attributes
    ----------
    table : QTableWidget
    name : QLabel
        Whose figures they are.
    said : QLabel
        What a person must know of the figures; the panel puts it above them.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table = QTableWidget(0, 0)
        self.table.setAccessibleName("Volumes of the left ventricle")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.said = wrapped_label(_INVITATION)
        self.name = wrapped_label()
        page = QWidget()
        box = QVBoxLayout(page)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(3)
        box.addWidget(self.name)
        box.addWidget(self.table)
        box.addStretch(1)
        self.setWidget(page)
        # Small, so that what must be read with the figures is in sight with them.
        font = self.table.font()
        font.setPointSizeF(0.85 * font.pointSizeF())
        for widget in (self.table, self.said, self.name):
            widget.setFont(font)
        self.clear()

    def show_figures(
        self,
        found: Sequence[CineVolumes],
        titles: Sequence[str],
        colours: Sequence[str],
        *,
        study: str = "",
    ) -> None:
        """Write the figures of a run on a study of that name."""
        from ...layers.plots.cine_plot import shown_columns
        from ...training.left_ventricle.cine_figures import LIMITS, ROWS, figure_sentences

        self.name.setText(study)
        self.name.setFixedHeight(self.table.fontMetrics().height() + 4)
        self.name.setVisible(bool(study))
        heads, columns = shown_columns(found, titles)
        self.table.setRowCount(len(ROWS))
        self.table.setVerticalHeaderLabels(list(ROWS))
        self.table.setColumnCount(len(columns))
        self.table.setHorizontalHeaderLabels(heads)
        for column, words in enumerate(columns):
            head = self.table.horizontalHeaderItem(column)
            if head is not None and column < len(colours):
                head.setForeground(QColor(colours[column]))
            self._write(column, words)
        header = self.table.horizontalHeader()
        if header is not None:
            header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        line = self.table.fontMetrics().height() + 3
        rows = self.table.verticalHeader()
        for each in (header, rows):
            if each is not None:
                each.setMinimumSectionSize(line)
        if rows is not None:
            rows.setDefaultSectionSize(line)
        if header is not None:
            header.setFixedHeight(line + 2)
            header.setMinimumSectionSize(52)
        self.table.setFixedHeight(len(ROWS) * line + line + 6)
        self.table.show()
        # The limits first, and all on as few lines as there is room for.
        sentences = [line for line in figure_sentences(found, titles) if line != LIMITS]
        self.said.setText(" ".join([LIMITS, *sentences]))

    def clear(self) -> None:
        """Nothing was run."""
        self.table.setRowCount(0)
        self.table.hide()
        self.name.hide()
        self.said.setText(_INVITATION)

    def text(self, row: int, column: int) -> str:
        """What stands in a cell."""
        item = self.table.item(row, column)
        return "" if item is None else item.text()

    def _write(self, column: int, words: Sequence[str]) -> None:
        for row, text in enumerate(words):
            item = QTableWidgetItem(text)
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(row, column, item)
