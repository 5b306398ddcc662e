"""Slices without a ventricle, made of those with one, to count what is found where nothing is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.restoration import inpaint_biharmonic

from .short_axis_slices import NORMALISATION

#: Pixels beyond the mask that are painted over too: the wall around the cavity.
_MARGIN = 10


def has_surroundings(mask: npt.NDArray[np.bool_]) -> bool:
    """Whether anything of the image lies beyond a ventricle and its wall, to paint it out with."""
    return not np.asarray(ndimage.binary_dilation(mask, iterations=_MARGIN)).all()


def painted_out(
    image: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """The ventricle and its wall replaced by a smooth continuation of what lies around them.

    Biharmonic continuation, which no training here uses, with the noise of the surroundings.

    Parameters
    ----------
    image : ndarray, shape (rows, columns)
        As the network is fed it.
    mask : ndarray of bool, same shape
        With something inside, and something around it (`has_surroundings`).
    """
    grown = np.asarray(ndimage.binary_dilation(mask, iterations=_MARGIN), dtype=np.bool_)
    low = np.maximum(np.argwhere(grown).min(axis=0) - 8, 0)
    high = np.minimum(np.argwhere(grown).max(axis=0) + 9, image.shape)
    part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    filled = image.copy()
    smooth = inpaint_biharmonic(image[part].astype(np.float64), grown[part])
    rough = image - ndimage.gaussian_filter(image, 1.5)
    ring = np.asarray(ndimage.binary_dilation(grown, iterations=6), dtype=np.bool_) & ~grown
    noise = np.random.default_rng(0).normal(0.0, float(rough[ring].std()), image.shape)
    filled[part] = np.where(grown[part], smooth + noise[part], image[part])
    return NORMALISATION.apply_by_slice(filled[None])[0][0]


def moved_away(
    image: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_]
) -> list[npt.NDArray[np.float32]]:
    """Windows of the image that hold no ventricle: above, below, left and right of it.

    Only those of at least 64 pixels a side; each is normalised by itself.
    """
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    # At the image's edge a window has no pixels; counted from the end it would hold the ventricle.
    top, bottom = max(0, int(rows[0]) - _MARGIN), int(rows[-1]) + _MARGIN
    left, right = max(0, int(columns[0]) - _MARGIN), int(columns[-1]) + _MARGIN
    found = []
    for window in (image[:top], image[bottom + 1 :], image[:, :left], image[:, right + 1 :]):
        if min(window.shape) >= 64:
            even = window[: window.shape[0] // 16 * 16, : window.shape[1] // 16 * 16]
            found.append(NORMALISATION.apply_by_slice(even[None])[0][0])
    return found
