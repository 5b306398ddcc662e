"""How far a registration is off: from a known motion, from both ways, and from edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from .rigid_motion import Matrix, moved

#: Edges nearer than this count as met, mm.
EDGE_MM = 2.0


def target_registration_error(
    found: Matrix, true: Matrix, points_mm: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Distance between where two motions put the same points, in mm [1]_.

    Parameters
    ----------
    found, true : ndarray, shape (4, 4)
        The registration, and the motion that is known.
    points_mm : ndarray, shape (n, 3)
        Targets: places that a person looks at, as those of a head or a lesion.

    Returns
    -------
    ndarray, shape (n,)

    References
    ----------
    .. [1] J. M. Fitzpatrick, J. B. West, The distribution of target registration error in
       rigid-body point-based registration, IEEE Trans. Med. Imaging 20(9), 2001.
    """
    return np.linalg.norm(moved(points_mm, found) - moved(points_mm, true), axis=1)


def both_ways_error(forward: Matrix, backward: Matrix, points_mm: npt.NDArray[np.float64]) -> float:
    """Mean distance of points from themselves after there and back again, in mm [1]_.

    It is no target registration error: where both ways err alike it is small.

    Parameters
    ----------
    forward, backward : ndarray, shape (4, 4)
        Found apart from each other: prior to current, and current to prior.
    points_mm : ndarray, shape (n, 3)
        In the prior.

    References
    ----------
    .. [1] G. E. Christensen, H. J. Johnson, Consistent image registration, IEEE Trans. Med. Imaging
       20(7), 2001.
    """
    return float(target_registration_error(backward @ forward, np.eye(4), points_mm).mean())


def edges_met(
    edges: npt.NDArray[np.bool_],
    others: npt.NDArray[np.bool_],
    spacing: tuple[float, float, float],
    *,
    within_mm: float = EDGE_MM,
) -> float | None:
    """Share of edge voxels that have an edge of the other scan near; None where one has none.

    Parameters
    ----------
    edges, others : ndarray of bool, shape (S, P, L)
        On one grid.
    spacing : three floats
        Voxel size in mm.
    """
    if not edges.any() or not others.any():
        return None
    away: Any = ndimage.distance_transform_edt(~others, sampling=spacing)
    return float((away[edges] <= within_mm).mean())
