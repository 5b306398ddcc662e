"""Window and level of the scan in the picture: presets of its modality, automatic, by dragging."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from ...errors import SparseExplainError
from ...layers.canvas.corner_room import fits_corner
from ...layers.canvas.corner_text import CornerText
from ...layers.canvas.grey_window import (
    limits_of,
    set_window,
    shown_plane,
    window_caption,
    windowed_layer,
)
from ...layers.canvas.window_drag import WindowDrag
from ...layers.study_layers import METADATA_KEY, StudyLayer
from ...volumes import Study, Volume
from ...volumes.intensity.intensity_window import display_limits
from ...volumes.intensity.window_presets import (
    AUTO,
    WindowPreset,
    parse_presets,
    preset_limits,
    presets_for,
    slice_limits,
)
from ...volumes.reading_order import role_title
from ..parts.notices import show_error_dialog
from ..parts.preferences import preference
from ..parts.resting_timer import RestingTimer

if TYPE_CHECKING:
    from ..window import Window

#: What the box shows when no preset has these limits.
BY_HAND = "By hand"


class WindowControl(QWidget):
    """The choice of a preset, and the read-out at the lower left of the canvas.

    Signals
    -------
    changed(): a window was set here or by dragging, once the hand rests.
    """

    changed = Signal()

    def __init__(self, window: Window) -> None:
        super().__init__()
        self._window = window
        self._viewer = window.viewer
        self._layer: Image | None = None
        self._presets: tuple[WindowPreset, ...] = ()
        self._chosen = 0
        self._dragged: Image | None = None
        self.read_out = CornerText(self._viewer, "window_level", "bottom_left")
        self.drag = WindowDrag(self._viewer)
        self.drag.enabled = lambda: window.study is not None
        self.drag.on_drag = self.show_drag

        self.choice = QComboBox()
        self.choice.setToolTip(
            "Window of the scan in the picture, or of the selected layer.\n"
            "Drag with the right button: right widens it, up brightens the picture."
        )
        self.choice.setMinimumContentsLength(8)
        self.choice.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.choice.activated.connect(self._on_activated)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(QLabel("Window"))
        row.addWidget(self.choice, 1)

        self._rest = RestingTimer(self, 120, self._on_rest)
        self._follow = RestingTimer(self, 0, self.follow)
        self._viewer.layers.selection.events.active.connect(self._follow.restart)
        window.signals.grid_changed.connect(lambda _active: self._follow.restart())
        self._viewer.canvas.events.size.connect(lambda _event: self._write())

    @property
    def layer(self) -> Image | None:
        """The layer whose window is shown and set; None when the picture has none."""
        return self._layer

    @property
    def presets(self) -> tuple[WindowPreset, ...]:
        """What can be chosen, Auto first; of a map Auto alone is not there."""
        return self._presets

    def follow(self) -> None:
        """Layers came, went, were shown, hidden or selected: whose window is it now?"""
        layer = windowed_layer(self._viewer) if self._window.study is not None else None
        if layer is not self._layer:
            if self._layer is not None:
                self._layer.events.contrast_limits.disconnect(self._on_limits)
            self._layer = layer
            if layer is not None:
                layer.events.contrast_limits.connect(self._on_limits)
        self._presets = self._presets_of(layer)
        self.choice.clear()
        self.choice.addItems([*(preset.name for preset in self._presets), BY_HAND])
        self.setEnabled(layer is not None)
        self.choice.setCurrentIndex(self._place())
        self._write()

    def apply(self, preset: WindowPreset) -> None:
        """Set a preset of the layer's own list."""
        volume = _volume_of(self._layer)
        if self._layer is None or volume is None:
            return
        self._chosen = self._presets.index(preset)
        low, high = preset_limits(volume, preset)
        set_window(self._layer, (low + high) / 2, high - low)

    def auto(self) -> None:
        """As the scan opened."""
        self.apply(AUTO)

    def auto_slice(self) -> None:
        """Robust limits of the slice in the picture alone."""
        layer = self._layer
        plane = None if layer is None else shown_plane(self._viewer, layer)
        volume = _volume_of(layer)
        padding = None if volume is None else volume.padding
        limits = None if plane is None else slice_limits(plane, padding)
        if layer is not None and limits is not None:
            set_window(layer, (limits[0] + limits[1]) / 2, limits[1] - limits[0])

    def choose(self, number: int) -> bool:
        """The preset of a number key, 0 as the scan opened; gives whether there is one."""
        if number == 0 and self._presets:
            self.auto()
            return True
        if not 1 <= number <= len(self._presets):
            return False
        self.apply(self._presets[number - 1])
        return True

    def step(self, by: int) -> None:
        """The next or the previous preset."""
        if self._presets:
            place = self._place()
            first = -1 if by > 0 else len(self._presets)
            place = place if place < len(self._presets) else first
            self.apply(self._presets[(place + by) % len(self._presets)])

    def _presets_of(self, layer: Image | None) -> tuple[WindowPreset, ...]:
        volume = _volume_of(layer)
        if volume is None:
            return ()
        try:
            own = parse_presets(str(preference("view.windows")))
        except SparseExplainError as error:
            show_error_dialog(error)
            own = ()
        return presets_for(volume, own)

    def _on_activated(self, place: int) -> None:
        if place < len(self._presets):
            self.apply(self._presets[place])
        # Letters typed next are keys of the picture, and not names of presets.
        self._window.focus_picture()
        self.choice.setCurrentIndex(self._place())

    def show_drag(self, layer: Image | None) -> None:
        """A hand changes the window of a layer; None when it has let go."""
        # The layer under the pointer need not be the one that the box shows.
        self._dragged = layer
        self._write()
        self._rest.restart()

    def _on_limits(self) -> None:
        self._write()
        self._rest.restart()

    def _on_rest(self) -> None:
        """The box says which preset has these limits."""
        self.choice.setCurrentIndex(self._place())
        self.changed.emit()

    def _place(self) -> int:
        """Place of the preset with the layer's limits; the last one when none has."""
        volume = _volume_of(self._layer)
        if self._layer is not None and volume is not None:
            limits = limits_of(self._layer)
            step = 1e-3 * (limits[1] - limits[0])
            # Of two presets with the same limits the one that was chosen. None is worked out
            # after the first that fits: each reads the scan.
            places = range(len(self._presets))
            for place in sorted(places, key=lambda place: place != self._chosen):
                own = preset_limits(volume, self._presets[place])
                if np.allclose(own, limits, rtol=0, atol=step):
                    return place
        return self.choice.count() - 1

    def _write(self) -> None:
        """In the grid the numbers stand there while they change: each cell has its own."""
        layer = self._dragged
        if layer is None and not self._window.grid_view.active:
            layer = self._layer
        if layer is None:
            self.read_out.write("")
            return
        name, window = _short_name(layer), window_caption(layer)
        line = f"{name}  {window}"
        self.read_out.write(line if fits_corner(line, self._viewer) else f"{name}\n{window}")


def scan_window(window: Window, study: Study, role: str) -> tuple[float, float]:
    """Values of a scan that are black and white in its layer; without one, as it would open."""
    for layer in window.layers_of(study):
        if isinstance(layer, Image) and layer.metadata[METADATA_KEY].role == role:
            return limits_of(layer)
    return display_limits(study[role])


def _volume_of(layer: Image | None) -> Volume | None:
    """The scan that a layer is; None for a map."""
    known = None if layer is None else layer.metadata.get(METADATA_KEY)
    return known.volume if isinstance(known, StudyLayer) else None


def _short_name(layer: Image) -> str:
    """A layer's name without the study's."""
    volume = _volume_of(layer)
    return role_title(volume.role) if volume is not None else layer.name
