"""Three numbers by which a prior is moved by hand."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QHBoxLayout, QWidget
from superqt.utils import signals_blocked

#: Largest shift in mm, and the step of the arrows.
_MOST, _STEP = 300.0, 1.0


class OffsetForm(QWidget):
    """Millimetres to the right, to the front and up.

    Signals
    -------
    changed(): a hand has set another shift.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        self.boxes: list[QDoubleSpinBox] = []
        for letter, way in zip("RAS", ("right", "front", "head"), strict=True):
            box = QDoubleSpinBox()
            box.setRange(-_MOST, _MOST)
            box.setSingleStep(_STEP)
            box.setDecimals(1)
            box.setPrefix(f"{letter}  ")
            box.setSuffix(" mm")
            # Arrow keys and the wheel step; the theme's buttons would cut the numbers.
            box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
            box.setKeyboardTracking(False)
            box.setAccessibleName(f"Shift to the {way}, mm")
            box.setToolTip(f"Move the prior by so many mm towards the patient's {way}")
            box.valueChanged.connect(lambda _: self.changed.emit())
            row.addWidget(box, 1)
            self.boxes.append(box)

    @property
    def shift(self) -> tuple[float, float, float]:
        """Along R, A, S in mm."""
        right, front, up = (box.value() for box in self.boxes)
        return right, front, up

    def set_shift(self, shift: tuple[float, float, float], *, tell: bool = False) -> None:
        """Set it; told as by a hand, or silently."""
        for box, value in zip(self.boxes, shift, strict=True):
            with signals_blocked(box):
                box.setValue(value)
        if tell:
            self.changed.emit()
