"""Exhaustive search: the pair of atoms, one of each fibre population, that explains a voxel best.

Rensonnet et al. 2021, section 3.2: of all N × N pairs the one with the least ‖y - D w‖², w ≥ 0.
With sub-dictionaries B₁V and B₂V of rank R the products of all pairs are VᵀB₁ᵀB₂V, an N × R × N
product. For a pair of atoms of length 1 with correlations y₁, y₂ to the data and c to each other

    gain = y₁² + (y₂ - c y₁)² / (1 - c²)      where both weights are positive,

else that of the better one alone. The first form keeps its digits where c is near 1, as it is with
signals that are all positive. All pairs are screened in float32; rows of pairs that come within its
error of the best are looked through in float64.

The same pass gives the posterior: under Gaussian noise and a flat prior over the pairs of the grid
each has weight exp(-(‖r‖² - ‖r_best‖²) / 2σ²), its best weights taken for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ..in_threads import in_threads
from ..numba_lock import PARALLEL

#: Rows of products made at a time: they stay in the cache.
_BLOCK = 64

#: Share of ‖y‖² that float32 may be wrong by: rows this near to the best are computed in float64.
_SCREEN = 2e-5

#: Pairs less likely than exp of this are left out of the posterior.
_FAINT = -18.0

#: 1 - c² below this: the two atoms are one.
_SAME = 1e-6


_Array: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """What the search found in P voxels, of K populations each: two, or three.

    Attributes
    ----------
    pair : ndarray of int, shape (P, K)
        Atoms; -1 for a population that has no weight.
    weights : ndarray, shape (P, K)
        Of the atoms, at least 0.
    residual : ndarray, shape (P,)
        ‖y - D w‖².
    mean, sd : ndarray, shape (P, K, 3)
        Posterior mean and standard deviation of (ν, r, f); not a number without a noise level, and
        r, f of a population that no likely pair gives a weight.
    entropy : ndarray, shape (P,)
        Of the posterior over pairs or triples, in bits.
    """

    pair: npt.NDArray[np.intp]
    weights: npt.NDArray[np.float64]
    residual: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    sd: npt.NDArray[np.float64]
    entropy: npt.NDArray[np.float64]


def exhaustive_pairs(
    signals: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    atoms: npt.ArrayLike,
    parameters: npt.ArrayLike,
    sigma: npt.ArrayLike = 0.0,
) -> Fingerprints:
    """Search all pairs of atoms in each voxel.

    Parameters
    ----------
    signals : array_like, shape (P, M)
        Measurements, finite.
    first, second : array_like, shape (P, M, R)
        Bases of the two fibre directions of each voxel (`Dictionary.basis`).
    atoms : array_like, shape (R, N)
        V of the dictionary.
    parameters : array_like, shape (N, 2)
        (r, f) of the atoms, for the posterior.
    sigma : float or array_like, shape (P,)
        Standard deviation of the noise; 0: no posterior.

    Returns
    -------
    Fingerprints

    Raises
    ------
    ParameterError
        Shapes that do not go together, or values that are not finite.
    """
    y = np.ascontiguousarray(signals, dtype=np.float64)
    one = np.ascontiguousarray(first, dtype=np.float64)
    two = np.ascontiguousarray(second, dtype=np.float64)
    v = np.ascontiguousarray(atoms, dtype=np.float64)
    known = np.ascontiguousarray(parameters, dtype=np.float64)
    noise = np.ascontiguousarray(np.broadcast_to(np.asarray(sigma, dtype=np.float64), y.shape[:1]))
    if (
        y.ndim != 2
        or one.shape != (*y.shape, v.shape[0])
        or two.shape != one.shape
        or known.shape != (v.shape[1], 2)
    ):
        raise ParameterError(
            f"signals {y.shape}, bases {one.shape} and {two.shape}, atoms {v.shape} and parameters "
            f"{known.shape} do not go together",
            where="fingerprinting",
        )
    if not np.isfinite(y).all():
        raise ParameterError(
            "a voxel holds a value that is no number", where="fingerprinting",
            remedy="Leave such voxels out of the mask",
        )  # fmt: skip
    count = len(y)
    pair = np.full((count, 2), -1, dtype=np.int64)
    weights, residual = np.zeros((count, 2)), np.zeros(count)
    mean, sd = np.full((count, 2, 3), np.nan), np.full((count, 2, 3), np.nan)
    entropy = np.full(count, np.nan)
    with PARALLEL:
        _search(y, one, two, v, known, noise, pair, weights, residual, mean, sd, entropy)
    return Fingerprints(pair, weights, residual, mean, sd, entropy)


def _search(
    y: _Array, one: _Array, two: _Array, v: _Array, known: _Array, noise: _Array,
    pair: npt.NDArray[np.int64], weights: _Array, residual: _Array, mean: _Array, sd: _Array,
    entropy: _Array,
) -> None:  # fmt: skip
    def part(start: int, stop: int) -> None:
        for p in range(start, stop):
            residual[p], entropy[p] = _voxel(
                y[p], one[p], two[p], v, known, noise[p], pair[p], weights[p], mean[p], sd[p]
            )

    in_threads(part, len(y))


def _voxel(
    y: _Array, one: _Array, two: _Array, v: _Array, known: _Array, sigma: float,
    pair: npt.NDArray[np.int64], weights: _Array, mean: _Array, sd: _Array,
) -> tuple[float, float]:  # fmt: skip
    """Fill in what is found in one voxel; its residual and entropy.

    Products of matrices and new arrays are NumPy's: numba takes as long to compile one of them as
    for a whole loop. What is compiled are loops over numbers.
    """
    n1, y1 = _correlations(y, one, v)
    n2, y2 = _correlations(y, two, v)
    left, right = v.T @ (one.T @ two) / n1[:, None], v / n2
    energy = float(y @ y)
    rows = _screened(y1, y2, left, right)
    # Rows that may hold the best pair, exactly.
    gain = 0.0
    pair[:] = -1
    for near in _blocks(rows >= rows.max() - np.float32(_SCREEN * energy)):
        got, i, j = _best_of_rows(left[near] @ right, near, y1, y2, gain)
        if got > gain:
            gain, pair[0], pair[1] = got, i, j
    i, j = int(pair[0]), int(pair[1])
    if i >= 0 and j >= 0:
        c = float(left[i] @ right[:, j])
        rest = 1.0 - c * c
        weights[0] = (y1[i] - c * y2[j]) / rest / n1[i]
        weights[1] = (y2[j] - c * y1[i]) / rest / n2[j]
    elif i >= 0:
        weights[0] = y1[i] / n1[i]
    elif j >= 0:
        weights[1] = y2[j] / n2[j]
    residual = max(energy - gain, 0.0)
    if sigma <= 0:
        return residual, np.nan
    return residual, _posterior(y1, y2, n1, n2, left, right, rows, gain, known, sigma, mean, sd)


def _screened(y1: _Array, y2: _Array, left: _Array, right: _Array) -> npt.NDArray[np.float32]:
    """Most that a pair of each atom of the first population explains, in float32."""
    count = len(y1)
    one, two = y1.astype(np.float32), y2.astype(np.float32)
    alone = np.maximum(two, np.float32(0)) ** 2
    left32, right32 = left.astype(np.float32), right.astype(np.float32)
    rows, c = np.empty(count, dtype=np.float32), np.empty((_BLOCK, len(two)), dtype=np.float32)
    for start in range(0, count, _BLOCK):
        part = slice(start, start + _BLOCK)
        some = one[part]
        np.matmul(left32[part], right32, out=c[: len(some)])
        _best_with_each(c, some, two, alone, rows[part])
    return rows


def _blocks(chosen: npt.NDArray[np.bool_]) -> Iterator[npt.NDArray[np.intp]]:
    """Numbers of the chosen rows, as many at a time as stay in the cache."""
    numbers = np.flatnonzero(chosen)
    for start in range(0, len(numbers), _BLOCK):
        yield numbers[start : start + _BLOCK]


def _posterior(
    y1: _Array, y2: _Array, n1: _Array, n2: _Array, left: _Array, right: _Array,
    rows: npt.NDArray[np.float32], best: float, known: _Array, sigma: float, mean: _Array,
    sd: _Array,
) -> float:  # fmt: skip
    """Fill in mean and standard deviation of both populations; the entropy in bits."""
    scale = 0.5 / (sigma * sigma)
    # Chances of the atoms that have a weight; the sums of all, of their logarithms, of ν and ν².
    by_atom, sums = np.zeros((2, len(y1))), np.zeros(4)
    for likely in _blocks((rows - best) * scale >= _FAINT - 1.0):
        _add_chances(
            left[likely] @ right, likely, y1, y2, n1, n2, best, scale, by_atom[0], by_atom[1], sums
        )
    total, log_sum, nu, square = sums.tolist()
    if total <= 0:
        return np.nan
    mean[0, 0] = nu / total
    mean[1, 0] = 1.0 - mean[0, 0]
    sd[:, 0] = np.sqrt(max(square / total - mean[0, 0] ** 2, 0.0))
    for k in range(2):
        atom_mean_sd(by_atom[k], known, mean[k], sd[k])
    return float((np.log(total) - log_sum / total) / np.log(2.0))


def atom_mean_sd(by_atom: _Array, known: _Array, mean: _Array, sd: _Array) -> None:
    """Mean and standard deviation of a population's r and f, filled in where it has a chance.

    Parameters
    ----------
    by_atom : ndarray, shape (N,)
        Chances of its atoms, not yet divided by their sum.
    known : ndarray, shape (N, 2)
    mean, sd : ndarray, shape (3,)
        Of ν, r and f.
    """
    whole = by_atom.sum()
    if whole > 0:
        chance = by_atom / whole
        mean[1:] = chance @ known
        sd[1:] = np.sqrt(chance @ (known - mean[1:]) ** 2)


def _correlations(y: _Array, basis: _Array, v: _Array) -> tuple[_Array, _Array]:
    """Lengths of the atoms, and what they have in common with the data at length 1."""
    lengths = np.sqrt(np.maximum((v * (basis.T @ basis @ v)).sum(axis=0), 1e-300))
    return lengths, (basis.T @ y) @ v / lengths


@numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
def _best_with_each(c, one, two, alone, rows):
    """Most that a pair of some atoms explains, all of the other population tried (float32)."""
    small, unit = np.float32(_SAME), np.float32(1.0)
    for i in range(one.size):
        y1 = one[i]
        square = y1 * y1
        best = square if y1 > 0 else np.float32(0.0)
        for j in range(two.size):
            rest = unit - c[i, j] * c[i, j]
            b = two[j] - c[i, j] * y1
            a = y1 - c[i, j] * two[j]
            both = square + b * b / (rest if rest > small else small)
            gain = both if (a > 0) & (b > 0) & (rest > small) else alone[j]
            best = gain if gain > best else best
        rows[i] = best


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _best_of_rows(c, numbers, y1, y2, best):
    """The best pair of some rows, if it explains more than ``best``; -1: without a weight."""
    bi = bj = -1
    for n in range(numbers.size):
        i = numbers[n]
        for j in range(y2.size):
            rest = 1.0 - c[n, j] * c[n, j]
            b, a = y2[j] - c[n, j] * y1[i], y1[i] - c[n, j] * y2[j]
            ci, cj = i, j
            if a > 0 and b > 0 and rest > _SAME:
                gain = y1[i] * y1[i] + b * b / rest
            elif y1[i] >= y2[j]:
                gain, cj = y1[i] * y1[i] if y1[i] > 0 else 0.0, -1
            else:
                gain, ci = y2[j] * y2[j] if y2[j] > 0 else 0.0, -1
            if gain > best:
                best, bi, bj = gain, ci, cj
    return best, bi, bj


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _add_chances(c, numbers, y1, y2, n1, n2, best, scale, first, second, sums):
    """Add the pairs of some rows to the posterior; see `_posterior`."""
    total, log_sum, nu, square = 0.0, 0.0, 0.0, 0.0
    for n in range(numbers.size):
        i = numbers[n]
        for j in range(y2.size):
            rest = 1.0 - c[n, j] * c[n, j]
            b, a = y2[j] - c[n, j] * y1[i], y1[i] - c[n, j] * y2[j]
            w1 = w2 = 0.0
            if a > 0 and b > 0 and rest > _SAME:
                gain, w1, w2 = y1[i] * y1[i] + b * b / rest, a / rest / n1[i], b / rest / n2[j]
            elif y1[i] >= y2[j]:
                gain, w1 = y1[i] * y1[i] if y1[i] > 0 else 0.0, y1[i] / n1[i]
            else:
                gain, w2 = y2[j] * y2[j] if y2[j] > 0 else 0.0, y2[j] / n2[j]
            exponent = (gain - best) * scale
            # Where nothing explains anything the one weight is not above 0.
            if exponent < _FAINT or w1 + w2 <= 0:
                continue
            chance, share = math.exp(exponent), w1 / (w1 + w2)
            total += chance
            log_sum += chance * exponent
            nu += chance * share
            square += chance * share * share
            # Without weight a population's radius and density are not told.
            if w1 > 0:
                first[i] += chance
            if w2 > 0:
                second[j] += chance
    sums[0] += total
    sums[1] += log_sum
    sums[2] += nu
    sums[3] += square
