"""How the voxels of a diffusion scan are read: the method, and what it can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QToolButton,
    QWidget,
)

from ...explanation.catalogue import method_info
from ...explanation.method import Parameter, ParameterValue
from ...explanation.microstructure.methods import BY_BIC, MICROSTRUCTURE_METHODS
from ..parts.model_choice import DeviceChoice

#: What the number of populations is called, by the parameters ``populations`` and ``count_by``.
_POPULATIONS = {
    (0, "peaks"): "As many as clear peaks",
    (0, BY_BIC): "As many as the BIC keeps",
    (1, "peaks"): "One",
    (2, "peaks"): "Two wherever there are two peaks",
    (3, "peaks"): "Up to three, seconds a voxel",
}

#: The method that reads one shell without timings.
TENSOR = "tensor"


class MethodForm(QWidget):
    """The rows of the form below the scan; they stand in the tab's own.

    Attributes
    ----------
    method : QComboBox
        The methods of the family.

    Signals
    -------
    method_changed(): another method was chosen.
    """

    method_changed = Signal()

    def __init__(self, form: QFormLayout, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hide()
        self._form = form
        self._info = {p.name: p for m in MICROSTRUCTURE_METHODS for p in m.parameters}
        self.method = _combo()
        for info in MICROSTRUCTURE_METHODS:
            self.method.addItem(info.title, info.name)
            place = self.method.count() - 1
            self.method.setItemData(place, f"{info.summary}.", Qt.ItemDataRole.ToolTipRole)
        self.dictionary = QLineEdit()
        self.dictionary.setPlaceholderText("the one that ships")
        self.populations = _combo()
        for value, words in _POPULATIONS.items():
            self.populations.addItem(words, value)
        self.sigma = number_box(self._info["sigma"], "measured in the scan", 4)
        self.corrected = _combo()
        for choice in self._info["corrected"].choices:
            self.corrected.addItem(str(choice).capitalize(), choice)
        self.refine = self._tick("refine", "Refine the fibre directions")
        self.water = self._tick("water", "Allow free water")
        self.denoise = self._tick("denoise", "Denoise first (MP-PCA, slow)")
        self._rows: dict[str, QWidget] = {}
        self._add("method", "Method", self.method, "How the voxels are read")
        self._add("dictionary", "Dictionary", self._with_button())
        self._add(
            "populations", "Populations", self.populations,
            f"{self._info['populations'].tooltip}. BIC: {self._info['count_by'].tooltip}.",
        )  # fmt: skip
        self.device = DeviceChoice()
        self._add(
            "device", "Device", self.device,
            "Where voxels are compared; if its memory is not enough the CPU goes on, and says so",
        )  # fmt: skip
        self._add("sigma", "Noise σ", self.sigma)
        self._add("corrected", "Motion corrected", self.corrected)
        for name, box in (("refine", self.refine), ("water", self.water)):
            self._add(name, "", box)
        self._add("denoise", "", self.denoise)
        self.method.currentIndexChanged.connect(lambda _: self._on_method())
        self._on_method()

    @property
    def name(self) -> str:
        """Name of the method that is chosen."""
        return str(self.method.currentData())

    @property
    def needs_timings(self) -> bool:
        """Whether the method compares with simulated signals: not where it fits a tensor."""
        return self.name != TENSOR

    def takes(self, name: str) -> bool:
        """Whether the method that is chosen has a parameter, or runs on a device."""
        info = method_info(self.name)
        return any(p.name == name for p in info.parameters) or (
            name == "device" and info.takes_device
        )

    def values(self) -> dict[str, ParameterValue]:
        """Parameters of the method, but those of scan and timings, and its device."""
        populations, count_by = self.populations.currentData()
        said: dict[str, ParameterValue] = {
            "dictionary": self.dictionary.text().strip(),
            "populations": int(populations),
            "device": self.device.device,
            "count_by": str(count_by),
            "sigma": float(self.sigma.value()),
            "refine": self.refine.isChecked(),
            "water": self.water.isChecked(),
            "denoise": self.denoise.isChecked(),
            "corrected": str(self.corrected.currentData()),
        }
        return {name: value for name, value in said.items() if self.takes(name)}

    def choose(self, name: str) -> None:
        """Choose a method by its name."""
        self.method.setCurrentIndex(self.method.findData(name))

    def _on_method(self) -> None:
        """Rows that mean nothing to the method are not there."""
        for name, row in self._rows.items():
            self._form.setRowVisible(row, name == "method" or self.takes(name))
        for parameter in method_info(self.name).parameters:
            if parameter.name == "refine":  # as the method has it from the start
                self.refine.setChecked(bool(parameter.default))
                self.refine.setToolTip(f"{parameter.tooltip}.")
            if parameter.name == "populations":
                self._offer_populations(int(parameter.high or 0))
                self.populations.setToolTip(
                    f"{parameter.tooltip}. BIC: {self._info['count_by'].tooltip}."
                )
        self.method.setToolTip(f"{method_info(self.name).summary}.")
        self.method_changed.emit()

    def _offer_populations(self, most: int) -> None:
        """As many as the method takes; where more were chosen, those of the peaks."""
        for place in range(self.populations.count()):
            item = cast(QStandardItemModel, self.populations.model()).item(place)
            item.setEnabled(self.populations.itemData(place)[0] <= most)
        if self.populations.currentData()[0] > most:
            self.populations.setCurrentIndex(0)

    def _tick(self, name: str, words: str) -> QCheckBox:
        box = QCheckBox(words)
        box.setChecked(bool(self._info[name].default))
        return box

    def _add(self, name: str, title: str, field: QWidget, hint: str = "") -> None:
        add_row(self._form, title, field, hint or f"{self._info[name].tooltip}.")
        self._rows[name] = field

    def _with_button(self) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self.dictionary, 1)
        self.choose_button = QToolButton()
        self.choose_button.setText("…")
        self.choose_button.setToolTip("Choose a file of sparseexplain simulate")
        self.choose_button.clicked.connect(self._choose)
        line.addWidget(self.choose_button)
        return row

    def _choose(self) -> None:
        there = str(Path(self.dictionary.text()).parent) if self.dictionary.text() else ""
        path, _ = QFileDialog.getOpenFileName(
            self.choose_button, "Choose a dictionary", there, "Dictionaries (*.npz)"
        )
        if path:
            self.dictionary.setText(path)


def add_row(form: QFormLayout, title: str, field: QWidget, hint: str) -> None:
    """A row whose label has the same tooltip as its field."""
    field.setToolTip(hint)
    form.addRow(title, field)
    label = form.labelForField(field)
    if label is not None:
        label.setToolTip(hint)


def _combo() -> QComboBox:
    box = QComboBox()
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(6)
    return box


def number_box(parameter: Parameter, zero: str, decimals: int) -> Any:
    """A number whose zero has a meaning of its own."""
    box = QDoubleSpinBox()
    box.setDecimals(decimals)
    box.setRange(0.0, 1e9 if parameter.high is None else float(parameter.high))
    box.setSpecialValueText(zero)
    box.setKeyboardTracking(False)
    if parameter.unit:
        box.setSuffix(f" {parameter.unit}")
    # The wheel over a form that scrolls must not change what is set.
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
    return box
