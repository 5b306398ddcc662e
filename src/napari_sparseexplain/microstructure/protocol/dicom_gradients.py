"""The gradients that a DICOM series tells of its own volumes."""

from __future__ import annotations

import numpy as np

from ...errors import ReadError
from ...volumes.volume import Volume
from ..gradient_table import B0_MOST
from .written_gradients import WrittenGradients, checked_gradients

_REMEDY = (
    "Export the series again with its private elements, or convert it with dcm2niix at its source, "
    "which writes .bval and .bvec"
)


def dicom_gradients(volume: Volume) -> WrittenGradients:
    """b-values and directions of a series whose images differ by their diffusion weighting.

    Parameters
    ----------
    volume : Volume
        Opened from DICOM files, which tell the directions along the patient's axes (LPS); what a
        maker tells otherwise was turned into these when the files were read.

    Raises
    ------
    ReadError
        The images tell no weighting, or those of some volumes do not.
    """
    called = volume.source.description or volume.role
    told = volume.details.get("axis_values", {}).get("direction")
    if volume.leading != ("direction",) or told is None:
        raise ReadError(
            "the images of this DICOM series tell no b-values and directions by which they differ",
            where=called,
            remedy=f"Choose the diffusion scan, or, where this is it, e{_REMEDY[1:]}",
        )
    if lost := [k + 1 for k, label in enumerate(told) if label is None]:
        raise ReadError(
            f"no image of volume {_numbers(lost)} tells its b-value", where=called, remedy=_REMEDY
        )
    b = np.array([label[0] for label in told], dtype=np.float64)
    lps = np.array([label[1:] for label in told], dtype=np.float64)
    weighted = b > B0_MOST
    if (bare := np.flatnonzero(weighted & ~lps.any(axis=1))).size:
        raise ReadError(
            "no direction, or none that can be read, is told for volume "
            f"{_numbers([int(k) + 1 for k in bare])} (b = {b[bare[0]]:g})",
            where=called,
            remedy=_REMEDY,
        )
    ras = lps * (-1.0, -1.0, 1.0)
    found = checked_gradients(b, ras, "scanner", volume.source.paths[:1])
    return WrittenGradients(
        found.b, found.vectors, found.axes, found.paths, None, found.findings, called
    )


def _numbers(volumes: list[int]) -> str:
    shown = ", ".join(map(str, volumes[:8]))
    return shown + (f" and {len(volumes) - 8} more" if len(volumes) > 8 else "")
