"""How much each shell told of a voxel: exact Shapley values of the posterior means.

The shells are players of a game (Shapley 1953). What some of them are worth together is the
posterior mean of (ν, r, f) from their measurements and those without weighting, which always take
part; without any shell it is the mean of the prior, which is flat over the pairs of the grid. A
shell's value is its mean contribution over all orders in which shells can be added, so that the
values add up to the difference between the posterior mean of all measurements and that of the
prior.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ..dictionary import Dictionary
from ..gradient_table import GradientTable
from .free_water import without
from .one_population import exhaustive_singles
from .three_populations import exhaustive_triples
from .two_populations import exhaustive_pairs

#: Shells for which all 2^S coalitions are searched.
MOST_SHELLS = 10


@dataclass(frozen=True, eq=False)
class ShellValues:
    """Shapley values of the shells in P voxels.

    Attributes
    ----------
    b : tuple of float
        b-values of the S shells, s/mm².
    values : ndarray, shape (P, S, K, 3)
        What each shell contributed to (ν, r, f) of each population.
    prior, whole : ndarray, shape (P, K, 3)
        Worth of no shell and of all: ``prior + values.sum(axis=1)`` is ``whole``.
    without : ndarray, shape (P, S, K, 3)
        Posterior mean of all shells but one.
    """

    b: tuple[float, ...]
    values: npt.NDArray[np.float64]
    prior: npt.NDArray[np.float64]
    whole: npt.NDArray[np.float64]
    without: npt.NDArray[np.float64]


def shell_values(
    dictionary: Dictionary,
    table: GradientTable,
    signals: npt.ArrayLike,
    directions: npt.ArrayLike,
    sigma: float,
    *,
    beside: npt.NDArray[np.float64] | None = None,
) -> ShellValues:
    """Exact Shapley values of the shells, by searching every coalition.

    Parameters
    ----------
    dictionary : Dictionary
    table : GradientTable
        Of S shells, at most 10: 2^S searches are made.
    signals : array_like, shape (P, M)
    directions : array_like, shape (P, K, 3)
        Of K = 1 to 3 populations, held in all coalitions. Of one alone ν is 1 before any shell.
    sigma : float
        Standard deviation of the noise, above 0.
    beside : ndarray, shape (M,), optional
        Signal that stands beside the atoms, as of free water: the search is in what is orthogonal
        to it.

    Returns
    -------
    ShellValues

    Raises
    ------
    ParameterError
        No noise level, no shell, or more than 10.
    """
    shells = table.shells
    if not 0 < len(shells) <= MOST_SHELLS or not sigma > 0:
        raise ParameterError(
            f"{len(shells)} shells and σ = {sigma:g} have no values of shells",
            where="Shapley values",
            remedy=f"Give 1 to {MOST_SHELLS} shells and a noise level above 0",
        )
    y = np.asarray(signals, dtype=np.float64)
    ways = np.asarray(directions, dtype=np.float64)
    count = ways.shape[1]
    bases = [dictionary.basis(table, ways[:, k]) for k in range(count)]
    known = dictionary.tissue.atoms
    prior = np.broadcast_to(np.array([1 / count, *known.mean(axis=0)]), (len(y), count, 3)).copy()
    players = range(len(shells))
    worth: dict[frozenset[int], npt.NDArray[np.float64]] = {frozenset(): prior}
    coalitions = [c for size in players for c in combinations(players, size + 1)]
    parts = []
    for some in coalitions:
        rows = np.concatenate([table.b0_rows, *(shells[n].rows for n in some)])
        part, basis = y[:, rows], [each[:, rows] for each in bases]
        if beside is not None:
            part = without(beside[rows], part, axis=1)
            basis = [without(beside[rows], each, axis=1) for each in basis]
        parts.append((part, basis))
    found = _means_of_three if count == 3 else _means
    means = found(parts, dictionary.atoms, known, sigma)
    for some, mean in zip(coalitions, means, strict=True):
        # Of a population without weight nothing is told: what was known before stays.
        worth[frozenset(some)] = np.where(np.isfinite(mean), mean, prior)
    values = np.zeros((len(y), len(shells), count, 3))
    for n in players:
        for some in worth:
            if n not in some:
                share = factorial(len(some)) * factorial(len(shells) - len(some) - 1)
                gained = worth[some | {n}] - worth[some]
                values[:, n] += share / factorial(len(shells)) * gained
    everyone = frozenset(players)
    left_out = np.stack([worth[everyone - {n}] for n in players], axis=1)
    return ShellValues(tuple(s.b for s in shells), values, prior, worth[everyone], left_out)


#: Signals (P, M) and bases (P, M, R) of each population, of the measurements of one coalition.
_Part = tuple[npt.NDArray[np.float64], list[npt.NDArray[np.float64]]]


def _means(
    parts: list[_Part],
    atoms: npt.NDArray[np.float64],
    known: npt.NDArray[np.float64],
    sigma: float,
) -> list[npt.NDArray[np.float64]]:
    """Posterior means (P, K, 3) of one population or two, one coalition after the other."""
    return [
        exhaustive_singles(y, bases[0], atoms, known, sigma).mean[:, :1]
        if len(bases) == 1
        else exhaustive_pairs(y, bases[0], bases[1], atoms, known, sigma).mean
        for y, bases in parts
    ]


def _means_of_three(
    parts: list[_Part],
    atoms: npt.NDArray[np.float64],
    known: npt.NDArray[np.float64],
    sigma: float,
) -> list[npt.NDArray[np.float64]]:
    """The same of three, which take seconds each: all coalitions at once, so in parallel."""
    most = max(y.shape[1] for y, _ in parts)

    def filled(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        # A measurement of 0 that every atom has as 0 tells nothing.
        missing = [(0, 0)] * values.ndim
        missing[1] = (0, most - values.shape[1])
        return np.pad(values, missing)

    y = np.concatenate([filled(y) for y, _ in parts])
    bases = [np.concatenate([filled(bases[k]) for _, bases in parts]) for k in range(3)]
    found = exhaustive_triples(y, np.stack(bases, axis=1), atoms, known, sigma)
    return np.split(found.mean, len(parts))
