"""The maps of an attribution study over its pictures: a layer a model and method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_erosion

from ..volumes import Study
from ..volumes.computed_array import computed_array
from .heat_over_scan import heat_over_scan
from .study_layers import METADATA_KEY, LayerTuple, axis_labels, grid_units

if TYPE_CHECKING:
    from ..training.classifiers.study_browser import StudyBrowser

#: Quantile of a map that has the full colour.
_FULL = 99.5

#: Of a box's outline, apart from every colour of the maps.
_BOX_COLOUR = (53, 208, 255)


@dataclass(frozen=True, eq=False)
class StudyMapLayer:
    """What such a layer is, kept in ``layer.metadata["sparseexplain"]``.

    Attributes
    ----------
    study : Study
    column : tuple of (model, method), or None
        None of the picture itself.
    """

    study: Study
    column: tuple[str, str] | None


def study_map_layers(browser: StudyBrowser, study: Study) -> list[LayerTuple]:
    """The pictures, then their maps by every model and method, in colour, with the box's outline.

    A slice is drawn when it is looked at.

    Parameters
    ----------
    study : Study
        Whose slices are the pictures of ``browser``.
    """
    return [_layer(browser, study, column) for column in (None, *browser.columns)]


def study_map_name(browser: StudyBrowser, index: int, column: tuple[str, str] | None) -> str:
    """What stands in the cell of a map: method, model, and what it is worth on this picture."""
    if column is None:
        image = browser.slices.images[index]
        told = (image.name, image.label, image.view, browser.chance(index))
        return " · ".join(filter(None, told))
    model, method = column
    return f"{method} · {model} · {browser.words(index, column)}"


def _layer(browser: StudyBrowser, study: Study, column: tuple[str, str] | None) -> LayerTuple:
    shape = study.grid.shape

    def part(index: tuple[slice, ...]) -> npt.NDArray[Any]:
        span = index[0]
        planes = [_drawn(browser, number, column) for number in range(span.start, span.stop)]
        return np.stack(planes)[:, index[1], index[2], index[3]]

    options = {
        "name": study_map_name(browser, 0, column),
        "rgb": True,
        "scale": study.grid.spacing,
        "units": grid_units(study.grid),
        "axis_labels": axis_labels(study.grid),
        "blending": "translucent",
        "visible": False,
        "metadata": {METADATA_KEY: StudyMapLayer(study, column)},
    }
    data = computed_array((*shape, 3), np.dtype(np.uint8), (1, *shape[1:], 3), part)
    return data, options, "image"


def _drawn(
    browser: StudyBrowser, index: int, column: tuple[str, str] | None
) -> npt.NDArray[np.uint8]:
    picture = browser.slices.values[index].astype(np.float32)
    low, high = np.percentile(picture, (1, 99.5))
    heat = None if column is None else browser.heat(index, column)
    if heat is None:
        heat = np.zeros_like(picture)
    full = float(np.percentile(heat, _FULL)) or float(heat.max()) or 1.0
    drawn = heat_over_scan(picture, (float(low), float(high)), heat, full)
    inside = browser.slices.boxes(index)
    if inside.any():
        edge = inside & ~np.asarray(binary_erosion(inside), dtype=np.bool_)
        drawn[edge] = _BOX_COLOUR
    return drawn
