"""Where the words of a mark stand: beside its end or its edge, never on its line.

The window and an exported picture ask here alike, each with its own pixels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .annotation import AnnotationKind

#: Between a mark and its words, in sizes of their text: on the screen and in pictures alike.
WORDS_GAP = 0.55

#: Places along the visible part of a mark that are tried, at most about so many.
_TRIED = 24


def label_corner(
    kind: AnnotationKind,
    points: npt.ArrayLike,
    box: tuple[float, float],
    gap: float,
    picture: tuple[float, float],
) -> tuple[float, float]:
    """Upper left corner (x, y) of a mark's words, in pixels of the picture.

    A distance has them beyond its right end, an arrow beyond its tail, a region to the right of its
    edge, a text beside its place; on the other side where the picture ends. Where no end has room
    in the picture, they stand beside the part of the line that is in it.

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
    ends = _ends(kind, line)
    wanted = [_beside(end, away, size, gap) for end, away in ends]
    for corner in wanted:
        if _fits(corner, size, room):
            return float(corner[0]), float(corner[1])
    starts, stops = _segments(kind, line)
    for place, away in _along(starts, stops, room, ends[0][0]):
        corner = _beside(place, away, size, gap)
        if _fits(corner, size, room) and not _crossed(starts, stops, corner, corner + size).any():
            return float(corner[0]), float(corner[1])
    x, y = np.clip(wanted[0], 2, np.maximum(room - size - 2, 2))
    return float(x), float(y)


def _fits(
    corner: npt.NDArray[np.float64], size: npt.NDArray[np.float64], room: npt.NDArray[np.float64]
) -> bool:
    """Whether a box lies in the picture."""
    return bool((corner >= 0).all() and (corner + size <= room).all())


def _segments(
    kind: AnnotationKind, line: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Both ends of every piece of the drawn line; a region's is closed."""
    if kind in ("polygon", "ellipse"):
        return line, np.roll(line, -1, axis=0)
    return line[:-1], line[1:]


def _spans(
    starts: npt.NDArray[np.float64],
    stops: npt.NDArray[np.float64],
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Where pieces enter and leave a box, as shares of their length (Liang and Barsky).

    A piece that does not pass through the box leaves it before it enters.
    """
    along = stops - starts
    along = np.where(np.abs(along) < 1e-9, 1e-9, along)
    first, second = (low - starts) / along, (high - starts) / along
    enter = np.minimum(first, second).max(axis=1, initial=0.0)
    leave = np.maximum(first, second).min(axis=1, initial=1.0)
    return enter, leave


def _crossed(
    starts: npt.NDArray[np.float64],
    stops: npt.NDArray[np.float64],
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
) -> npt.NDArray[np.bool_]:
    """Which pieces pass through a box."""
    enter, leave = _spans(starts, stops, low, high)
    return enter < leave


def _along(
    starts: npt.NDArray[np.float64],
    stops: npt.NDArray[np.float64],
    room: npt.NDArray[np.float64],
    near: npt.NDArray[np.float64],
) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Places on the part of a line in the picture, and both directions across it.

    The nearest to ``near`` come first.
    """
    enter, leave = _spans(starts, stops, np.zeros(2), room)
    seen = np.flatnonzero(enter < leave)
    if not seen.size:
        return []
    seen = seen[:: -(-seen.size // _TRIED)]
    found = []
    for piece in seen:
        start, along = starts[piece], stops[piece] - starts[piece]
        across = np.array([along[1], -along[0]]) / max(float(np.linalg.norm(along)), 1e-6)
        if across[1] > 0:  # above the line before below it
            across = -across
        shares = np.linspace(enter[piece], leave[piece], -(-_TRIED // seen.size) + 1)
        found += [(start + share * along, way) for share in shares for way in (across, -across)]
    return sorted(found, key=lambda place: float(np.linalg.norm(place[0] - near)))


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
