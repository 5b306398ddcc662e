"""Voxels compared with the dictionary along their fibre directions, which are refined on the way.

What the method *fingerprint* does with each batch of voxels, and what the explanation of a clicked
voxel does again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..dictionary import Dictionary
from ..gradient_table import GradientTable
from .free_water import free_water_signal, has_water, merged, water_weight, without
from .one_population import exhaustive_singles
from .refinement import refined_directions
from .two_populations import Fingerprints, exhaustive_pairs


@dataclass(frozen=True, eq=False)
class Comparison:
    """What was found in P voxels of as many populations each.

    Attributes
    ----------
    found : Fingerprints
    directions : ndarray, shape (P, 2, 3)
        Along which they were compared; of one population the second counts for nothing.
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
) -> Comparison:
    """Compare voxels with all atoms or pairs.

    Parameters
    ----------
    dictionary : Dictionary
    table : GradientTable
    signals : array_like, shape (P, M)
        Without the noise's bias (`without_rician_bias`).
    directions : array_like, shape (P, 2, 3)
        Unit vectors.
    sigma : float
        Standard deviation of the noise.
    count : int
        Populations, 1 or 2.
    refine : bool
        Whether directions are moved a little where that explains more.
    water : bool
        Whether free water may be there beside the axons: it is where the Bayesian information
        criterion says so. Shares ν are then those of the axons alone.

    Raises
    ------
    ParameterError
        A dictionary of another protocol, or shapes that do not go together.
    """
    y = np.asarray(signals, dtype=np.float64)
    ways = np.array(directions, dtype=np.float64)
    if count == 1:
        ways[:, 1] = ways[:, 0]  # has no atom, so it stays
    if refine:
        first = _searched(dictionary, table, y, ways, 0.0, count)
        ways = refined_directions(dictionary, table, y, ways, first.pair)
    found = _searched(dictionary, table, y, ways, sigma, count)
    fitted = fitted_signals(dictionary, table, ways, found)
    share = weight = np.zeros(len(y))
    if water:
        found, fitted, share, weight = _beside_water(
            dictionary, table, y, ways, sigma, count, found, fitted
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
) -> tuple[Fingerprints, *tuple[npt.NDArray[np.float64], ...]]:
    """The search beside free water, taken where it is worth its parameter."""
    signal = free_water_signal(table, dictionary.timings)
    left = without(signal, y, axis=1)
    wet = _searched(dictionary, table, left, directions, sigma, count, beside=signal)
    axons = fitted_signals(dictionary, table, directions, wet)
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
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """One population or two, whichever the Bayesian information criterion prefers.

    One is looked for along each of the two directions. Parameters as of `compared_voxels`.

    Returns
    -------
    count : ndarray of int, shape (P,)
    directions : ndarray, shape (P, 2, 3)
        That of a single population is the first.
    """
    y, ways = np.asarray(signals, dtype=np.float64), np.asarray(directions, dtype=np.float64)
    rest = []
    for count, given in ((2, ways), (1, ways), (1, ways[:, ::-1])):
        it = compared_voxels(
            dictionary, table, y, given, sigma, count=count, refine=refine, water=water
        )
        left = ((y - it.fitted) ** 2).sum(axis=1)
        rest.append(bic(left, sigma, count, y.shape[1], water=it.water > 0))
    second = rest[2] < rest[1]
    one = rest[0] >= np.minimum(rest[1], rest[2])
    turned = np.where((one & second)[:, None, None], ways[:, ::-1], ways)
    return np.where(one, 1, 2), turned


def fitted_signals(
    dictionary: Dictionary,
    table: GradientTable,
    directions: npt.NDArray[np.float64],
    found: Fingerprints,
) -> npt.NDArray[np.float64]:
    """Signals of the best atoms with their weights, shape (P, M)."""
    total = np.zeros((len(directions), len(table)))
    for k in (0, 1):
        atoms = dictionary.atoms[:, np.maximum(found.pair[:, k], 0)].T
        weights = np.where(found.pair[:, k] >= 0, found.weights[:, k], 0.0)
        basis = dictionary.basis(table, directions[:, k])
        total += weights[:, None] * np.einsum("pmr,pr->pm", basis, atoms)
    return total


def _searched(
    dictionary: Dictionary,
    table: GradientTable,
    y: npt.NDArray[np.float64],
    directions: npt.NDArray[np.float64],
    sigma: float,
    count: int,
    beside: npt.NDArray[np.float64] | None = None,
) -> Fingerprints:
    """All atoms or pairs; in what is orthogonal to a signal where one stands ``beside``."""
    atoms, known = dictionary.atoms, dictionary.tissue.atoms
    bases = [dictionary.basis(table, directions[:, k]) for k in range(count)]
    if beside is not None:
        bases = [without(beside, basis, axis=1) for basis in bases]
    if count == 1:
        return exhaustive_singles(y, bases[0], atoms, known, sigma)
    return exhaustive_pairs(y, bases[0], bases[1], atoms, known, sigma)
