"""A scan as registration looks at it: cubic voxels along the patient's axes, coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import StudyError
from ..brain_mask import brain_mask
from ..grid import Grid
from ..resampling import resample_to
from ..volume import Volume

#: Fewer slices than this say nothing of a turn.
LEAST_SLICES = 4

#: Voxel size of the finest scan in mm: this for a head, finer for what is small.
_FINEST, _COARSER = 2.0, (4.0, 2.0, 1.0)
_VOXELS_ACROSS = 64

#: Values beyond these percentiles are cut, so that a hot voxel does not take all bins.
_CUT = (0.5, 99.8)


@dataclass(frozen=True, eq=False)
class WorkingScan:
    """One scan at one voxel size.

    Attributes
    ----------
    values : ndarray of float32, shape (S, P, L)
    spacing : float
        Of all three axes, mm.
    first : ndarray, shape (3,)
        RAS+ millimetres of the first voxel.
    head : ndarray of bool
        Where the patient is.
    """

    values: npt.NDArray[np.float32]
    spacing: float
    first: npt.NDArray[np.float64]
    head: npt.NDArray[np.bool_]

    @property
    def middle(self) -> npt.NDArray[np.float64]:
        """RAS+ millimetres of the middle of the field of view."""
        return self._world((np.asarray(self.values.shape) - 1) / 2)

    def head_points(self, most: int) -> npt.NDArray[np.float64]:
        """Places in the head, spread evenly, at most so many; (n, 3) in RAS+ mm."""
        index = np.argwhere(self.head)
        return self._world(index[:: max(1, -(-len(index) // most))])

    def _world(self, index: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        steps = np.asarray(index, dtype=np.float64)[..., ::-1] * (-1, -1, 1) * self.spacing
        return self.first + steps


def working_scans(volume: Volume, called: str, *, other: Volume) -> list[WorkingScan]:
    """The scan from coarse to fine.

    Parameters
    ----------
    volume : Volume
    called : str
        For messages.
    other : Volume
        The one that it is registered with: both get the same voxel sizes.

    Raises
    ------
    StudyError
        It cannot be registered; says why.
    """
    for each in (volume, other):
        _check(each, called if each is volume else "other scan")
    sizes = [min(n * s for n, s in zip(v.grid.shape, v.grid.spacing, strict=True))
             for v in (volume, other)]  # fmt: skip
    finest = float(np.clip(min(sizes) / _VOXELS_ACROSS, 0.5, _FINEST))
    still = replace(volume, data=volume.spatial(), leading=(), frame=(), colour=False)
    scans = []
    for times in _COARSER:
        grid = _cubic_grid(volume.grid, finest * times)
        values = np.asarray(resample_to(still, grid).data, dtype=np.float32)
        there = values[np.isfinite(values)]
        low, high = (float(v) for v in np.percentile(there, _CUT)) if there.size else (0.0, 0.0)
        if not high > low:
            raise StudyError(
                f"the {called} scan {volume.role!r} has one value everywhere, so nothing can be "
                "registered to it",
                where="registration",
                remedy="Choose another scan",
            )
        values = np.clip(np.nan_to_num(values, nan=low), low, high)
        scans.append(WorkingScan(values, finest * times, grid.affine[:3, 3], _head(values)))
    return scans


def _head(values: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """The patient; where no background is told, all of it."""
    head = brain_mask(values)
    return head if head.any() else np.ones(values.shape, dtype=bool)


def _check(volume: Volume, called: str) -> None:
    grid, why = volume.grid, ""
    if volume.kind != "image" or volume.colour:
        why = "is no scan of grey values"
    elif not grid.calibrated:
        why = "has no voxel size in millimetres"
    elif not grid.oriented:
        why = "does not tell its orientation in the patient"
    elif min(grid.shape) < LEAST_SLICES:
        why = f"has fewer than {LEAST_SLICES} slices or rows, too few to find a turn"
    if why:
        raise StudyError(
            f"the {called} {volume.role!r} {why}, so it is not registered; nothing was moved",
            where="registration",
            remedy="Choose another scan, give a transform file, or move the prior by hand",
        )


def _cubic_grid(grid: Grid, spacing: float) -> Grid:
    """Along the patient's axes, covering all of a grid (one tilted or sheared, too)."""
    top = np.asarray(grid.shape, dtype=np.float64) - 0.5
    edges = np.stack(np.meshgrid(*[(-0.5, n) for n in top], indexing="ij"), -1).reshape(-1, 3)
    corners = grid.world(edges)[:, ::-1] * (1, -1, -1)  # towards S, P, L
    low, high = corners.min(axis=0), corners.max(axis=0)
    counts = np.maximum(LEAST_SLICES, np.ceil((high - low) / spacing - 1e-6)).astype(int)
    first = (low + high) / 2 - (counts - 1) / 2 * spacing
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = spacing, -spacing, -spacing, 1.0
    affine[:3, 3] = (-first[2], -first[1], first[0])
    return Grid((int(counts[0]), int(counts[1]), int(counts[2])), affine)
