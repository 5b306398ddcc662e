"""Models from elsewhere in a tab: a file or a MONAI bundle is chosen, its card filled in a form."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QPushButton

from ...networks.bundle.model_card import ModelCard
from ..window import Window
from .external_model_form import ExternalModelForm
from .model_choice import ModelChoice


class ExternalModels(QObject):
    """A button beside the choice of models, and the form that opens below it.

    Signals
    -------
    accepted(str, ModelCard): a file or folder, and the card that was filled in.
    resized(): the form came or went.
    """

    accepted = Signal(str, object)
    resized = Signal()

    def __init__(self, window: Window, models: ModelChoice) -> None:
        super().__init__(models)
        self._window, self._models = window, models
        self.button = QPushButton("File…")
        self.button.setToolTip(
            "An external model: a TorchScript or .pt2 file. Browse… also takes a MONAI bundle."
        )
        self.button.clicked.connect(self._on_file)
        self.form = ExternalModelForm()
        self.form.accepted.connect(self._on_accepted)
        models.other_folder = self._on_folder

    def _on_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self.button,
            "A model from elsewhere",
            "",
            "Models (*.pt *.pth *.ts *.pt2);;All files (*)",
        )
        if path:
            self._open(path)

    def _on_folder(self, folder: str) -> bool:
        if not any((Path(folder) / name).is_dir() for name in ("models", "configs")):
            return False
        self._open(folder)
        return True

    def _open(self, path: str) -> None:
        study = self._window.study
        self.form.open_for(path, () if study is None else tuple(study.images)[:1])
        self.resized.emit()

    def _on_accepted(self, path: str, card: ModelCard) -> None:
        self.accepted.emit(path, card)
        self._models.put(path, card)
        self.resized.emit()
