"""Felzenszwalb and Huttenlocher's graph segmentation at several scales of one image at once.

Source: P. F. Felzenszwalb & D. P. Huttenlocher, "Efficient Graph-Based Image Segmentation", IJCV
59(2), 2004: pixels are joined along the cheapest edges first, two segments where the edge between
them costs less than what either holds inside plus ``scale / size``; then those that are too small
join what they touch most cheaply. Smoothing, edges and their order are the same at every scale, so
they are made once; XRAI asks for six. The labels are those of scikit-image's ``felzenszwalb``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

#: Scales are given for grey values of 0 to 255, whatever the image's own are.
_GREY_VALUES = 255.0

#: An edge leads from a pixel to the one right of it, below, below right, and from below left to
#: above right: rows and columns of its two ends.
_ALL, _FIRST, _LAST = slice(None), slice(None, -1), slice(1, None)
_EDGES = (
    ((_ALL, _LAST), (_ALL, _FIRST)),
    ((_LAST, _ALL), (_FIRST, _ALL)),
    ((_LAST, _LAST), (_FIRST, _FIRST)),
    ((_FIRST, _LAST), (_LAST, _FIRST)),
)


def graph_segmentations(
    image: npt.NDArray[np.float64],
    scales: Sequence[float],
    *,
    sigma: float,
    min_size: int,
) -> list[npt.NDArray[np.int32]]:
    """Segments of a picture at each scale.

    Parameters
    ----------
    image : ndarray, shape (H, W, channels)
    scales : sequence of float
        The larger, the larger the segments.
    sigma : float
        Of the Gaussian that the image is smoothed by, in pixels.
    min_size : int
        Pixels of the smallest segment.

    Returns
    -------
    list of ndarray of int32, shape (H, W)
        Labels from 0, in the order in which their first pixels come.
    """
    from .segment_kernels import joined_by_cost

    smooth = gaussian_filter(image, (sigma, sigma, 0), mode="reflect")
    shape = (image.shape[0], image.shape[1])
    pixels = np.arange(shape[0] * shape[1], dtype=np.int32).reshape(shape)
    costs, ends = [], []
    for one, other in _EDGES:
        costs.append(np.sqrt(np.square(smooth[one] - smooth[other]).sum(axis=-1)).ravel())
        ends.append(np.stack([pixels[one].ravel(), pixels[other].ravel()], axis=1))
    cost, edges = np.concatenate(costs), np.concatenate(ends)
    order = np.argsort(cost)
    cost, edges = cost[order], edges[order]
    return [
        joined_by_cost(edges, cost, pixels.size, scale / _GREY_VALUES, min_size).reshape(shape)
        for scale in scales
    ]
