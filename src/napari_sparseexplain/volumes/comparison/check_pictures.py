"""Pictures that show whether two scans lie over each other: a checkerboard, and edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

#: Blur before edges are looked for, mm; and the share of steepest places that are edges.
_BLUR_MM = 1.2
_STEEPEST = 0.2


def checkerboard(
    current: npt.NDArray[Any],
    prior: npt.NDArray[Any],
    spacing: tuple[float, float, float],
    *,
    size_mm: float,
    start: tuple[int, int, int] = (0, 0, 0),
) -> npt.NDArray[np.float32]:
    """Cubes of the current scan and of the prior by turns.

    Parameters
    ----------
    current, prior : ndarray, shape (S, P, L)
        On one grid, in values that are drawn alike.
    spacing : three floats
        Voxel size in mm.
    size_mm : float
        Edge of a cube.
    start : tuple of int
        Index of the first voxel in the whole grid, so that parts fit together.

    Returns
    -------
    ndarray of float32, shape (S, P, L)
    """
    fields = np.zeros(current.shape, dtype=np.intp)
    for axis, (first, step) in enumerate(zip(start, spacing, strict=True)):
        # From the middle of the first voxel: a border never lies on a voxel's middle by rounding.
        place = (np.arange(current.shape[axis]) + first + 0.25) * step // max(size_mm, step)
        fields += place.astype(np.intp).reshape([-1 if a == axis else 1 for a in range(3)])
    return np.where(fields % 2 == 0, current, prior).astype(np.float32)


def edge_map(
    values: npt.NDArray[Any], spacing: tuple[float, float, float]
) -> npt.NDArray[np.bool_]:
    """Edges: where the curvature changes its sign at the steepest places [1]_.

    Parameters
    ----------
    values : ndarray, shape (S, P, L)
    spacing : three floats
        Voxel size in mm.

    References
    ----------
    .. [1] D. Marr, E. Hildreth, Theory of edge detection, Proc. R. Soc. Lond. B 207, 1980.
    """
    grey = np.asarray(values, dtype=np.float32)
    # Across thick slices neighbours are too far apart to belong together.
    axes = [a for a in range(3) if spacing[a] <= 2 * min(spacing) and grey.shape[a] > 2]
    sigmas = [_BLUR_MM / spacing[axis] if axis in axes else 0.0 for axis in range(3)]
    smooth: Any = ndimage.gaussian_filter(grey, sigmas)
    slope = np.zeros(grey.shape, dtype=np.float32)
    bend = np.zeros(grey.shape, dtype=np.float32)
    for axis in axes:
        way = np.gradient(smooth, spacing[axis], axis=axis)
        slope += way * way
        bend += np.gradient(way, spacing[axis], axis=axis)
    if not slope.any():
        return np.zeros(grey.shape, dtype=bool)
    steep = slope > np.quantile(slope[slope > 0], 1 - _STEEPEST)
    crossing = np.zeros(grey.shape, dtype=bool)
    for axis in axes:
        one = [slice(None)] * 3
        other = [slice(None)] * 3
        one[axis], other[axis] = slice(0, -1), slice(1, None)
        crossing[tuple(one)] |= (bend[tuple(one)] > 0) != (bend[tuple(other)] > 0)
    return steep & crossing
