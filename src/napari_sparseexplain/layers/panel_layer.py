"""A panel of a review as one layer in colour, where its own layers cannot show it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..export.pictures.plane_picture import voxel_picture
from ..review.reading import Reading
from ..review.review import Overlay, Panel
from ..volumes import Study
from ..volumes.computed_array import computed_array
from ..volumes.edge_letters import PLANES
from .review_keys import ReviewKeys
from .study_layers import METADATA_KEY, LayerTuple, axis_labels, grid_units


@dataclass(frozen=True, eq=False)
class PanelLayer:
    """What such a layer is, kept in ``layer.metadata["sparseexplain"]``."""

    study: Study
    reading: Reading
    panel: Panel


def panel_layer(reading: Reading, panel: Panel, name: str) -> LayerTuple:
    """A panel as a layer tuple; a slice is drawn when it is looked at.

    Parameters
    ----------
    reading : Reading
        Holds what the panel shows.
    panel : Panel
    name : str
        Of the layer.
    """
    study = reading.study_of(panel)
    axis = PLANES[panel.plane][0]
    shape = study.grid.shape

    def part(index: tuple[slice, ...]) -> npt.NDArray[Any]:
        span = index[axis]
        planes = [voxel_picture(reading, panel.at(i)) for i in range(span.start, span.stop)]
        return np.stack(planes, axis=axis)[
            tuple(slice(None) if i == axis else s for i, s in enumerate(index))
        ]

    chunks = tuple(1 if i == axis else n for i, n in enumerate(shape))
    data = computed_array((*shape, 3), np.dtype(np.uint8), (*chunks, 3), part)
    options = {
        "name": name,
        "rgb": True,
        "scale": study.grid.spacing,
        "units": grid_units(study.grid),
        "axis_labels": axis_labels(study.grid),
        "blending": "translucent",
        "metadata": {METADATA_KEY: PanelLayer(study, reading, panel)},
    }
    return data, options, "image"


def known_panel(drawn: PanelLayer, blank: Panel, keys: ReviewKeys) -> Panel:
    """The panel of such a layer again, on the slice and with the camera of ``blank``."""
    renamed = {
        key: keys.explanation(explanation, drawn.study)
        for key, explanation in drawn.reading.explanations.items()
        if any(o.shelf == "explanation" and o.key == key for o in drawn.panel.overlays)
    }
    own = keys.study(drawn.study)

    def moved(overlay: Overlay) -> Overlay:
        if overlay.shelf == "study":
            return replace(overlay, key=own)
        return replace(overlay, key=renamed[overlay.key])

    scan = drawn.panel.scan
    return replace(
        blank,
        scan=None if scan is None else replace(scan, study=own),
        overlays=tuple(moved(o) for o in drawn.panel.overlays),
        title=drawn.panel.title,
    )
