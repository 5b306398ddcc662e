"""Results, one line each: show, put in the grid, remove; scores beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from napari.layers import Layer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from .elided_label import ElidedLabel


@dataclass(eq=False)
class Result:
    """One result and the layers that show it.

    Attributes
    ----------
    title : str
        The line's text.
    layers : sequence of Layer
        What show, grid and remove act on.
    score : str
        Short, beside the title.
    details : str
        For the tooltip.
    value : Any
        What the tab keeps with it.
    """

    title: str
    layers: Sequence[Layer]
    score: str = ""
    details: str = ""
    value: Any = None
    line: ResultLine | None = field(default=None, repr=False)


class ResultLine(QWidget):
    """The line of one result."""

    shown = Signal(bool)
    grid = Signal()
    remove = Signal()

    def __init__(self, result: Result) -> None:
        super().__init__()
        self.check = QCheckBox()
        self.check.setChecked(True)
        self.check.setToolTip("Show or hide")
        self.check.toggled.connect(self.shown)
        self.name = ElidedLabel()
        self.score = QLabel()
        grid = QToolButton()
        grid.setText("⊞")
        grid.setToolTip("Show its pictures side by side")
        grid.clicked.connect(self.grid)
        remove = QToolButton()
        remove.setText("✕")
        for button in (grid, remove):
            button.setFixedWidth(22)
        remove.setToolTip("Remove this result and its layers")
        remove.clicked.connect(self.remove)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(self.check)
        box.addWidget(self.name, 1)
        for widget in (self.score, grid, remove):
            box.addWidget(widget)
        self.update_text(result)

    def update_text(self, result: Result) -> None:
        """Title, score and tooltip anew."""
        self.name.setText(result.title)
        self.score.setText(result.score)
        self.setToolTip(f"{result.title}\n{result.details}".strip())

    def set_shown(self, on: bool) -> None:
        """Follow the layers without answering them."""
        self.check.blockSignals(True)
        self.check.setChecked(on)
        self.check.blockSignals(False)


class ResultsList(QWidget):
    """The lines, the latest on top.

    Signals
    -------
    shown(Result, bool), grid(Result), removed(Result): what was pressed.
    """

    shown = Signal(object, bool)
    grid = Signal(object)
    removed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.items: list[Result] = []
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(2)
        self._empty = QLabel("Nothing yet.")
        self._empty.setEnabled(False)
        self._box.addWidget(self._empty)

    def add(self, result: Result) -> None:
        """Put a line on top."""
        line = ResultLine(result)
        line.shown.connect(lambda on: self.shown.emit(result, on))
        line.grid.connect(lambda: self.grid.emit(result))
        line.remove.connect(lambda: self.removed.emit(result))
        result.line = line
        self.items.append(result)
        self._box.insertWidget(0, line)
        self._empty.hide()

    def refresh(self, result: Result) -> None:
        """Write a line anew after its result changed in place."""
        if result.line is not None:
            result.line.update_text(result)

    def remove(self, result: Result) -> None:
        """Take a line away."""
        if result not in self.items:
            return
        self.items.remove(result)
        if result.line is not None:
            self._box.removeWidget(result.line)
            result.line.hide()
            result.line.deleteLater()
            result.line = None
        self._empty.setVisible(not self.items)


def score_text(scores: Mapping[str, float | None]) -> str:
    """The one score that stands beside a title."""
    value = scores.get("dice")
    return "" if value is None else f"Dice {value:.2f}"


def details_text(scores: Mapping[str, float | None], notes: Sequence[str]) -> str:
    """Every score and note, one a line; what does not apply is said so."""
    lines = [f"{k}: {'does not apply' if v is None else f'{v:.4g}'}" for k, v in scores.items()]
    return "\n".join([*lines, *notes])
