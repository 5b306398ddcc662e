"""The voxels of a diffusion scan that a run looks at: their signals, and how noisy they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...microstructure.protocol.noise import noise_level_work
from ...progress import Work
from ..bounded_cache import checksum
from ..method_result import FROM_FILE
from .corrections import signals_work
from .diffusion_scan import DiffusionScan
from .placement import Placement
from .shipped_dictionary import dictionary_sha256, phases_of


@dataclass(frozen=True, eq=False)
class AskedVoxels:
    """What every method of the family that compares signals begins with.

    Attributes
    ----------
    of : DiffusionScan
    placed : Placement
        Where they lie in the study.
    here : ndarray of bool, shape (S, P, L)
        Which voxels of the scan's slices are looked at.
    signals : ndarray, shape (S, P, L, M)
        Denoised where that was wanted.
    sigma : float
        Standard deviation of the noise, as told or measured before denoising.
    """

    of: DiffusionScan
    placed: Placement
    here: npt.NDArray[np.bool_]
    signals: npt.NDArray[np.floating]
    sigma: float

    def decided(self) -> dict[str, Any]:
        """For the record of a run."""
        timings = self.of.table.known_timings
        return {
            "sigma": self.sigma,
            "scan": self.of.role,
            "small_delta": round(1e3 * timings.small_delta, 9),
            "big_delta": round(1e3 * timings.big_delta, 9),
            **self.of.checksums,
        }


def asked_voxels_work(
    of: DiffusionScan, slices: slice, *, sigma: float, denoise: bool
) -> Work[AskedVoxels]:
    """Take the voxels that some slices of the study show; σ of 0 is measured in all of the scan."""
    noise = float(sigma)
    if not noise:
        noise = float((yield from noise_level_work(of.signals, mask=of.mask)).sigma)
    placed = of.placed(slices)
    here = of.mask[placed.rows] & placed.needed
    signals = yield from signals_work(of, placed.rows, denoise=denoise)
    return AskedVoxels(of, placed, here, signals, noise)


def dictionary_decided(dictionary: str) -> dict[str, Any]:
    """Which dictionary a run used, for its record; a person's own by what it holds, too."""
    found: dict[str, Any] = {"dictionary_sha256": dictionary_sha256(dictionary)}
    if dictionary:
        phases = phases_of(dictionary)
        found[FROM_FILE] = {"dictionary": checksum(phases.inside, phases.outside)}
    return found
