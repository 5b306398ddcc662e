"""The form of the panel *Priors*: what is chosen, moved and shown; the panel makes it act."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ...volumes.comparison.made_pictures import FIELD_MM
from ..parts.run_bar import RunBar
from ..parts.wrapped_label import wrapped_label
from .offset_form import OffsetForm
from .prior_choice import PriorChoice, ScanChoice

#: What stands where nothing is chosen.
INVITATION = "Choose an earlier study as the prior: it is shown beside this one"

_FORM_WIDTH = 330


class PriorsForm(QWidget):
    """Its widgets, laid out for the room below the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.choice = PriorChoice()
        self.scan = ScanChoice("Scan", "The current scan")
        self.prior_scan = ScanChoice("Scan of the prior", "The prior's scan beside it")
        self.offset = OffsetForm()
        self.field_size = QDoubleSpinBox()
        self.field_size.setRange(2.0, 200.0)
        self.field_size.setValue(FIELD_MM)
        self.field_size.setSuffix(" mm")
        self.field_size.setDecimals(0)
        self.field_size.setAccessibleName("Edge of a field of the checkerboard")
        self.field_size.setToolTip("Edge of a field of the checkerboard")
        self.run_bar = RunBar()
        self.said = wrapped_label(INVITATION)
        self._make_buttons()
        self._lay_out()

    def _make_buttons(self) -> None:
        self.open_button = self.run_bar.add_button("Open…", "Open the folder of an earlier study")
        self.register_button = self.run_bar.add_button(
            "Register", "Find the turn and the shift that lay the prior over the current scan"
        )
        self.file_button = self.run_bar.add_button(
            "Transform…", "A transform from the prior to the current scan (ITK .tfm .txt .mat, FSL)"
        )
        self.beside_button = QPushButton("Side by side")
        self.beside_button.setToolTip("Current and prior on the same place")
        self.board_button = QPushButton("Checkerboard")
        self.board_button.setToolTip("Current and prior in fields by turns: lines must go through")
        self.edges_button = QPushButton("Edges")
        self.edges_button.setToolTip("Edges of the prior over the current scan")
        self.flicker_button = QPushButton("Flicker")
        self.flicker_button.setToolTip("Current and prior by turns in one picture (Shift+B)")
        self.flicker_button.setCheckable(True)
        self.difference_button = QPushButton("Subtract")
        self.difference_button.setToolTip("Current minus prior, grey values matched")
        self.lesions_button = QPushButton("Lesion change")
        self.lesions_button.setToolTip("Lesions of both masks with numbers that persist")
        self.picture_button = QPushButton("Save picture…")
        self.picture_button.setToolTip("What the canvas shows, as a PNG")
        self.remove_button = QPushButton("Remove")
        self.remove_button.setToolTip("Take the prior away")

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        form.addRow("Prior", self.choice)
        scans = QHBoxLayout()
        scans.addWidget(self.scan, 1)
        scans.addWidget(self.prior_scan, 1)
        form.addRow("Scans", scans)
        form.addRow("Move", self.offset)
        left = QWidget()
        left.setFixedWidth(_FORM_WIDTH)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 2, 6, 2)
        column.setSpacing(4)
        column.addLayout(form)
        column.addWidget(self.run_bar)
        column.addStretch(1)
        grid = QGridLayout()
        grid.setSpacing(4)
        board = QHBoxLayout()
        board.addWidget(self.board_button, 1)
        board.addWidget(self.field_size)
        grid.addWidget(self.beside_button, 0, 0)
        grid.addWidget(self.flicker_button, 0, 1)
        grid.addLayout(board, 1, 0)
        grid.addWidget(self.edges_button, 1, 1)
        grid.addWidget(self.difference_button, 2, 0)
        grid.addWidget(self.lesions_button, 2, 1)
        grid.addWidget(self.picture_button, 3, 0)
        grid.addWidget(self.remove_button, 3, 1)
        right = QVBoxLayout()
        right.setSpacing(4)
        right.addLayout(grid)
        # Long words scroll: they must not make the dock higher, and the picture lower.
        words = QScrollArea()
        words.setWidget(self.said)
        words.setWidgetResizable(True)
        words.setFrameShape(QScrollArea.Shape.NoFrame)
        words.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.said.setAlignment(Qt.AlignmentFlag.AlignTop)
        right.addWidget(words, 1)
        box = QHBoxLayout(self)
        box.setContentsMargins(4, 0, 4, 0)
        box.addWidget(left)
        box.addLayout(right, 1)
