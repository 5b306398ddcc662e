"""What was done to a diffusion scan before: motion and eddy currents, noise. Loads no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ...progress import Work
    from .diffusion_scan import DiffusionScan

#: Whether motion and eddy currents were corrected.
YES, NO, NOT_KNOWN = "yes", "no", "not known"

_MOTION = {
    NO: "Motion and eddy currents were not corrected: where volumes do not lie over each other, a "
    "voxel's signals are of several places, most of all at edges.",
    NOT_KNOWN: "Whether motion and eddy currents were corrected is not known; where they were not, "
    "a voxel's signals are of several places, most of all at edges (corrected=yes or no).",
}

#: Said of a scan that was denoised.
_DENOISED = (
    "The scan was denoised before (MP-PCA, Veraart et al. 2016): noise is now alike in "
    "neighbouring voxels, and what no neighbour shares can be lost."
)


def correction_notes(corrected: str, *, denoise: bool) -> list[str]:
    """What a person should know of it."""
    found = [_MOTION[corrected]] if corrected in _MOTION else []
    return [*found, _DENOISED] if denoise else found


def signals_work(
    of: DiffusionScan, rows: slice, *, denoise: bool
) -> Work[npt.NDArray[np.floating]]:
    """Signals of some slices of a scan's own grid, denoised where that is wanted."""
    from ...microstructure.protocol.noise import denoised_work

    if not denoise or rows.stop <= rows.start:
        return of.signals[rows]
    return (yield from denoised_work(of.signals, rows, mask=of.mask))
