"""How far the contour of a mask lies from that of the reference, as the Sunnybrook challenge asks.

Average perpendicular distance: from each point of the one contour to the nearest of the other,
averaged; a contour is good below 5 mm [1]_.

References
----------
.. [1] P. Radau et al., Evaluation framework for algorithms segmenting short axis cardiac MRI, The
       MIDAS Journal, 2009.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree
from skimage.measure import find_contours

#: A good contour is nearer than this, in mm.
GOOD_MM = 5.0

#: The same in pixels where nothing tells their size. Sunnybrook's are 1.25 to 1.37 mm, so that it
#: is 4 pixels there.
GOOD_PX = 4.0

#: Pixels between the points of a contour at most.
_STEP = 0.25


def contour_distance(
    predicted: npt.NDArray[np.bool_],
    reference: npt.NDArray[np.bool_],
    spacing: tuple[float, float] = (1.0, 1.0),
) -> float | None:
    """Average distance of the predicted contour from the reference's.

    Parameters
    ----------
    predicted, reference : ndarray of bool, shape (rows, columns)
        Of several pieces the longest contour counts.
    spacing : (float, float)
        Row and column size; the distance is in its unit.

    Returns
    -------
    float or None
        None where one of the masks is empty.
    """
    ours, theirs = (_points(mask, spacing) for mask in (predicted, reference))
    if ours is None or theirs is None:
        return None
    distance, _ = KDTree(theirs).query(ours)
    return float(np.mean(distance))


def _points(
    mask: npt.NDArray[np.bool_], spacing: tuple[float, float]
) -> npt.NDArray[np.float64] | None:
    contours = find_contours(np.pad(mask.astype(np.float32), 1), 0.5)
    if not contours:
        return None
    longest = max(contours, key=len)
    steps = np.linalg.norm(np.diff(longest, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0.0, along[-1], max(3, int(along[-1] / _STEP)))
    points = np.stack([np.interp(at, along, longest[:, axis]) for axis in range(2)], axis=1)
    return points * np.asarray(spacing)
