"""How far a picture of points in the plane can be believed.

t-SNE shows groups also where there are none. *Trustworthiness*: whether neighbours in the plane
are neighbours in truth (Venna and Kaski 2001). *Neighbourhood hit*: how many of a point's
neighbours in the plane have its class (Paulovich et al. 2008), beside what chance gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

#: Neighbours that are looked at.
NEIGHBOURS = 10

#: Points compared at a time, which bounds the memory.
_BLOCK = 512


def trustworthiness(
    points: npt.NDArray[Any], places: npt.NDArray[Any], neighbours: int = NEIGHBOURS
) -> float:
    """1 where every neighbour in the plane is one in truth; about .5 for places at random.

    1 - 2 / (n k (2n - 3k - 1)) Σ_i Σ_j (r(i, j) - k), over the j among the k nearest of i in the
    plane that are not among its k nearest in truth, of which r is the rank there.

    Parameters
    ----------
    points : ndarray, shape (N, U)
    places : ndarray, shape (N, 2)
    neighbours : int
        k, below N / 2.
    """
    count = len(points)
    k = min(neighbours, max(1, (count - 1) // 2))
    near = nearest_points(places, k)
    points = np.asarray(points, dtype=np.float64)
    penalty = 0.0
    for start in range(0, count, _BLOCK):
        distances = _distances(points[start : start + _BLOCK], points)
        rows = np.arange(len(distances))
        distances[rows, start + rows] = -1.0  # a point is not its own neighbour: rank 0
        ranks = np.empty(distances.shape, dtype=np.intp)
        np.put_along_axis(
            ranks, distances.argsort(axis=1, kind="stable"), np.arange(count)[None], axis=1
        )
        found = np.take_along_axis(ranks, near[start : start + _BLOCK], axis=1)
        penalty += float(np.maximum(found - k, 0).sum())
    return 1.0 - 2.0 / (count * k * (2 * count - 3 * k - 1)) * penalty


def neighbourhood_hit(
    places: npt.NDArray[Any],
    targets: npt.NDArray[Any],
    neighbours: int = NEIGHBOURS,
    *,
    of: npt.NDArray[np.bool_] | None = None,
) -> float:
    """Mean share of a point's neighbours in the plane that have its class.

    Parameters
    ----------
    places : ndarray, shape (N, 2)
    targets : ndarray of int, shape (N,)
    of : ndarray of bool, shape (N,), optional
        Mean over these points alone; their neighbours are among all.
    """
    k = min(neighbours, len(places) - 1)
    same = targets[nearest_points(places, k)] == targets[:, None]
    return float((same if of is None else same[of]).mean())


def chance_hit(targets: npt.NDArray[Any]) -> float:
    """The neighbourhood hit of points anywhere: Σ (share of a class)²."""
    shares = np.unique(targets, return_counts=True)[1] / len(targets)
    return float((shares**2).sum())


def nearest_points(places: npt.NDArray[Any], count: int) -> npt.NDArray[np.intp]:
    """For each point its ``count`` nearest others, nearest first, shape (N, count)."""
    points = np.asarray(places, dtype=np.float64)
    found = np.empty((len(points), count), dtype=np.intp)
    for start in range(0, len(points), _BLOCK):
        distances = _distances(points[start : start + _BLOCK], points)
        rows = np.arange(len(distances))
        distances[rows, start + rows] = np.inf
        part = np.argpartition(distances, count - 1, axis=1)[:, :count]
        order = np.take_along_axis(distances, part, axis=1).argsort(axis=1, kind="stable")
        found[start : start + _BLOCK] = np.take_along_axis(part, order, axis=1)
    return found


def _distances(
    some: npt.NDArray[np.float64], points: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Squared distances, shape (len(some), len(points))."""
    squares = (some**2).sum(axis=1)[:, None] + (points**2).sum(axis=1)[None]
    return np.maximum(squares - 2 * some @ points.T, 0.0)
