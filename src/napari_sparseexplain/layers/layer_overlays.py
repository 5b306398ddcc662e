"""A viewer's layer as what a review says of it: a scan, or an overlay with limits and colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap

from ..errors import SparseExplainError
from ..evidence.colours import RGB_COLOURS, SIGNED_COLORMAP
from ..export.pictures.colour_scale import colour_stops
from ..review.review import Blend, Interpolation, Overlay, ScanLayer, Scope
from ..volumes.frames import volume_at_frame
from ..volumes.labels.values import labels_of, occurring_labels
from .explanation_layers import BelowMap, ExplanationLayer, map_limits
from .fibre_directions import FIBRES_LEFT_OUT, FibreLayer
from .maps_over_time import MapsOverTime
from .mask_names import mask_names
from .mask_style import line_width, mask_style
from .priors.prior_layer import PriorLayer
from .review_keys import ReviewKeys
from .study_layers import METADATA_KEY, StudyLayer, grey_colormap, role_title

#: Blendings of napari that a picture draws as they are; of others it is said that it does not.
_FLAT = ("translucent", "translucent_no_depth", "opaque")


def layer_parts(
    layer: Layer, point: Sequence[float], keys: ReviewKeys
) -> list[ScanLayer | Overlay]:
    """What a layer shows, bottom first: mostly one part, of a picture in colour several.

    Parameters
    ----------
    layer : Layer
        Of a study or an explanation; of another one it is noted in ``keys`` that it is left out.
    point : sequence of float
        The viewer's ``dims.point``: which times or directions are in the picture.
    keys : ReviewKeys
        Gets the studies and explanations that are met.
    """
    known = layer.metadata.get(METADATA_KEY)
    if isinstance(known, StudyLayer):
        return [_study_part(layer, known, point, keys)]
    if isinstance(known, ExplanationLayer):
        if known.below is not None:
            return _coloured_parts(layer, known, known.below, keys)
        return [_map_part(layer, known, keys)]
    if isinstance(known, MapsOverTime):
        return [_over_time_part(layer, known, point, keys)]
    if isinstance(known, FibreLayer):
        keys.note(FIBRES_LEFT_OUT)
        return []
    if isinstance(known, PriorLayer):
        keys.note(
            "what is shown of a prior is neither saved nor in exported pictures: open and place "
            "the prior again, or save its picture in the Priors panel"
        )
        return []
    keys.note(
        f"the layer {layer.name!r} belongs to no study, so it is neither saved nor in the picture"
    )
    return []


def _covers(layer: Layer) -> bool:
    """Whether nothing below a layer is seen on any slice: an opaque picture of the whole study."""
    known = layer.metadata.get(METADATA_KEY)
    if not isinstance(layer, Image) or layer.opacity < 1 or str(layer.blending) not in _FLAT:
        return False
    if isinstance(known, ExplanationLayer):
        span = known.explanation.slices
        return (span.start, span.stop) == (0, known.study.grid.shape[0])
    return isinstance(known, StudyLayer)


def uncovered(layers: Sequence[Layer]) -> list[Layer]:
    """Layers that lie in one place, bottom first, less those that an opaque one hides."""
    opaque = (place for place, layer in enumerate(layers) if _covers(layer))
    return list(layers[max(opaque, default=0) :])


def _study_part(
    layer: Layer, known: StudyLayer, point: Sequence[float], keys: ReviewKeys
) -> ScanLayer | Overlay:
    key, leading = keys.study(known.study), leading_points(layer, point)
    if isinstance(layer, Labels):
        return Overlay(
            "study",
            key,
            known.role,
            role_title(known.role),
            colours=_label_colours(layer, labels_of(known.volume), keys),
            drawn=mask_style(layer),
            line_width=line_width(layer),
            classes=mask_names(known.study, known.role),
            opacity=float(layer.opacity),
            leading=leading,
        )
    image = cast(Any, layer)
    limits = _pair(image.contrast_limits) if not image.rgb else (0.0, 255.0)
    flat = layer.opacity == 1 and str(layer.blending) in _FLAT
    if image.rgb or (flat and image.colormap.name == grey_colormap(known.volume)):
        gamma = 1.0 if image.rgb else float(image.gamma)
        return ScanLayer(key, known.role, limits, leading, _interpolation(image, keys), gamma)
    return Overlay(
        "study",
        key,
        known.role,
        role_title(known.role),
        colormap=_colormap(image, keys),
        limits=limits,
        scope="set",
        opacity=float(layer.opacity),
        blend=_blend(layer, keys),
        gamma=float(image.gamma),
        unit=known.volume.unit,
        leading=leading,
        interpolation=_interpolation(image, keys),
    )


def _map_part(layer: Layer, known: ExplanationLayer, keys: ReviewKeys) -> Overlay:
    key = keys.explanation(known.explanation, known.study)
    if isinstance(layer, Labels):
        return Overlay(
            "explanation",
            key,
            known.map,
            layer.name,
            colours=_label_colours(layer, None, keys),
            drawn=mask_style(layer),
            line_width=line_width(layer),
            classes=known.explanation[known.map].classes,
            opacity=float(layer.opacity),
        )
    image = cast(Any, layer)
    if image.rgb:
        return Overlay(
            "explanation",
            key,
            known.map,
            layer.name,
            colours=RGB_COLOURS,
            classes=known.explanation[known.map].classes,
            opacity=float(layer.opacity),
        )
    limits, colormap = _pair(image.contrast_limits), _colormap(image, keys)
    names = Overlay("explanation", key, known.map).map_names
    return Overlay(
        "explanation",
        key,
        known.map,
        layer.name,
        colormap=colormap,
        limits=limits,
        scope=_scope(known, names, limits),
        signed=colormap == SIGNED_COLORMAP,
        opacity=float(layer.opacity),
        share=known.share,
        least=known.least,
        share_of="head" if known.share < 1 else "all",
        blend=_blend(layer, keys),
        gamma=float(image.gamma),
        unit=known.explanation[names[0]].unit,
        interpolation=_interpolation(image, keys),
    )


def _over_time_part(
    layer: Layer, known: MapsOverTime, point: Sequence[float], keys: ReviewKeys
) -> Overlay:
    """The map of the time point in the picture."""
    explanation = known.at(leading_points(layer, point)[0])
    return Overlay(
        "explanation",
        keys.explanation(explanation, known.study),
        known.map,
        layer.name,
        colours=known.colours,
        classes=explanation[known.map].classes,
        opacity=float(layer.opacity),
    )


def _coloured_parts(
    layer: Layer, known: ExplanationLayer, below: BelowMap, keys: ReviewKeys
) -> list[ScanLayer | Overlay]:
    """A picture in colour, taken apart again: the scan, and what lies over it."""
    key = keys.explanation(known.explanation, known.study)
    if below.of_explanation:
        scan: ScanLayer | Overlay = Overlay(
            "explanation", key, below.name, "Input", limits=below.limits
        )
    else:
        leading = volume_at_frame(known.study[below.name], known.explanation.frame).frame
        scan = ScanLayer(keys.study(known.study), below.name, below.limits, leading)
    item = known.explanation[known.map]
    if below.colours:
        over = Overlay(
            "explanation",
            key,
            known.map,
            layer.name,
            colours=below.colours,
            classes={v: name for v, name in item.classes.items() if v in below.colours},
            opacity=below.opacity,
        )
    else:
        limits = below.colour_limits or map_limits(item)
        over = Overlay(
            "explanation",
            key,
            known.map,
            layer.name,
            colormap=SIGNED_COLORMAP,
            limits=limits,
            scope=_scope(known, (known.map,), limits),
            signed=True,
            share=known.share,
            least=known.least,
            share_of="head" if known.share < 1 else "all",
            blend="heat",
            unit=item.unit,
        )
    return [scan, over]


def _scope(known: ExplanationLayer, names: Sequence[str], limits: tuple[float, float]) -> Scope:
    """What limits were taken over, as far as the map tells; else a person set them."""
    item = known.explanation[names[0]]
    own: list[tuple[float, float]] = [] if len(names) > 1 else [map_limits(item)]
    peak = max((abs(v) for pair in own for v in pair), default=0.0)
    if len(names) > 1 or any(np.allclose(limits, one) for one in (*own, (-peak, peak))):
        span = known.explanation.slices
        single = span.stop - span.start == 1 and item.range_scope == "volume"
        return "slice" if single else item.range_scope
    return "set"


def _label_colours(
    layer: Labels, labels: Sequence[int] | None, keys: ReviewKeys
) -> Mapping[int, str]:
    """A colour for every label that occurs, ``"#RRGGBB"``; ``labels`` are these where known."""
    colormap = layer.colormap
    if isinstance(colormap, DirectLabelColormap):
        table = {int(v): c for v, c in colormap.color_dict.items() if v is not None and v != 0}
    else:
        found = occurring_labels(np.asarray(layer.data)) if labels is None else labels
        shown = np.asarray(tuple(found) or (1,), dtype=layer.data.dtype)
        table = dict(zip(shown.tolist(), colormap.map(shown), strict=True))
    return {v: _hex(colour) for v, colour in sorted(table.items())}


def _hex(colour: Any) -> str:
    red, green, blue = (round(float(c) * 255) for c in np.asarray(colour)[:3])
    return f"#{red:02X}{green:02X}{blue:02X}"


def _colormap(image: Any, keys: ReviewKeys) -> str:
    name = str(image.colormap.name)
    try:
        colour_stops(name)
    except SparseExplainError:
        keys.note(f"pictures do not know the colour map {name!r}; {image.name!r} is drawn in grey")
        return "gray"
    return name


def _blend(layer: Layer, keys: ReviewKeys) -> Blend:
    name = str(layer.blending)
    if name == "additive":
        return "additive"
    if name not in _FLAT:
        keys.note(f"pictures do not know the blending {name!r}; {layer.name!r} lies over the rest")
    return "flat"


def _interpolation(image: Any, keys: ReviewKeys) -> Interpolation:
    name = str(image.interpolation2d)
    if name not in ("nearest", "linear"):
        keys.note(f"{image.name!r} is interpolated linearly in pictures, not by {name}")
    return "nearest" if name == "nearest" else "linear"


def leading_points(layer: Layer, point: Sequence[float]) -> tuple[int, ...]:
    """Points of the layer along its axes before the last three."""
    count = layer.ndim - 3
    places = point[len(point) - layer.ndim :][:count]
    return tuple(
        min(max(round(p / s), 0), n - 1)
        for p, s, n in zip(places, layer.scale[:count], np.shape(layer.data), strict=False)
    )


def _pair(values: Any) -> tuple[float, float]:
    low, high = values
    return float(low), float(high)
