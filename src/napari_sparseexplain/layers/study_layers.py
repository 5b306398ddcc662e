"""A study as napari layers: names, millimetres, grey values and label colours.

Layers carry the study's diagonal display affine (spacing only): napari drops the out-of-slice
part of an oblique affine in 2-D. The true affine stays with the volume, in the layer's metadata,
and goes into every file that is saved from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..volumes import Grid, Study, Volume
from ..volumes.intensity.intensity_window import display_limits
from ..volumes.labels.values import labels_of
from ..volumes.reading_order import first_shown, ordered_roles, role_title
from .colormaps import brats_label_colours, label_colormap, signed_colormap

#: A napari layer tuple: data, keyword arguments, layer type.
LayerTuple = tuple[Any, dict[str, Any], str]

#: Key of a layer's metadata under which this plugin keeps what a layer is.
METADATA_KEY = "sparseexplain"

#: Opacity of a label map over a scan.
LABEL_OPACITY = 0.45


@dataclass(frozen=True, eq=False)
class StudyLayer:
    """What a study's layer is, kept in ``layer.metadata["sparseexplain"]``."""

    study: Study
    role: str
    volume: Volume


def study_layers(study: Study) -> list[LayerTuple]:
    """Layer tuples of all volumes of a study: scans first, label maps above them.

    One scan and the tumour's label map are visible; the others are there, hidden.
    """
    shown = first_shown(study)
    layers = [
        volume_layer(study[role], study, visible=role == shown)
        for role in ordered_roles(study)
        if role in study.images
    ]
    seg = "seg" if "seg" in study.labels else next(iter(study.labels), "")
    layers += [
        volume_layer(volume, study, visible=role == seg and "brain" not in role)
        for role, volume in study.labels.items()
    ]
    return layers


def volume_layer(volume: Volume, study: Study, *, visible: bool = True) -> LayerTuple:
    """One volume of a study as a layer tuple; the array is shared, never copied."""
    leading = len(volume.leading)
    options: dict[str, Any] = {
        "name": f"{role_title(volume.role)} · {study.name}",
        "scale": (1.0,) * leading + volume.grid.spacing,
        "units": ("pixel",) * leading + grid_units(volume.grid),
        "axis_labels": (*volume.leading, *axis_labels(volume.grid)),
        "visible": visible,
        "metadata": {METADATA_KEY: StudyLayer(study, volume.role, volume)},
    }
    if volume.kind == "label":
        return _label_data(volume), {**options, **_label_options(volume)}, "labels"
    if volume.colour:
        return volume.data, {**options, "rgb": True}, "image"
    return (
        volume.data,
        {
            **options,
            "contrast_limits": display_limits(volume),
            "colormap": _colours_of(volume),
            # Between voxels a scan is smooth, as in viewers of clinics; a map is not.
            "interpolation2d": "nearest" if volume.signed else "linear",
        },
        "image",
    )


def grey_colormap(volume: Volume) -> str:
    """napari's name of the grey values of a scan: reversed for one whose low values are bright."""
    return "gray_r" if volume.inverted else "gray"


def _colours_of(volume: Volume) -> Any:
    """Grey, or of a signed map the colours with black at zero."""
    return signed_colormap() if volume.signed else grey_colormap(volume)


def grid_units(grid: Grid) -> tuple[str, str, str]:
    """Units of the three axes: the same for every layer, or the scale bar falls silent."""
    unit = "mm" if grid.calibrated else "pixel"
    return unit, unit, unit


def axis_labels(grid: Grid) -> tuple[str, str, str]:
    """Names of the three axes beside the sliders."""
    return ("I→S", "A→P", "R→L") if grid.oriented else ("slice", "row", "column")


def occupied_box(
    volume: Volume,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
    """Corners (S, P, L) of what lies above a scan's background, in the viewer's unit.

    None when the scan is constant. The lowest value counts as background: of a skull-stripped
    scan this is the brain, of a noisy one all of it.
    """
    spatial = volume.spatial()
    inside = spatial > spatial.min()
    corners = []
    for axis, spacing in enumerate(volume.grid.spacing):
        others = tuple(other for other in range(3) if other != axis)
        places = np.flatnonzero(inside.any(axis=others))
        if not places.size:
            return None
        corners.append(((places[0] - 0.5) * spacing, (places[-1] + 0.5) * spacing))
    low, high = np.asarray(corners, dtype=np.float64).T
    return low, high


def _label_data(volume: Volume) -> Any:
    """Integers, as napari wants them."""
    if np.issubdtype(volume.data.dtype, np.integer):
        return volume.data
    return volume.data.astype(np.uint8 if volume.data.dtype == bool else np.int32)


def _label_options(volume: Volume) -> dict[str, Any]:
    options: dict[str, Any] = {"opacity": LABEL_OPACITY}
    colours = None
    if "brain" not in volume.role:
        colours = brats_label_colours(labels_of(volume))
    if colours is not None:
        options["colormap"] = label_colormap(colours)
    return options
