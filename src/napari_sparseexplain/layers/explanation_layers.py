"""An explanation as napari layers: names, colours and limits that say what they were taken over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..evidence import Explanation, ExplanationMap
from ..evidence.colours import PARAMETER_COLORMAP, POPULATION_COLOURS, POPULATIONS
from ..evidence.region_table import REGIONS
from ..review.review import Overlay
from ..volumes import Study
from ..volumes.labels.values import occurring_labels
from .colormaps import (
    BRATS_COLOURS,
    ESTIMATED_MASK_COLOUR,
    TRUE_MASK_COLOUR,
    label_colormap,
    rank_colours,
    signed_colormap,
)
from .study_layers import METADATA_KEY, LayerTuple, axis_labels


@dataclass(frozen=True)
class BelowMap:
    """What a map lies over in a picture in colour, and how.

    Attributes
    ----------
    name : str
        Role of a scan, or, where ``of_explanation``, a map of the same explanation.
    limits : pair of float
        Values that are black and white.
    of_explanation : bool
    colour_limits : pair of float or None
        Values of the map at the ends of its colours; None for labels.
    colours : mapping of label to ``"#RRGGBB"``
        For labels.
    opacity : float
        Of labels.
    """

    name: str
    limits: tuple[float, float]
    of_explanation: bool = False
    colour_limits: tuple[float, float] | None = None
    colours: Mapping[int, str] = field(default_factory=dict)
    opacity: float = 1.0


@dataclass(frozen=True, eq=False)
class ExplanationLayer:
    """What an explanation's layer is, kept in ``layer.metadata["sparseexplain"]``.

    Attributes
    ----------
    study, explanation : Study, Explanation
    map : str
        Its map; maps that are added to each other are joined as in a review's `Overlay`.
    share, least : float
        Which part of a heat map is in the layer.
    below : BelowMap or None
        Of a picture in colour, in which the map lies over a scan: that scan, and how.
    restored : Overlay or None
        Of a layer that a saved review brought: what it says of the map. No tab made the layer, so
        none writes its words onto the canvas.
    """

    study: Study
    explanation: Explanation
    map: str
    share: float = 1.0
    least: float = 0.0
    below: BelowMap | None = None
    restored: Overlay | None = None


def explanation_layers(
    explanation: Explanation, study: Study, names: Iterable[str] | None = None
) -> list[LayerTuple]:
    """Layer tuples of the maps that lie on the study's grid, in the explanation's order.

    Parameters
    ----------
    explanation : Explanation
        What was found.
    study : Study
        The study that it was found in.
    names : iterable of str, optional
        Only these maps.
    """
    wanted = None if names is None else set(names)
    return [
        map_layer(explanation, item, study)
        for item in explanation.maps
        if item.space == "study" and (wanted is None or item.name in wanted)
    ]


def map_layer(explanation: Explanation, item: ExplanationMap, study: Study) -> LayerTuple:
    """One map on the study's grid as a layer tuple."""
    data, options, kind = explanation.layer_data(item.name)
    options["metadata"] = {METADATA_KEY: ExplanationLayer(study, explanation, item.name)}
    options["axis_labels"] = axis_labels(study.grid)
    if item.kind == "colours":
        options["blending"] = "translucent"
        return data, options, kind
    if kind == "labels":
        options["colormap"] = label_colormap(_mask_colours(item))
        options["opacity"] = 1.0
        return _integers(data), options, kind
    plain = PARAMETER_COLORMAP if item.kind == "parameter map" else "gray"
    options["colormap"] = signed_colormap() if item.signed else plain
    options["contrast_limits"] = map_limits(item)
    # Columns stand beside each other in the grid; over a scan the upper one is looked at.
    options["blending"] = "translucent"
    return data, options, kind


def map_limits(item: ExplanationMap) -> tuple[float, float]:
    """Display limits of a map: its own, else symmetric about zero when signed, else its range."""
    if item.value_range is not None:
        low, high = item.value_range
    else:
        finite = np.asarray(item.data)[np.isfinite(item.data)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        if item.signed:
            high = max(abs(low), abs(high))
            low = -high
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1.0)


def _mask_colours(item: ExplanationMap) -> Mapping[int, Any]:
    """One class: its own colour for what was estimated and what is true; else the tumour's."""
    if item.name == REGIONS:
        ranks = occurring_labels(np.asarray(item.data))
        return dict(zip(ranks, rank_colours(len(ranks)).values(), strict=False))
    if item.name == POPULATIONS:
        return POPULATION_COLOURS
    if len([label for label in item.classes if label != 0]) > 1:
        return BRATS_COLOURS
    true = "true" in item.name or "truth" in item.name
    return {1: TRUE_MASK_COLOUR if true else ESTIMATED_MASK_COLOUR}


def _integers(data: Any) -> Any:
    array = np.asarray(data)
    return array if np.issubdtype(array.dtype, np.integer) else array.astype(np.uint8)
