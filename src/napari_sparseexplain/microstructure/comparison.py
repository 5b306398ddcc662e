"""Voxels compared with the dictionary along their fibre directions, which are refined on the way.

What the method *fingerprint* does with each batch of voxels, and what the explanation of a clicked
voxel does again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .dictionary import Dictionary
from .exhaustive import Fingerprints, exhaustive_pairs
from .gradient_table import GradientTable
from .refinement import refined_directions
from .single import exhaustive_singles


@dataclass(frozen=True, eq=False)
class Comparison:
    """What was found in P voxels of as many populations each.

    Attributes
    ----------
    found : Fingerprints
    directions : ndarray, shape (P, 2, 3)
        Along which they were compared; of one population the second counts for nothing.
    fitted : ndarray, shape (P, M)
        Signals of the best atoms with their weights.
    """

    found: Fingerprints
    directions: npt.NDArray[np.float64]
    fitted: npt.NDArray[np.float64]


def compared_voxels(
    dictionary: Dictionary,
    table: GradientTable,
    signals: npt.ArrayLike,
    directions: npt.ArrayLike,
    sigma: float,
    *,
    count: int,
    refine: bool,
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
    return Comparison(found, ways, fitted_signals(dictionary, table, ways, found))


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
) -> Fingerprints:
    atoms, known = dictionary.atoms, dictionary.tissue.atoms
    first = dictionary.basis(table, directions[:, 0])
    if count == 1:
        return exhaustive_singles(y, first, atoms, known, sigma)
    second = dictionary.basis(table, directions[:, 1])
    return exhaustive_pairs(y, first, second, atoms, known, sigma)
