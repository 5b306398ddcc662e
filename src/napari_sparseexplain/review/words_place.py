"""Where the words of a mark stand: beside its end or its edge, never on its line.

The window and an exported picture ask here alike, each with its own pixels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .annotation import AnnotationKind


def words_corner(
    kind: AnnotationKind,
    points: npt.ArrayLike,
    box: tuple[float, float],
    gap: float,
    picture: tuple[float, float],
) -> tuple[float, float]:
    """Upper left corner (x, y) of a mark's words, in pixels of the picture.

    A distance has them beyond its right end, an arrow beyond its tail, a region to the right of its
    edge, a text beside its place; on the other side where the picture ends.

    Parameters
    ----------
    kind : str
    points : array_like, shape (n, 2)
        The mark's drawn line, (x, y) in pixels; y grows downwards.
    box : pair of float
        Width and height of the words.
    gap : float
        Pixels between the mark and its words.
    picture : pair of float
        Width and height of the picture.
    """
    line = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    size, room = np.asarray(box, dtype=np.float64), np.asarray(picture, dtype=np.float64)
    wanted = [_beside(end, away, size, gap) for end, away in _ends(kind, line)]
    for corner in wanted:
        if (corner >= 0).all() and (corner + size <= room).all():
            return float(corner[0]), float(corner[1])
    x, y = np.clip(wanted[0], 2, np.maximum(room - size - 2, 2))
    return float(x), float(y)


def _ends(
    kind: AnnotationKind, line: npt.NDArray[np.float64]
) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Places on the mark and directions away from it, the preferred one first."""
    right, left = np.array([1.0, 0.0]), np.array([-1.0, 0.0])
    if kind == "text":
        return [(line[0], right), (line[0], left)]
    if kind in ("distance", "arrow"):
        tail, head = line[0], line[1]
        along = (head - tail) / max(float(np.linalg.norm(head - tail)), 1e-6)
        ends = [(tail, -along), (head, along)]
        return ends[::-1] if kind == "distance" and head[0] >= tail[0] else ends
    middle = line.mean(axis=0)
    low, high = line[:, 0].min(), line[:, 0].max()
    places = [np.array([x, line[line[:, 0] == x, 1].mean()]) for x in (high, low)]
    above, below = (
        np.array([middle[0], line[:, 1].min()]),
        np.array([middle[0], line[:, 1].max()]),
    )
    up, down = np.array([0.0, -1.0]), np.array([0.0, 1.0])
    return [(places[0], right), (places[1], left), (above, up), (below, down)]


def _beside(
    end: npt.NDArray[np.float64],
    away: npt.NDArray[np.float64],
    size: npt.NDArray[np.float64],
    gap: float,
) -> npt.NDArray[np.float64]:
    """Corner of a box that lies wholly beyond ``end``, on the side that ``away`` points to."""
    reach = gap + float(np.abs(away) @ size) / 2
    return end + away * reach - size / 2
