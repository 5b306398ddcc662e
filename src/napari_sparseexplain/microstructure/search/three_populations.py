"""Exhaustive search where three fibre populations cross: the best three atoms of all N³.

For each atom of the third population what it explains is taken out of the data and of the other
atoms, and all pairs are searched in what is left, as in `two_populations`; that takes N times as
long as a search over pairs. Where one of three weights would be negative the best pair is left: of
three that is the best of its three pairs, since the problem is convex.

The posterior is that of the search over pairs: Gaussian noise, a flat prior over all triples of the
grid, and the best weights of each triple taken for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ..in_threads import in_threads
from ..numba_lock import PARALLEL
from .triple_kernel import search_triples
from .two_populations import atom_mean_sd


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
    mean, sd : ndarray, shape (P, 3, 3)
        Posterior mean and standard deviation of (ν, r, f) of each population; not a number without
        a noise level, and r, f of a population that no likely triple gives a weight.
    entropy : ndarray, shape (P,)
        Of the posterior over triples, in bits.
    """

    atoms: npt.NDArray[np.intp]
    weights: npt.NDArray[np.float64]
    residual: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    sd: npt.NDArray[np.float64]
    entropy: npt.NDArray[np.float64]


def exhaustive_triples(
    signals: npt.ArrayLike,
    bases: npt.ArrayLike,
    atoms: npt.ArrayLike,
    parameters: npt.ArrayLike | None = None,
    sigma: float = 0.0,
) -> Triples:
    """Search all triples of atoms in each voxel.

    Parameters
    ----------
    signals : array_like, shape (P, M)
        Measurements, finite.
    bases : array_like, shape (P, 3, M, R)
        Of the three fibre directions of each voxel (`Dictionary.basis`).
    atoms : array_like, shape (R, N)
    parameters : array_like, shape (N, 2), optional
        (r, f) of the atoms, for the posterior.
    sigma : float
        Standard deviation of the noise; 0: no posterior.

    Raises
    ------
    ParameterError
        Shapes that do not go together, or values that are not finite.
    """
    y = np.ascontiguousarray(signals, dtype=np.float64)
    b = np.ascontiguousarray(bases, dtype=np.float64)
    v = np.ascontiguousarray(atoms, dtype=np.float64)
    known = np.zeros((v.shape[-1], 2)) if parameters is None else np.asarray(parameters, float)
    if (
        y.ndim != 2
        or v.ndim != 2
        or b.shape != (len(y), 3, y.shape[1], len(v))
        or known.shape != (v.shape[1], 2)
    ):
        raise ParameterError(
            f"signals {y.shape}, bases {b.shape}, atoms {v.shape} and parameters {known.shape} do "
            "not go together",
            where="fingerprinting",
        )
    if not np.isfinite(y).all():
        raise ParameterError(
            "a voxel holds a value that is no number", where="fingerprinting",
            remedy="Leave such voxels out of the mask",
        )  # fmt: skip
    count, noise = len(y), float(sigma) if parameters is not None else 0.0
    found = Triples(
        np.full((count, 3), -1, dtype=np.int64), np.zeros((count, 3)), np.zeros(count),
        np.full((count, 3, 3), np.nan), np.full((count, 3, 3), np.nan), np.full(count, np.nan),
    )  # fmt: skip
    known = np.ascontiguousarray(known)

    def part(start: int, stop: int) -> None:
        _search(y, b, v, known, noise, found, slice(start, stop))

    with PARALLEL:
        in_threads(part, count)
    return found


def _search(
    y: npt.NDArray[np.float64],
    bases: npt.NDArray[np.float64],
    v: npt.NDArray[np.float64],
    known: npt.NDArray[np.float64],
    sigma: float,
    found: Triples,
    rows: slice,
) -> None:
    """Fill some rows of what is found.

    The loop over voxels is not compiled. Each takes far longer than a step of it, and as a part of
    compiled code the search would be compiled a second time, which takes seconds.
    """
    none = np.zeros(0), np.zeros((0, 0, 0)), np.zeros((0, 7))
    for p in range(*rows.indices(len(y))):
        by_atom, share = np.zeros((3, v.shape[1])), np.zeros((3, 2))
        residual, total, log_sum, _ = search_triples(
            y[p], bases[p], v, sigma, found.atoms[p], found.weights[p], by_atom, share, *none
        )
        found.residual[p] = residual
        if total > 0:
            found.entropy[p] = (np.log(total) - log_sum / total) / np.log(2.0)
            for k in range(3):
                mean, sd = found.mean[p, k], found.sd[p, k]
                mean[0] = share[k, 0] / total
                sd[0] = np.sqrt(max(share[k, 1] / total - mean[0] * mean[0], 0.0))
                atom_mean_sd(by_atom[k], known, mean, sd)
