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

_ROWS = ("EDV (ml)", "ESV (ml)", "SV (ml)", "EF (%)", "ED, ES at", "Slices")

_INVITATION = (
    "Open a short-axis cine, tick networks, Run: volumes by Simpson's rule stand here. "
    "Research figures, not for diagnosis."
)


class CineTable(QScrollArea):
    """Figures, and in words what was not added.

    Attributes
    ----------
    table : QTableWidget
    said : QLabel
        What a person must know of the figures.
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
        page = QWidget()
        box = QVBoxLayout(page)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(3)
        box.addWidget(self.table)
        box.addWidget(self.said)
        box.addStretch(1)
        self.setWidget(page)
        # Small, so that what must be read with the figures is in sight with them.
        font = self.table.font()
        font.setPointSizeF(0.85 * font.pointSizeF())
        for widget in (self.table, self.said):
            widget.setFont(font)
        self.clear()

    def show_figures(
        self, found: Sequence[CineVolumes], titles: Sequence[str], colours: Sequence[str]
    ) -> None:
        """Write the figures of a run."""
        from ...training.left_ventricle.cine_volumes import spread_of

        several = len(found) > 1
        self.table.setRowCount(len(_ROWS))
        self.table.setVerticalHeaderLabels(list(_ROWS))
        self.table.setColumnCount(len(found) + several)
        self.table.setHorizontalHeaderLabels([*titles, *(["differ by"] if several else [])])
        for column, (one, colour) in enumerate(zip(found, colours, strict=True)):
            head = self.table.horizontalHeaderItem(column)
            if head is not None:
                head.setForeground(QColor(colour))
            self._write(column, _figures(one))
        if several:
            spread = spread_of(found)
            words = [f"{spread[name]:.1f}" for name in ("EDV", "ESV", "SV")]
            self._write(len(found), [*words, f"{100 * spread['EF']:.1f}", "", ""])
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
        self.table.setFixedHeight(len(_ROWS) * line + line + 6)
        self.table.show()
        self.said.setText(_words(found, titles))

    def clear(self) -> None:
        """Nothing was run."""
        self.table.setRowCount(0)
        self.table.hide()
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


def _figures(one: CineVolumes) -> list[str]:
    ratio = one.ejection_fraction
    return [
        f"{one.edv:.1f}", f"{one.esv:.1f}", f"{one.stroke_volume:.1f}",
        "–" if ratio != ratio else f"{100 * ratio:.1f}",
        f"{one.end_diastole + 1}, {one.end_systole + 1}",
        f"{int(one.used.sum())} of {len(one.used)}",
    ]  # fmt: skip


def _words(found: Sequence[CineVolumes], titles: Sequence[str]) -> str:
    """What was added, and what was not; once where it is true of several networks."""
    said: dict[str, list[str]] = {}
    for one, title in zip(found, titles, strict=True):
        said.setdefault(_added(one), []).append(title)
    lines = [f"{', '.join(names)}: {words}" for words, names in said.items()]
    return "\n".join([*lines, "Research figures, not for diagnosis."])


def _added(one: CineVolumes) -> str:
    if not one.used.any():
        return "no ventricle was found in any slice at every time point."
    left = [str(index + 1) for index in (~one.used).nonzero()[0]]
    away = f"not added: slice {', '.join(left)}, which the ventricle leaves. " if left else ""
    return f"{away}Added: {one.covered:.4g} mm of the heart, slices {one.distance:.4g} mm apart."
