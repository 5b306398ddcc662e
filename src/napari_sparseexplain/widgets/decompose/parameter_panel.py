"""Thresholds and step sizes of a sparse model, with flags and what each flag means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...layers.component_layers import short_class
from ..parts.wrapped_label import wrapped_label

if TYPE_CHECKING:
    from ...explanation.components.sparse_parameters import ParameterRow

#: Heads of the columns, and what they are.
COLUMNS = {
    "Class": "Class of the dictionary",
    "": "Layer: Φ holds the atoms of the scan, D1, D2 … those of the codes above",
    "λ": "Threshold as learned",
    "λ eff": "λ / (μ₀ … μ of the layers above): the multiplier in the objective",
    "μ": "Step size as learned",
    "μ‖D‖²": "Step times the certified norm of the dictionary; above 2 a step is too long",
    "used": "Share of codes that are not 0 on this slice",
    "⚑": "Flags: point at one, or read below",
}


class ParameterPanel(QWidget):
    """A button that opens the table; the sentences of its flags below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = QToolButton()
        self.button.setCheckable(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setArrowType(Qt.ArrowType.RightArrow)
        self.button.toggled.connect(self._on_toggled)
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        for column, hint in enumerate(COLUMNS.values()):
            item = self.table.horizontalHeaderItem(column)
            assert item is not None
            item.setToolTip(hint)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.setShowGrid(False)
        for header in (self.table.verticalHeader(), self.table.horizontalHeader()):
            assert header is not None
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.verticalHeader().setVisible(False)  # pyright: ignore[reportOptionalMemberAccess]
        self.sentences = wrapped_label()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(self.button)
        box.addWidget(self.table)
        box.addWidget(self.sentences)
        self.show_rows(())

    def show_rows(self, rows: Sequence[ParameterRow]) -> None:
        """Write the table; hidden without rows."""
        self.setVisible(bool(rows))
        count = sum(len(row.flags) for row in rows)
        flags = "no flags" if not count else f"{count} flag" + ("s" if count > 1 else "")
        self.button.setText(f"Thresholds and step sizes ({flags})")
        self.table.setRowCount(len(rows))
        before = ""
        for place, row in enumerate(rows):
            texts = (
                short_class(row.class_name) if row.class_name != before else "",
                "Φ" if row.layer == 0 else f"D{row.layer}",
                _number(row.threshold),
                _number(row.effective_threshold),
                _number(row.step),
                _number(row.step * row.norm_bound),
                "–" if row.active is None else f"{100 * row.active:.0f} %",
                "⚑" * len(row.flags),
            )
            before = row.class_name
            hint = "\n".join(
                [
                    row.class_name,
                    *(f"{f}: {s}" for f, s in zip(row.flags, row.sentences, strict=True)),
                ]
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(hint)
                if column > 1:
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                self.table.setItem(place, column, item)
        self.sentences.setText(flag_text(rows))
        self._on_toggled(self.button.isChecked())

    def _on_toggled(self, on: bool) -> None:
        self.button.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self.table.setVisible(on)
        self.sentences.setVisible(on and bool(self.sentences.text()))
        # As high as its rows: the tab scrolls, not the table in it.
        header = self.table.horizontalHeader()
        height = 4 + (header.sizeHint().height() if header is not None else 0)
        height += sum(self.table.rowHeight(row) for row in range(self.table.rowCount()))
        self.table.setFixedHeight(height)


def flag_text(rows: Sequence[ParameterRow]) -> str:
    """Each flag that occurs: where, and its sentence."""
    where: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for flag, sentence in zip(row.flags, row.sentences, strict=True):
            layer = "Φ" if row.layer == 0 else f"D{row.layer}"
            where.setdefault((flag, sentence), []).append(f"{short_class(row.class_name)} {layer}")
    return "\n".join(
        f"⚑ {flag} ({', '.join(places)}): {sentence}" for (flag, sentence), places in where.items()
    )


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
