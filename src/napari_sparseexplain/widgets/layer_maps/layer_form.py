"""What the Layers tab is asked for: layers, single maps, whose receptive field and Grad-CAM."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from .layer_list import MOST_TICKED, LayerList
from .session import LayersAnswer, LayerSetting

#: Words for the orders of single maps.
ORDER_WORDS = {"energy": "by energy", "agreement": "by agreement", "effect": "by effect"}

#: Single maps at most.
MOST_MAPS = 24

_SINGLES = (
    "Of a layer that is ticked alone: how many single maps, and which first.\n"
    "Energy: mean square. Agreement: correlation with the study's mask, else with the model's own."
    "\nEffect: by how much the score of the first class falls when the map is held at its mean; "
    "the network runs once a map"
)


_GRAD_CAM = (
    "A cell with the maps of this layer, each weighed by how much it raises the score of the class "
    "over the mask that the model predicts on the slice (Selvaraju et al. 2017): the method "
    "grad-cam, laid where the layer looks. It follows the slice"
)


class LayerForm(QWidget):
    """The list of layers, single maps, whose field a click shows, Grad-CAM, and two buttons.

    Attributes
    ----------
    layers : LayerList
        Which layers are shown.
    maps : QSpinBox
        Single maps of a layer that is ticked alone.
    order : QComboBox
        Which of them come first.
    sees : QCheckBox
        Whether a click asks for a receptive field.
    seeing : QComboBox
        Of which layer.
    cam : QCheckBox
        Whether Grad-CAM stands beside the maps.
    cam_layer, cam_class : QComboBox
        At which layer, and for which class.
    kernels_button, probes_button : QPushButton

    Signals
    -------
    changed(): other layers or maps are wanted.
    seeing_changed(): the field of another layer is wanted, or none any more.
    cam_changed(): Grad-CAM at another layer or for another class is wanted, or none any more.
    """

    changed = Signal()
    seeing_changed = Signal()
    cam_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers = LayerList()
        self.maps = QSpinBox()
        self.maps.setRange(0, MOST_MAPS)
        self.maps.setValue(LayerSetting().maps)
        self.order = _combo()
        for order, words in ORDER_WORDS.items():
            self.order.addItem(words, order)
        for widget in (self.maps, self.order):
            widget.setToolTip(_SINGLES)
        self.sees = QCheckBox("A click shows what is seen by")
        self.sees.setChecked(True)
        self.sees.setToolTip(
            "Receptive field of the layer's pixel at the clicked voxel: orange, by how much each "
            "pixel of this image moves it; blue, the border of all pixels that can"
        )
        self.seeing = _combo()
        self.seeing.setAccessibleName("Layer whose receptive field a click shows")
        self.cam = QCheckBox("Grad-CAM at")
        self.cam_layer, self.cam_class = _combo(), _combo()
        for widget, words in ((self.cam_layer, "Layer"), (self.cam_class, "Class")):
            widget.setAccessibleName(f"{words} of Grad-CAM")
        for widget in (self.cam, self.cam_layer, self.cam_class):
            widget.setToolTip(_GRAD_CAM)
        self.kernels_button = QPushButton("First-layer kernels")
        self.kernels_button.setToolTip("The kernels of the first convolution, below the picture")
        self.probes_button = QPushButton("Probes")
        self.probes_button.setToolTip(
            "How well the study's mask can be read from each ticked layer by a linear rule: fitted "
            "on every other slice, judged on those between"
        )
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(self.layers)
        for widgets in (
            (QLabel("Single maps"), self.maps, self.order),
            (self.sees, self.seeing),
            (self.cam, self.cam_layer, self.cam_class),
            (self.kernels_button, self.probes_button),
        ):
            line = QHBoxLayout()
            for widget in widgets:
                line.addWidget(widget, int(widget is widgets[-1] or widget is self.cam_layer))
            box.addLayout(line)
        self.layers.changed.connect(self.changed)
        self.maps.valueChanged.connect(lambda _: self.changed.emit())
        self.order.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.sees.toggled.connect(lambda _: self.seeing_changed.emit())
        self.seeing.activated.connect(lambda _: self.seeing_changed.emit())
        self.cam.toggled.connect(lambda _: self.cam_changed.emit())
        for combo in (self.cam_layer, self.cam_class):
            combo.activated.connect(lambda _: self.cam_changed.emit())
        self.show_answer(None)

    @property
    def setting(self) -> LayerSetting:
        """Ticks, number and order as they are set."""
        ticked = self.layers.ticked[:MOST_TICKED]
        return LayerSetting(ticked, self.maps.value(), self.order.currentData())

    @property
    def seen_layer(self) -> str:
        """The layer whose receptive field a click shows; empty for none."""
        return (self.seeing.currentData() or "") if self.sees.isChecked() else ""

    def see(self, layer: str) -> None:
        """Choose the layer whose receptive field a click shows."""
        self.seeing.setCurrentIndex(self.seeing.findData(layer))
        with signals_blocked(self.sees):
            self.sees.setChecked(True)
        self.seeing_changed.emit()

    @property
    def cam_wanted(self) -> tuple[str, str] | None:
        """Layer and class of Grad-CAM; None where none is to be shown, or nothing to choose."""
        layer, name = self.cam_layer.currentData(), self.cam_class.currentText()
        return (layer, name) if self.cam.isChecked() and layer and name else None

    def show_cam(self, layer: str = "", name: str = "", *, on: bool = True) -> None:
        """Grad-CAM at a layer for a class, or none any more; empty words leave the choice."""
        if layer:
            self.cam_layer.setCurrentIndex(self.cam_layer.findData(layer))
        if name:
            self.cam_class.setCurrentIndex(self.cam_class.findText(name))
        with signals_blocked(self.cam):
            self.cam.setChecked(on)
        self.cam_changed.emit()

    def show_classes(self, names: Sequence[str]) -> None:
        """The classes of a model, for Grad-CAM; told to nobody."""
        if list(names) != [self.cam_class.itemText(i) for i in range(self.cam_class.count())]:
            before = self.cam_class.currentText()
            self.cam_class.clear()
            self.cam_class.addItems(list(names))
            self.cam_class.setCurrentIndex(max(0, self.cam_class.findText(before)))

    def show_answer(self, answer: LayersAnswer | None) -> None:
        """The layers of a model and which of them are shown; None before it was run."""
        if answer is None:
            self.layers.set_rows((), (), ())
        else:
            self.layers.set_rows(answer.rows, answer.setting.layers, answer.first)
        names = [row.name for row in self.layers.rows]
        for combo in (self.seeing, self.cam_layer):
            if names != [combo.itemData(i) for i in range(combo.count())]:
                with signals_blocked(combo):
                    combo.clear()
                    for name in names:
                        combo.addItem(name, name)
                    if answer is not None:
                        combo.setCurrentIndex(combo.findData(answer.deepest))
        for widget in (self.seeing, self.cam_layer, self.cam_class, self.probes_button):
            widget.setEnabled(bool(names))


def _combo() -> QComboBox:
    combo = QComboBox()
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return combo
