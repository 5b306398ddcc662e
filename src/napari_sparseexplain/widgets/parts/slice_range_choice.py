"""Which slices a range is: about the one in the picture until a person sets first and last."""

from __future__ import annotations

from qtpy.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QWidget

from ...volumes import Study

#: Slices on either side of the one in the picture, at first.
AROUND = 2


class SliceRangeChoice(QWidget):
    """Two numbers from 1, the last included, as a person counts; `slices` counts from 0."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.first, self.last = QSpinBox(), QSpinBox()
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(self.first, 1)
        box.addWidget(QLabel("to"))
        box.addWidget(self.last, 1)
        self.setToolTip(
            "First and last slice for the button Range; both are included.\n"
            "They follow the slice in the picture until you change them."
        )
        self._following, self._by_hand = False, False
        for choice in (self.first, self.last):
            choice.valueChanged.connect(self._on_value)

    def set_study(self, study: Study | None, index: int) -> None:
        """Limits of a study, about one of its slices."""
        total = 1 if study is None else study.grid.shape[0]
        self._following = True
        for box in (self.first, self.last):
            box.setRange(1, total)
        self._following = False
        self._by_hand = False
        self.follow(index)

    def follow(self, index: int) -> None:
        """Another slice is in the picture."""
        if self._by_hand:
            return
        self._following = True
        self.first.setValue(max(index + 1 - AROUND, 1))
        self.last.setValue(min(index + 1 + AROUND, self.last.maximum()))
        self._following = False

    def _on_value(self, _value: int) -> None:
        self._by_hand = self._by_hand or not self._following

    @property
    def slices(self) -> slice:
        """The range; turned about where the last comes before the first."""
        low, high = sorted((self.first.value(), self.last.value()))
        return slice(low - 1, high)
