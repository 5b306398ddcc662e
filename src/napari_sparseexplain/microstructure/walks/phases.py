"""Phases of simulated spins, kept as quantiles, and the signal of any gradient at their timings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import j0

from ..gradient_table import GAMMA, Timings
from ..tissue import Tissue

#: Numbers that stand for the phases of one walk.
QUANTILES = 256


def quantile_means(phases: npt.ArrayLike, count: int = QUANTILES) -> npt.NDArray[np.float32]:
    """Means of equally many neighbouring values, from small to large.

    A mean over all spins of a smooth function of the phase is nearly its mean over these.
    """
    ordered = np.sort(np.asarray(phases, dtype=np.float64).ravel())
    edges = np.linspace(0, ordered.size, min(count, ordered.size) + 1).round().astype(int)
    return np.add.reduceat(ordered, edges[:-1]).__truediv__(np.diff(edges)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Phases:
    """The walks of a tissue at given timings.

    Attributes
    ----------
    tissue : Tissue
    timings : Timings
    inside : ndarray, shape (radii, Q)
        |φ| in cylinders, in µm s, as quantiles.
    outside : ndarray, shape (radii, densities, Q)
        |φ| between the cylinders.
    spins : int
        Spins of a walk.
    seed : int
    """

    tissue: Tissue
    timings: Timings
    inside: npt.NDArray[np.float32]
    outside: npt.NDArray[np.float32]
    spins: int
    seed: int

    def across(
        self, strength: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Signals of gradients across the fibres, inside and outside.

        E(G) = ⟨J₀(γ G |φ|)⟩: the mean over all directions in the plane, in which the array has no
        direction of its own.

        Parameters
        ----------
        strength : array_like, shape (K,)
            In T/m.

        Returns
        -------
        inside, outside : ndarray, shape (K, radii), (K, radii, densities)
        """
        wave = GAMMA * np.asarray(strength, dtype=np.float64) * 1e-6
        inside, outside = (
            np.stack([j0(w * phases).mean(axis=-1) for w in wave])
            for phases in (self.inside.astype(np.float64), self.outside.astype(np.float64))
        )
        return inside, outside

    def atoms(self, b: float, cosine: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Signals of all atoms for gradients at an angle to the fibres.

        S = exp(-TE / T₂) (f E_in + (1 - f) E_ex), each the product of free diffusion along the
        fibre, exp(-b cos² D), and what the walk found for the part of the gradient across it.

        Parameters
        ----------
        b : float
            In s/mm².
        cosine : array_like, shape (K,)
            |u · g|.

        Returns
        -------
        ndarray, shape (K, N)
            In the order of `Tissue.atoms`.
        """
        c = np.abs(np.asarray(cosine, dtype=np.float64))
        strength = self.timings.strength(b) * np.sqrt(np.maximum(1 - c**2, 0.0))
        inside, outside = self.across(strength)
        f = self.tissue.densities
        whole = f * inside[:, :, None] + (1 - f) * outside
        along = np.exp(-b * 1e6 * c**2 * self.tissue.diffusivity)
        scale = np.exp(-self.timings.echo_time / self.tissue.t2)
        return (scale * along[:, None, None] * whole).reshape(len(c), -1)

    def standard_error(self, strength: float) -> npt.NDArray[np.float64]:
        """Of every atom's signal across the fibres, shape (N,), from its number of spins."""
        wave = GAMMA * strength * 1e-6
        inside, outside = (
            j0(wave * phases.astype(np.float64)).std(axis=-1)
            for phases in (self.inside, self.outside)
        )
        f = self.tissue.densities
        variance = (f * inside[:, None]) ** 2 + ((1 - f) * outside) ** 2
        scale = np.exp(-self.timings.echo_time / self.tissue.t2)
        return (scale * np.sqrt(variance / self.spins)).reshape(-1)
