"""The slice of a layer in the picture: its values, and where they lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Image, Labels, Layer

    from .cell_view import CellView


#: How several slices become one.
_PROJECTIONS: dict[str, Callable[..., npt.NDArray[Any]]] = {
    "max": np.max,
    "min": np.min,
    "mean": np.mean,
}

#: What a margin may miss the next slice by.
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class LayerSlice:
    """One slice of voxels.

    Attributes
    ----------
    values : ndarray, shape (rows, columns) or (rows, columns, colours)
    start : pair of float
        (row, column) of the middle of the first voxel, in the viewer's unit.
    step : pair of float
        Between the middles of two voxels.
    """

    values: npt.NDArray[Any]
    start: tuple[float, float]
    step: tuple[float, float]

    def lies_as(self, other: LayerSlice) -> bool:
        """Whether the voxels of another slice are in the same places."""
        return (
            self.values.shape[:2] == other.values.shape[:2]
            and np.allclose(self.start, other.start)
            and np.allclose(self.step, other.step)
        )

    def seen_from(self, view: CellView) -> SeenSlice:
        """The voxels under the pixels of a cell."""
        rows, columns = view.row_places(), view.column_places()
        return SeenSlice(
            view.size,
            (rows - self.start[0]) / self.step[0],
            (columns - self.start[1]) / self.step[1],
        )


@dataclass(frozen=True, eq=False)
class SeenSlice:
    """Voxels under pixels: what `export.pictures.plane_picture.sampled` asks of a view."""

    size: tuple[int, int]
    rows: npt.NDArray[np.float64]
    columns: npt.NDArray[np.float64]

    def within(self, shape: Sequence[int]) -> tuple[slice, slice]:
        """The pixel rows and columns that lie on a slice of that many voxels."""
        found = []
        for places, count in zip((self.rows, self.columns), shape, strict=False):
            here = np.flatnonzero((places >= -0.5) & (places < count - 0.5))
            found.append(slice(here[0], here[-1] + 1) if here.size else slice(0, 0))
        return found[0], found[1]

    def part(self, rows: slice, columns: slice) -> SeenSlice:
        """What lies under some of the pixels."""
        chosen = self.rows[rows], self.columns[columns]
        return SeenSlice((len(chosen[0]), len(chosen[1])), *chosen)

    def row_indices(self) -> npt.NDArray[np.float64]:
        """Fractional row of each pixel row."""
        return self.rows

    def column_indices(self) -> npt.NDArray[np.float64]:
        """Fractional column of each pixel column."""
        return self.columns


def layer_slice(layer: Image | Labels, dims: Dims) -> LayerSlice | None:
    """What a layer shows at the viewer's point; None in 3-D, beside it, and of a rotated one.

    A layer with fewer axes than the viewer has the last of them.
    """
    if dims.ndisplay != 2 or not is_straight(layer):
        return None
    missing = dims.ndim - layer.ndim
    row, column = (axis - missing for axis in dims.displayed)
    if row < 0 or column < 0:
        return None
    data: Any = layer.data[0] if layer.multiscale else layer.data
    start, step = np.asarray(layer.translate), np.asarray(layer.scale)
    place: list[int | slice] = [slice(None)] * layer.ndim
    for axis in dims.not_displayed:
        own = axis - missing
        if own < 0:
            continue
        index = round((dims.point[axis] - start[own]) / step[own])
        if not 0 <= index < data.shape[own]:
            return None
        place[own] = _slab(layer, dims, axis, index, float(step[own]), data.shape[own])
    values = np.asarray(data[tuple(place)])
    through = [own for own in range(layer.ndim) if own not in (row, column)]
    slabs = tuple(own for own in through if isinstance(place[own], slice))
    if slabs:
        # Axes that were cut by an index are gone already.
        gone = [own for own in through if own not in slabs]
        axes = tuple(own - sum(g < own for g in gone) for own in slabs)
        values = _PROJECTIONS[str(layer.projection_mode)](values, axis=axes)
    if row > column:
        values = values.swapaxes(0, 1)
    return LayerSlice(
        values,
        (float(start[row]), float(start[column])),
        (float(step[row]), float(step[column])),
    )


def _slab(
    layer: Image | Labels, dims: Dims, axis: int, index: int, step: float, count: int
) -> int | slice:
    """The slices along an axis that are shown as one; the slice of an index alone."""
    if str(layer.projection_mode) not in _PROJECTIONS:
        return index
    low = index - floor(float(dims.margin_left[axis]) / abs(step) + _ROUNDING)
    high = index + floor(float(dims.margin_right[axis]) / abs(step) + _ROUNDING)
    return index if low == high else slice(max(low, 0), min(high, count - 1) + 1)


def is_straight(layer: Layer) -> bool:
    """Whether rows and columns of a layer are those of the viewer."""
    straight = np.eye(layer.ndim)
    return (
        np.allclose(layer.rotate, straight)
        and np.allclose(layer.shear, 0)
        and np.allclose(layer.affine.affine_matrix, np.eye(layer.ndim + 1))
    )
