"""What is to be explained: a class, a class over its predicted mask, what was drawn, a voxel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from napari.layers import Labels, Layer, Shapes
from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QWidget

from ...errors import SparseExplainError
from ...explanation.class_regions import UNIONS, has_class
from ...explanation.target import Target
from ...layers.drawn_region import drawn_region
from ...layers.explanation_layers import ExplanationLayer
from ...layers.study_layers import METADATA_KEY
from ...networks.bundle.model_card import ModelCard
from ...volumes import Study
from ...volumes.captions import voxel_caption

if TYPE_CHECKING:
    from ..window import Window

PREDICTED, CLASS, DRAWN, VOXEL = "predicted", "class", "drawn", "voxel"

KINDS = {
    PREDICTED: ("Predicted region", "The class's logit over the mask that the model predicts once"),
    DRAWN: ("Drawn region", "The class's logit over a Labels or Shapes layer"),
    VOXEL: ("Clicked voxel", "The class's logit at the voxel that was clicked last"),
    CLASS: ("Class of the image", "The class's logit; for a segmentation, summed over the image"),
}

#: The class whose logit is meant at a voxel when none is chosen.
STRONGEST = "strongest there"


def offered_classes(card: ModelCard) -> list[str]:
    """What a score can be of: unions that a model tells, its classes, the background last."""
    classes = [title for label, title in card.classes.items() if str(label) != "0"]
    unions = [name for name in UNIONS if has_class(card, name)]
    background = [title for label, title in card.classes.items() if str(label) == "0"]
    several = len(card.classes) > 1
    return [*(unions if several else unions[:1]), *classes, *background]


class TargetChoice(QWidget):
    """Kind, class, and for a drawn region its layer, for a voxel where it is."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self._window = window
        self._card: ModelCard | None = None
        self.voxel: tuple[int, int, int] | None = None
        self.kind = QComboBox()
        for name, (title, hint) in KINDS.items():
            self.kind.addItem(title, name)
            self.kind.setItemData(self.kind.count() - 1, hint, 3)
        self.kind.currentIndexChanged.connect(lambda _: self._on_kind())
        self.name = QComboBox()
        self.name.setEditable(True)
        self.name.setToolTip("A class of the model by name or number, or a union: WT, TC, ET")
        self.layer = QComboBox()
        self.layer.setToolTip("All that is drawn on it; buttons above the layer list add a layer")
        self.where = QLabel("Click in the picture.")
        for box in (self.kind, self.name, self.layer):
            box.setMinimumContentsLength(6)
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setVerticalSpacing(2)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.addRow(self.kind)
        self._form.addRow("of", self.name)
        self._form.addRow("on", self.layer)
        self._form.addRow("at", self.where)
        self.refresh_layers()
        self._on_kind()

    def set_card(self, card: ModelCard | None) -> None:
        """Offer the classes of a model, and the kinds of target that it has."""
        if card is self._card:
            return
        before, self._card = self.name.currentText(), card
        self.name.clear()
        if card is not None:
            self.name.addItems(offered_classes(card))
        segments = card is None or card.task == "segmentation"
        for place in range(self.kind.count()):
            item = self.kind.model().item(place)  # pyright: ignore[reportAttributeAccessIssue,reportOptionalMemberAccess]
            item.setEnabled(segments or self.kind.itemData(place) == CLASS)
        if not segments:
            self.choose(CLASS)
        self._on_kind()
        if before and card is not None and has_class(card, before):
            self.name.setCurrentText(before)

    def choose(self, kind: str, name: str = "", layer: str = "") -> None:
        """Set the target; for scripts and tests."""
        self.kind.setCurrentIndex(self.kind.findData(kind))
        self.refresh_layers()
        if name:
            self.name.setCurrentText(name)
        if layer:
            self.layer.setCurrentIndex(self.layer.findText(layer))

    def clicked(self, index: tuple[int, int, int]) -> None:
        """A voxel was clicked."""
        self.voxel = index
        self.where.setText(voxel_caption(index))

    def refresh_layers(self) -> None:
        """Layers that a person can have drawn on: none of ours but masks of the study."""
        names = [layer.name for layer in self._layers()]
        if names != [self.layer.itemText(k) for k in range(self.layer.count())]:
            before = self.layer.currentText()
            self.layer.clear()
            self.layer.addItems(names)
            self.layer.setCurrentIndex(max(self.layer.findText(before), 0) if names else -1)

    def target(self, study: Study) -> tuple[Target, npt.NDArray[np.bool_] | None]:
        """What was chosen, and the drawn region if that is it.

        Raises
        ------
        SparseExplainError
            Nothing was drawn or clicked, or no class is chosen.
        """
        kind, name = self.kind.currentData(), self.name.currentText().strip()
        if kind == VOXEL:
            if self.voxel is None:
                raise SparseExplainError(
                    "no voxel was clicked yet", remedy="Click in the picture, then run"
                )
            return Target.voxel(self.voxel, "" if name == STRONGEST else name), None
        if not name:
            raise SparseExplainError(
                "no class is chosen", remedy="Choose one in the list, or a model that has classes"
            )
        if kind == CLASS:
            return Target.of_class(name), None
        if kind == PREDICTED:
            return Target.region(name), None
        chosen = [layer for layer in self._layers() if layer.name == self.layer.currentText()]
        if not chosen:
            raise SparseExplainError(
                "there is no layer to draw on",
                remedy="Add a Labels or Shapes layer with the buttons over the layer list, draw, "
                "and run again",
            )
        return Target.region(name), drawn_region(chosen[0], study.grid)

    def _layers(self) -> list[Layer]:
        return [
            layer
            for layer in reversed(self._window.viewer.layers)
            if isinstance(layer, Labels | Shapes)
            and not isinstance(layer.metadata.get(METADATA_KEY), ExplanationLayer)
        ]

    def _on_kind(self) -> None:
        kind = self.kind.currentData()
        self._form.setRowVisible(self.layer, kind == DRAWN)
        self._form.setRowVisible(self.where, kind == VOXEL)
        place = self.name.findText(STRONGEST)
        if kind == VOXEL and place < 0:
            self.name.insertItem(0, STRONGEST)
            self.name.setCurrentIndex(0)
        elif kind != VOXEL and place >= 0:
            self.name.removeItem(place)
