"""An image cut in two again and again: the regions whose share of the score is asked for.

The leaves are numbered so that every region of the tree is a run of leaves: a region is known by
its first leaf and the one behind its last, and what is shown of an image by one flag a leaf.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: First leaf of a region and the one behind its last.
Span = tuple[int, int]


@dataclass(frozen=True, eq=False)
class RegionTree:
    """A binary tree of regions.

    Attributes
    ----------
    labels : ndarray of int, shape (C, H, W) or (1, H, W)
        Leaf of each pixel, of each channel or of all together; -1 where nothing can be hidden.
    middles : mapping of (start, stop) to int
        Where each region that is not a leaf is cut.
    """

    labels: npt.NDArray[np.int64]
    middles: Mapping[Span, int]

    @property
    def count(self) -> int:
        """Leaves."""
        return int(self.labels.max()) + 1

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Pixels of each leaf, shape (count,)."""
        return np.bincount(self.labels[self.labels >= 0], minlength=self.count)

    def shown(self, leaves: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Pixels that are not hidden, of leaves shown (B, count): shape (B, C or 1, H, W)."""
        # A last flag for the label -1: what cannot be hidden is always shown.
        flags = np.concatenate([leaves, np.ones((len(leaves), 1), dtype=bool)], axis=1)
        return flags[:, self.labels]


def halved_box(differs: npt.NDArray[np.bool_], smallest: int, *, apart: bool = False) -> RegionTree:
    """Boxes, halved across their longer side, until no side is longer than ``smallest``.

    A box is first cut back to what differs from the baseline: hiding the rest changes nothing.

    Parameters
    ----------
    differs : ndarray of bool, shape (C, H, W)
        Where image and baseline differ.
    smallest : int
        Longest side of a leaf, in pixels.
    apart : bool
        Channels are parted first, and then have boxes of their own.
    """
    hidden = differs if apart else np.any(differs, axis=0)[None]
    labels = np.full(hidden.shape, -1, dtype=np.int64)
    middles: dict[Span, int] = {}

    def cut(box: tuple[slice, ...], first: int) -> int:
        """Number the leaves of a box from ``first``; the number behind its last."""
        inside = np.nonzero(hidden[box])
        if not inside[0].size:
            return first
        box = tuple(
            slice(side.start + int(places.min()), side.start + int(places.max()) + 1)
            for side, places in zip(box, inside, strict=True)
        )
        channels, *sides = (side.stop - side.start for side in box)
        axis = 0 if channels > 1 else 1 + int(np.argmax(sides))
        if channels == 1 and max(sides) <= smallest:
            labels[box][hidden[box]] = first
            return first + 1
        side = box[axis]
        half = (side.start + side.stop) // 2
        middle = cut((*box[:axis], slice(side.start, half), *box[axis + 1 :]), first)
        stop = cut((*box[:axis], slice(half, side.stop), *box[axis + 1 :]), middle)
        middles[first, stop] = middle
        return stop

    cut(tuple(slice(0, n) for n in hidden.shape), 0)
    return RegionTree(labels, middles)


def halved_segments(
    differs: npt.NDArray[np.bool_], segments: npt.NDArray[np.integer], *, apart: bool = False
) -> RegionTree:
    """Segments of an image, parted into two halves by their centres until each is alone.

    Parameters
    ----------
    differs : ndarray of bool, shape (C, H, W)
    segments : ndarray of int, shape (H, W)
        Label image.
    apart : bool
        Channels are parted first.
    """
    hidden = differs if apart else np.any(differs, axis=0)[None]
    labels = np.full(hidden.shape, -1, dtype=np.int64)
    middles: dict[Span, int] = {}
    # Of each segment in each channel its channel, its centre and its pixels.
    parts = []
    for channel, here in enumerate(hidden):
        names, which = np.unique(segments[here], return_inverse=True)
        rows, columns = np.nonzero(here)
        for number in range(len(names)):
            own = which == number
            centre = (channel, rows[own].mean(), columns[own].mean())
            parts.append((centre, (np.full(own.sum(), channel), rows[own], columns[own])))
    centres = np.array([centre for centre, _ in parts]).reshape(-1, 3)

    def cut(some: npt.NDArray[np.int64], first: int) -> int:
        if len(some) == 1:
            labels[parts[some[0]][1]] = first
            return first + 1
        extent = np.ptp(centres[some], axis=0)
        axis = 0 if extent[0] > 0 else 1 + int(np.argmax(extent[1:]))
        order = some[np.argsort(centres[some, axis], kind="stable")]
        half = len(order) // 2
        if axis == 0:
            # Between two channels, never through one.
            channels = centres[order, 0]
            half = int(np.searchsorted(channels, channels[half])) or int(
                np.searchsorted(channels, channels[half], side="right")
            )
        middle = cut(order[:half], first)
        stop = cut(order[half:], middle)
        middles[first, stop] = middle
        return stop

    if parts:
        cut(np.arange(len(parts)), 0)
    return RegionTree(labels, middles)
