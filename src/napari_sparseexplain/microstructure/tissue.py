"""Parallel axons as the paper has them: cylinders of one radius in a hexagonal array."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..errors import ParameterError

#: Densest hexagonal packing of circles, π / (2 √3).
DENSEST = float(np.pi / (2 * np.sqrt(3)))


def _radii() -> npt.NDArray[np.float64]:
    return np.round(np.arange(0.4, 7.01, 0.2), 3)


def _densities() -> npt.NDArray[np.float64]:
    return np.round(np.arange(0.21, 0.871, 0.03), 3)


@dataclass(frozen=True, eq=False)
class Tissue:
    """What the atoms of a dictionary stand for.

    The defaults are the paper's: 34 radii by 23 densities, 782 atoms.

    Attributes
    ----------
    radii : ndarray
        Axon radius index r in µm.
    densities : ndarray
        Axon density index f, the share of the area within axons; below 0.9069.
    diffusivity : float
        Within and between axons, m²/s.
    t2 : float
        Of both, in seconds.
    """

    radii: npt.NDArray[np.float64] = field(default_factory=_radii)
    densities: npt.NDArray[np.float64] = field(default_factory=_densities)
    diffusivity: float = 2e-9
    t2: float = 70e-3

    def __post_init__(self) -> None:
        for name, most in (("radii", 20.0), ("densities", DENSEST)):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            if values.ndim != 1 or not values.size or not ((values > 0) & (values < most)).all():
                raise ParameterError(
                    f"{name} must lie above 0 and below {most:.4g}", where="tissue",
                    remedy="Radii are in µm; circles of one size fill at most 90.69 % of an area",
                )  # fmt: skip
            object.__setattr__(self, name, values)

    @property
    def atoms(self) -> npt.NDArray[np.float64]:
        """(r, f) of every atom, shape (N, 2): all densities of the first radius come first."""
        return np.array([(r, f) for r in self.radii for f in self.densities])


def lattice_spacing(radius: float, density: float) -> float:
    """Distance of neighbours in a hexagonal array of circles that fill a share of the area."""
    return float(radius * np.sqrt(2 * np.pi / (np.sqrt(3) * density)))
