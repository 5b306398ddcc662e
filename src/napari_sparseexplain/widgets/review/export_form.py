"""What is exported, how large, and whether names stand in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLineEdit, QSpinBox, QWidget

from ...export.export_work import ExportChoice, What
from ...export.pictures.compositor import PictureSize
from ..parts.preferences import on_preference, preference

_WHATS: dict[What, str] = {
    "slice": "This slice (PNG)",
    "key slices": "All key slices (PNG)",
    "every slice": "Every n-th slice (PNG)",
    "report": "Report (PDF)",
    "dicom": "DICOM objects",
}

#: Name, pixels of a centimetre of print or of the screen.
_SIZES: dict[str, tuple[int, int, float]] = {
    "1600 × 1400, screen": (1600, 1400, 96.0),
    "1000 × 900, screen": (1000, 900, 96.0),
    "2400 × 2100, 300 dpi print": (2400, 2100, 300.0),
    "4800 × 4200, 600 dpi print": (4800, 4200, 600.0),
    "Other": (0, 0, 96.0),
}


class ExportForm(QWidget):
    """The choices of an export; nothing is written here."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form = form
        self.what = QComboBox()
        for name, title in _WHATS.items():
            self.what.addItem(title, name)
        form.addRow("Export", self.what)
        self.every = QSpinBox()
        self.every.setRange(1, 1000)
        self.every.setValue(5)
        self.every.setPrefix("n = ")
        form.addRow("Slices", self.every)
        self.sizes = QComboBox()
        self.sizes.addItems(list(_SIZES))
        form.addRow("Size", self.sizes)
        self.width_box, self.height_box, self.dpi_box = QSpinBox(), QSpinBox(), QSpinBox()
        for box, value, highest in (
            (self.width_box, 1600, 20000),
            (self.height_box, 1400, 20000),
            (self.dpi_box, 96, 2400),
        ):
            box.setRange(30, highest)
            box.setValue(value)
        self._others = (("Width", self.width_box), ("Height", self.height_box),
                        ("Dots per inch", self.dpi_box))  # fmt: skip
        for title, box in self._others:
            form.addRow(title, box)
        self.code = QLineEdit()
        self.code.setPlaceholderText("made from its checksums")
        self.code.setToolTip("Name of the study in exports")
        form.addRow("Study code", self.code)
        self.identify = QCheckBox("Write names as they are")
        self.identify.setToolTip(
            "Off: names, numbers and dates of the patient are removed where they are recognised. "
            "Pixels are not searched."
        )
        self._identify_by_hand = False
        # `clicked` is a person's hand alone.
        self.identify.clicked.connect(self._on_identify_clicked)
        self._follow_names_preference()
        on_preference("export.names", self._follow_names_preference)
        form.addRow("", self.identify)
        self.what.currentIndexChanged.connect(lambda _: self._follow())
        self.sizes.currentIndexChanged.connect(lambda _: self._follow())
        self._follow()

    @property
    def chosen(self) -> What:
        """What is exported."""
        return self.what.currentData()

    def choose(self, what: What) -> None:
        """Choose it."""
        self.what.setCurrentIndex(self.what.findData(what))

    def choice(self, path: Path, **others: Any) -> ExportChoice:
        """What the form says, and where it goes; fields that differ from the form are given."""
        wanted: dict[str, Any] = {
            "what": self.chosen,
            "path": path,
            "size": self.picture_size,
            "every": self.every.value(),
            "identify": self.identify.isChecked(),
            **others,
        }
        return ExportChoice(**wanted)

    @property
    def picture_size(self) -> PictureSize:
        """Pixels and resolution.

        Raises
        ------
        SparseExplainError
            Too small or too large for a picture.
        """
        width, height, dpi = _SIZES[self.sizes.currentText()]
        if not width:
            width, height, dpi = (box.value() for _, box in self._others)
        return PictureSize(width, height, dpi)

    def _on_identify_clicked(self) -> None:
        """What was decided for this reading stays, whatever the preferences say later."""
        self._identify_by_hand = True

    def follow_names(self) -> None:
        """Another reading: what was decided for the last one holds no more."""
        self._identify_by_hand = False
        self._follow_names_preference()

    def _follow_names_preference(self) -> None:
        """Names are kept or removed as the preferences say now."""
        if not self._identify_by_hand:
            self.identify.setChecked(preference("export.names") == "kept")

    def _follow(self) -> None:
        """Show what the choice needs."""
        self._show(self.every, self.chosen == "every slice")
        pictures = self.chosen not in ("report",)
        self._show(self.sizes, pictures)
        for _, box in self._others:
            self._show(box, pictures and self.sizes.currentText() == "Other")

    def _show(self, field: QWidget, on: bool) -> None:
        self._form.setRowVisible(field, on)
