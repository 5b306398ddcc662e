"""Which of the pictures are in the stack, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QWidget,
)
from superqt.utils import signals_blocked

if TYPE_CHECKING:
    from ...training.classifiers.picture_query import PictureQuery
    from ...training.classifiers.picture_stack import PictureStack

_ALL = "all"


class FilterForm(QWidget):
    """Class, view, side, answer, confidence, selection, order.

    Signals
    -------
    changed(): something else is wanted.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.label, self.view, self.side, self.answer, self.order = (_combo() for _ in range(5))
        self.least, self.most = _confidence(0.0), _confidence(1.0)
        self.only_selected = QCheckBox("Selected points only")
        self.only_selected.setToolTip("Draw around points in the panel Points; Escape shows all")
        self._selection: frozenset[int] = frozenset()
        between = QWidget()
        row = QHBoxLayout(between)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.least, 1)
        row.addWidget(QLabel("to"))
        row.addWidget(self.most, 1)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for title, box in {
            "Class": self.label,
            "View": self.view,
            "Side": self.side,
            "Answer": self.answer,
        }.items():
            box.setAccessibleName(f"{title} of the pictures")
            form.addRow(title, box)
        form.addRow("Confidence", between)
        form.addRow("Order", self.order)
        form.addRow(self.only_selected)
        self.order.setAccessibleName("Order of the pictures")
        self._form, self._between = form, between
        for box in (self.label, self.view, self.side, self.answer, self.order):
            box.currentIndexChanged.connect(lambda _: self.changed.emit())
        for number in (self.least, self.most):
            number.valueChanged.connect(lambda _: self.changed.emit())
        self.only_selected.toggled.connect(lambda _: self.changed.emit())
        self._follow_selection()

    def offer(self, stack: PictureStack) -> None:
        """What there is to choose of these pictures; what was chosen and still is there stays."""
        from ...training.classifiers.picture_query import OF_ANSWERS, ORDERS

        with signals_blocked(self):
            _fill(self.label, [(name, name) for name in stack.slices.classes])
            views = sorted({image.view for image in stack.images if image.view})
            _fill(self.view, [(view, view) for view in views])
            sides = [side for side in ("training", "judging") if side in stack.sides]
            _fill(self.side, [(side, side) for side in sides])
            _fill(self.answer, [("right", "right"), ("wrong", "wrong")])
            kept = self.order.currentData()
            answered = stack.predicted is not None
            self.order.clear()
            for order, title in ORDERS.items():
                if answered or order not in OF_ANSWERS:
                    self.order.addItem(title, order)
            self.order.setCurrentIndex(max(self.order.findData(kept), 0))
            self._form.setRowVisible(self.view, bool(views))
            self._form.setRowVisible(self.answer, answered)
            self._form.setRowVisible(self._between, answered)
            if not answered:
                self.answer.setCurrentIndex(0)
                self.least.setValue(0.0)
                self.most.setValue(1.0)

    def select(self, rows: Iterable[int]) -> None:
        """Only these rows; all again when there are none."""
        self._selection = frozenset(rows)
        with signals_blocked(self.only_selected):
            self.only_selected.setChecked(bool(self._selection))
        self._follow_selection()
        self.changed.emit()

    @property
    def selection(self) -> tuple[int, ...]:
        """Rows that were drawn around."""
        return tuple(sorted(self._selection))

    def _follow_selection(self) -> None:
        count = len(self._selection)
        self.only_selected.setText(
            f"Selected points only ({count})" if count else "Selected points only"
        )
        self.only_selected.setEnabled(bool(count))

    def let_all(self) -> None:
        """Let every picture through, without a word; the order and the selection stay."""
        with signals_blocked(self):
            for box in (self.label, self.view, self.side, self.answer):
                box.setCurrentIndex(0)
            self.least.setValue(0.0)
            self.most.setValue(1.0)
            self.only_selected.setChecked(False)

    def query(self) -> PictureQuery:
        """What is wanted."""
        from ...training.classifiers.picture_query import PictureQuery

        return PictureQuery(
            label=self.label.currentData() or "",
            view=self.view.currentData() or "",
            side=self.side.currentData() or "",
            answer=self.answer.currentData() or "",
            least=round(self.least.value(), 2),
            most=round(self.most.value(), 2),
            selected=self._selection if self.only_selected.isChecked() else None,
            order=self.order.currentData() or "class",
        )


def _combo() -> QComboBox:
    box = QComboBox()
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    return box


def _confidence(value: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(0.0, 1.0)
    box.setSingleStep(0.05)
    box.setValue(value)
    box.setAccessibleName("Least confidence" if value == 0 else "Most confidence")
    box.setToolTip("Confidence of the classifier in its answer")
    box.setKeyboardTracking(False)
    return box


def _fill(box: QComboBox, choices: list[tuple[str, Any]]) -> None:
    kept = box.currentData()
    box.clear()
    box.addItem(_ALL, "")
    for title, value in choices:
        box.addItem(title, value)
    box.setCurrentIndex(max(box.findData(kept), 0))
