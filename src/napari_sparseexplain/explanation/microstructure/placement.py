"""Which voxel of a scan's own grid each voxel of a study shows.

A diffusion scan beside others is shown on their grid by interpolation, between voxels whose noise
is then shared. What is computed of it is computed in its own voxels, each once, and each voxel of
the study takes what was found in the nearest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ...evidence import ExplanationMap
from ...microstructure.protocol.gradient_axes import between_grids
from ...volumes.grid import Grid

#: Name of a map with one component of a unit vector: its number, and the axis.
_COMPONENT = re.compile(r"(direction-\d+)-([spl])")


@dataclass(frozen=True, eq=False)
class Placement:
    """How some slices of a study lie in the grid of a scan.

    Attributes
    ----------
    rows : slice
        Slices of the scan's own grid that are looked at.
    needed : ndarray of bool, shape (rows, P, L)
        Voxels of these that some voxel of the study takes.
    nearest : ndarray of int or None, shape (S, P, L)
        For each voxel of the study's slices its place in the flattened ``rows``; -1 outside of the
        scan. None: the scan lies on the study's grid, and each voxel takes its own.
    turn : ndarray, shape (3, 3)
        Takes components along the scan's axes to those along the study's.
    """

    rows: slice
    needed: npt.NDArray[np.bool_]
    nearest: npt.NDArray[np.integer] | None
    turn: npt.NDArray[np.float64]

    def onto(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Values of the scan's voxels (rows, P, L) in the study's: not a number (0) outside."""
        if self.nearest is None:
            return values
        outside = np.nan if values.dtype.kind == "f" else 0
        found = np.full(self.nearest.shape, outside, dtype=values.dtype)
        inside = self.nearest >= 0
        found[inside] = values.reshape(-1)[self.nearest[inside]]
        return found

    def maps_onto(self, maps: Sequence[ExplanationMap]) -> tuple[ExplanationMap, ...]:
        """Maps of the scan's voxels as maps of the study.

        Three maps ``direction-K-s``, ``-p`` and ``-l`` are the components of a vector: these are
        turned to the study's axes.
        """
        if self.nearest is None:
            return tuple(maps)
        data = {item.name: np.asarray(item.data) for item in maps}
        for name in {m[1] for item in maps if (m := _COMPONENT.fullmatch(item.name))}:
            parts = [f"{name}-{axis}" for axis in "spl"]
            turned = np.stack([data[part] for part in parts], axis=-1) @ self.turn.T
            data |= {part: turned[..., n].astype(np.float32) for n, part in enumerate(parts)}
        return tuple(replace(item, data=self.onto(data[item.name])) for item in maps)


def placement_of(own: Grid, grid: Grid, slices: slice) -> Placement:
    """How slices of a study's grid lie in a scan's own.

    Parameters
    ----------
    own, grid : Grid
        Of the scan, and of the study.
    slices : slice
        Of the study; whole ``start`` and ``stop``, step 1.
    """
    if own is grid or own.matches(grid):
        needed = np.ones((slices.stop - slices.start, *own.shape[1:]), dtype=bool)
        return Placement(slices, needed, None, np.eye(3))
    places = np.full((slices.stop - slices.start, *grid.shape[1:]), -1, dtype=np.int64)
    row, column = np.indices(grid.shape[1:])
    for k, number in enumerate(range(slices.start, slices.stop)):
        points = np.stack([np.full(row.shape, number), row, column], axis=-1)
        index = np.rint(own.index(grid.world(points))).astype(np.int64)
        inside = ((index >= 0) & (index < own.shape)).all(axis=-1)
        places[k][inside] = np.ravel_multi_index(tuple(index[inside].T), own.shape)
    plane = own.shape[1] * own.shape[2]
    used = places[places >= 0]
    first, last = (int(used.min()) // plane, int(used.max()) // plane) if used.size else (0, -1)
    needed = np.zeros((last + 1 - first, *own.shape[1:]), dtype=bool)
    needed.reshape(-1)[used - first * plane] = True
    places[places >= 0] -= first * plane
    return Placement(slice(first, last + 1), needed, places, between_grids(own, grid))


def mask_onto(mask: npt.NDArray[np.bool_], grid: Grid, own: Grid) -> npt.NDArray[np.bool_]:
    """A mask on a study's grid in the voxels of a scan's own, by the nearest voxel."""
    if own is grid or own.matches(grid):
        return mask
    found = np.zeros(own.shape, dtype=bool)
    row, column = np.indices(own.shape[1:])
    for number in range(own.shape[0]):
        points = np.stack([np.full(row.shape, number), row, column], axis=-1)
        index = np.rint(grid.index(own.world(points))).astype(np.int64)
        inside = ((index >= 0) & (index < grid.shape)).all(axis=-1)
        found[number][inside] = mask[tuple(index[inside].T)]
    return found
