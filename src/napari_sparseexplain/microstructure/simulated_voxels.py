"""Simulated voxels: two crossing populations, their weights and tissue, and the scanner's noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .dictionary import Dictionary
from .gradient_table import GradientTable


@dataclass(frozen=True, eq=False)
class Voxels:
    """Simulated voxels with their truth.

    Attributes
    ----------
    signals : ndarray, shape (P, M)
        With noise.
    directions : ndarray, shape (P, 2, 3)
        Of the two populations; the first has the larger share.
    truth : ndarray, shape (P, 2, 3)
        (ν, r, f) of each.
    atoms : ndarray of int, shape (P, 2)
    sigma : float
        Standard deviation of the noise in each of the two channels.
    """

    signals: npt.NDArray[np.float64]
    directions: npt.NDArray[np.float64]
    truth: npt.NDArray[np.float64]
    atoms: npt.NDArray[np.intp]
    sigma: float


def simulated_voxels(
    dictionary: Dictionary,
    table: GradientTable,
    count: int,
    *,
    snr: float = 50.0,
    seed: int = 0,
    least_angle: float = 30.0,
    least_share: float = 0.15,
) -> Voxels:
    """Voxels of two populations with atoms of the dictionary, and Rician noise.

    Parameters
    ----------
    snr : float
        Signal without diffusion weighting over σ; 0 for no noise.
    least_angle : float
        Between the populations, in degrees.
    least_share : float
        ν of the smaller one.
    """
    rng = np.random.default_rng(seed)
    first = _unit(rng.standard_normal((count, 3)))
    across = _unit(np.cross(first, rng.standard_normal((count, 3))))
    angle = np.radians(rng.uniform(least_angle, 90.0, count))[:, None]
    second = np.cos(angle) * first + np.sin(angle) * across
    share = rng.uniform(0.5, 1.0 - least_share, count)
    atoms = rng.integers(0, dictionary.atoms.shape[1], (count, 2))
    known = dictionary.tissue.atoms[atoms]
    weights = np.stack([share, 1 - share], axis=1)
    clean = np.zeros((count, len(table)))
    for k, direction in enumerate((first, second)):
        basis = dictionary.basis(table, direction)
        clean += weights[:, k, None] * np.einsum(
            "pmr,rp->pm", basis, dictionary.atoms[:, atoms[:, k]]
        )
    scale = np.exp(-dictionary.timings.echo_time / dictionary.tissue.t2)
    sigma = scale / snr if snr else 0.0
    noise = rng.normal(0.0, sigma, (2, *clean.shape)) if sigma else np.zeros((2, *clean.shape))
    return Voxels(
        np.hypot(clean + noise[0], noise[1]),
        np.stack([first, second], axis=1),
        np.concatenate([weights[..., None], known], axis=2),
        atoms,
        sigma,
    )


def _unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def without_rician_bias(signals: npt.ArrayLike, sigma: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Magnitudes with most of the bias that noise gives them taken out.

    sign(q) √|q| with q = y² - σ²: E[y²] = S² + 2 σ² for Rician noise (Gudbjartsson and Patz 1995),
    and σ² rather than 2 σ² taken off leaves the mean of y nearly right where S is above σ. Of
    noise alone a mean of .48 σ is left, where √max(q, 0) would leave .76 σ and y itself 1.25 σ.
    """
    y = np.asarray(signals, dtype=np.float64)
    noise = np.asarray(sigma, dtype=np.float64)
    q = y**2 - noise**2
    return np.sign(q) * np.sqrt(np.abs(q))
