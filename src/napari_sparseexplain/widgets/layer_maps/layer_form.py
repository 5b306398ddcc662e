"""What the Layers tab is asked for: layers, single maps and their order, whose receptive field."""

from __future__ import annotations

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


class LayerForm(QWidget):
    """The list of layers, single maps, the layer whose field a click shows, and two buttons.

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
    kernels_button, probes_button : QPushButton

    Signals
    -------
    changed(): other layers or maps are wanted.
    seeing_changed(): the field of another layer is wanted, or none any more.
    """

    changed = Signal()
    seeing_changed = Signal()

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
            (self.kernels_button, self.probes_button),
        ):
            line = QHBoxLayout()
            for widget in widgets:
                line.addWidget(widget, int(widget is widgets[-1]))
            box.addLayout(line)
        self.layers.changed.connect(self.changed)
        self.maps.valueChanged.connect(lambda _: self.changed.emit())
        self.order.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.sees.toggled.connect(lambda _: self.seeing_changed.emit())
        self.seeing.activated.connect(lambda _: self.seeing_changed.emit())
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

    def show_answer(self, answer: LayersAnswer | None) -> None:
        """The layers of a model and which of them are shown; None before it was run."""
        if answer is None:
            self.layers.set_rows((), (), ())
        else:
            self.layers.set_rows(answer.rows, answer.setting.layers, answer.first)
        names = [row.name for row in self.layers.rows]
        if names != [self.seeing.itemData(i) for i in range(self.seeing.count())]:
            with signals_blocked(self.seeing):
                self.seeing.clear()
                for name in names:
                    self.seeing.addItem(name, name)
                if answer is not None:
                    self.seeing.setCurrentIndex(self.seeing.findData(answer.deepest))
        for widget in (self.seeing, self.probes_button):
            widget.setEnabled(bool(names))


def _combo() -> QComboBox:
    combo = QComboBox()
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return combo
