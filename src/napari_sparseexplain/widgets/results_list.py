"""Results, one line each: show, put in the grid, remove; scores beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel


@dataclass(eq=False)
class Result:
    """One result and the layers that show it."""

    title: str
    layers: Sequence[Layer]
    score: str = ""
    details: str = ""
    value: Any = None
    row: QWidget | None = field(default=None, repr=False)


class ResultsList(QWidget):
    """The lines. What a press does is told by the callbacks that the workspace sets."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.items: list[Result] = []
        self.on_show: Callable[[Result, bool], None] = lambda result, shown: None
        self.on_grid: Callable[[Result], None] = lambda result: None
        self.on_remove: Callable[[Result], None] = lambda result: None
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(2)
        self._empty = QLabel("Nothing yet.")
        self._empty.setEnabled(False)
        self._box.addWidget(self._empty)

    def add(self, result: Result) -> None:
        """Put a line on top."""
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        shown = QCheckBox()
        shown.setChecked(True)
        shown.setToolTip("Show or hide")
        shown.toggled.connect(lambda on: self.on_show(result, on))
        name = QElidingLabel(result.title)
        name.setElideMode(Qt.TextElideMode.ElideMiddle)
        name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        name.setToolTip(f"{result.title}\n{result.details}".strip())
        score = QLabel(result.score)
        score.setToolTip(result.details)
        grid = QToolButton()
        grid.setText("Grid")
        grid.setToolTip("Put its pictures side by side")
        grid.clicked.connect(lambda: self.on_grid(result))
        remove = QToolButton()
        remove.setText("✕")
        remove.setToolTip("Remove this result and its layers")
        remove.clicked.connect(lambda: self.on_remove(result))
        line.addWidget(shown)
        line.addWidget(name, 1)
        line.addWidget(score)
        line.addWidget(grid)
        line.addWidget(remove)
        result.row = row
        self.items.append(result)
        self._box.insertWidget(0, row)
        self._empty.hide()

    def remove(self, result: Result) -> None:
        """Take a line away."""
        if result not in self.items:
            return
        self.items.remove(result)
        if result.row is not None:
            self._box.removeWidget(result.row)
            result.row.deleteLater()
            result.row = None
        self._empty.setVisible(not self.items)
