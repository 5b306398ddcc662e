"""Whose picture it is and what its masks mean, in the upper left corner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels

from ....layers.canvas.class_legend import ClassLegend
from ....layers.canvas.corner_text import CornerText
from ....layers.mask_names import mask_names
from ....layers.study_layers import METADATA_KEY, StudyLayer
from ....volumes.labels.values import labels_of
from ....volumes.study_caption import study_caption
from ...parts.resting_timer import RestingTimer

if TYPE_CHECKING:
    from ..view_window import ViewWindow

#: Classes that are named; a mask of more (an atlas) says what is under the pointer alone.
_MOST = 8


class CornerIdentity:
    """Keeps both true; side by side each picture has its own name instead."""

    def __init__(self, window: ViewWindow) -> None:
        self._window, self._viewer = window, window.viewer
        self._words = CornerText(self._viewer, "study_identity", "top_left", size=7.0)
        self._legend = ClassLegend(self._viewer, "mask")
        self._timer = RestingTimer(window.signals, 0, self.write)
        window.signals.study_changed.connect(lambda _study: self.restart())
        window.signals.grid_changed.connect(lambda _active: self.restart())

    @property
    def text(self) -> str:
        """Name and day of the study, as they stand there."""
        return self._words.text

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that stand there."""
        return tuple(name for name, _ in self._entries())

    def restart(self) -> None:
        """Write it anew once layers rest."""
        self._timer.restart()

    def write_now(self) -> None:
        """Write what is about to be written anew."""
        if self._timer.isActive():
            self._timer.stop()
            self.write()

    def write(self) -> None:
        """Write it anew."""
        study = None if self._window.grid_view.active else self._window.study
        self._words.write("" if study is None else study_caption(study))
        self._legend.show(self._entries())

    def _entries(self) -> list[tuple[str, str]]:
        """Names and colours of the classes of the study's masks in the picture."""
        study = None if self._window.grid_view.active else self._window.study
        found: list[tuple[str, str]] = []
        for layer in self._viewer.layers:
            known = layer.metadata.get(METADATA_KEY)
            if not isinstance(layer, Labels) or not isinstance(known, StudyLayer):
                continue
            if layer.visible and study is not None and known.study is study:
                names = mask_names(study, known.role)
                for value in labels_of(known.volume):
                    name = names.get(value, f"label {value}")
                    colour = np.asarray(layer.colormap.map(value)).reshape(-1)[:4]
                    if value and colour[3] > 0:
                        red, green, blue = (round(float(part) * 255) for part in colour[:3])
                        found.append((name, f"#{red:02X}{green:02X}{blue:02X}"))
        found = list(dict.fromkeys(found))
        return found if len(found) <= _MOST else []
