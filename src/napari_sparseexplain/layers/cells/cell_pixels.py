"""The pixels of a cell: its layers over each other, sampled as in an exported picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Image, Labels

from ...export.pictures.plane_picture import nearest_or_beside, sampled
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

#: As Qt's 32-bit pictures have it.
_BLACK = np.uint32(0xFF000000)

Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class VoxelPicture:
    """Layers over each other, one pixel a voxel, of a cell whose layers share a grid.

    Attributes
    ----------
    pixels : ndarray of uint32, shape (rows + 1, columns + 1)
        ``0xFFRRGGBB``; the last row and the last column are black, as is all beside the slice.
    plane : LayerSlice
        Where the voxels lie.
    """

    pixels: npt.NDArray[np.uint32]
    plane: LayerSlice

    def seen_from(self, view: CellView) -> npt.NDArray[np.uint32]:
        """The pixels of a cell, each that of its nearest voxel; black beside the slice."""
        seen, (rows, columns) = self.plane.seen_from(view), self.plane.values.shape[:2]
        # One axis after the other, and one number a pixel: every step through the slices does it.
        chosen = self.pixels.take(nearest_or_beside(seen.rows, rows), axis=0)
        return chosen.take(nearest_or_beside(seen.columns, columns), axis=1)


def voxel_picture(slices: Sequence[tuple[Layer, LayerSlice]]) -> VoxelPicture | None:
    """Layers over each other at their own voxels; None where they are smooth, or on two grids.

    What it gives is what `cell_pixels` gives, and it need not be done again when a cell is moved,
    zoomed or of another size.
    """
    if not slices:
        return None
    first = slices[0][1]
    if not all(_is_nearest(layer) and plane.lies_as(first) for layer, plane in slices):
        return None
    rows, columns = first.values.shape[:2]
    picture = np.zeros((rows, columns, 3), np.float32)
    inside = np.ones((rows, columns), dtype=bool)
    for layer, plane in slices:
        _lay(picture, layer, _colours(layer, plane.values, inside))
    padded = np.full((rows + 1, columns + 1), _BLACK, np.uint32)
    padded[:rows, :columns] = _packed(picture)
    return VoxelPicture(padded, first)


def cell_pixels(
    slices: Iterable[tuple[Layer, LayerSlice]], view: CellView
) -> npt.NDArray[np.uint32]:
    """Lay the slices of layers over each other.

    Parameters
    ----------
    slices : iterable of (Layer, LayerSlice)
        Images and labels, bottom first.
    view : CellView

    Returns
    -------
    ndarray of uint32, shape (height, width)
        ``0xFFRRGGBB``.
    """
    slices = list(slices)
    scan = _opaque_pixels(*slices[0], view) if slices else None
    if scan is not None:
        return _laid_over(scan, slices[1:], view)
    picture = np.zeros((*view.size, 3), np.float32)
    for layer, plane in slices:
        way = "nearest" if _is_nearest(layer) else "linear"
        values, inside = sampled(plane.values, plane.seen_from(view), way)
        _lay(picture, layer, _colours(layer, values, inside))
    return _packed(picture)


def _opaque_pixels(
    layer: Layer, plane: LayerSlice, view: CellView
) -> npt.NDArray[np.uint32] | None:
    """A scan without anything below it, from values straight to pixels; None of other layers."""
    if not isinstance(layer, Image) or layer.rgb or layer.opacity < 1 or layer.gamma != 1:
        return None
    table = _table(layer.colormap)
    if (table[:, 3] < 1).any():
        return None
    way = "nearest" if _is_nearest(layer) else "linear"
    pixels = np.full(view.size, _BLACK, np.uint32)
    seen = plane.seen_from(view)
    rows, columns = seen.within(plane.values.shape)
    part = seen.part(rows, columns)
    if 0 in part.size:
        return pixels
    values, _ = sampled(np.asarray(plane.values, np.float32), part, way)
    low, high = limits_of(layer)
    place = np.subtract(values, np.float32(low))
    place *= np.float32((_STEPS - 1) / max(high - low, 1e-30))
    place += np.float32(0.5)
    np.clip(place, 0, _STEPS - 1, out=place)
    unknown = np.isnan(place)
    if unknown.any():
        place[unknown] = 0
    # Within the table already: what `clip` would do is not done, and no error looked for.
    found = _packed(table[:, :3]).take(place.astype(np.uint16), mode="clip")
    pixels[rows, columns] = np.where(unknown, _BLACK, found) if unknown.any() else found
    return pixels


def _laid_over(
    pixels: npt.NDArray[np.uint32],
    above: Sequence[tuple[Layer, LayerSlice]],
    view: CellView,
) -> npt.NDArray[np.uint32]:
    """Layers over a picture, in place: only where they are seen."""
    for layer, plane in above:
        way = "nearest" if _is_nearest(layer) else "linear"
        values, inside = sampled(plane.values, plane.seen_from(view), way)
        if isinstance(layer, Labels) and not layer.contour:
            inside &= values != 0
        if not inside.any():
            continue
        here = np.flatnonzero(inside)
        chosen = values.reshape(-1, *values.shape[2:])[here]
        ground = pixels.reshape(-1)[here]
        parts = [ground >> np.uint32(shift) & np.uint32(255) for shift in (16, 8, 0)]
        picture = np.stack(parts, axis=-1).astype(np.float32) / np.float32(255)
        _lay(picture, layer, _colours(layer, chosen, np.ones(len(here), bool)))
        pixels.reshape(-1)[here] = _packed(picture)
    return pixels


def _is_nearest(layer: Layer) -> bool:
    return not isinstance(layer, Image) or str(layer.interpolation2d) == "nearest"


def _packed(picture: Pixels) -> npt.NDArray[np.uint32]:
    """Red, green and blue from 0 to 1 as one number a pixel."""
    parts = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint32)
    whole = parts[..., 0] << np.uint32(16) | parts[..., 1] << np.uint32(8) | parts[..., 2]
    return np.asarray(whole | _BLACK, np.uint32)


def _lay(picture: Pixels, layer: Layer, found: tuple[Pixels, Pixels] | None) -> None:
    """Lay a layer's colours over a picture, in place."""
    if found is None:
        return
    colours, alpha = found[0], found[1][..., None]
    way = str(layer.blending)
    if way == "additive":
        picture += alpha * colours
    elif way == "minimum":
        np.copyto(picture, np.where(alpha > 0, np.minimum(picture, colours), picture))
    else:
        picture += alpha * (colours - picture)


def _colours(
    layer: Layer, values: npt.NDArray[Any], inside: npt.NDArray[np.bool_]
) -> tuple[Pixels, Pixels] | None:
    """Colours (..., 3) and opacities (...) of a layer's values; None where it draws no pixels."""
    opacity = np.float32(layer.opacity)
    if isinstance(layer, Labels):
        if layer.contour:
            return None
        colours = _label_colours(layer, values)
        return colours[..., :3], opacity * colours[..., 3] * inside
    if not isinstance(layer, Image):
        return None
    if layer.rgb:
        whole = 255 if np.issubdtype(layer.dtype, np.integer) else 1
        colours = np.asarray(values, np.float32) / np.float32(whole)
        cover = colours[..., 3] if colours.shape[-1] == 4 else np.float32(1)
        return colours[..., :3], opacity * cover * inside.astype(np.float32)
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
