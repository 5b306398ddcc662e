"""The pixels of a cell: its layers over each other, sampled as in an exported picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Image, Labels

from ...export.pictures.plane_picture import sampled
from ..canvas.grey_window import limits_of

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.utils.colormaps import Colormap

    from .cell_view import CellView
    from .layer_slice import LayerSlice

#: Steps of a colour map between the limits.
_STEPS = 1024

#: Labels up to this are looked up in a table.
_MOST_LABELS = 4096

Pixels = npt.NDArray[np.float32]


def cell_pixels(
    slices: Iterable[tuple[Layer, LayerSlice]], view: CellView
) -> npt.NDArray[np.uint8]:
    """Lay the slices of layers over each other.

    Parameters
    ----------
    slices : iterable of (Layer, LayerSlice)
        Images and labels, bottom first.
    view : CellView

    Returns
    -------
    ndarray, shape (height, width, 3)
    """
    picture = np.zeros((*view.size, 3), np.float32)
    for layer, plane in slices:
        found = _coloured(layer, plane, view)
        if found is None:
            continue
        colours, alpha = found
        way = str(layer.blending)
        if way == "additive":
            picture += alpha[..., None] * colours
        elif way == "minimum":
            picture = np.where(alpha[..., None] > 0, np.minimum(picture, colours), picture)
        else:
            picture += alpha[..., None] * (colours - picture)
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _coloured(layer: Layer, plane: LayerSlice, view: CellView) -> tuple[Pixels, Pixels] | None:
    seen, opacity = plane.seen_from(view), np.float32(layer.opacity)
    if isinstance(layer, Labels):
        if layer.contour:
            return None
        values, inside = sampled(plane.values, seen, "nearest")
        colours = _label_colours(layer, values)
        return colours[..., :3], opacity * colours[..., 3] * inside
    if not isinstance(layer, Image):
        return None
    way = "nearest" if str(layer.interpolation2d) == "nearest" else "linear"
    if layer.rgb:
        values, inside = sampled(plane.values, seen, way)
        whole = 255 if np.issubdtype(plane.values.dtype, np.integer) else 1
        colours = np.asarray(values, np.float32) / np.float32(whole)
        cover = colours[..., 3] if colours.shape[-1] == 4 else np.float32(1)
        return colours[..., :3], opacity * cover * inside.astype(np.float32)
    values, inside = sampled(plane.values, seen, way)
    values = np.asarray(values, np.float32)
    low, high = limits_of(layer)
    part = (values - np.float32(low)) / np.float32(max(high - low, 1e-30))
    known = inside & np.isfinite(part)
    part = np.clip(np.where(known, part, 0), 0, 1)
    if layer.gamma != 1:
        part = part ** np.float32(layer.gamma)
    table = _table(layer.colormap)
    colours = table[np.rint(part * (_STEPS - 1)).astype(np.intp)]
    return colours[..., :3], opacity * colours[..., 3] * known


def _table(colormap: Colormap) -> Pixels:
    return np.asarray(colormap.map(np.linspace(0, 1, _STEPS)), np.float32)


def _label_colours(layer: Labels, values: npt.NDArray[Any]) -> Pixels:
    """Colours with their opacities of labels, shape (..., 4)."""
    if not values.size:
        return np.zeros((*values.shape, 4), np.float32)
    low, high = int(values.min()), int(values.max())
    if low >= 0 and high < _MOST_LABELS:
        labels = np.arange(high + 1).astype(values.dtype)
        return np.asarray(layer.colormap.map(labels), np.float32)[values.astype(np.intp)]
    labels, place = np.unique(values, return_inverse=True)
    return np.asarray(layer.colormap.map(labels), np.float32)[place.reshape(values.shape)]
