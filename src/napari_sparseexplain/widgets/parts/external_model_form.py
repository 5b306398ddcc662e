"""The card of a model from elsewhere, filled in a form: inputs, normalisation, classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from ...errors import ModelError, SparseExplainError
from ...networks.bundle.card_file import check_card, read_external_card
from ...networks.bundle.model_card import Inputs, ModelCard
from ...volumes.intensity.normalisation import NORMALISATIONS, Normalisation
from .elided_label import ElidedLabel
from .notices import show_error_dialog

#: Tasks that attribution explains.
EXPLAINED_TASKS = ("segmentation", "classification")

_HEADS = {
    "softmax": "exclude each other (softmax)",
    "sigmoid": "may overlap (sigmoid)",
    "none": "already probabilities",
}

#: By what `Inputs.mask` is.
_MASKS = {
    "brain": "the brain alone",
    "non-zero": "what is not background",
    "none": "the whole image",
}


class ExternalModelForm(QWidget):
    """Which file, and what cannot be read from it; hidden until a file is chosen.

    Signals
    -------
    accepted(str, ModelCard): a file and its card.
    """

    accepted = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.path = ""
        self._file = ElidedLabel()
        self.task = QComboBox()
        self.task.addItems(list(EXPLAINED_TASKS))
        self.roles = QLineEdit()
        self.roles.setToolTip("Scans it takes, in the order of its channels: t1, t1ce, t2, flair")
        self.normalisation = QComboBox()
        self.normalisation.addItems(list(NORMALISATIONS))
        self.normalisation.setToolTip(
            "brain-range: grey values are scaled to 0…1 over the brain. z-score: to mean 0 and "
            "standard deviation 1 over the model's input. percentile: to 0…1 between the "
            "percentiles 1 and 99. window: to 0…1 in a CT window. unit: already in 0…1. none: "
            "unchanged."
        )
        self.window_centre, self.window_width = QDoubleSpinBox(), QDoubleSpinBox()
        self.window_centre.setRange(-10_000, 10_000)
        self.window_width.setRange(1, 100_000)
        self.window_centre.setValue(40)
        self.window_width.setValue(400)
        self.window_centre.setToolTip(
            "Grey value in the middle of the window, in the scan's unit (HU)"
        )
        self.window_width.setToolTip("Width of the window, in the scan's unit (HU)")
        self._of_card: Normalisation | None = None
        self.input_mask = QComboBox()
        for name, words in _MASKS.items():
            self.input_mask.addItem(words, name)
        self.input_mask.setToolTip(
            "Where the model sees the scan and its classes are valid. The rest is set to 0."
        )
        self.classes = QLineEdit("0 background, 1 lesion")
        self.classes.setToolTip(
            "Number and name of every output, in their order: 0 background, 1 lesion"
        )
        self.head = QComboBox()
        for name, words in _HEADS.items():
            self.head.addItem(words, name)
        self.head.setToolTip("How its outputs become probabilities: softmax, sigmoid or nothing")
        self.spacing = QDoubleSpinBox()
        self.spacing.setRange(0.05, 20.0)
        self.spacing.setValue(1.0)
        self.spacing.setSuffix(" mm")
        self.spacing.setToolTip("Pixel size that it was trained at")
        self.side = QSpinBox()
        self.side.setRange(8, 4096)
        self.side.setValue(240)
        self.side.setSuffix(" px")
        self.side.setToolTip("Rows and columns that it was trained at")
        self.multiple = QSpinBox()
        self.multiple.setRange(1, 256)
        self.multiple.setToolTip(
            "Rows and columns are padded to multiples of this, and cropped back"
        )
        self.output = QLineEdit()
        self.output.setPlaceholderText("the only one")
        self.output.setToolTip("Index or name of the logits, if there are several outputs")
        form = QFormLayout(self)
        form.setContentsMargins(12, 0, 0, 4)
        form.setVerticalSpacing(2)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("File", self._file)
        form.addRow("Task", self.task)
        form.addRow("Scans", self.roles)
        form.addRow("Grey values", self.normalisation)
        window = QHBoxLayout()
        window.addWidget(self.window_centre)
        window.addWidget(self.window_width)
        form.addRow("Window", window)
        self._form, self._window_row = form, window
        self.normalisation.currentTextChanged.connect(self._on_normalisation)
        self._on_normalisation(self.normalisation.currentText())
        form.addRow("Input region", self.input_mask)
        form.addRow("Classes", self.classes)
        form.addRow("Outputs", self.head)
        pixels = QHBoxLayout()
        pixels.addWidget(self.spacing)
        pixels.addWidget(self.side)
        form.addRow("Pixels", pixels)
        form.addRow("Multiple of", self.multiple)
        form.addRow("Output", self.output)
        buttons = QHBoxLayout()
        self.use = QPushButton("Use this model")
        self.use.clicked.connect(self._on_use)
        self.read = QPushButton("Card from file…")
        self.read.setToolTip("Fill the form from a card.json")
        self.read.clicked.connect(self._on_read)
        self.close_button = QPushButton("Close")
        self.close_button.clicked.connect(self.hide)
        for button in (self.use, self.read, self.close_button):
            buttons.addWidget(button)
        form.addRow(buttons)
        self.hide()

    def open_for(self, path: str | Path, roles: tuple[str, ...] = ()) -> None:
        """Show the form for a file; ``roles`` are those of the open study."""
        self.path = str(path)
        self._file.setText(Path(path).name)
        self._file.setToolTip(self.path)
        if not self.roles.text() and roles:
            self.roles.setText(", ".join(roles))
        self.show()

    def card(self) -> ModelCard:
        """The card as the form says it.

        Raises
        ------
        ModelError
            A field that no model can have; the message names it.
        """
        classes = read_classes(self.classes.text())
        arguments: dict[str, Any] = {
            "head": self.head.currentData(),
            "multiple": self.multiple.value(),
        }
        if output := self.output.text().strip():
            arguments["output"] = int(output) if output.lstrip("-").isdigit() else output
        roles = tuple(part.strip() for part in self.roles.text().split(",") if part.strip())
        name = Path(self.path).stem or "model"
        card = ModelCard(
            name=name,
            title=name,
            architecture=Path(self.path).suffix.lstrip(".") or "torchscript",
            arguments=arguments,
            task=self.task.currentText(),
            inputs=Inputs(
                roles,
                self._way(),
                self.spacing.value(),
                self.side.value(),
                mask=str(self.input_mask.currentData()),
            ),
            classes=classes,
            licence="not told",
        )
        # The checksum is that of the file, which is read when the model runs.
        check_card(replace(card, weights_sha256="0" * 64), "the form")
        return card

    def _on_normalisation(self, name: str) -> None:
        self._form.setRowVisible(self._window_row, name == "window")

    def _way(self) -> Normalisation:
        """The normalisation chosen; with a card's parameters, where it came from a card."""
        name = self.normalisation.currentText()
        if name == "window":
            return Normalisation(
                name, centre=self.window_centre.value(), width=self.window_width.value()
            )
        of_card = self._of_card
        return of_card if of_card is not None and of_card.name == name else Normalisation(name)

    def _show_normalisation(self, way: Normalisation) -> None:
        self._of_card = way
        self.normalisation.setCurrentText(way.name)
        if way.centre is not None and way.width is not None:
            self.window_centre.setValue(way.centre)
            self.window_width.setValue(way.width)

    def fill(self, card: ModelCard) -> None:
        """Fill the form from a card."""
        self.task.setCurrentText(card.task)
        self.roles.setText(", ".join(card.inputs.roles))
        self._show_normalisation(card.inputs.way)
        self.input_mask.setCurrentIndex(self.input_mask.findData(card.inputs.mask))
        self.classes.setText(", ".join(f"{label} {name}" for label, name in card.classes.items()))
        default = "softmax" if "0" in card.classes else "sigmoid"
        self.head.setCurrentIndex(self.head.findData(card.arguments.get("head", default)))
        self.spacing.setValue(card.inputs.spacing_mm)
        self.side.setValue(int(card.inputs.size))
        self.multiple.setValue(int(card.arguments.get("multiple", 1)))
        self.output.setText(str(card.arguments.get("output", "")))

    def _on_use(self) -> None:
        try:
            card = self.card()
        except SparseExplainError as error:
            show_error_dialog(error)
            return
        self.hide()
        self.accepted.emit(self.path, card)

    def _on_read(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "A model's card", "", "Cards (*.json)")
        if not path:
            return
        try:
            self.fill(read_external_card(Path(path)))
        except SparseExplainError as error:
            show_error_dialog(error)


def read_classes(text: str) -> dict[str, str]:
    """Numbers and names of classes, ``"0 background, 1 lesion"``; without numbers from 0.

    Raises
    ------
    ModelError
        None is named, or a number comes twice.
    """
    found: dict[str, str] = {}
    for place, part in enumerate(p.strip() for p in text.split(",") if p.strip()):
        head, _, tail = part.partition(" ")
        label, name = (head, tail.strip() or head) if head.isdigit() else (str(place), part)
        if label in found:
            raise ModelError(
                f"the class number {label} comes twice",
                where="the form",
                remedy="Give every output its own number: 0 background, 1 lesion",
            )
        found[label] = name
    if not found:
        raise ModelError(
            "no class is named",
            where="the form",
            remedy="Name every output of the model: 0 background, 1 lesion",
        )
    return found
