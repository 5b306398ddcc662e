"""Training crops: windows about a lesion or anywhere in the brain, so that no pixel is wasted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: Share of the crops of a slice with a lesion whose centre lies in it.
LESION_CENTRED = 0.8


def draw_crop(
    x: npt.NDArray[np.uint8],
    y: npt.NDArray[np.uint8],
    size: int,
    rng: np.random.Generator,
    centred: float = LESION_CENTRED,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Cut one slice to ``size`` pixels a side.

    Parameters
    ----------
    x : ndarray, shape (C, H, W)
        0 outside the brain.
    y : ndarray, shape (H, W)
        Labels, 0 for healthy.
    centred : float
        Probability that the centre is a pixel of a lesion, where there is one.

    Returns
    -------
    x, y : ndarray, shape (C, size, size), (size, size)
        Smaller where the slice is. A centre that need not be a lesion's is any pixel of the brain.
    """
    height, width = y.shape
    inside = np.flatnonzero(x.any(axis=0))
    lesion = np.flatnonzero(y)
    pool = lesion if lesion.size and rng.random() < centred else inside
    place = int(pool[rng.integers(pool.size)]) if pool.size else (height // 2) * width + width // 2
    cut = []
    for centre, extent in zip(divmod(place, width), (height, width), strict=True):
        length = min(size, extent)
        start = min(max(centre - length // 2, 0), extent - length)
        cut.append(slice(start, start + length))
    return x[:, cut[0], cut[1]], y[cut[0], cut[1]]
