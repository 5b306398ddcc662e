"""Which attribution study is looked through, and the buttons to go through it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ..parts.wrapped_label import wrapped_label
from .folder_form import PathChoice


class StudyForm(QWidget):
    """A study's folder; once one is open, previous, next and the class to go through.

    Signals
    -------
    opened(): the folder in the line is wanted.
    stepped(int): 1 for the next picture, -1 for the one before.
    """

    opened = Signal()
    stepped = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.folder = PathChoice(
            "Study…", "The folder of a study, which compare-attribution was given with --out"
        )
        self.open_button = QPushButton("Open study")
        self.open_button.setToolTip(
            "Its maps side by side, picture by picture; the pictures must be open"
        )
        self.open_button.clicked.connect(lambda: self.opened.emit())
        self.folder.line.returnPressed.connect(self.opened)
        self.label = QComboBox()
        self.label.setAccessibleName("Class to go through")
        self.buttons = {by: QPushButton(words) for by, words in ((-1, "◀"), (1, "▶"))}
        steps = QWidget()
        row = QHBoxLayout(steps)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.label, 1)
        for by, button in self.buttons.items():
            button.setAccessibleName("Next picture" if by > 0 else "Previous picture")
            button.setToolTip(button.accessibleName())
            button.setFixedWidth(32)
            button.clicked.connect(partial(self._step, by))
            row.addWidget(button)
        self.said = wrapped_label()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(self.folder)
        box.addWidget(self.open_button)
        box.addWidget(steps)
        box.addWidget(self.said)
        self._steps = steps
        self.offer(())

    def offer(self, classes: Sequence[str]) -> None:
        """Classes of a study that is open; none when none is."""
        self.label.clear()
        self.label.addItem("all classes", "")
        for name in classes:
            self.label.addItem(name, name)
        self._steps.setVisible(bool(classes))
        self.said.setVisible(bool(classes))

    def _step(self, by: int, _checked: bool = False) -> None:
        self.stepped.emit(by)
