"""The connected component of each slice that lies where the other slices have theirs.

A network of single slices finds round organs elsewhere too, and the largest piece of a slice may be
one of these. The structure meant runs through the slices of a patient, a false piece does not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from .largest_component import labelled

#: Pixels over which the place of a structure may move from slice to slice.
_BLUR = 6.0


def consistent_components(
    probability: npt.NDArray[np.float32], threshold: float = 0.5
) -> npt.NDArray[np.bool_]:
    """One component a slice: that with most probability where the other slices have theirs.

    Parameters
    ----------
    probability : ndarray, shape (N, rows, columns)
        Of one structure in slices of one patient that lie over each other (positions, time
        points).
    threshold : float
        Probability from which a pixel is of the structure.

    Returns
    -------
    ndarray of bool, shape (N, rows, columns)
        Of each slice the chosen component; nothing where nothing is marked.
    """
    marked = probability > threshold
    # Slices count alike, and none for itself: a large false organ would vote for its own place.
    total = marked.sum(axis=0, dtype=np.float64)
    chosen = np.zeros_like(marked)
    for index, mask in enumerate(marked):
        pieces, count = labelled(mask)
        if count == 0:
            continue
        others = total - mask
        # A single slice, or one where no other has anything: the largest component.
        votes = ndimage.gaussian_filter(others, _BLUR) if others.any() else np.ones(mask.shape)
        numbers = np.arange(1, count + 1)
        weight = ndimage.sum_labels(probability[index] * votes, pieces, numbers)
        if not np.any(weight > 0):  # none lies near those of the others
            weight = ndimage.sum_labels(mask, pieces, numbers)
        chosen[index] = pieces == 1 + int(np.argmax(weight))
    return chosen
