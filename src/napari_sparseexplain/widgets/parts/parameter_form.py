"""A form made from a method's typed parameters: defaults of the literature, limits, tooltips."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...explanation.method import MethodInfo, Parameter, ParameterValue


class ParameterForm(QWidget):
    """A button that opens the form; beside it what differs from the defaults."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._info: MethodInfo | None = None
        self._kept: dict[str, dict[str, ParameterValue]] = {}
        self.fields: dict[str, QWidget] = {}
        self._read: dict[str, Callable[[], Any]] = {}
        self.button = QToolButton()
        self.button.setCheckable(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setArrowType(Qt.ArrowType.RightArrow)
        self.button.toggled.connect(self._on_toggled)
        self.page = QWidget()
        self._form = QFormLayout(self.page)
        self._form.setContentsMargins(12, 0, 0, 0)
        self._form.setVerticalSpacing(2)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.page.hide()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addWidget(self.button)
        box.addWidget(self.page)

    def set_method(self, info: MethodInfo) -> None:
        """Fields of a method; values that were set before are there again."""
        if self._info is not None:
            self._kept[self._info.name] = self.values()
        while self._form.rowCount():
            self._form.removeRow(0)
        self._info, self.fields, self._read = info, {}, {}
        kept = self._kept.get(info.name, {})
        for parameter in info.parameters:
            field, read = _field(parameter, kept.get(parameter.name, parameter.default), self._say)
            title = parameter.title or parameter.name.replace("_", " ").capitalize()
            hint = f"{parameter.tooltip}.\nDefault: {default_text(parameter)}"
            field.setToolTip(hint)
            self._form.addRow(title, field)
            label = self._form.labelForField(field)
            if label is not None:
                label.setToolTip(hint)
            self.fields[parameter.name], self._read[parameter.name] = field, read
        self._say()

    def values(self) -> dict[str, ParameterValue]:
        """Every parameter with its value, checked.

        Raises
        ------
        SparseExplainError
            A value that the parameter refuses.
        """
        assert self._info is not None
        return self._info.checked({name: read() for name, read in self._read.items()})

    def set_values(self, values: Mapping[str, ParameterValue]) -> None:
        """Fill some fields; for scripts and tests.

        Raises
        ------
        SparseExplainError
            A name or value that the method does not take.
        """
        assert self._info is not None
        checked = self._info.checked({**self.values(), **values})
        info, self._info = self._info, None
        self._kept[info.name] = checked
        self.set_method(info)

    def changed(self) -> dict[str, ParameterValue]:
        """Values that differ from the defaults."""
        return {} if self._info is None else changed_values(self._info, self.values())

    def _say(self) -> None:
        if self._info is None or len(self._read) < len(self._info.parameters):
            return
        count = len(self.changed())
        about = "defaults" if not count else f"{count} changed"
        self.button.setText(f"Parameters ({about})")

    def _on_toggled(self, on: bool) -> None:
        self.button.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self.page.setVisible(on)


def changed_values(
    info: MethodInfo, values: Mapping[str, ParameterValue]
) -> dict[str, ParameterValue]:
    """Those of ``values`` that differ from the method's defaults."""
    return {
        p.name: values[p.name]
        for p in info.parameters
        if p.name in values and values[p.name] != p.default
    }


def default_text(parameter: Parameter) -> str:
    """A default for a person."""
    if isinstance(parameter.default, bool):
        return "yes" if parameter.default else "no"
    return f"{parameter.default} {parameter.unit}".strip() or "empty"


def _field(
    parameter: Parameter, value: ParameterValue, changed: Callable[[], None]
) -> tuple[QWidget, Callable[[], Any]]:
    """The field of a parameter, and how it is read."""
    if isinstance(parameter.default, bool):
        check = QCheckBox()
        check.setChecked(bool(value))
        check.toggled.connect(lambda _: changed())
        return check, check.isChecked
    if isinstance(parameter.default, int | float):
        box = _number_box(parameter, float(value))
        box.valueChanged.connect(lambda _: changed())
        return box, box.value
    if parameter.choices:
        combo = QComboBox()
        combo.addItems(list(parameter.choices))
        combo.setCurrentText(str(value))
        combo.currentIndexChanged.connect(lambda _: changed())
        return combo, combo.currentText
    line = QLineEdit(str(value))
    line.textChanged.connect(lambda _: changed())
    return line, line.text


def _number_box(parameter: Parameter, value: float) -> Any:
    box: Any
    low = -1e9 if parameter.low is None else parameter.low
    high = 1e9 if parameter.high is None else parameter.high
    if isinstance(parameter.default, int):
        box = QSpinBox()
        box.setRange(int(low), int(high))
        box.setValue(int(value))
    else:
        box = QDoubleSpinBox()
        box.setDecimals(3)
        box.setSingleStep(0.01 if high <= 1 else 1.0)
        box.setRange(low, high)
        box.setValue(value)
    if parameter.unit:
        box.setSuffix(f" {parameter.unit}")
    # The wheel over a form that scrolls must not change what is set.
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
    return box
