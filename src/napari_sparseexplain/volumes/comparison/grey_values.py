"""Grey values of one scan brought to those of another, and one subtracted from the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import StudyError
from ..brain_mask import brain_mask
from ..volume import Volume

#: Units that mean the same in every scan; nothing is matched then.
ABSOLUTE_UNITS = ("HU", "SUVbw", "g/ml")

#: Fewer common voxels than this match nothing.
_FEWEST = 100


@dataclass(frozen=True)
class GreyMatch:
    """``slope · value + intercept`` of the prior, in the current scan's values; and the words."""

    slope: float
    intercept: float
    words: str

    def apply(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Values of the prior as the current scan would have them."""
        return (self.slope * values.astype(np.float32) + self.intercept).astype(np.float32)


def match_grey_values(current: Volume, prior: Volume) -> tuple[GreyMatch, npt.NDArray[np.bool_]]:
    """How a prior's grey values compare with a current scan's, and where both show the patient.

    Scans without a unit are matched by the median and the quartiles within the head of both;
    scans in the same absolute unit are left as they are. Robust to a lesion that has changed, not
    to another contrast: of scans of different kinds a difference says nothing.

    Parameters
    ----------
    current, prior : Volume
        On one grid.

    Raises
    ------
    StudyError
        They have too little in common.
    """
    one, other = current.spatial(), prior.spatial()
    both = brain_mask(one) & brain_mask(other) & current.measured(one) & prior.measured(other)
    if np.count_nonzero(both) < _FEWEST:
        raise StudyError(
            "the two scans show almost nothing of the patient in common",
            where="prior",
            remedy="Register them, or move the prior by hand",
        )
    if current.unit and current.unit == prior.unit and current.unit in ABSOLUTE_UNITS:
        return GreyMatch(1.0, 0.0, f"values in {current.unit}, not matched"), both
    low, middle, high = (float(v) for v in np.percentile(one[both], (25, 50, 75)))
    own_low, own_middle, own_high = (float(v) for v in np.percentile(other[both], (25, 50, 75)))
    if own_high <= own_low or high <= low:
        return GreyMatch(1.0, middle - own_middle, "grey matched by the median of the head"), both
    slope = (high - low) / (own_high - own_low)
    words = "grey matched by quartiles of the head"
    return GreyMatch(slope, middle - slope * own_middle, words), both


def subtraction(current: Volume, prior: Volume) -> tuple[npt.NDArray[np.float32], float, str]:
    """Current minus prior, where both show the patient; 0 elsewhere.

    Parameters
    ----------
    current, prior : Volume
        On one grid.

    Returns
    -------
    difference : ndarray of float32, shape (S, P, L)
    limit : float
        Half of the range to draw, about zero: the 99.5th percentile of what is found.
    words : str
        How the grey values were matched.
    """
    match, both = match_grey_values(current, prior)
    left = current.spatial().astype(np.float32) - match.apply(prior.spatial())
    left[~both] = 0.0
    limit = float(np.percentile(np.abs(left[both]), 99.5))
    return left, limit or 1.0, match.words
