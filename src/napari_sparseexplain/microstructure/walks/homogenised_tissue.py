"""The limit of long times between the cylinders: free diffusion with a smaller diffusivity.

For a hexagonal array of cylinders that let nothing through, the effective conductivity σ* of what
is between them is given by Perrins, McKenzie and McPhedran 1979 (*Transport properties of regular
arrays of cylinders*), and spins there diffuse with D σ* / (1 - f). The formula was checked not at
its source but against the walk between large cylinders (`tests/microstructure/test_walk.py`). It is
used where cylinders are so thin that spins pass many of them between the pulses.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..gradient_table import Timings


def effective_diffusivity(density: float, diffusivity: float) -> float:
    """Across the cylinders, in the unit of ``diffusivity``."""
    f = density
    below = 1 + f - 0.075422 * f**6 / (1 - 1.060283 * f**12) - 0.000076 * f**12
    return diffusivity * (1 - 2 * f / below) / (1 - f)


def homogenised_phases(
    density: float, timings: Timings, diffusivity: float, count: int
) -> npt.NDArray[np.float32]:
    """Quantiles of |φ| under Gaussian diffusion, shape (count,), in µm s.

    φ is Gaussian with variance 2 D δ² (Δ - δ/3) along each axis, so |φ| is Rayleigh distributed.
    Each number is the mean of its part of the distribution.
    """
    d = effective_diffusivity(density, diffusivity) * 1e12
    width = np.sqrt(2 * d * timings.diffusion_time) * timings.small_delta
    # Many more than are wanted, then the means of neighbours: of each part its own mean.
    fine = (np.arange(count * 64) + 0.5) / (count * 64)
    return (
        (width * np.sqrt(-2 * np.log1p(-fine))).reshape(count, -1).mean(axis=1).astype(np.float32)
    )
