"""What a network that reads tissue says of itself. Readable without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

from ...files.plain_data import AtMost, Between, Matches

#: Whether it is fed the sparse projection or the measurements.
TissueNetworkKind = Literal["hybrid", "learned"]

#: Measurements, and values of an axis of tissues, that make sense.
_MOST = 20_000

_Axis = Annotated[tuple[Annotated[float, Between(0, 20)], ...], AtMost(_MOST)]
_Gradient = tuple[float, float, float, float]
_Milliseconds = Annotated[float, Between(0, 1000)]


@dataclass(frozen=True)
class TissueCard:
    """Card of a network that reads (ν, r, f) of two fibre populations.

    Attributes
    ----------
    kind : str
        ``"hybrid"`` (weights of the sparse projection) or ``"learned"`` (measurements).
    radii, densities : tuple of float
        Of the atoms, in µm and as shares; what it can tell lies within.
    small_delta, big_delta, echo_time : float
        Timings it was trained for, in ms.
    unweighted : float
        Signal of all atoms without diffusion weighting, exp(-TE / T2): what it is fed there.
    gradients : tuple of (b, x, y, z)
        Of the measurements, in s/mm² and as unit vectors. The hybrid takes any gradients: these
        are those that it was trained with.
    snr : (float, float)
        Noise levels it was trained with.
    least_share, least_angle, one_population, direction_error : float
        What else the voxels were drawn from (`microstructure.tissue_samples.SampleRanges`).
    samples, epochs, seed : int
    errors : tuple of float
        Mean absolute errors of ν, r (µm) and f in voxels that were held back.
    weights_sha256 : str
    notes : tuple of str
    """

    kind: TissueNetworkKind
    radii: _Axis
    densities: _Axis
    small_delta: _Milliseconds
    big_delta: _Milliseconds
    echo_time: _Milliseconds
    unweighted: Annotated[float, Between(1e-6, 1)]
    gradients: Annotated[tuple[_Gradient, ...], AtMost(_MOST)]
    snr: tuple[float, float]
    least_share: Annotated[float, Between(0, 0.5)]
    least_angle: Annotated[float, Between(0, 90)]
    one_population: Annotated[float, Between(0, 1)]
    direction_error: Annotated[float, Between(0, 90)]
    samples: Annotated[int, Between(1, 1e12)]
    epochs: Annotated[int, Between(1, 1e9)]
    seed: Annotated[int, Between(0, 2**63)]
    errors: tuple[float, float, float]
    weights_sha256: Annotated[str, Matches("[0-9a-f]{64}", "64 hexadecimal digits")] = "0" * 64
    notes: Annotated[tuple[str, ...], AtMost(50)] = field(default=())

    @property
    def atoms(self) -> int:
        """N of a sub-dictionary."""
        return len(self.radii) * len(self.densities)

    @property
    def largest(self) -> npt.NDArray[np.float64]:
        """Largest ν, r and f: what an output of 1 stands for."""
        return np.array([1.0, max(self.radii), max(self.densities)])

    @property
    def least(self) -> npt.NDArray[np.float64]:
        """Least ν, r and f."""
        return np.array([0.0, min(self.radii), min(self.densities)])
