"""T as a slider: the pursuit replayed from what is most salient to what is finest."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget
from superqt import QLabeledSlider
from superqt.utils import signals_blocked

from ...networks.bundle.model_card import ModelCard
from ..parts.wrapped_label import wrapped_label

NO_ROUNDS = (
    "No rounds to replay: this model codes the first layer alone and the deeper ones afterwards, "
    "so there is no decomposition before the end."
)
ONE_ROUND = "No rounds to replay: this model was trained with one."

#: Rounds of the network where the card leaves them open.
DEFAULT_ROUNDS = 3


class RoundSlider(QWidget):
    """The slider, and why it may be of no use.

    Signals
    -------
    changed(): another round is asked for.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = QLabeledSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(1, 1)
        self.slider.setToolTip(
            "Rounds of the pursuit, from the most salient parts to the finest that pass the "
            "thresholds. Changes the current slice; the network does not run again."
        )
        self.slider.valueChanged.connect(lambda _: self.changed.emit())
        self._label = QLabel("Round T")
        line = QHBoxLayout()
        line.addWidget(self._label)
        line.addWidget(self.slider, 1)
        self.note = wrapped_label()
        self.note.setEnabled(False)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addLayout(line)
        box.addWidget(self.note)

    @property
    def stage(self) -> int:
        """The round; 0 for the last, which is the whole decomposition."""
        value = self.slider.value()
        return 0 if value == self.slider.maximum() else value

    def set_card(self, card: ModelCard | None) -> None:
        """Rounds that a model has; the slider goes to the last."""
        arguments = {} if card is None else card.arguments
        separate = bool(arguments.get("separate", False))
        total = 1 if separate or card is None else int(arguments.get("outer", DEFAULT_ROUNDS))
        with signals_blocked(self.slider):
            self.slider.setRange(1, total)
            self.slider.setValue(total)
        for widget in (self.slider, self._label):
            widget.setEnabled(total > 1)
        note = NO_ROUNDS if separate else ONE_ROUND if card is not None and total == 1 else ""
        self.note.setText(note)
        self.note.setVisible(bool(note))
