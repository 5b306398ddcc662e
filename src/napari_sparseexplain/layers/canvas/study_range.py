"""The sliders run through the active study, not through all that lies hidden in the viewer.

napari lets them run over the extent of every layer, in the smallest of their steps: beside a study
of 155 slices one of three seems to have 155, and its second slice is called the third.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.components.dims import RangeTuple

from ..study_layers import METADATA_KEY, StudyLayer

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from ...volumes import Study


class StudyRange:
    """Keeps the range of a viewer's sliders that of its active study."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._study: Study | None = None
        viewer.dims.events.range.connect(self.apply)

    def set_study(self, study: Study | None) -> None:
        """Another study is active; with none the range is napari's own."""
        self._study = study
        self.apply()

    def apply(self, _event: Any = None) -> None:
        """Put the range right, after napari has taken it from all layers."""
        if self._study is None or not len(self._viewer.layers):
            return
        chosen = [
            layer
            for layer in self._viewer.layers
            if METADATA_KEY not in layer.metadata or self._is_own(layer.metadata[METADATA_KEY])
        ]
        if not chosen:
            return
        extent = self._viewer.layers.get_extent(chosen)
        ends = zip(extent.world[0], extent.world[1], extent.step, strict=True)
        found = [RangeTuple(*(float(value) for value in each)) for each in ends]
        # Axes that other studies' layers alone have: one step, and no slider.
        more = self._viewer.dims.ndim - len(found)
        if more < 0:
            return  # napari has not taken in yet that there are more axes
        wanted = [RangeTuple(0.0, 0.0, 1.0)] * more + found
        now = [tuple(float(value) for value in each) for each in self._viewer.dims.range]
        if not np.allclose(now, wanted, atol=1e-9):
            self._viewer.dims.range = tuple(wanted)

    def _is_own(self, known: object) -> bool:
        """Whether a layer is a scan of the active study; what was found in it lies within."""
        return isinstance(known, StudyLayer) and known.study is self._study
