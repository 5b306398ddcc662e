"""Where a mask and its reference agree, where it misses and where it finds what is not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import StudyError
from ...volumes import Grid

#: Values of the array, in the order in which they are told.
AGREED, MISSED, FALSE = 1, 2, 3

#: What they are called.
WORDS = {AGREED: "agreed", MISSED: "missed", FALSE: "false"}


@dataclass(frozen=True, eq=False)
class MaskDifference:
    """A mask against its reference, voxel by voxel.

    Attributes
    ----------
    data : ndarray of uint8, shape (S, P, L)
        `AGREED` in both, `MISSED` in the reference alone, `FALSE` in the mask alone; else 0.
    counts : dict
        Voxels of each value.
    voxel_ml : float or None
        Volume of a voxel; None of a picture without millimetres.
    """

    data: npt.NDArray[np.uint8]
    counts: dict[int, int]
    voxel_ml: float | None

    def size(self, value: int) -> str:
        """How much there is of a value (``"4.51 ml"``, or voxels without millimetres)."""
        if self.voxel_ml is None:
            return f"{self.counts[value]} voxels"
        return f"{self.counts[value] * self.voxel_ml:.2f} ml"

    @property
    def words(self) -> str:
        """As ``"agreed 34.20 ml · missed 5.10 ml · false 2.02 ml"``."""
        return " · ".join(f"{word} {self.size(value)}" for value, word in WORDS.items())


def mask_difference(
    mask: npt.NDArray[Any], reference: npt.NDArray[Any], grid: Grid
) -> MaskDifference:
    """Compare what two masks mark; which of their labels marks it does not count.

    Parameters
    ----------
    mask, reference : ndarray, shape (S, P, L)
    grid : Grid
        On which both lie.

    Raises
    ------
    StudyError
        One of them has another shape than the grid.
    """
    found, true = np.asarray(mask) != 0, np.asarray(reference) != 0
    for name, array in (("mask", found), ("reference", true)):
        if array.shape != tuple(grid.shape):
            raise StudyError(
                f"the {name} has {array.shape} voxels and the study {tuple(grid.shape)}",
                where="difference of masks",
                remedy="Choose masks of one study",
            )
    data = np.zeros(grid.shape, dtype=np.uint8)
    data[found & true] = AGREED
    data[~found & true] = MISSED
    data[found & ~true] = FALSE
    counts = np.bincount(data.ravel(), minlength=4)
    voxel = float(np.prod(grid.spacing)) / 1000 if grid.calibrated else None
    return MaskDifference(data, {value: int(counts[value]) for value in WORDS}, voxel)
