"""How far to trust the maps in the picture: a table, red where a map fails, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QBrush, QColor, QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ...layers.colormaps import VERMILION
from ..parts.wrapped_label import wrapped_label

if TYPE_CHECKING:
    from ...explanation.trust.table import Trust
    from ...explanation.trust.verdicts import TrustRow

#: What each figure says; the long form is docs/attribution.md.
HINTS = {
    "completeness error": "How far the map is from adding up to the change of score; low is good",
    "standard error of the sum": "How far sampling leaves that sum uncertain; low is good",
    "pointing game": "Is the largest value in the reference (segmentation or drawn region); 1: yes",
    "relevance mass": "Share of the positive relevance in the reference; higher is better",
    "relevance rank": "The same for as many top pixels as the reference has; higher is better",
    "AUPRC": "The map as a detector of the reference; fails unless it beats all maps beside it",
    "insertion AUC": "How fast the score rises as pixels are added in map order; higher is better",
    "deletion AUC": "How fast the score falls as pixels are removed in map order; lower is better",
    "SIC": "The network's score against information revealed; higher is better",
    "AIC": "The network's accuracy against information revealed; higher is better",
    "infidelity": "Share of the score's change that the map does not predict; lower is better",
    "max-sensitivity": "Change of the map under noise of 2 %; lower is better",
    "parameter randomisation": "Rank correlation with the map of random weights; 0.5 or more fails",
    "parameter randomisation, head": "The same over the head, without a verdict",
}

#: Rows whose names would take the columns' room: the whole name is in the tooltip.
SHORT_NAMES = {
    "standard error of the sum": "error of the sum",
    "parameter randomisation": "randomisation",
    "parameter randomisation, head": "randomisation, head",
}

#: Columns of what a map stands beside: title and field of `TrustRow`, and what it is.
REFERENCES = {
    ("Random", "random"): "Random maps, mean of eight",
    ("Edges", "edge"): "The outlines of the image",
    ("Centre", "centre"): "A Gaussian at the centre of the head",
    ("Untrained", "untrained"): "The same method on random weights",
}

#: One map in the panel: its short name, its table, why there is none, whether it is whole.
Entry = tuple[str, "Trust | None", str, bool]


class TrustPanel(QWidget):
    """Figures down, maps across; at the right the same figure of what knows no model.

    Signals
    -------
    whole_wanted(): the figures that ask the network are wanted too.
    """

    whole_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = QTableWidget(0, 0)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.setShowGrid(False)
        # Columns of two digits, so that a map and all it stands beside fit the dock.
        self.table.setStyleSheet("QTableWidget, QHeaderView { font-size: 8pt; }")
        for header in (self.table.verticalHeader(), self.table.horizontalHeader()):
            assert header is not None
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.verdict = wrapped_label()
        self.verdict.setTextFormat(Qt.TextFormat.PlainText)
        self.notes = wrapped_label()
        self.notes.setEnabled(False)
        self.button = QPushButton("Compute all scores")
        self.button.setToolTip(
            "Insertion, deletion, information curves, infidelity, sensitivity, random weights: "
            "each method runs again several times. Cancel keeps the scores so far."
        )
        self.button.clicked.connect(self.whole_wanted)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        for widget in (self.verdict, self.table, self.notes, self.button):
            box.addWidget(widget)
        self.show_trust(())

    def show_trust(self, entries: Sequence[Entry]) -> None:
        """Write the table of the maps in the picture."""
        self.setVisible(bool(entries))
        tables = [trust for _, trust, _, _ in entries if trust is not None]
        names = list(dict.fromkeys(row.name for trust in tables for row in trust.rows))
        rows = [{row.name: row for row in trust.rows} for trust in tables]
        heads = [name for name, trust, _, _ in entries if trust is not None]
        references = _shared_references(rows)
        columns = [*heads, *references]
        self.table.clear()
        self.table.setRowCount(len(names))
        self.table.setColumnCount(len(columns))
        self.table.setHorizontalHeaderLabels(columns)
        self.table.setVerticalHeaderLabels([SHORT_NAMES.get(name, name) for name in names])
        for place, name in enumerate(names):
            head = self.table.verticalHeaderItem(place)
            assert head is not None
            head.setToolTip(f"{name}: {HINTS[name]}" if name in HINTS else name)
            for column, known in enumerate(rows):
                self.table.setItem(place, column, _cell(known.get(name)))
            row = next(known[name] for known in rows if name in known)
            for column, field in enumerate(references.values(), len(heads)):
                item = _item(_number(getattr(row, field)))
                item.setForeground(QBrush(QColor(150, 150, 150)))
                self.table.setItem(place, column, item)
        for column, (title, field) in enumerate(references.items(), len(heads)):
            head = self.table.horizontalHeaderItem(column)
            assert head is not None
            head.setToolTip(REFERENCES[title, field])
        self._fit()
        self.verdict.setText(verdict_text(entries))
        self.notes.setText(
            "\n".join(dict.fromkeys(note for trust in tables for note in trust.notes))
        )
        self.notes.setVisible(bool(self.notes.text()))
        self.button.setVisible(any(not whole for *_, whole in entries))

    def _fit(self) -> None:
        """As high as its rows: the tab scrolls, not the table in it."""
        self.table.resizeColumnsToContents()
        header = self.table.horizontalHeader()
        side = self.table.verticalHeader()
        assert header is not None
        assert side is not None
        height = 4 + header.sizeHint().height()
        height += sum(self.table.rowHeight(row) for row in range(self.table.rowCount()))
        scroll = self.table.horizontalScrollBar()
        if scroll is not None and header.length() + side.sizeHint().width() > self.width():
            height += scroll.sizeHint().height()
        self.table.setFixedHeight(height)
        self.table.setVisible(self.table.columnCount() > 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A wider tab may need no scroll bar, for which the table is then no higher."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()


def verdict_text(entries: Sequence[Entry]) -> str:
    """One line a map: that it fails and why, or that nothing found so far speaks against it."""
    lines = []
    for name, trust, why_not, whole in entries:
        if trust is None:
            lines.append(f"{name}: no table, since {why_not}")
        elif trust.failures:
            lines += [f"✗ {name} fails. {sentence}" for sentence in trust.failures]
        else:
            far = "" if whole else " so far"
            found = [row for row in trust.rows if row.name == "AUPRC" and row.value is not None]
            beaten = "".join(f" {row.sentence}" for row in found if row.sentence)
            lines.append(f"✓ {name}: no check has failed{far}.{beaten}")
    return "\n".join(lines)


def _shared_references(rows: Sequence[dict[str, TrustRow]]) -> dict[str, str]:
    """Title and field of each reference that was measured, and that is the same for all maps.

    Random weights give each method a map of its own, so that with several they stand in the
    tooltips and verdicts alone.
    """
    shared: dict[str, str] = {}
    for title, field in REFERENCES:
        seen: dict[str, set[float | None]] = {}
        for known in rows:
            for name, row in known.items():
                seen.setdefault(name, set()).add(getattr(row, field))
        if all(len(values) == 1 for values in seen.values()) and set().union(*seen.values()) - {
            None
        }:
            shared[title] = field
    return shared


def _cell(row: TrustRow | None) -> QTableWidgetItem:
    """A figure, red where the map fails; beside what it stands in the tooltip."""
    item = _item("" if row is None else _number(row.value))
    if row is None:
        return item
    lines = [HINTS.get(row.name, row.name)]
    lines += [
        f"{what}: {_number(getattr(row, field))}"
        for (_, field), what in REFERENCES.items()
        if getattr(row, field) is not None
    ]
    if row.sentence:
        lines.append(row.sentence)
    item.setToolTip("\n".join(lines))
    if row.failed:
        item.setBackground(QBrush(QColor(VERMILION)))
        item.setForeground(QBrush(QColor("white")))
    return item


def _item(text: str) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
