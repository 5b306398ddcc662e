"""A slice with its overlays as pixels, sampled and coloured as the viewer does it."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...review.reading import Reading
from ...review.review import Interpolation, Overlay, Panel, ScanLayer
from ...volumes.edge_letters import PLANES
from .colour_scale import UNKNOWN_LABEL, coloured, heat_cover, rgb
from .plane_view import PlaneView


class VoxelPlaces(Protocol):
    """Which voxels lie under the pixels of a picture."""

    def row_indices(self) -> npt.NDArray[np.float64]:
        """Fractional row index in the middle of each pixel row, shape (height,)."""
        ...

    def column_indices(self) -> npt.NDArray[np.float64]:
        """Fractional column index in the middle of each pixel column, shape (width,)."""
        ...


def sampled(
    plane: npt.NDArray[Any], view: VoxelPlaces, interpolation: Interpolation
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Values in the middle of every pixel, and where the slice is.

    A voxel reaches half its size about its middle. ``"linear"`` weighs the four nearest middles
    and keeps the outermost ones' values beyond them, as a texture clamped at its edge does.

    Parameters
    ----------
    plane : ndarray, shape (rows, columns) or (rows, columns, colours)
    view : VoxelPlaces
        As a `PlaneView`.

    Returns
    -------
    values : ndarray, shape (height, width) or (height, width, colours)
    inside : ndarray of bool, shape (height, width)
    """
    rows, columns = view.row_indices(), view.column_indices()
    inside = _within(rows, plane.shape[0])[:, None] & _within(columns, plane.shape[1])[None, :]
    if interpolation == "nearest":
        # One axis after the other: many times faster than both at once.
        chosen = plane.take(_nearest(rows, plane.shape[0]), axis=0)
        return chosen.take(_nearest(columns, plane.shape[1]), axis=1), inside
    values = np.asarray(plane, np.float32)
    if values.ndim == 2 and (smooth := _smooth(values, rows, columns)) is not None:
        return smooth, inside
    return _between(_between(values, rows, 0), columns, 1), inside


def draw_panel(
    reading: Reading, panel: Panel, view: PlaneView | _VoxelView
) -> npt.NDArray[np.uint8]:
    """The panel's scan and overlays without any text, shape (height, width, 3).

    Raises
    ------
    StudyError
        Something that it shows is not here.
    """
    picture = np.zeros((*view.size, 3), np.float32)
    if panel.scan is not None:
        _lay_scan(picture, reading, panel, panel.scan, view)
    ground = picture.copy()
    for overlay in panel.overlays:
        plane = reading.plane_of(overlay, panel)
        if plane is not None and overlay.opacity > 0:
            if overlay.blend == "heat":
                # It is coloured over its scan, and hides what else lies below where it reaches.
                values, inside = sampled(plane, view, "nearest")
                reached = inside & np.isfinite(values)
                picture[reached] = ground[reached]
            colours, alpha = overlay_colours(plane, overlay, view, reading.part_of(overlay, panel))
            if overlay.blend == "additive":
                picture += alpha[..., None] * colours
            else:
                picture += alpha[..., None] * (colours - picture)
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def without_hidden(reading: Reading, panel: Panel) -> Panel:
    """The panel less the overlays that another one hides on all of its slice."""
    kept: list[Overlay] = []
    for overlay in panel.overlays:
        plane = reading.plane_of(overlay, panel) if _is_opaque(overlay) else None
        if plane is not None and bool(np.isfinite(plane).all()):
            kept = []
        kept.append(overlay)
    return replace(panel, overlays=tuple(kept))


def _is_opaque(overlay: Overlay) -> bool:
    """Whether nothing is seen through an overlay; a heat map stands on a scan of its own."""
    if overlay.is_label or overlay.opacity < 1 or overlay.blend == "additive":
        return False
    whole = overlay.threshold is None and overlay.share == 1 and overlay.least == 0
    return overlay.blend == "heat" or whole


def voxel_picture(reading: Reading, panel: Panel) -> npt.NDArray[np.uint8]:
    """The panel's whole slice, one pixel a voxel in index order, shape (rows, columns, 3)."""
    return draw_panel(reading, panel, _VoxelView.of(reading, panel))


