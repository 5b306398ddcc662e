"""Which model: those that ship, or a bundle's folder; and where it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QPushButton, QWidget

from ...errors import ModelError, SparseExplainError
from ...explanation.model_choice import FIRST_MODEL
from ...networks.bundle.card_file import CARD_FILE, read_card
from ...networks.bundle.catalogue import bundle_folder, models
from ...networks.bundle.model_card import ModelCard
from .model_session import ModelKey
from .notices import show_error_dialog
from .preferences import preference

#: Devices and what they are called.
DEVICES = {"auto": "Best available", "cpu": "CPU", "cuda": "CUDA", "mps": "MPS (Apple)"}

#: What a driver of a graphics card that torch calls CUDA leaves on Linux: NVIDIA's, Windows' own
#: for its Linux, AMD's.
_DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))


def offered_devices(system: str = sys.platform) -> tuple[str, ...]:
    """Devices that this machine may have; one that torch then lacks is refused with what it has.

    Asking torch would load it when the window opens, so the system and its drivers are asked.
    """
    if system == "darwin":
        return ("auto", "cpu", "mps")
    if system == "linux" and not any(path.exists() for path in _DRIVERS):
        return ("auto", "cpu")
    return ("auto", "cpu", "cuda")


#: Architectures with thresholds that α can scale.
WITH_THRESHOLDS = ("sum",)


class ModelChoice(QWidget):
    """A list of models, and Browse… for a bundle of one's own.

    Parameters
    ----------
    empty : str
        A first entry that stands for no model; none when empty.
    browse : bool
        Whether Browse… is offered.
    architectures : tuple of str
        Only models of these; of any when empty.
    tasks : tuple of str
        Only models of these; of any when empty.
    first : str
        Name of the model to begin with, if it is there.

    Attributes
    ----------
    other_folder : callable
        Told of a folder without a card that Browse… chose; True when it knew what to do with it.

    Signals
    -------
    changed(): another model is chosen.
    """

    changed = Signal()

    def __init__(
        self,
        *,
        empty: str = "",
        browse: bool = True,
        architectures: tuple[str, ...] = (),
        tasks: tuple[str, ...] = (),
        first: str = FIRST_MODEL,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._architectures, self._tasks = architectures, tasks
        self.other_folder: Callable[[str], bool] = lambda folder: False
        self._cards: dict[str, ModelCard] = {}
        self.combo = QComboBox()
        self.combo.setMinimumContentsLength(6)
        self.combo.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.browse = QPushButton("Browse…")
        self.browse.setToolTip("A bundle's folder: card.json and weights.safetensors")
        self.browse.clicked.connect(self._choose_folder)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(self.combo, 1)
        box.addWidget(self.browse)
        self.browse.setVisible(browse)
        self.combo.setPlaceholderText("none ships: Browse…" if browse else "none")
        if empty:
            self.combo.addItem(empty, "")
        try:
            shipped = models()
        except SparseExplainError as error:
            show_error_dialog(error)
            shipped = {}
        for name, card in shipped.items():
            fits = not architectures or card.architecture in architectures
            if fits and (not tasks or card.task in tasks):
                self._add(name, card)
        if not empty and self.combo.findData(first) >= 0:
            self.combo.setCurrentIndex(self.combo.findData(first))
        self.combo.currentIndexChanged.connect(lambda _: self.changed.emit())

    @property
    def model(self) -> str:
        """Name or folder of the chosen model; empty for none."""
        return self.combo.currentData() or ""

    @property
    def card(self) -> ModelCard | None:
        """Card of the chosen model."""
        return self._cards.get(self.model)

    def choose_fitting(self, roles: Collection[str]) -> None:
        """The first listed model that takes no other scans than these, unless the chosen one does.

        Where none does the choice stays.
        """
        cards = [self._cards.get(self.combo.itemData(i) or "") for i in range(self.combo.count())]
        fits = [card is not None and set(card.inputs.roles) <= set(roles) for card in cards]
        now = self.combo.currentIndex()
        if now >= 0 and cards[now] is not None and not fits[now] and any(fits):
            self.combo.setCurrentIndex(fits.index(True))

    def choose(self, model: str | Path) -> None:
        """Choose a model by name or folder; a folder that is not listed yet is added.

        Raises
        ------
        ModelError
            No bundle is there.
        """
        self.offer(model)
        self.combo.setCurrentIndex(self.combo.findData(str(model)))

    def offer(self, model: str | Path) -> None:
        """List a model by name or folder, without choosing it.

        Raises
        ------
        ModelError
            No bundle is there, or one of another architecture.
        """
        if self.combo.findData(str(model)) < 0:
            card = read_card(bundle_folder(model))
            if self._architectures and card.architecture not in self._architectures:
                raise ModelError(
                    f"the model's architecture is {card.architecture!r}, and this tab is for "
                    + ", ".join(self._architectures),
                    where=model,
                    remedy="Choose another folder, or another tab",
                )
            if self._tasks and card.task not in self._tasks:
                raise ModelError(
                    f"the model does {card.task}, and this tab is for " + ", ".join(self._tasks),
                    where=model,
                    remedy="Choose another folder, or another tab",
                )
            self._add(str(model), card)

    def put(self, name: str, card: ModelCard) -> None:
        """List a model from elsewhere with the card that a person filled in, and choose it."""
        place = self.combo.findData(name)
        if place < 0:
            self._add(name, card)
            place = self.combo.count() - 1
        self._cards[name] = card
        self.combo.setItemText(place, card.title or card.name)
        if place == self.combo.currentIndex():
            self.changed.emit()
        self.combo.setCurrentIndex(place)

    def _add(self, name: str, card: ModelCard) -> None:
        self._cards[name] = card
        self.combo.addItem(card.title or card.name, name)
        self.combo.setItemData(self.combo.count() - 1, card_text(card), _TOOLTIP_ROLE)

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "A model bundle's folder")
        if not folder:
            return
        if not (Path(folder) / CARD_FILE).is_file() and self.other_folder(folder):
            return
        try:
            self.choose(folder)
        except SparseExplainError as error:
            show_error_dialog(error)


#: Qt.ItemDataRole.ToolTipRole
_TOOLTIP_ROLE = 3


class DeviceChoice(QComboBox):
    """Where a model runs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        for device in offered_devices():
            self.addItem(DEVICES[device], device)
        self.setCurrentIndex(max(self.findData(preference("run.device")), 0))
        self.setToolTip("If it runs out of memory, the run continues on the CPU and says so")

    @property
    def device(self) -> str:
        """``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``."""
        return self.currentData()


def model_key(choice: ModelChoice, device: DeviceChoice) -> ModelKey:
    """What was chosen.

    Raises
    ------
    SparseExplainError
        No model is chosen.
    """
    if not choice.model:
        raise SparseExplainError(
            "no model is chosen", remedy="Choose one in the list, or press Browse…"
        )
    return ModelKey(choice.model, device.device)


def card_text(card: ModelCard) -> str:
    """What a model says of itself, for the tooltip."""
    lines = [
        card.title or card.name,
        f"Task: {card.task}, from {', '.join(card.inputs.roles)}",
        f"Pixels of {card.inputs.spacing_mm:g} mm; licence {card.licence}",
        *card.notes,
    ]
    return "\n".join(lines)
