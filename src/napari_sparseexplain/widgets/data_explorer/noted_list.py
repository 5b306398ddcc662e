"""What stands out in a set, the weightiest first, and the slices that the chosen line is about."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from ...explanation.data_explorer.noted import Noted

#: Sign, colour and meaning of the gravities; the signs are told apart without their colours.
_SIGNS = {
    "grave": ("✗", "#ff7f3f", "makes a training or a test wrong"),
    "look": ("!", "#E69F00", "may make one wrong"),
    "hint": ("•", "#56B4E9", "only unusual"),
}

#: Side of a sign in pixels.
_SIGN = 20

#: What the signs mean.
_KEY = (
    "\n".join(f"{sign} {meaning}" for sign, _, meaning in _SIGNS.values())
    + "\nDouble-click, or Enter: the first of its slices"
)

#: Slices of one line that are listed.
_MOST = 500

#: Heights in pixels.
_LINES, _SLICES = 190, 96


class NotedList(QWidget):
    """Two lists: what was found, and its slices.

    Signals
    -------
    opened(int): a slice is wanted, by its place among the records.
    """

    opened = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.notes: tuple[Noted, ...] = ()
        self._names: Sequence[str] = ()
        self.lines = QListWidget()
        self.lines.setAccessibleName("What stands out")
        self.lines.setToolTip(_KEY)
        self.lines.setWordWrap(True)
        self.lines.setIconSize(QSize(_SIGN, _SIGN))
        self.lines.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.lines.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.lines.setMinimumHeight(_LINES)
        self.lines.currentRowChanged.connect(self._on_line)
        self.lines.itemActivated.connect(lambda item: self._open_first(self.lines.row(item)))
        self.title = QLabel()
        self.title.setEnabled(False)
        self.slices = QListWidget()
        self.slices.setAccessibleName("Slices of the chosen line")
        self.slices.setToolTip("Double-click, or Enter: show this slice with its mask")
        self.slices.setUniformItemSizes(True)
        self.slices.setMinimumHeight(_SLICES)
        self.slices.itemActivated.connect(self._open)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        for widget in (self.lines, self.title, self.slices):
            box.addWidget(widget)

    def show_notes(self, notes: Sequence[Noted], names: Sequence[str]) -> None:
        """What was found in a set, and what its slices are called."""
        self.notes, self._names = tuple(notes), names
        self.lines.clear()
        self.show_slices("", ())
        for note in notes:
            sign, _, meaning = _SIGNS[note.gravity]
            item = QListWidgetItem(_icon(note.gravity), note.words)
            item.setToolTip(f"{note.kind}: {sign} {meaning}")
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{meaning}: {note.words}")
            self.lines.addItem(item)
        if not notes:
            item = QListWidgetItem("Nothing stands out.")
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.lines.addItem(item)

    def show_slices(self, title: str, indices: Sequence[int]) -> None:
        """List some slices, under a title."""
        self.slices.clear()
        for index in indices[:_MOST]:
            item = QListWidgetItem(self._names[index])
            item.setData(Qt.ItemDataRole.UserRole, index)
            self.slices.addItem(item)
        more = f", the first {_MOST} of them" if len(indices) > _MOST else ""
        self.title.setText(title and f"{title}{more}")

    def select_slice(self, index: int) -> None:
        """The slice in the picture is this one."""
        for row in range(self.slices.count()):
            item = self.slices.item(row)
            if item is not None and item.data(Qt.ItemDataRole.UserRole) == index:
                self.slices.setCurrentRow(row)

    def _on_line(self, row: int) -> None:
        if 0 <= row < len(self.notes):
            slices = self.notes[row].slices
            count = "1 slice" if len(slices) == 1 else f"{len(slices)} slices"
            self.show_slices(f"{self.notes[row].kind}: {count}", slices)

    def _open_first(self, row: int) -> None:
        if 0 <= row < len(self.notes) and self.notes[row].slices:
            self.opened.emit(self.notes[row].slices[0])

    def _open(self, item: QListWidgetItem) -> None:
        self.opened.emit(int(item.data(Qt.ItemDataRole.UserRole)))


@cache
def _icon(gravity: str) -> QIcon:
    """The sign in its colour."""
    sign, colour, _ = _SIGNS[gravity]
    drawn = QPixmap(_SIGN, _SIGN)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    font = painter.font()
    font.setBold(True)
    font.setPixelSize(_SIGN - 4)
    painter.setFont(font)
    painter.setPen(QColor(colour))
    painter.drawText(drawn.rect(), Qt.AlignmentFlag.AlignCenter, sign)
    painter.end()
    return QIcon(drawn)
