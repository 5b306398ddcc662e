"""How far a slice's lesion stands out. What cannot be seen must not be taught.

A phantom's oedema can be as faint as it likes and still be labelled. A network trained on such
slices learns to find lesions in ordinary grey matter and haze: on phantoms its score rises, on
scans it falls.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def lesion_contrast(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Contrast of each slice's lesion against the rest of its brain.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images, 0 outside the brain; the first channel counts.
    y : ndarray, shape (N, H, W)
        Labels; every value above 0 is lesion.

    Returns
    -------
    ndarray, shape (N,)
        Upper quartile of the lesion over the median of the remaining brain, minus 1 (the quartile,
        since a cavity may be dark). Infinite for a slice without a lesion or without other brain:
        nothing faint is taught there.
    """
    contrast = np.full(len(x), np.inf, dtype=np.float32)
    for n in np.flatnonzero((y > 0).any(axis=(1, 2))):
        image, lesion = x[n, 0], y[n] > 0
        rest = image[(image > 0) & ~lesion]
        if rest.size:
            contrast[n] = np.percentile(image[lesion], 75) / np.median(rest) - 1.0
    return contrast
