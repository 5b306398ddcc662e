"""The two diameters of a lesion in the axial plane, as RANO measures them.

The longest line between two points of the outline in any axial slice, and the longest line at right
angles to it in the same slice [1]_. The outline runs along the outer edges of the voxels, so that
one voxel has a size. Where an outline is hollow a line may cross what is not marked, as a ruler
does: both are lines of the outline's convex hull.

References
----------
.. [1] P. Y. Wen et al., Updated response assessment criteria for high-grade gliomas: Response
   Assessment in Neuro-Oncology working group, J Clin Oncol 28(11), 2010, 1963-1972: the maximal
   enhancing diameter times the longest diameter perpendicular to it; measurable from 10 mm × 10 mm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

#: Two lengths that differ by less, relatively, are equal but for rounding.
_SAME = 1e-9

#: Ends of a line on a slice, in rows and columns (fractional; voxel centres are whole numbers).
Line = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Diameters:
    """Two perpendicular lines on an axial slice.

    Attributes
    ----------
    longest, perpendicular : float
        Their lengths, in the unit of the spacing.
    long_line, short_line : pair of (row, column)
        Their ends.
    index : int
        The slice.
    """

    longest: float
    perpendicular: float
    long_line: Line
    short_line: Line
    index: int = 0

    @property
    def product(self) -> float:
        """Longest times perpendicular diameter."""
        return self.longest * self.perpendicular


def largest_diameters(
    inside: npt.NDArray[np.bool_], spacing: tuple[float, float]
) -> tuple[int, Diameters]:
    """Slice and diameters of a component: those of the slice with the longest diameter.

    Of slices with equally long ones the one with the larger perpendicular diameter counts, then
    the first.

    Parameters
    ----------
    inside : ndarray of bool, shape (slices, rows, columns)
        At least one voxel.
    spacing : tuple of float
        Size of a pixel along rows and columns.
    """
    # No line is longer than the diagonal of its slice's box: most slices need no hull.
    bounds = []
    for index, plane in enumerate(inside):
        rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
        if rows.size:
            height = (rows[-1] - rows[0] + 1) * spacing[0]
            width = (columns[-1] - columns[0] + 1) * spacing[1]
            bounds.append((float(np.hypot(height, width)), index))
    bounds.sort(key=lambda found: (-found[0], found[1]))
    longest, lengths = 0.0, {}
    for bound, index in bounds:
        if bound < longest * (1 - _SAME):
            break
        lengths[index] = _longest_of(hull_corners(inside[index]) * spacing)
        longest = max(longest, lengths[index])
    best = max(
        (
            replace(plane_diameters(inside[index], spacing), index=index)
            for index, length in lengths.items()
            if length >= longest * (1 - _SAME)
        ),
        key=lambda found: (_rounded(found.perpendicular), -found.index),
    )
    return best.index, best


def _longest_of(hull: npt.NDArray[np.float64]) -> float:
    apart = hull[:, None, :] - hull[None, :, :]
    return float(np.sqrt((apart**2).sum(axis=-1).max()))


def _rounded(length: float) -> float:
    return float(f"{length:.9g}")


def plane_diameters(
    plane: npt.NDArray[np.bool_], spacing: tuple[float, float], at: tuple[int, int] = (0, 0)
) -> Diameters:
    """The longest diameter of what is marked on a slice, and the longest perpendicular one.

    Exact: every pair of corners of the convex hull is tried, and the length of the chords at right
    angles, which is linear between corners, at every corner. Of several longest ones the one with
    the largest perpendicular counts.

    Parameters
    ----------
    plane : ndarray of bool, shape (rows, columns)
        At least one pixel.
    spacing : tuple of float
        Size of a pixel along rows and columns.
    at : tuple of int, optional
        Row and column of its first pixel, added to the ends of the lines.
    """
    scale = np.asarray(spacing, dtype=np.float64)
    hull = hull_corners(plane) * scale
    apart = hull[:, None, :] - hull[None, :, :]
    squares = (apart**2).sum(axis=-1)
    longest = float(np.sqrt(squares.max()))
    pairs = np.argwhere(np.triu(squares >= squares.max() * (1 - 2 * _SAME), k=1))
    chords = [_longest_chord(hull, hull[b] - hull[a]) for a, b in pairs]
    which = int(np.argmax([_rounded(length) for length, _, _ in chords]))
    across, *ends = chords[which]
    shift = np.asarray(at, dtype=np.float64)
    return Diameters(
        longest,
        across,
        _line(hull[pairs[which]] / scale + shift),
        _line(np.array(ends) / scale + shift),
    )


def hull_corners(plane: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Corners of the convex hull of the marked pixels, as squares, in rows and columns.

    By the monotone chain of Andrew (1979) over the outermost pixel edges of every row: whole
    numbers, so nothing is rounded.
    """
    rows = np.flatnonzero(plane.any(axis=1))
    first, last = int(rows[0]), int(rows[-1])
    part = plane[first : last + 1]
    there, width = part.any(axis=1), plane.shape[1]
    left = np.where(there, part.argmax(axis=1), width)
    right = np.where(there, width - part[:, ::-1].argmax(axis=1), -1)
    # An edge between two rows belongs to both.
    lefts = np.minimum(np.append(left, width), np.insert(left, 0, width))
    rights = np.maximum(np.append(right, -1), np.insert(right, 0, -1))
    on = np.flatnonzero(rights >= 0)
    low = _chain([(int(edge), int(lefts[edge])) for edge in on])
    high = _chain([(int(edge), -int(rights[edge])) for edge in on])
    corners = [*low, *((edge, -column) for edge, column in reversed(high))]
    return np.array(corners, dtype=np.float64) + np.array([first - 0.5, -0.5])


