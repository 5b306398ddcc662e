"""Key slices: mark the one in the picture, jump between them, write a note beside each."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ...review.frames import key_slice_label
from ...review.review import KeySlice
from ...volumes import Study
from .mark_table import MarkTable


class KeySlicePanel(QWidget):
    """The button that marks, the list, and what can be done with it.

    Signals
    -------
    marked(), removed(int), sorted(), stepped(int): forwards (1) or backwards (-1).
    """

    marked = Signal()
    removed = Signal(int)
    sorted = Signal()
    stepped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        top, foot = QHBoxLayout(), QHBoxLayout()
        self.mark_button = _button(top, "Mark this slice", "Add this slice to the key slices")
        self.back_button = _button(top, "◀", "Previous key slice")
        self.next_button = _button(top, "▶", "Next key slice")
        for button in (self.back_button, self.next_button):
            button.setFixedWidth(34)
        self.table = MarkTable(("Key slice", "Note"))
        self.remove_button = _button(foot, "Remove", "Remove from key slices")
        self.sort_button = _button(foot, "Sort by position", "Sort by plane, then by slice")
        self.mark_button.clicked.connect(lambda: self.marked.emit())
        self.back_button.clicked.connect(lambda: self.stepped.emit(-1))
        self.next_button.clicked.connect(lambda: self.stepped.emit(1))
        self.remove_button.clicked.connect(lambda: self.removed.emit(self.table.chosen))
        self.sort_button.clicked.connect(lambda: self.sorted.emit())
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addLayout(top)
        box.addWidget(self.table)
        box.addLayout(foot)

    def show_key_slices(self, keys: Sequence[KeySlice], study: Study | None) -> None:
        """Fill the list; without a study there are none."""
        lines = [] if study is None else [(key_slice_label(study, key), key.note) for key in keys]
        self.table.show_lines(lines)
        several = len(keys) > 1
        for button in (self.back_button, self.next_button, self.remove_button):
            button.setEnabled(bool(keys))
        self.sort_button.setEnabled(several)


def _button(line: QHBoxLayout, text: str, tip: str) -> QPushButton:
    line.setSpacing(4)
    button = QPushButton(text)
    button.setToolTip(tip)
    line.addWidget(button)
    return button
