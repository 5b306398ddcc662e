"""The baseline without learning: bright FLAIR, and of it the largest connected component.

A network that does not beat it has learned nothing worth explaining, so it stands in every table.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...evidence.largest_component import largest_component
from ...volumes.intensity.brain_range import HIGH_FACTOR

#: Times the brain's median.
BRIGHTNESS = 1.3

RULE = f"FLAIR > {BRIGHTNESS} × brain median, largest component"

#: The two readings of "largest component", by column title.
READINGS = {"rule-3d": "Rule, 3-D", "rule-2d": "Rule, 2-D"}


def rule_threshold(limits: tuple[float, float] | None) -> float:
    """Where 1.3 times the brain's median lies in a scan normalised to (0, 1).

    Parameters
    ----------
    limits : tuple of float or None
        Intensities (low, high) that became 0 and 1 (`volumes.brain_range`). When they are not
        known, or the median is not above 0 (a scan with negative intensities, of which no
        multiple means anything), the median is counted from the brain's low end.
    """
    if limits is not None:
        low, high = limits
        median = low + (high - low) / HIGH_FACTOR
        if median > 0:
            return (BRIGHTNESS * median - low) / (high - low)
    return BRIGHTNESS / HIGH_FACTOR


def intensity_rule(
    images: npt.NDArray[Any], threshold: float, *, volume: bool
) -> npt.NDArray[np.bool_]:
    """Pixels brighter than the threshold, largest connected component only.

    Parameters
    ----------
    images : ndarray, shape (N, rows, columns)
        FLAIR normalised to (0, 1), 0 outside the brain.
    threshold : float
        From `rule_threshold`.
    volume : bool
        Largest connected component in three dimensions, else of each slice. The first marks nothing
        outside
        one region; the second is better where bright cortex touches the lesion.

    Returns
    -------
    ndarray of bool, shape (N, rows, columns)
    """
    bright = np.asarray(images) > threshold
    if volume:
        return largest_component(bright)
    return np.stack([largest_component(image) for image in bright])
