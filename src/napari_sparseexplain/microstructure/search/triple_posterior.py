"""All of one voxel's posterior with three populations; see `pair_posterior`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..numba_lock import PARALLEL
from .pair_posterior import SHARE_BINS, PairPosterior, RankedPair, pair_posterior
from .triple_kernel import search_triples

#: Populations of the three pairs of a triple.
_PAIRS = ((0, 1), (0, 2), (1, 2))


def triple_posterior(
    signal: npt.ArrayLike,
    bases: npt.ArrayLike,
    atoms: npt.ArrayLike,
    sigma: float,
    *,
    most: int = 5,
) -> PairPosterior:
    """Look at every triple of atoms of one voxel.

    Parameters
    ----------
    signal : array_like, shape (M,)
    bases : array_like, shape (3, M, R)
    atoms : array_like, shape (R, N)
    sigma : float
        Standard deviation of the noise, above 0.
    most : int
        Triples that are told.
    """
    y = np.ascontiguousarray(signal, dtype=np.float64)
    b = np.ascontiguousarray(bases, dtype=np.float64)
    v = np.ascontiguousarray(atoms, dtype=np.float64)
    count = v.shape[1]
    by_atom, shares = np.zeros((3, count)), np.zeros(SHARE_BINS)
    faces, top = np.zeros((3, count, count)), np.zeros((most, 7))
    with PARALLEL:
        _, total, _, best = search_triples(
            y, b, v, sigma, np.zeros(3, dtype=np.int64), np.zeros(3), by_atom, np.zeros((3, 2)),
            shares, faces, top,
        )  # fmt: skip
    whole = total if total > 0 else 1.0
    sums = by_atom.sum(axis=1)
    ranked = [
        RankedPair(
            tuple(int(n) for n in row[1:4]),
            tuple(float(w) for w in row[4:]),
            float(np.exp((row[0] - best) / (2 * sigma**2)) / whole),
            float((best - row[0]) / sigma**2),
        )
        for row in top
        if row[0] > 0
    ]
    for (one, two), chance in zip(_PAIRS, faces / whole, strict=True):
        ranked += _pairs(y, b[[one, two]], v, sigma, (one, two), chance, best, most)
    ranked = _merged(ranked)
    return PairPosterior(
        by_atom / np.where(sums > 0, sums, 1.0)[:, None],
        shares / whole,
        np.clip(1.0 - sums / whole, 0.0, 1.0),
        tuple(ranked[:most]),
    )


def _merged(ranked: list[RankedPair]) -> list[RankedPair]:
    """Likeliest first; those that differ in an atom without weight alone are one."""
    alike: dict[tuple[int, ...], RankedPair] = {}
    for one in ranked:
        before = alike.get(one.atoms)
        total = one.chance + (0.0 if before is None else before.chance)
        alike[one.atoms] = replace(one, chance=total)
    return sorted(alike.values(), key=lambda one: -one.chance)


def _pairs(
    y: npt.NDArray[np.float64],
    bases: npt.NDArray[np.float64],
    v: npt.NDArray[np.float64],
    sigma: float,
    which: tuple[int, int],
    chance: npt.NDArray[np.float64],
    best: float,
    most: int,
) -> list[RankedPair]:
    """The likeliest pairs where the other population has no weight."""
    found = []
    for place in np.argsort(-chance, axis=None, kind="stable")[:most]:
        i, j = np.unravel_index(place, chance.shape)
        if chance[i, j] <= 0:
            break
        # Of this pair alone, each a dictionary of one atom.
        signals = np.stack([bases[0] @ v[:, i], bases[1] @ v[:, j]])
        of = pair_posterior(y, signals[..., None], np.ones((1, 1)), sigma).best[0]
        atoms, weights = [-1, -1, -1], [0.0, 0.0, 0.0]
        for k, (number, one, weight) in enumerate(zip((i, j), of.atoms, of.weights, strict=True)):
            if one >= 0:
                atoms[which[k]], weights[which[k]] = int(number), weight
        fitted = np.array(of.weights) @ signals
        gain = float(y @ y - ((y - fitted) ** 2).sum())
        found.append(
            RankedPair(tuple(atoms), tuple(weights), float(chance[i, j]), (best - gain) / sigma**2)
        )
    return found
