"""How heat maps are looked at: which part, over which scan, on which scale. Nothing runs again."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QWidget
from superqt import QLabeledSlider

from ...networks.bundle.model_card import ModelCard
from ...volumes import Study
from ...volumes.reading_order import role_title
from ..parts.colour_scale import ColourScale
from .shown_attribution import WHOLE

OWN, SHARED = "own", "shared"

#: What each scale is called on the screen.
SCALE_WORDS = {OWN: "each map its own", SHARED: "shared by all maps"}

#: Per cent of the head shown at first.
FIRST_SHARE = 10


class HeatControls(QWidget):
    """Sliders and choices.

    Signals
    -------
    part_changed(): another share or threshold.
    view_changed(): another scan below, another modality's map, regions on or off.
    scale_changed(): own or shared.
    """

    part_changed = Signal()
    view_changed = Signal()
    scale_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.top = _percent_slider(1, FIRST_SHARE)
        self.top.setToolTip(
            "Show only the highest values of the map: as many voxels as this share of the head on "
            "the slice (for a 3-D method, on all slices). Air does not count. Applies at once to "
            "every map in the picture."
        )
        self.threshold = _percent_slider(0, 0)
        self.threshold.setToolTip(
            "Show the map only where it reaches this share of its largest magnitude. "
            "Applies at once."
        )
        self.below = QComboBox()
        self.below.setToolTip("Scan to show below the maps, or the maps alone")
        self.map = QComboBox()
        self.map.setToolTip("Contribution of all modalities together, or of one")
        self.scale = QComboBox()
        for name, words in SCALE_WORDS.items():
            self.scale.addItem(words.capitalize(), name)
        self.scale.setToolTip(
            "Whether colours can be compared between maps. Methods differ in their units: a "
            "gradient is a slope, integrated gradients are shares of a change of score."
        )
        self.regions = QCheckBox("XRAI's regions by rank")
        self.regions.setToolTip("Show its regions beside it, the first brightest. Click one.")
        self.bar = ColourScale()
        for box in (self.below, self.map, self.scale):
            box.setMinimumContentsLength(6)
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(2)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Top, %", self.top)
        form.addRow("Threshold, %", self.threshold)
        form.addRow("Over", self.below)
        form.addRow("Map", self.map)
        form.addRow("Colours", self.scale)
        form.addRow(self.regions)
        form.addRow(self.bar)
        self.top.valueChanged.connect(lambda _: self.part_changed.emit())
        self.threshold.valueChanged.connect(lambda _: self.part_changed.emit())
        self.below.activated.connect(lambda _: self.view_changed.emit())
        self.map.activated.connect(lambda _: self.view_changed.emit())
        self.scale.currentIndexChanged.connect(lambda _: self.scale_changed.emit())
        self.regions.toggled.connect(lambda _: self.view_changed.emit())
        self.set_study(None)
        self.set_card(None)

    @property
    def share(self) -> float:
        """In (0, 1]."""
        return self.top.value() / 100

    @property
    def least(self) -> float:
        """In [0, 1]."""
        return self.threshold.value() / 100

    @property
    def role(self) -> str:
        """Scan below the maps; empty for the maps alone."""
        return self.below.currentData() or ""

    @property
    def map_name(self) -> str:
        """Name of the map, as in the explanation."""
        return self.map.currentData() or WHOLE

    @property
    def shared(self) -> bool:
        """One scale for all maps."""
        return self.scale.currentData() == SHARED

    def set_study(self, study: Study | None) -> None:
        """Scans that can lie below."""
        roles = () if study is None else tuple(study.images)
        if roles and roles == tuple(self.below.itemData(k) for k in range(len(roles))):
            return
        self.below.clear()
        for role in roles:
            self.below.addItem(role_title(role), role)
        self.below.addItem("nothing: the maps alone", "")
        first = next((r for r in ("flair", "t1ce") if r in roles), "")
        self.below.setCurrentIndex(max(self.below.findData(first), 0))

    def set_card(self, card: ModelCard | None) -> None:
        """Modalities that a map can be of."""
        before = self.map_name
        roles = () if card is None else card.inputs.roles
        self.map.clear()
        self.map.addItem("all modalities", WHOLE)
        if len(roles) > 1:
            for role in roles:
                self.map.addItem(role_title(role), f"{WHOLE}-{role}")
        self.map.setCurrentIndex(max(self.map.findData(before), 0))
        self.map.setEnabled(len(roles) > 1)


def _percent_slider(low: int, value: int) -> QLabeledSlider:
    slider = QLabeledSlider(Qt.Orientation.Horizontal)
    slider.setRange(low, 100)
    slider.setValue(value)
    return slider
