"""Simulated voxels to train networks on: signals, the sparse projection, and the tissue behind.

Tissue parameters are uniform in the dictionary's ranges, as in Rensonnet et al. 2021, section 3.3,
and lie between its atoms as well as on them. What a scan brings besides is simulated too: a range
of noise levels, directions that are off by some degrees, voxels of one population.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from ..errors import ParameterError
from ..progress import Progress, Work
from .dictionary import Dictionary
from .gradient_table import GradientTable
from .search.nnls import nnls_weights
from .simulated_voxels import without_rician_bias
from .tissue import Tissue

#: Voxels made at a time: their bases are what memory is needed for.
BATCH = 512


@dataclass(frozen=True)
class SampleRanges:
    """What the simulated voxels are drawn from.

    Attributes
    ----------
    snr : tuple of float
        Signal without diffusion weighting over σ, uniform in its logarithm.
    least_share : float
        ν of the smaller of two populations.
    least_angle : float
        Between two populations, in degrees.
    one_population : float
        Share of the voxels that hold one population only.
    direction_error : float
        Directions that the sparse projection is given are off by the size of a normal number with
        this standard deviation, in degrees.
    same_tissue : bool
        Whether both populations of a voxel have the same r and f, as in the paper's Fig. 4.
    """

    snr: tuple[float, float] = (20.0, 120.0)
    least_share: float = 0.1
    least_angle: float = 20.0
    one_population: float = 0.1
    direction_error: float = 5.0
    same_tissue: bool = False


@dataclass(frozen=True, eq=False)
class TissueSamples:
    """Simulated voxels.

    Attributes
    ----------
    signals : ndarray of float32, shape (P, M)
        With noise, its bias taken off; about 1 times exp(-TE / T2) at b = 0.
    weights : csr_array of float32, shape (P, 2 N)
        The sparse projection on the sub-dictionaries of both directions, one after the other.
    truth : ndarray of float32, shape (P, 2, 3)
        (ν, r, f) of each population; those of a population that is not there are (0, nan, nan).
    """

    signals: npt.NDArray[np.float32]
    weights: csr_array
    truth: npt.NDArray[np.float32]


def tissue_samples_work(
    dictionary: Dictionary,
    table: GradientTable,
    count: int,
    *,
    start: int = 0,
    seed: int = 0,
    ranges: SampleRanges | None = None,
    project: bool = True,
) -> Work[TissueSamples]:
    """Simulate voxels and project them on the dictionary.

    Parameters
    ----------
    count : int
        P. The first voxels are the same whatever the count.
    start : int
        Voxels that are passed over, a multiple of `BATCH`: a large set is made in parts.
    project : bool
        Whether the sparse projection is computed; else its weights are empty.

    Raises
    ------
    ParameterError
        No voxels are asked for, or the protocol is not the dictionary's.
    """
    if count < 1 or start % BATCH:
        raise ParameterError(
            f"{count} voxels from {start} on cannot be simulated", where="simulated voxels",
            remedy=f"Ask for one or more, from a multiple of {BATCH} on",
        )  # fmt: skip
    ranges = ranges or SampleRanges()
    signals, truth, weights = [], [], []
    for done in range(0, count, BATCH):
        yield Progress(done, count, "Simulating voxels")
        rng = np.random.default_rng([seed, (start + done) // BATCH])
        size = min(BATCH, count - done)
        y, given, known = _drawn(dictionary, table, rng, ranges)
        y, given, known = y[:size], given[:size], known[:size]
        signals.append(y.astype(np.float32))
        truth.append(known.astype(np.float32))
        if project:
            weights.append(sparse_projection(dictionary, table, y, given))
    empty = csr_array((count, 2 * dictionary.atoms.shape[1]), dtype=np.float32)
    return TissueSamples(
        np.concatenate(signals),
        csr_array(vstack(weights)) if weights else empty,
        np.concatenate(truth),
    )


def sparse_projection(
    dictionary: Dictionary,
    table: GradientTable,
    signals: npt.NDArray[np.float64],
    directions: npt.NDArray[np.float64],
) -> csr_array:
    """Non-negative weights of all atoms of both directions, as rows of a sparse matrix.

    Parameters
    ----------
    signals : ndarray, shape (P, M)
    directions : ndarray, shape (P, 2, 3)
        A population that is not there has the direction (0, 0, 0), and gets no weights.

    Returns
    -------
    csr_array of float32, shape (P, 2 N)
    """
    bases = np.stack([dictionary.basis(table, directions[:, k]) for k in (0, 1)], axis=1)
    bases[~directions.any(axis=2)] = 0.0
    found = nnls_weights(signals, bases, dictionary.atoms)
    return csr_array(found.reshape(len(found), -1).astype(np.float32))


def _drawn(
    dictionary: Dictionary, table: GradientTable, rng: np.random.Generator, ranges: SampleRanges
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """One batch: signals, directions that are told, truth."""
    first = _unit(rng.standard_normal((BATCH, 3)))
    across = _unit(np.cross(first, rng.standard_normal((BATCH, 3))))
    angle = np.radians(rng.uniform(ranges.least_angle, 90.0, BATCH))[:, None]
    directions = np.stack([first, np.cos(angle) * first + np.sin(angle) * across], axis=1)
    share = rng.uniform(ranges.least_share, 1.0 - ranges.least_share, BATCH)
    alone = rng.uniform(size=BATCH) < ranges.one_population
    share[alone] = 1.0
    shares = np.stack([share, 1.0 - share], axis=1)
    tissue = dictionary.tissue
    values = np.stack(
        [rng.uniform(v.min(), v.max(), (BATCH, 2)) for v in (tissue.radii, tissue.densities)],
        axis=2,
    )
    if ranges.same_tissue:
        values[:, 1] = values[:, 0]
    clean = np.zeros((BATCH, len(table)))
    for k in (0, 1):
        columns = atoms_between(dictionary.atoms, tissue, values[:, k])
        basis = dictionary.basis(table, directions[:, k])
        clean += shares[:, k, None] * np.einsum("pmr,pr->pm", basis, columns)
    scale = np.exp(-dictionary.timings.echo_time / tissue.t2)
    low, high = np.log(ranges.snr)
    sigma = scale / np.exp(rng.uniform(low, high, BATCH))[:, None]
    noise = rng.standard_normal((2, *clean.shape)) * sigma
    y = without_rician_bias(np.hypot(clean + noise[0], noise[1]), sigma)
    turned = _turned(directions, rng, ranges.direction_error)
    turned[alone, 1] = 0.0
    values[alone, 1] = np.nan
    return y, turned, np.concatenate([shares[..., None], values], axis=2)


def atoms_between(
    atoms: npt.NDArray[np.float64], tissue: Tissue, values: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Coefficients of tissues that lie between those of the dictionary, bilinearly.

    Parameters
    ----------
    atoms : ndarray, shape (R, N)
    values : ndarray, shape (P, 2)
        (r, f) within the tissue's ranges.

    Returns
    -------
    ndarray, shape (P, R)
    """
    grid = atoms.T.reshape(len(tissue.radii), len(tissue.densities), -1)
    low, part = zip(
        *(_place(axis, values[:, n]) for n, axis in enumerate((tissue.radii, tissue.densities))),
        strict=True,
    )
    total = np.zeros((len(values), grid.shape[2]))
    for up in (0, 1):
        for right in (0, 1):
            of_radius = part[0] if up else 1.0 - part[0]
            of_density = part[1] if right else 1.0 - part[1]
            corner = grid[
                np.minimum(low[0] + up, grid.shape[0] - 1),
                np.minimum(low[1] + right, grid.shape[1] - 1),
            ]
            total += (of_radius * of_density)[:, None] * corner
    return total


def _place(
    axis: npt.NDArray[np.float64], values: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Which step of an axis each value lies in, and how far along it."""
    if len(axis) == 1:
        return np.zeros(len(values), dtype=np.intp), np.zeros(len(values))
    low = np.clip(np.searchsorted(axis, values, side="right") - 1, 0, len(axis) - 2)
    return low, (values - axis[low]) / (axis[low + 1] - axis[low])


def _turned(
    directions: npt.NDArray[np.float64], rng: np.random.Generator, spread: float
) -> npt.NDArray[np.float64]:
    """Each direction turned about a random axis at right angles to it."""
    across = _unit(np.cross(directions, rng.standard_normal(directions.shape)))
    angle = np.radians(np.abs(rng.normal(0.0, spread, directions.shape[:2])))[..., None]
    return np.cos(angle) * directions + np.sin(angle) * across


def _unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
