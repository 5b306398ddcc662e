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
        # Products of matrices are NumPy's: numba takes as long to compile one as for a whole loop.
        for p in range(start, stop):
            n1, y1 = _correlations(y[p], one[p], v)
            n2, y2 = _correlations(y[p], two[p], v)
            left = v.T @ (one[p].T @ two[p]) / n1[:, None]
            right = v / n2
            _voxel(
                float(y[p] @ y[p]), n1, y1, n2, y2, left, right,
                left.astype(np.float32), right.astype(np.float32), known, noise[p],
                pair[p], weights[p], residual[p : p + 1], mean[p], sd[p], entropy[p : p + 1],
            )  # fmt: skip

    in_threads(part, len(y))


def _correlations(y: _Array, basis: _Array, v: _Array) -> tuple[_Array, _Array]:
    """Lengths of the atoms, and what they have in common with the data at length 1."""
    lengths = np.sqrt(np.maximum((v * (basis.T @ basis @ v)).sum(axis=0), 1e-300))
    return lengths, (basis.T @ y) @ v / lengths


@numba.njit(cache=True, fastmath={"contract", "reassoc", "nsz"})
def _best_of_row(c, y1, y2, alone2):
    """Most that a pair of one atom explains, all of the other population tried (float32)."""
    best = y1 * y1 if y1 > 0 else np.float32(0.0)
    square = y1 * y1
    for j in range(c.size):
        rest = np.float32(1.0) - c[j] * c[j]
        b = y2[j] - c[j] * y1
        a = y1 - c[j] * y2[j]
        both = square + b * b / max(rest, np.float32(_SAME))
        gain = both if (a > 0) & (b > 0) & (rest > np.float32(_SAME)) else alone2[j]
        best = max(best, gain)
    return best


@numba.njit(nogil=True, cache=True)
def _voxel(
    energy, n1, y1, n2, y2, left, right, left32, right32, known, sigma,
    pair, weights, residual, mean, sd, entropy,
):  # fmt: skip
    count = n1.size
    y2_32, alone2 = np.empty(count, dtype=np.float32), np.zeros(count, dtype=np.float32)
    for j in range(count):
        y2_32[j] = y2[j]
        if y2_32[j] > 0:
            alone2[j] = y2_32[j] * y2_32[j]
    rows = np.empty(count, dtype=np.float32)
    for start in range(0, count, _BLOCK):
        stop = min(start + _BLOCK, count)
        c = np.dot(left32[start:stop], right32)
        for i in range(start, stop):
            rows[i] = _best_of_row(c[i - start], np.float32(y1[i]), y2_32, alone2)
    top = rows[0]
    for i in range(1, count):
        top = max(top, rows[i])

    # Rows that may hold the best pair, exactly.
    best, bi, bj = 0.0, -1, -1
    for i in range(count):
        if rows[i] >= top - _SCREEN * energy:
            c = np.dot(left[i], right)
            for j in range(count):
                rest = 1.0 - c[j] * c[j]
                b, a = y2[j] - c[j] * y1[i], y1[i] - c[j] * y2[j]
                if a > 0 and b > 0 and rest > _SAME:
                    gain, ci, cj = y1[i] * y1[i] + b * b / rest, i, j
                elif y1[i] >= y2[j]:
                    gain, ci, cj = max(y1[i], 0.0) ** 2, i, -1
                else:
                    gain, ci, cj = max(y2[j], 0.0) ** 2, -1, j
                if gain > best:
                    best, bi, bj = gain, ci, cj
    pair[0], pair[1] = bi, bj
    if bi >= 0 and bj >= 0:
        c = np.dot(left[bi], right)[bj]
        rest = 1.0 - c * c
        weights[0] = (y1[bi] - c * y2[bj]) / rest / n1[bi]
        weights[1] = (y2[bj] - c * y1[bi]) / rest / n2[bj]
    elif bi >= 0:
        weights[0] = y1[bi] / n1[bi]
    elif bj >= 0:
        weights[1] = y2[bj] / n2[bj]
    residual[0] = max(energy - best, 0.0)
    if sigma > 0:
        _posterior(y1, y2, n1, n2, left, right, rows, best, known, sigma, mean, sd, entropy)


@numba.njit(cache=True)
def _posterior(y1, y2, n1, n2, left, right, rows, best, known, sigma, mean, sd, entropy):
    count, scale = y1.size, 0.5 / (sigma * sigma)
    total, log_sum = 0.0, 0.0
    moments = np.zeros((2, 3, 3))  # population; ν, r, f; sums of weight, of value, of its square
    for i in range(count):
        if (np.float64(rows[i]) - best) * scale < _FAINT - 1.0:
            continue
        c = np.dot(left[i], right)
        for j in range(count):
            rest = 1.0 - c[j] * c[j]
            b, a = y2[j] - c[j] * y1[i], y1[i] - c[j] * y2[j]
            if a > 0 and b > 0 and rest > _SAME:
                gain = y1[i] * y1[i] + b * b / rest
                w1, w2 = a / rest / n1[i], b / rest / n2[j]
            elif y1[i] >= y2[j]:
                gain, w1, w2 = max(y1[i], 0.0) ** 2, max(y1[i], 0.0) / n1[i], 0.0
            else:
                gain, w1, w2 = max(y2[j], 0.0) ** 2, 0.0, max(y2[j], 0.0) / n2[j]
            exponent = (gain - best) * scale
            if exponent < _FAINT or w1 + w2 <= 0:
                continue
            weight = np.exp(exponent)
            total += weight
            log_sum += weight * exponent
            share = w1 / (w1 + w2)
            for k in range(2):
                nu = share if k == 0 else 1.0 - share
                atom = i if k == 0 else j
                moments[k, 0, 0] += weight
                moments[k, 0, 1] += weight * nu
                moments[k, 0, 2] += weight * nu * nu
                if nu > 0:
                    # Without weight a population's radius and density are not told.
                    for q in range(2):
                        value = known[atom, q]
                        moments[k, 1 + q, 0] += weight
                        moments[k, 1 + q, 1] += weight * value
                        moments[k, 1 + q, 2] += weight * value * value
    if total <= 0:
        return
    for k in range(2):
        for q in range(3):
            if moments[k, q, 0] > 0:
                middle = moments[k, q, 1] / moments[k, q, 0]
                mean[k, q] = middle
                spread = moments[k, q, 2] / moments[k, q, 0] - middle * middle
                sd[k, q] = np.sqrt(max(spread, 0.0))
    entropy[0] = (np.log(total) - log_sum / total) / np.log(2.0)
