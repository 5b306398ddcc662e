"""Lines that stand in every cell, each in its colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class DrawnLines:
    """What stands in the picture.

    Attributes
    ----------
    ends : ndarray, shape (2 n, 2)
        (column, row) in the viewer's unit, two of each line.
    colours : ndarray, shape (2 n, 4)
    """

    ends: npt.NDArray[np.float32]
    colours: npt.NDArray[np.float32]
