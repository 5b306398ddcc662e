"""Phases of a fine grid of tissues from walks on a coarse one.

Between cylinders the phases are nearly those of free diffusion with the diffusivity of the limit of
long times, which is known for every density (`homogenised.py`). Divided by its width they change
little and smoothly with radius and density, so that few walks of many spins tell more than many
walks of few: quantiles are interpolated linearly in both.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ..tissue import Tissue
from .homogenised_tissue import effective_diffusivity
from .phases import Phases


def interpolated_outside(coarse: Phases, tissue: Tissue) -> npt.NDArray[np.float32]:
    """|φ| between the cylinders of a fine grid.

    Parameters
    ----------
    coarse : Phases
        Walks at some radii and densities.
    tissue : Tissue
        Radii and densities wanted. Below the smallest radius of the walks the phases go linearly
        to those of the limit of long times at radius 0.

    Returns
    -------
    ndarray, shape (radii, densities, Q)

    Raises
    ------
    ParameterError
        A radius or density lies beyond the walks, or the diffusivities differ.
    """
    walked = coarse.tissue
    if walked.diffusivity != tissue.diffusivity:
        raise ParameterError("the walks are of another diffusivity", where="simulation")
    if (
        tissue.radii.max() > walked.radii.max() + 1e-9
        or tissue.densities.min() < walked.densities.min() - 1e-9
        or tissue.densities.max() > walked.densities.max() + 1e-9
    ):
        raise ParameterError(
            "radii or densities lie beyond those that were walked", where="simulation",
            remedy="Walk at the largest radius and at the smallest and largest density, too",
        )  # fmt: skip
    quantiles = coarse.outside.shape[-1]
    part = (np.arange(quantiles * 64) + 0.5) / (quantiles * 64)
    rayleigh = np.sqrt(-2 * np.log1p(-part)).reshape(quantiles, -1).mean(axis=1)

    def width(f: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        rates = np.array([effective_diffusivity(float(x), tissue.diffusivity) for x in f]) * 1e12
        timings = coarse.timings
        return np.sqrt(2 * rates * timings.diffusion_time) * timings.small_delta

    scaled = coarse.outside / width(walked.densities)[:, None]
    radii = np.concatenate([[0.0], walked.radii])
    scaled = np.concatenate([np.broadcast_to(rayleigh, (1, *scaled.shape[1:])), scaled])
    by_radius = _linear(radii, scaled, tissue.radii, axis=0)
    both = _linear(walked.densities, by_radius, tissue.densities, axis=1)
    return (both * width(tissue.densities)[:, None]).astype(np.float32)


def _linear(
    known: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    wanted: npt.NDArray[np.float64],
    axis: int,
) -> npt.NDArray[np.float64]:
    low = np.clip(np.searchsorted(known, wanted, side="right") - 1, 0, len(known) - 2)
    part = np.clip((wanted - known[low]) / (known[low + 1] - known[low]), 0.0, 1.0)
    shape = [1] * values.ndim
    shape[axis] = len(wanted)
    part = part.reshape(shape)
    below, above = values.take(low, axis=axis), values.take(low + 1, axis=axis)
    return (1 - part) * below + part * above
