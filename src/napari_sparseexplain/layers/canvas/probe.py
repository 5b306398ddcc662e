"""The probe: where in the patient the pointer is, and what every layer holds there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer

from ...export.pictures.burned_in import number_text
from ...volumes import Study
from ...volumes.captions import millimetre_caption, voxel_caption
from ...volumes.reading_order import role_title
from ..explanation_layers import ExplanationLayer
from ..mask_names import mask_names
from ..scan_placeholder import is_placeholder
from ..study_layers import METADATA_KEY, StudyLayer
from .grey_window import unit_of


def patient_caption(study: Study, place: Sequence[float]) -> str:
    """Millimetres towards each side (``"R 12.0  A 30.5  S 4.0 mm"``); voxels without orientation.

    Parameters
    ----------
    place : sequence of float
        (S, P, L) in the viewer's unit: along the grid's own axes, from the middle of voxel 0.
    """
    index = np.asarray(place, dtype=float) / study.grid.spacing
    if not (study.grid.oriented and study.grid.calibrated):
        return voxel_caption(index)
    return millimetre_caption(study.grid.world(index))


def inside(study: Study, place: Sequence[float]) -> bool:
    """Whether a place lies in the study."""
    index = np.rint(np.asarray(place, dtype=float) / study.grid.spacing)
    return bool(((index >= 0) & (index < study.grid.shape)).all())


def layer_captions(layers: Iterable[Layer], study: Study, point: Sequence[float]) -> list[str]:
    """Name, value and unit of each layer at a point, as ``"FLAIR 812"``; visible ones first.

    A class that has a name is called by it (``"Mask oedema"``), as in an exported picture.

    Hidden layers tell their value too where they are scans or label maps of the study: what is
    not in the picture can be what one asks for.

    Parameters
    ----------
    layers : iterable of Layer
        Bottom first, as in the layer list.
    point : sequence of float
        The viewer's point with the pointer's place in it; the last three are (S, P, L).
    """
    found = [layer for layer in reversed(list(layers)) if isinstance(layer, Image | Labels)]
    shown = [layer for layer in found if layer.visible]
    hidden = [
        layer
        for layer in found
        if not layer.visible
        and isinstance(known := layer.metadata.get(METADATA_KEY), StudyLayer)
        and known.study is study
    ]
    words = []
    for layer in (*shown, *hidden):
        value = value_at(layer, point)
        if value is not None:
            words.append(f"{_name(layer)} {_value_caption(layer, value)}")
    return words


def value_at(layer: Layer, point: Sequence[float]) -> Any:
    """What a layer holds at a point; None beside it, and where its voxels are colours alone.

    A heat map over a scan, one coloured picture, tells the map's value. A scan that stands in for
    a map still computed tells nothing: its values are on the map's scale.
    """
    if is_placeholder(layer.metadata):
        return None
    data: Any = layer.data
    known = layer.metadata.get(METADATA_KEY)
    if isinstance(layer, Image) and layer.rgb:
        data = None
        if isinstance(known, ExplanationLayer):
            maps = (m.data for m in known.explanation.maps if m.name == known.map)
            shape = tuple(layer.data.shape[:-1])
            data = next((array for array in maps if np.shape(array) == shape), None)
        if data is None:
            return None
    if layer.ndim > len(point):
        return None
    place = np.asarray(point[-layer.ndim :], dtype=float)
    index = np.rint((place - layer.translate) / layer.scale).astype(int)
    if (index < 0).any() or (index >= np.shape(data)).any():
        return None
    return np.asarray(data[tuple(int(v) for v in index)]).item()


def _name(layer: Layer) -> str:
    known = layer.metadata.get(METADATA_KEY)
    return role_title(known.role) if isinstance(known, StudyLayer) else layer.name


def _value_caption(layer: Layer, value: Any) -> str:
    known = layer.metadata.get(METADATA_KEY)
    if isinstance(layer, Labels):
        classes: Mapping[int, str] = {}
        if isinstance(known, ExplanationLayer):
            classes = next((m.classes for m in known.explanation.maps if m.name == known.map), {})
        elif isinstance(known, StudyLayer):
            classes = mask_names(known.study, known.role)
        if value in classes:
            return str(classes[value])
    unit = unit_of(layer)
    return f"{number_text(value)} {unit}" if unit else number_text(value)
