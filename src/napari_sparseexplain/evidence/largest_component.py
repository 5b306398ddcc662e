"""The largest connected component of a mask: what is left when scattered false alarms go."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy import ndimage


def largest_component(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Largest connected component connected through faces, in as many dimensions as the mask has.

    Parameters
    ----------
    mask : ndarray of bool

    Returns
    -------
    ndarray of bool, shape of ``mask``
        Nothing when nothing is marked.
    """
    pieces, count = labelled(mask)
    if count == 0:
        return np.zeros_like(mask)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return pieces == sizes.argmax()


def labelled(mask: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int32], int]:
    """Connected components numbered from 1, and how many there are."""
    pieces = np.zeros(mask.shape, dtype=np.int32)
    count = int(cast(int, ndimage.label(mask, output=pieces)))
    return pieces, count


def in_largest_component(labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Label values where they lie in the largest connected component of all that is not 0, else 0.

    All classes count together: a tumour is one piece of several classes. A second tumour apart
    from the first is lost.
    """
    return np.where(largest_component(labels != 0), labels, np.zeros_like(labels))
