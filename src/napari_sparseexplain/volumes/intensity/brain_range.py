"""The intensities that networks see as 0 and 1: a robust range, or mean and standard deviation."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import StudyError

#: Quantile of the brain's intensities that becomes 0.
LOW_QUANTILE = 0.002

#: The brain's median becomes 1 / HIGH_FACTOR of the range.
HIGH_FACTOR = 3.0


def brain_range(
    array: npt.NDArray[Any], mask: npt.NDArray[np.bool_], *, where: str | None = None
) -> tuple[float, float]:
    """Intensities that a network sees as 0 and as 1.

    ``low`` is the 0.2 % quantile over the brain and ``high = low + 3 (median - low)``: the median
    brain lands at 1/3, and neither one hot voxel (as with the maximum) nor the lesion's size
    moves the range. A network's input is ``clip((x - low) / (high - low), 0, 1)`` with 0 outside
    the brain; the training slices are made in the same way.

    Parameters
    ----------
    array : ndarray
        A scan of any numeric dtype.
    mask : ndarray of bool, same shape
        Its brain, from `brain_mask`.
    where : str, optional
        The scan's role or file, for the error message.

    Returns
    -------
    low, high : float
        In the scan's own unit, ``high > low``.

    Raises
    ------
    StudyError
        The mask is empty, or the brain has no contrast.
    """
    values = np.asarray(array)[np.asarray(mask, dtype=bool)]
    values = values[np.isfinite(values)]
    if values.size == 0:
        raise StudyError(
            "no brain was found in the scan, so its intensities cannot be normalised",
            where=where,
            remedy="Check that the volume is a brain scan and not a constant or empty image",
        )
    low, median = np.quantile(values, (LOW_QUANTILE, 0.5))
    high = low + HIGH_FACTOR * (median - low)
    if not high > low:
        raise StudyError(
            "half of the brain has one single intensity, so the scan cannot be normalised",
            where=where,
            remedy="Check that the volume is an image and not a mask",
        )
    return float(low), float(high)


def z_score_range(
    array: npt.NDArray[Any], mask: npt.NDArray[np.bool_], *, where: str | None = None
) -> tuple[float, float]:
    """Intensities that a network sees as 0 and as 1: the mean, and one standard deviation above.

    Over the finite values inside ``mask``, the deviation divided by their number, as nnU-Net and
    MONAI do.

    Parameters
    ----------
    array : ndarray
        A scan of any numeric dtype.
    mask : ndarray of bool, same shape
        The voxels that are fed.
    where : str, optional
        The scan's role or file, for the error message.

    Returns
    -------
    mean, mean_and_deviation : float
        In the scan's own unit.

    Raises
    ------
    StudyError
        The mask is empty, or all values in it are one.
    """
    values = np.asarray(array)[np.asarray(mask, dtype=bool)]
    values = values[np.isfinite(values)].astype(np.float64)
    deviation = float(values.std()) if values.size else 0.0
    if not deviation > 0:
        raise StudyError(
            "the scan has no contrast, so it has no z-score",
            where=where,
            remedy="Check that the volume is a scan and not a constant or empty image",
        )
    mean = float(values.mean())
    return mean, mean + deviation


def normalise(
    array: npt.NDArray[Any], mask: npt.NDArray[np.bool_], low: float, high: float
) -> npt.NDArray[np.float32]:
    """``clip((array - low) / (high - low), 0, 1)`` inside ``mask``, 0 outside, as float32."""
    scaled = (np.asarray(array, dtype=np.float32) - np.float32(low)) / np.float32(high - low)
    inside = np.asarray(mask, dtype=bool) & np.isfinite(scaled)
    return np.where(inside, np.clip(scaled, 0.0, 1.0), np.float32(0.0)).astype(np.float32)
