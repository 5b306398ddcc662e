"""Exhaustive search where three fibre populations cross: the best three atoms of all N³.

For each atom of the third population what it explains is taken out of the data and of the other
atoms, and all pairs are searched in what is left, as in `two_populations`; that takes N times as
long as a search over pairs. Where one of three weights would be negative the best pair is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ..in_threads import in_threads
from ..numba_lock import PARALLEL
from .two_populations import exhaustive_pairs

#: 1 - c² below this: two atoms, or an atom and the third one, are one.
_SAME = 1e-6


_Array: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Triples:
    """What the search found in P voxels.

    Attributes
    ----------
    atoms : ndarray of int, shape (P, 3)
        -1 for a population that has no weight.
    weights : ndarray, shape (P, 3)
    residual : ndarray, shape (P,)
        ‖y - D w‖².
    """

    atoms: npt.NDArray[np.intp]
    weights: npt.NDArray[np.float64]
    residual: npt.NDArray[np.float64]


def exhaustive_triples(
    signals: npt.ArrayLike, bases: npt.ArrayLike, atoms: npt.ArrayLike
) -> Triples:
    """Search all triples of atoms in each voxel.

    Parameters
    ----------
    signals : array_like, shape (P, M)
        Measurements, finite.
    bases : array_like, shape (P, 3, M, R)
        Of the three fibre directions of each voxel (`Dictionary.basis`).
    atoms : array_like, shape (R, N)

    Raises
    ------
    ParameterError
        Shapes that do not go together, or values that are not finite.
    """
    y = np.ascontiguousarray(signals, dtype=np.float64)
    b = np.ascontiguousarray(bases, dtype=np.float64)
    v = np.ascontiguousarray(atoms, dtype=np.float64)
    if y.ndim != 2 or v.ndim != 2 or b.shape != (len(y), 3, y.shape[1], len(v)):
        raise ParameterError(
            f"signals {y.shape}, bases {b.shape} and atoms {v.shape} do not go together",
            where="fingerprinting",
        )
    none = np.zeros((v.shape[1], 2))
    found = Triples(
        np.full((len(y), 3), -1, dtype=np.int64), np.zeros((len(y), 3)), np.full(len(y), np.inf)
    )
    # The best pair of each two populations: also what a triple has to beat.
    for one, two in ((0, 1), (0, 2), (1, 2)):
        pairs = exhaustive_pairs(y, b[:, one], b[:, two], v, none)
        better = np.flatnonzero(pairs.residual < found.residual)
        found.atoms[better], found.weights[better] = -1, 0.0
        for column, k in enumerate((one, two)):
            found.atoms[better, k] = pairs.pair[better, column]
            found.weights[better, k] = pairs.weights[better, column]
        found.residual[better] = pairs.residual[better]
    with PARALLEL:
        _search(y, b, v, found.atoms, found.weights, found.residual)
    return found


def _search(
    y: _Array, bases: _Array, v: _Array, atoms: npt.NDArray[np.intp], weights: _Array,
    residual: _Array,
) -> None:  # fmt: skip
    def part(start: int, stop: int) -> None:
        # Products of matrices are NumPy's: numba takes as long to compile one as for the loop.
        for p in range(start, stop):
            signals = np.swapaxes(bases[p] @ v, 1, 2)
            lengths = np.sqrt(np.maximum((signals**2).sum(axis=2), 1e-300))
            units = signals / lengths[..., None]
            _voxel(
                float(y[p] @ y[p]), lengths, units @ y[p], units[0] @ units[1].T,
                units[0] @ units[2].T, units[1] @ units[2].T, atoms[p], weights[p],
                residual[p : p + 1],
            )  # fmt: skip

    in_threads(part, len(y))


@numba.njit(nogil=True, cache=True)
def _voxel(energy, lengths, common, c12, c13, c23, atoms, weights, residual):
    count = lengths.shape[1]
    best = energy - residual[0]
    left1, y1 = np.empty(count), np.empty(count)
    left2, y2 = np.empty(count), np.empty(count)
    for m in range(count):
        y3 = common[2, m]
        if y3 <= 0:
            continue
        for n in range(count):
            # Where an atom is the third one nothing is left of it: it explains nothing more.
            rest1, rest2 = 1.0 - c13[n, m] ** 2, 1.0 - c23[n, m] ** 2
            left1[n] = 1.0 / np.sqrt(rest1) if rest1 > _SAME else 0.0
            left2[n] = 1.0 / np.sqrt(rest2) if rest2 > _SAME else 0.0
            y1[n] = (common[0, n] - c13[n, m] * y3) * left1[n]
            y2[n] = (common[1, n] - c23[n, m] * y3) * left2[n]
        for i in range(count):
            if left1[i] == 0.0:
                continue
            for j in range(count):
                c = (c12[i, j] - c13[i, m] * c23[j, m]) * left1[i] * left2[j]
                rest = 1.0 - c * c
                a, b = y1[i] - c * y2[j], y2[j] - c * y1[i]
                gain = y3 * y3 + y1[i] * y1[i] + b * b / max(rest, _SAME)
                if gain > best and a > 0 and b > 0 and rest > _SAME and left2[j] > 0:
                    w1, w2 = a / rest * left1[i], b / rest * left2[j]
                    w3 = y3 - c13[i, m] * w1 - c23[j, m] * w2
                    if w3 > 0:
                        best = gain
                        atoms[0], atoms[1], atoms[2] = i, j, m
                        weights[0] = w1 / lengths[0, i]
                        weights[1] = w2 / lengths[1, j]
                        weights[2] = w3 / lengths[2, m]
    residual[0] = max(energy - best, 0.0)