def _chain(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those of points that ascend along the first axis over which a taut string bends, below."""
    chain: list[tuple[int, int]] = []
    for edge, column in points:
        while len(chain) > 1:
            (e0, c0), (e1, c1) = chain[-2:]
            if (e1 - e0) * (column - c0) - (c1 - c0) * (edge - e0) > 0:
                break
            chain.pop()
        chain.append((edge, column))
    return chain


def _longest_chord(
    hull: npt.NDArray[np.float64], along: npt.NDArray[np.float64]
) -> tuple[float, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The longest line in a hull at right angles to a direction: length and both ends."""
    along = along / np.linalg.norm(along)
    across = np.array([-along[1], along[0]])
    t, h = hull @ along, hull @ across
    places = np.unique(t)
    low, high = _bounds(t, h, places)
    lengths = high - low
    best = int(np.argmax(np.round(lengths / max(float(lengths.max()), 1e-300), 12)))
    start = places[best] * along
    return float(lengths[best]), start + low[best] * across, start + high[best] * across


def _bounds(
    t: npt.NDArray[np.float64], h: npt.NDArray[np.float64], places: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Lowest and highest point of a hull's outline at every place, from where its edges cross."""
    t1, h1 = np.roll(t, -1), np.roll(h, -1)
    start, stop = np.minimum(t, t1), np.maximum(t, t1)
    run = np.where(stop > start, t1 - t, 1.0)
    part = (places[:, None] - t) / run
    value = h + np.where(stop > start, part, 0.0) * (h1 - h)
    crosses = (places[:, None] >= start) & (places[:, None] <= stop)
    low = np.where(crosses, value, np.inf).min(axis=1)
    high = np.where(crosses, value, -np.inf).max(axis=1)
    # Of an edge that runs across both ends count, not the first alone.
    flat = stop == start
    for place, edge in np.argwhere(crosses & flat):
        low[place] = min(low[place], h[edge], h1[edge])
        high[place] = max(high[place], h[edge], h1[edge])
    return low, high


def _line(ends: Any) -> Line:
    (a, b), (c, d) = ends
    return (float(a), float(b)), (float(c), float(d))
