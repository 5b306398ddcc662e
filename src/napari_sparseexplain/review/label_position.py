"""Where the words of marks stand: beside end or edge, never on the mark's line or on other words.

The window and an exported picture ask here alike, each with its own pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .annotation import AnnotationKind

#: Between a mark and its words, in sizes of their text: on the screen and in pictures alike.
WORDS_GAP = 0.55

#: Places along the visible part of a mark that are tried, at most about so many.
_TRIED = 24

#: Steps away from a mark where all places beside it are taken, in sizes of the words; near first.
_STEPS = sorted(
    (np.array([x / 2, 1.1 * y]) for x in range(-6, 7) for y in range(-12, 13)),
    key=lambda step: float(np.hypot(2 * step[0], step[1])),
)


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
    found = label_corners([LabelledMark(kind, points, box)], gap, picture)[0]
    assert found is not None
    return found


@dataclass(frozen=True, eq=False)
class LabelledMark:
    """A mark whose words are to be placed.

    Attributes
    ----------
    kind : str
    points : array_like, shape (n, 2)
        Its drawn line, (x, y) in pixels; y grows downwards.
    box : pair of float or None
        Width and height of its words; None of a mark without any, whose line others keep off.
    """

    kind: AnnotationKind
    points: npt.ArrayLike
    box: tuple[float, float] | None


def label_corners(
    marks: Sequence[LabelledMark], gap: float, picture: tuple[float, float]
) -> list[tuple[float, float] | None]:
    """Upper left corners of the words of all marks of a picture, in their order.

    Each is placed as `label_corner` says, at the first place where no words stand yet, if there is
    one also off the lines of other marks. Where no place beside a mark is free, its words move away
    from it in small steps; only where all places are taken do they lie on others.

    Parameters
    ----------
    marks : sequence of LabelledMark
    gap : float
        Pixels between a mark and its words.
    picture : pair of float
        Width and height of the picture.
    """
    room = np.asarray(picture, dtype=np.float64)
    lines = [_Line.of(mark) for mark in marks]
    taken = _Taken()
    found: list[tuple[float, float] | None] = []
    for mark, line in zip(marks, lines, strict=True):
        if mark.box is None:
            found.append(None)
            continue
        size = np.asarray(mark.box, dtype=np.float64)
        others = [other for other in lines if other is not line]
        corner = _free_corner(mark.kind, line, size, gap, room, taken, others)
        # Words side by side need a space between them, as those of one line do.
        taken.add(corner - (gap / 2, 0), size + np.array((gap, 0.0)))
        found.append((float(corner[0]), float(corner[1])))
    return found


@dataclass(frozen=True, eq=False)
class _Line:
    """The drawn line of a mark: its points, both ends of all pieces, what it spans."""

    points: npt.NDArray[np.float64]
    starts: npt.NDArray[np.float64]
    stops: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]

    @classmethod
    def of(cls, mark: LabelledMark) -> _Line:
        line = np.asarray(mark.points, dtype=np.float64).reshape(-1, 2)
        return cls(line, *_segments(mark.kind, line), line.min(axis=0), line.max(axis=0))

    def crosses(self, corner: npt.NDArray[np.float64], size: npt.NDArray[np.float64]) -> bool:
        """Whether it passes through a box."""
        end = corner + size
        if (self.high < corner).any() or (self.low > end).any():
            return False
        return bool(_crossed(self.starts, self.stops, corner, end).any())


@dataclass(eq=False)
class _Taken:
    """Boxes in which words stand."""

    lows: list[npt.NDArray[np.float64]] = field(default_factory=list)
    highs: list[npt.NDArray[np.float64]] = field(default_factory=list)

    def add(self, corner: npt.NDArray[np.float64], size: npt.NDArray[np.float64]) -> None:
        self.lows.append(corner)
        self.highs.append(corner + size)

    def free(self, corner: npt.NDArray[np.float64], size: npt.NDArray[np.float64]) -> bool:
        """Whether no words stand in a box."""
        if not self.lows:
            return True
        apart = (np.stack(self.highs) <= corner) | (np.stack(self.lows) >= corner + size)
        return bool(apart.any(axis=1).all())


def _free_corner(
    kind: AnnotationKind,
    line: _Line,
    size: npt.NDArray[np.float64],
    gap: float,
    room: npt.NDArray[np.float64],
    taken: _Taken,
    others: Sequence[_Line],
) -> npt.NDArray[np.float64]:
    ends = _ends(kind, line.points)
    wanted = [_beside(end, away, size, gap) for end, away in ends]
    first: npt.NDArray[np.float64] | None = None
    free: npt.NDArray[np.float64] | None = None
    for corner in _beside_mark(wanted, ends[0][0], line, size, gap, room):
        first = corner if first is None else first
        if not taken.free(corner, size):
            continue
        if not any(other.crosses(corner, size) for other in others):
            return corner
        free = corner if free is None else free
    if free is not None:
        return free
    clipped = np.clip(wanted[0], 2, np.maximum(room - size - 2, 2))
    if first is None and taken.free(clipped, size):
        return clipped
    start = clipped if first is None else first
    for step in _STEPS:
        corner = start + step * size
        open_there = _fits(corner, size, room) and taken.free(corner, size)
        if open_there and not line.crosses(corner, size):
            return corner
    return start


def _beside_mark(
    wanted: Sequence[npt.NDArray[np.float64]],
    near: npt.NDArray[np.float64],
    line: _Line,
    size: npt.NDArray[np.float64],
    gap: float,
    room: npt.NDArray[np.float64],
) -> Iterator[npt.NDArray[np.float64]]:
    """Corners in the picture: at the ends of a mark, then along the part of it that is seen."""
    yield from (corner for corner in wanted if _fits(corner, size, room))
    for place, away in _along(line.starts, line.stops, room, near):
        corner = _beside(place, away, size, gap)
        if _fits(corner, size, room) and not line.crosses(corner, size):
            yield corner


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
