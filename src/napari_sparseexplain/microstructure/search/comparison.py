"""Voxels compared with the dictionary along their fibre directions, which are refined on the way.

What the method *fingerprint* does with each batch of voxels, and what the explanation of a clicked
voxel does again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import combinations

import numba
import numpy as np
import numpy.typing as npt

from ..dictionary import Dictionary
from ..gradient_table import GradientTable
from .free_water import free_water_signal, has_water, merged, water_weight, without
from .two_populations import Fingerprints
from .voxel_search import ON_PROCESSOR, VoxelSearch


@dataclass(frozen=True, eq=False)
class Comparison:
    """What was found in P voxels of as many populations each.

    Attributes
    ----------
    found : Fingerprints
    directions : ndarray, shape (P, K, 3)
        Along which they were compared, K = 2 or 3; of one population the second counts for nothing.
    fitted : ndarray, shape (P, M)
        Signals of the best atoms with their weights, and of the water.
    water : ndarray, shape (P,)
        Share of free water in the voxel; 0 where it was not asked for or explains too little.
    water_weight : ndarray, shape (P,)
        What `free_water_signal` was multiplied by.
    """

    found: Fingerprints
    directions: npt.NDArray[np.float64]
    fitted: npt.NDArray[np.float64]
    water: npt.NDArray[np.float64]
    water_weight: npt.NDArray[np.float64]


def compared_voxels(
    dictionary: Dictionary,
    table: GradientTable,
    signals: npt.ArrayLike,
    directions: npt.ArrayLike,
    sigma: float,
    *,
    count: int,
    refine: bool,
    water: bool = False,
    search: VoxelSearch = ON_PROCESSOR,
) -> Comparison:
    """Compare voxels with all atoms, pairs or triples.

    Parameters
    ----------
    dictionary : Dictionary
    table : GradientTable
    signals : array_like, shape (P, M)
        Without the noise's bias (`without_rician_bias`).
    directions : array_like, shape (P, K, 3)
        Unit vectors, of which as many count as there are populations; K is 2 or more.
    sigma : float
        Standard deviation of the noise.
    count : int
        Populations, 1 to 3.
    refine : bool
        Whether directions are moved a little where that explains more.
    water : bool
        Whether free water may be there beside the axons: it is where the Bayesian information
        criterion says so. Shares ν are then those of the axons alone.
    search : VoxelSearch
        Where it is done.

    Raises
    ------
    ParameterError
        A dictionary of another protocol, or shapes that do not go together.
    """
    y = np.asarray(signals, dtype=np.float64)
    ways = np.array(directions, dtype=np.float64)[:, : max(count, 2)]
    if count == 1:
        ways[:, 1] = ways[:, 0]  # has no atom, so it stays
    if refine:
        # Of all triples a part will do to refine by; they take long.
        some = dictionary if count < 3 else thinned(dictionary)
        first = search.found(some, table, y, ways, 0.0, count)
        ways = search.refined(some, table, y, ways, first.pair)
    found = search.found(dictionary, table, y, ways, sigma, count)
    fitted = search.fitted(dictionary, table, ways, found)
    share = weight = np.zeros(len(y))
    if water:
        found, fitted, share, weight = _beside_water(
            dictionary, table, y, ways, sigma, count, found, fitted, search
        )
    return Comparison(found, ways, fitted, share, weight)


def _beside_water(
    dictionary: Dictionary,
    table: GradientTable,
    y: npt.NDArray[np.float64],
    directions: npt.NDArray[np.float64],
    sigma: float,
    count: int,
    plain: Fingerprints,
    fitted: npt.NDArray[np.float64],
    search: VoxelSearch,
) -> tuple[Fingerprints, *tuple[npt.NDArray[np.float64], ...]]:
    """The search beside free water, taken where it is worth its parameter."""
    signal = free_water_signal(table, dictionary.timings)
    left = without(signal, y, axis=1)
    wet = search.found(dictionary, table, left, directions, sigma, count, beside=signal)
    axons = search.fitted(dictionary, table, directions, wet)
    weight = water_weight(y, axons, signal)
    chosen = has_water(plain.residual, wet.residual, weight, sigma, y.shape[1])
    weight = np.where(chosen, weight, 0.0)
    total = np.where(chosen[:, None], axons + weight[:, None] * signal, fitted)
    tissue = np.maximum(wet.weights.sum(axis=1), 0.0)
    share = np.where(chosen, weight / np.maximum(weight + tissue, 1e-300), 0.0)
    return merged(plain, wet, chosen), total, share, weight


def bic(
    residual: npt.NDArray[np.float64],
    sigma: float,
    populations: int,
    measurements: int,
    *,
    water: npt.NDArray[np.bool_] | bool = False,
) -> npt.NDArray[np.float64]:
    """Bayesian information criterion of voxels with so many populations (Schwarz 1978).

    ‖r‖²/σ² + k ln M, with k = 5 parameters a population (weight, radius, density and direction)
    and one of free water where it is there.
    """
    return residual / sigma**2 + (5 * populations + np.asarray(water)) * np.log(measurements)


def chosen_populations(
    dictionary: Dictionary,
    table: GradientTable,
    signals: npt.ArrayLike,
    directions: npt.ArrayLike,
    sigma: float,
    *,
    refine: bool,
    water: bool = False,
    search: VoxelSearch = ON_PROCESSOR,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """As many of K populations as the Bayesian information criterion prefers.

    Fewer are looked for along every choice of the K = 2 or 3 directions. Parameters as of
    `compared_voxels`.

    Returns
    -------
    count : ndarray of int, shape (P,)
    directions : ndarray, shape (P, K, 3)
        Those of the populations that are kept come first.
    """
    y, ways = np.asarray(signals, dtype=np.float64), np.asarray(directions, dtype=np.float64)
    numbers = range(ways.shape[1])
    # Of equal ones the fewest.
    choices = [c for size in numbers for c in combinations(numbers, size + 1)]
    orders = np.array([[*c, *(n for n in numbers if n not in c)] for c in choices])
    costs = []
    for choice, order in zip(choices, orders, strict=True):
        it = compared_voxels(
            dictionary, table, y, ways[:, order], sigma,
            count=len(choice), refine=refine, water=water, search=search,
        )  # fmt: skip
        left = ((y - it.fitted) ** 2).sum(axis=1)
        costs.append(bic(left, sigma, len(choice), y.shape[1], water=it.water > 0))
    best = np.argmin(costs, axis=0)
    turned = ways[np.arange(len(ways))[:, None], orders[best]]
    return np.array([len(choice) for choice in choices])[best], turned


def thinned(dictionary: Dictionary) -> Dictionary:
    """Every second radius and density of a dictionary."""
    tissue = dictionary.tissue
    kept = replace(tissue, radii=tissue.radii[::2], densities=tissue.densities[::2])
    numbers = np.arange(dictionary.atoms.shape[1]).reshape(len(tissue.radii), -1)
    return replace(
        dictionary, tissue=kept, atoms=dictionary.atoms[:, numbers[::2, ::2].ravel()]
    )  # fmt: skip


def seconds_of_three(dictionary: Dictionary, table: GradientTable) -> float:
    """About how long a voxel of three populations takes here, from a search of some triples."""
    some = thinned(dictionary)
    ways = np.repeat(np.eye(3)[None], numba.get_num_threads(), axis=0)
    atom = some.atoms[:, some.atoms.shape[1] // 2]
    y = np.mean([dictionary.basis(table, way) @ atom for way in np.eye(3)], axis=0)
    given = (some, table, np.repeat(y[None], len(ways), axis=0), ways, 0.02 * float(y.max()), 3)
    ON_PROCESSOR.found(*given)  # compiles
    start = time.perf_counter()
    ON_PROCESSOR.found(*given)
    share = (dictionary.atoms.shape[1] / some.atoms.shape[1]) ** 3
    return (time.perf_counter() - start) * share / len(ways)
