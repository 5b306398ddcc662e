"""Networks to tick that are run on a cine, and where they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ...errors import ModelError, SparseExplainError
from ..parts.model_choice import DeviceChoice, card_text
from ..parts.notices import show_error_dialog

if TYPE_CHECKING:
    from ...networks.bundle.model_card import ModelCard


class NetworkBox(QCheckBox):
    """A network to tick.

    Attributes
    ----------
    card : ModelCard
    """

    def __init__(self, card: ModelCard) -> None:
        super().__init__(_short(card.title or card.name))
        self.card = card
        self.setToolTip(card_text(card))


class CineNetworks(QWidget):
    """A box a network, the device, and *Browse…*.

    Parameters
    ----------
    role : str
        Of the one scan that they take.

    Attributes
    ----------
    boxes : dict of str to NetworkBox
        By a network's name or folder.
    device : DeviceChoice

    Signals
    -------
    failed(SparseExplainError): a folder is no bundle.
    """

    failed = Signal(object)

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role
        self.boxes: dict[str, NetworkBox] = {}
        self._list = QVBoxLayout()
        self._list.setSpacing(1)
        self.device = DeviceChoice()
        self.device.setAccessibleName("Where the networks run")
        self.device.setMinimumContentsLength(5)
        self.browse = QPushButton("Browse…")
        self.browse.setToolTip("Another network that takes a cine: a bundle's folder")
        self.browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self.device, 1)
        row.addWidget(self.browse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(self._list)
        column.addLayout(row)

    @property
    def ticked(self) -> list[str]:
        """Names or folders of the ticked networks."""
        return [model for model, box in self.boxes.items() if box.isChecked()]

    def offer(self, model: str, card: ModelCard, *, ticked: bool = True) -> None:
        """List a network by name or folder.

        Raises
        ------
        ModelError
            It does not segment one scan of the role.
        """
        if not self._fits(card):
            raise ModelError(
                f"{card.title or card.name} takes {', '.join(card.inputs.roles)}, and Cine lists "
                f"networks that segment the scan {self._role!r} alone",
                where=model,
                remedy="Choose another network; the tab Layers runs this one",
            )
        if model in self.boxes:
            self.boxes[model].setChecked(ticked)
            return
        box = self.boxes[model] = NetworkBox(card)
        box.setChecked(ticked)
        self._list.addWidget(box)

    def choose(self, *models: str) -> None:
        """Tick these networks and no other; a folder that is not listed is added."""
        from ...networks.bundle.card_file import read_card
        from ...networks.bundle.catalogue import bundle_folder

        self.fill()
        for model in models:
            self.offer(model, read_card(bundle_folder(model)))
        for model, box in self.boxes.items():
            box.setChecked(model in models)

    def fill(self) -> None:
        """The networks that ship, listed when they are first wanted."""
        if self.boxes:
            return
        from ...networks.bundle.catalogue import models

        try:
            shipped = models()
        except SparseExplainError as error:
            show_error_dialog(error)
            return
        for name, card in shipped.items():
            if self._fits(card):
                # The first alone: two take twice as long.
                self.offer(name, card, ticked=not self.boxes)

    def _fits(self, card: ModelCard) -> bool:
        return card.task == "segmentation" and tuple(card.inputs.roles) == (self._role,)

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "A model bundle's folder")
        if not folder:
            return
        from ...networks.bundle.card_file import read_card
        from ...networks.bundle.catalogue import bundle_folder

        try:
            self.offer(folder, read_card(bundle_folder(folder)))
        except SparseExplainError as error:
            self.failed.emit(error)


def _short(title: str) -> str:
    """Networks of one panel need not all say what they are for."""
    return title.removeprefix("Left-ventricle ") or title