class _VoxelView:
    """The places of a `PlaneView` for one pixel a voxel, whatever their spacing."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size

    @classmethod
    def of(cls, reading: Reading, panel: Panel) -> _VoxelView:
        _, rows, columns = PLANES[panel.plane]
        shape = reading.study_of(panel).grid.shape
        return cls((shape[rows], shape[columns]))

    def row_indices(self) -> npt.NDArray[np.float64]:
        return np.arange(self.size[0], dtype=np.float64)

    def column_indices(self) -> npt.NDArray[np.float64]:
        return np.arange(self.size[1], dtype=np.float64)


def overlay_colours(
    plane: npt.NDArray[Any],
    overlay: Overlay,
    view: PlaneView | _VoxelView,
    part: npt.NDArray[np.bool_] | None = None,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Colours (height, width, 3) and opacities (height, width), both in [0, 1], of an overlay.

    Parameters
    ----------
    part : ndarray of bool, shape of ``plane``, optional
        What of it is drawn.
    """
    if plane.ndim == 3:  # colours of its own
        values, inside = sampled(plane, view, "nearest")
        shown = inside & (values.max(axis=-1) > 0)
        return values.astype(np.float32) / np.float32(255), overlay.opacity * shown.astype(
            np.float32
        )
    if overlay.is_label:
        values, inside = sampled(plane, view, "nearest")
        colours = np.zeros((*view.size, 3), np.float32)
        if overlay.drawn == "outline":  # lines, which come over all of the picture's pixels
            return colours, np.zeros(view.size, np.float32)
        for label in np.unique(values):
            if label != 0:
                text = overlay.colours.get(int(label), UNKNOWN_LABEL)
                colours[values == label] = np.asarray(rgb(text), np.float32) / 255
        return colours, overlay.opacity * (inside & (values != 0)).astype(np.float32)
    values, inside = sampled(plane, view, overlay.interpolation)
    values = np.asarray(values, np.float32)
    shown = inside & np.isfinite(values)
    if overlay.threshold is not None:
        with np.errstate(invalid="ignore"):
            shown &= (np.abs(values) if overlay.signed else values) >= overlay.threshold
    if part is not None:
        shown &= sampled(part, view, "nearest")[0]
    if overlay.blend == "heat":
        high = max(abs(overlay.limits[0]), abs(overlay.limits[1]))
        colours, cover = heat_cover(values, high, overlay.colormap)
        return colours, overlay.opacity * cover * shown
    colours = coloured(values, overlay.limits, overlay.colormap, overlay.gamma)
    return colours, overlay.opacity * shown.astype(np.float32)


def _lay_scan(
    picture: npt.NDArray[np.float32],
    reading: Reading,
    panel: Panel,
    scan: ScanLayer,
    view: PlaneView | _VoxelView,
) -> None:
    plane = reading.plane_of(scan, panel)
    if plane is None:
        return
    values, inside = sampled(plane, view, scan.interpolation)
    if values.ndim == 3:  # a picture in colour
        shown = np.asarray(values[..., :3], np.float32) / (
            255 if np.issubdtype(plane.dtype, np.integer) else 1
        )
    else:
        shown = coloured(values, scan.window, "gray", scan.gamma)
        if reading.studies[scan.study][scan.role].inverted:
            shown = 1 - shown  # MONOCHROME1: as the film is read
    picture[inside] = np.nan_to_num(shown)[inside]


def nearest_or_beside(places: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.intp]:
    """Index of the voxel at each fractional index; ``count`` beside the slice."""
    return np.where(_within(places, count), _nearest(places, count), count)


def _within(places: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.bool_]:
    return (places >= -0.5) & (places < count - 0.5)


def _nearest(places: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.intp]:
    return np.clip(np.floor(places + 0.5), 0, count - 1).astype(np.intp)


def _smooth(
    values: npt.NDArray[np.float32],
    rows: npt.NDArray[np.float64],
    columns: npt.NDArray[np.float64],
) -> npt.NDArray[np.float32] | None:
    """`_between` along both axes, several times as fast; None where that is not to be had.

    Pillow weighs the same neighbours in a picture that is larger than the slice; in a smaller one
    it would weigh more of them. A voxel that is not a number would spread to its neighbours.
    """
    along, across = _evenly(rows), _evenly(columns)
    if along is None or across is None or not np.isfinite(values).all():
        return None
    (top, down, turned), (left, right, mirrored) = along, across
    # Its box may not reach beyond the slice, which is repeated at its edges instead.
    before = [max(0, ceil(-low)) for low in (top, left)]
    after = [max(0, ceil(h - n)) for h, n in zip((down, right), values.shape, strict=True)]
    if max(*before, *after) > 2 * max(values.shape):
        return None
    padded = np.pad(values, list(zip(before, after, strict=True)), mode="edge")
    box = (left + before[1], top + before[0], right + before[1], down + before[0])
    picture = Image.fromarray(padded)
    drawn = picture.resize((len(columns), len(rows)), Image.Resampling.BILINEAR, box)
    found = np.asarray(drawn)[:: -1 if turned else 1, :: -1 if mirrored else 1]
    return found


def _evenly(places: npt.NDArray[np.float64]) -> tuple[float, float, bool] | None:
    """Where evenly spaced places begin and end in voxels, and whether backwards.

    None of steps longer than a voxel, and of a single place.
    """
    if len(places) < 2:
        return None
    step = (places[-1] - places[0]) / (len(places) - 1)
    if not 0 < abs(step) <= 1:
        return None
    low, high = sorted((float(places[0]), float(places[-1])))
    return low - abs(step) / 2 + 0.5, high + abs(step) / 2 + 0.5, bool(step < 0)


def _between(
    values: npt.NDArray[np.float32], places: npt.NDArray[np.float64], axis: int
) -> npt.NDArray[np.float32]:
    """Linear interpolation along one axis, clamped at its ends."""
    count = values.shape[axis]
    place = np.clip(places, 0, count - 1)
    low = np.minimum(np.floor(place).astype(np.intp), max(count - 2, 0))
    shape = [1] * values.ndim
    shape[axis] = -1
    weight = (place - low).astype(np.float32).reshape(shape)
    first = np.take(values, low, axis=axis)
    second = np.take(values, np.minimum(low + 1, count - 1), axis=axis)
    # A weight of 0 must not spread the NaN of a neighbour that does not count.
    return np.where(weight == 0, first, first * (1 - weight) + second * weight)
