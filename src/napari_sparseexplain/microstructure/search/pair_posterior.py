"""All of one voxel's posterior: of every atom of each population, of ν, and the best pairs.

`exhaustive_pairs` and `exhaustive_singles` pass over it and keep moments; of a voxel that a person
asks for all of it is kept, by the same words: Gaussian noise, a flat prior over the pairs of the
grid, and the best weights of each pair taken for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Places of ν between which its posterior is counted.
SHARE_BINS = 50

#: As in the search over pairs: what is less likely than exp of this is left out, and two atoms
#: whose 1 - c² is below this are one.
_FAINT, _SAME = -18.0, 1e-6


@dataclass(frozen=True)
class RankedPair:
    """One of the pairs that explain a voxel best.

    Attributes
    ----------
    atoms : tuple of int
        One of each population; -1 where it has no weight.
    weights : tuple of float
    chance : float
        Its share of the posterior.
    worse : float
        How much larger ‖r‖²/σ² is than the best pair's.
    """

    atoms: tuple[int, ...]
    weights: tuple[float, ...]
    chance: float
    worse: float


@dataclass(frozen=True, eq=False)
class PairPosterior:
    """The posterior of one voxel with K populations.

    Attributes
    ----------
    atoms : ndarray, shape (K, N)
        Of each atom of a population, given that the population has a weight: each row sums to 1,
        or to 0 where no likely pair gives it one.
    share : ndarray, shape (SHARE_BINS,)
        Of the first population's ν, from 0 to 1; sums to 1.
    absent : ndarray, shape (K,)
        That a population has no weight.
    best : tuple of RankedPair
        The most likely, best first.
    """

    atoms: npt.NDArray[np.float64]
    share: npt.NDArray[np.float64]
    absent: npt.NDArray[np.float64]
    best: tuple[RankedPair, ...]


def pair_posterior(
    signal: npt.ArrayLike,
    bases: npt.ArrayLike,
    atoms: npt.ArrayLike,
    sigma: float,
    *,
    most: int = 5,
) -> PairPosterior:
    """Look at every atom, or every pair of atoms, of one voxel.

    Parameters
    ----------
    signal : array_like, shape (M,)
    bases : array_like, shape (K, M, R)
        Of its fibre directions, K = 1 or 2.
    atoms : array_like, shape (R, N)
    sigma : float
        Standard deviation of the noise, above 0.
    most : int
        Pairs that are told.
    """
    y, v = np.asarray(signal, dtype=np.float64), np.asarray(atoms, dtype=np.float64)
    each = [_correlations(y, basis, v) for basis in np.asarray(bases, dtype=np.float64)]
    if len(each) == 1:
        (lengths, common, _) = each[0]
        gain = np.maximum(common, 0.0) ** 2
        weights = np.stack([np.maximum(common, 0.0) / lengths, np.zeros_like(gain)])
        return _told(gain[:, None], weights[..., None], sigma, most, populations=1)
    (n1, y1, left), (n2, y2, right) = each
    cosine = left.T @ right
    rest = 1.0 - cosine**2
    first, second = y1[:, None] - cosine * y2, y2 - cosine * y1[:, None]
    both = (first > 0) & (second > 0) & (rest > _SAME)
    one = y1[:, None] >= y2
    rest = np.where(both, rest, 1.0)
    alone = np.maximum(np.where(one, y1[:, None], y2), 0.0)
    gain = np.where(both, y1[:, None] ** 2 + second**2 / rest, alone**2)
    weights = np.stack(
        [
            np.where(both, first / rest, np.where(one, alone, 0.0)) / n1[:, None],
            np.where(both, second / rest, np.where(one, 0.0, alone)) / n2,
        ]
    )
    return _told(gain, weights, sigma, most, populations=2)


def _correlations(
    y: npt.NDArray[np.float64], basis: npt.NDArray[np.float64], v: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], ...]:
    """Lengths of the atoms, what they have in common with the data at length 1, and these."""
    signals = basis @ v
    lengths = np.sqrt(np.maximum((signals**2).sum(axis=0), 1e-300))
    unit = signals / lengths
    return lengths, unit.T @ y, unit


def _told(
    gain: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    sigma: float,
    most: int,
    *,
    populations: int,
) -> PairPosterior:
    """From what each pair explains and its weights (2, N, N or 1)."""
    exponent = (gain - gain.max()) / (2 * sigma**2)
    total = weights.sum(axis=0)
    if populations == 1:
        chance = np.exp(exponent) if gain.max() > 0 else np.zeros_like(gain)
    else:
        kept = (exponent >= _FAINT) & (total > 0)
        chance = np.where(kept, np.exp(np.maximum(exponent, _FAINT)), 0.0)
    chance /= chance.sum() if chance.any() else 1.0
    # Without weight a population's radius and density are not told.
    present = [
        chance if populations == 1 else chance * (weights[k] > 0) for k in range(populations)
    ]
    by_atom = np.stack([p.sum(axis=1 - k) for k, p in enumerate(present)])
    sums = by_atom.sum(axis=1, keepdims=True)
    share = np.where(total > 0, weights[0] / np.where(total > 0, total, 1.0), 0.0)
    edges = np.linspace(0.0, 1.0, SHARE_BINS + 1)
    counted, _ = np.histogram(share, bins=edges, weights=chance)
    return PairPosterior(
        by_atom / np.where(sums > 0, sums, 1.0),
        counted,
        1.0 - sums[:, 0],
        _ranked(chance, -2 * exponent, weights, most, populations),
    )


def _ranked(
    chance: npt.NDArray[np.float64],
    worse: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    most: int,
    populations: int,
) -> tuple[RankedPair, ...]:
    """The best pairs; those that differ in an atom without weight alone are one."""
    rows, columns = np.nonzero(chance)
    if not rows.size:
        return ()
    given = weights[:populations, rows, columns]
    places = np.where(given > 0, np.stack([rows, columns])[:populations], -1)
    alike, first, of = np.unique(places, axis=1, return_index=True, return_inverse=True)
    summed = np.bincount(of.ravel(), weights=chance[rows, columns])
    return tuple(
        RankedPair(
            tuple(int(place) for place in alike[:, n]),
            tuple(float(weight) for weight in given[:, first[n]]),
            float(summed[n]),
            float(worse[rows[first[n]], columns[first[n]]]),
        )
        for n in np.argsort(-summed, kind="stable")[:most]
    )
