"""Whether gradients lie along the axes they say: fibres run on from voxel to voxel only if they do.

Directions that were flipped or swapped on the way from the scanner give tensors of the right shape
that point the wrong way. Then the principal directions of neighbours still agree with each other,
but no longer with the line from one to the other [1]_. A tensor turns as its gradients do, so that
one fit serves all ways.

References
----------
.. [1] K. G. Schilling et al., A fiber coherence index for quality control of B-table orientation in
   diffusion MRI scans, Magnetic Resonance Imaging 58, 2019.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from .tensor import TensorMaps

#: Voxels with less anisotropy are not looked at.
_LEAST_FA = 0.2
#: A neighbour lies along the fibre within this angle.
_ALONG = np.cos(np.radians(25.0))
#: Anisotropic voxels needed for a proposal: in a block of some hundred, of one scan that is right,
#: the index differs by 2 % between the best two ways; in a whole head by 25 %.
LEAST_VOXELS = 2000
#: A proposal must be better than what is written by this factor.
CLEARLY_BETTER = 1.1
#: And by so many standard deviations of what pairs in noise would give.
_DEVIATIONS = 4.0

_AXES = ("head-foot", "front-back", "left-right")

#: Half of the 26 neighbours; the others see the same pairs.
_NEIGHBOURS = [step for step in itertools.product((-1, 0, 1), repeat=3) if step > (0, 0, 0)]


@dataclass(frozen=True, eq=False)
class GradientAxesCheck:
    """How well fibres run on as the directions are, and as they would be in other axes.

    Attributes
    ----------
    matrix : ndarray, shape (3, 3)
        Takes the table's directions to the best axes (`GradientTable.rotated`).
    words : str
        What it does; empty where it does nothing.
    index, index_now : float
        Fibre coherence index with the best axes and with those of now: anisotropy-weighted pairs of
        neighbours along the fibre, a voxel.
    voxels : int
        Anisotropic voxels looked at.
    deviations : float
        How far the two indices lie apart, in standard deviations of independent pairs.
    """

    matrix: npt.NDArray[np.float64]
    words: str
    index: float
    index_now: float
    voxels: int
    deviations: float = 0.0

    @property
    def proposes(self) -> bool:
        """Whether other axes fit clearly better."""
        return (
            bool(self.words)
            and self.voxels >= LEAST_VOXELS
            and self.index > CLEARLY_BETTER * self.index_now
            and self.deviations > _DEVIATIONS
        )


def signed_permutations() -> list[npt.NDArray[np.float64]]:
    """The 24 ways to swap and flip three axes that differ for lines; that of now first.

    Turning all three round leaves every line what it was, so that half of the 48 are left out:
    of each pair the one with fewer flips.
    """
    found = []
    flips = [(1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1)]
    for order in itertools.permutations(range(3)):
        for signs in flips:
            matrix = np.zeros((3, 3))
            for axis, source in enumerate(order):
                matrix[axis, source] = signs[axis]
            found.append(matrix)
    return found


def gradient_axes_check(
    maps: TensorMaps, spacing: Sequence[float] = (1.0, 1.0, 1.0)
) -> GradientAxesCheck:
    """The axes in which fibres run on best; proposed, never applied.

    Parameters
    ----------
    maps : TensorMaps
        Of a block of voxels (S, P, L).
    spacing : sequence of float
        Millimetres from voxel to voxel along each.

    Raises
    ------
    ParameterError
        The maps are of voxels without neighbours.
    """
    if maps.fa.ndim != 3:
        raise ParameterError(
            "fibres run on from voxel to voxel, and these voxels have no neighbours",
            where="tensor",
            remedy="Give the maps of a block of voxels (S, P, L)",
        )
    ways = signed_permutations()
    scores, spread = np.zeros(len(ways)), np.zeros(len(ways))
    weight = np.where(maps.fa >= _LEAST_FA, maps.fa, 0.0)
    for step in _NEIGHBOURS:
        line = np.array(step) * np.asarray(spacing, dtype=np.float64)
        line /= np.linalg.norm(line)
        here, there = _overlap(step)
        pair = weight[here] * weight[there]
        some = pair > 0
        one, other, share = maps.principal[here][some], maps.principal[there][some], pair[some]
        for k, way in enumerate(ways):
            back = way.T @ line  # (Q e)·u = e·(Qᵀu)
            along = (abs(one @ back) > _ALONG) & (abs(other @ back) > _ALONG)
            scores[k] += share[along].sum()
            spread[k] += (share[along] ** 2).sum()
    voxels = int((weight > 0).sum())
    best = int(scores.argmax())
    if scores[best] <= scores[0]:
        best = 0
    apart = (scores[best] - scores[0]) / max(np.sqrt(spread[best] + spread[0]), 1e-12)
    index, now = scores[[best, 0]] / max(voxels, 1)
    words = _words(ways[best])
    return GradientAxesCheck(ways[best], words, float(index), float(now), voxels, float(apart))


def _overlap(step: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where a voxel and its neighbour are both in the block."""
    here = tuple(slice(max(0, -s), -s if s > 0 else None) for s in step)
    there = tuple(slice(max(0, s), s if s < 0 else None) for s in step)
    return here, there


def _words(matrix: npt.NDArray[np.float64]) -> str:
    """As ``"flipped left-right"``, ``"head-foot and front-back swapped"``."""
    order = abs(matrix).argmax(axis=1)
    said = []
    moved = [axis for axis in range(3) if order[axis] != axis]
    if len(moved) == 2:
        said.append(f"{_AXES[moved[0]]} and {_AXES[moved[1]]} swapped")
    elif moved:
        said.append("; ".join(f"{_AXES[order[axis]]} taken for {_AXES[axis]}" for axis in moved))
    flipped = [_AXES[axis] for axis in range(3) if matrix[axis].sum() < 0]
    if flipped:
        said.append(f"{' and '.join(flipped)} flipped")
    return ", ".join(said)
