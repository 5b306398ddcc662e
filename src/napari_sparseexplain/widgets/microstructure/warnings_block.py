"""Warnings in one line, the heaviest in it, that opens to all of them."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from ..parts.elided_label import ElidedLabel
from ..parts.wrapped_label import wrapped_label


class WarningsBlock(QWidget):
    """However many there are, the run buttons below stay where they are; hidden without any.

    Attributes
    ----------
    opens : QToolButton
        Says how many there are, and opens them.
    first : QLabel
        The heaviest, cut where the line is full.
    every : QLabel
        All of them, while they are open.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.opens = QToolButton()
        self.opens.setCheckable(True)
        self.opens.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.opens.toggled.connect(self._on_opened)
        self.first = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.every = wrapped_label()
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.opens)
        line.addWidget(self.first, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addLayout(line)
        box.addWidget(self.every)
        self.show_warnings(())

    def show_warnings(self, sentences: Sequence[str]) -> None:
        """Show these, the heaviest first; others than before are closed."""
        words = "\n".join(f"⚠ {sentence}" for sentence in sentences)
        if words != self.every.text():
            self.opens.setChecked(False)
        self.every.setText(words)
        many = len(sentences)
        self.opens.setText("⚠ 1 warning" if many == 1 else f"⚠ {many} warnings")
        self.first.setText(sentences[0] if sentences else "")
        self.opens.setToolTip(words)
        self.first.setToolTip(words)
        self._on_opened(self.opens.isChecked())
        self.setVisible(bool(sentences))

    def _on_opened(self, opened: bool) -> None:
        kind = Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow
        self.opens.setArrowType(kind)
        self.first.setVisible(not opened)
        self.every.setVisible(opened)
