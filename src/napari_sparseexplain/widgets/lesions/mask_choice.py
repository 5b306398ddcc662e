"""Which mask in the viewer is meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox
from superqt.utils import signals_blocked

if TYPE_CHECKING:
    from napari.layers import Labels


class MaskChoice(QComboBox):
    """Labels layers by their names, and none of them where that is possible.

    Parameters
    ----------
    none : str
        What stands for no mask; empty where one must be chosen.
    """

    def __init__(self, title: str, says: str, none: str = "") -> None:
        super().__init__()
        self._none = none
        self._layers: list[Labels] = []
        self.setAccessibleName(title)
        self.setToolTip(says)
        self.setMinimumContentsLength(8)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    @property
    def layer(self) -> Labels | None:
        """The chosen mask."""
        place = self.currentIndex() - bool(self._none)
        return self._layers[place] if 0 <= place < len(self._layers) else None

    def offer(self, layers: Sequence[Labels], first: Labels | None = None) -> None:
        """Offer these; what was chosen stays chosen where it is still there, else ``first``."""
        kept = self.layer if self.layer in layers else first
        with signals_blocked(self):
            self.clear()
            self._layers = list(layers)
            if self._none:
                self.addItem(self._none)
            for layer in layers:
                self.addItem(layer.name)
            self.choose(kept)
        self.setEnabled(bool(layers))

    def choose(self, layer: Labels | None) -> None:
        """Choose a mask, or none."""
        if layer is None:
            self.setCurrentIndex(0 if self._none else -1)
        elif layer in self._layers:
            self.setCurrentIndex(self._layers.index(layer) + bool(self._none))
