"""Directions from the axes of a file of gradients to those of the grid on which the scan is shown.

A file gives them along the axes of the voxel array as stored (FSL, with a turn) or of the scanner
(MRtrix). On opening, the array's axes are swapped and flipped to (S, P, L), the volume may be
placed by a transform, and it may be resampled: each step is a rotation or a permutation with flips.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...volumes.grid import Grid
from .written_gradients import GradientAxes

Matrix = npt.NDArray[np.float64]


def nearest_rotation(affine: npt.ArrayLike) -> Matrix:
    """The orthogonal matrix nearest to an affine's axes, of the same handedness.

    Columns are unit vectors in RAS. Where the axes are at right angles it is these axes
    themselves; where they are sheared (a tilted gantry, an affine registration), the polar part.
    """
    linear = np.asarray(affine, dtype=np.float64)[:3, :3]
    u, _, vt = np.linalg.svd(linear / np.linalg.norm(linear, axis=0))
    return u @ vt


def to_voxel_axes(
    vectors: npt.NDArray[np.float64], axes: GradientAxes, affine: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Components along the axes of the stored array.

    Parameters
    ----------
    vectors : ndarray, shape (M, 3)
    axes : {"fsl", "scanner"}
        Those of the file of gradients.
    affine : array_like, shape (4, 4)
        Of the scan's file.
    """
    if axes == "scanner":
        return vectors @ nearest_rotation(affine)
    turned = np.linalg.det(np.asarray(affine, dtype=np.float64)[:3, :3]) > 0
    return vectors * ([-1.0, 1.0, 1.0] if turned else [1.0, 1.0, 1.0])


def to_display_axes(
    vectors: npt.NDArray[np.float64], to_display: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Components along (slice, row, column) from those along the axes of the stored array."""
    out = np.empty_like(vectors)
    for axis, (target, flip) in enumerate(to_display[:3]):
        out[:, int(target)] = flip * vectors[:, axis]
    return out


def between_grids(own: Grid, grid: Grid) -> Matrix:
    """The matrix that takes components along one grid's axes to those along another's."""
    return nearest_rotation(grid.affine).T @ nearest_rotation(own.affine)
