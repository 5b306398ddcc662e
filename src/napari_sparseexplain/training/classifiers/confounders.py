"""What a classifier still tells when a part of each picture is blanked: does it need the finding?

If it is as often right without the finding as with it, its accuracy comes from somewhere else, and
no map that points at the finding would be true to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation

from .class_slices import ClassSlices

#: Parts that are blanked, in words.
BLANKED = (
    "nothing",
    "the box",
    "as much elsewhere",
    "all but the box",
    "the border (an eighth on each side)",
)

#: The first of these on the pictures alone that have a box or a mask, where some have none.
BOXED = "nothing, of those with a box"

#: Share of the picture on each side that is border.
_BORDER = 1 / 8

#: Pixels by which a box is enlarged, so that no edge of the finding is left.
_GROWN = 2

#: How often another place is drawn.
_TRIES = 200


@dataclass(frozen=True, eq=False)
class BlankedPictures:
    """Pictures of which a part was blanked.

    Attributes
    ----------
    values : ndarray, shape (N, size, size)
        All of the pictures; whole where they do not have the part.
    rows : ndarray of int
        Those that have it: no other says anything of it.
    """

    values: npt.NDArray[Any]
    rows: npt.NDArray[np.intp]


def blanked_pictures(
    slices: ClassSlices, part: str, seed: int = 0, *, mean_zero: bool = True
) -> BlankedPictures:
    """Pictures with a part set to their mean.

    Parameters
    ----------
    part : str
        One of `BLANKED`. *As much elsewhere* moves each box to a place drawn at random inside the
        head where it does not touch the finding.
    mean_zero : bool
        The pictures were made to have the mean 0; else it is measured inside of each.
    """
    values = slices.values.copy()
    everything = np.arange(len(slices), dtype=np.intp)
    if part == BLANKED[0]:
        return BlankedPictures(values, everything)
    generator = np.random.default_rng(seed)
    rows = []
    for index in range(len(slices)):
        gone = _part_of(slices, index, part, generator)
        if gone is None:
            continue
        top, left, bottom, right = slices.inside[index]
        seen = values[index, top:bottom, left:right].astype(np.float64)
        values[index][gone] = 0 if mean_zero else seen.mean()
        rows.append(index)
    return BlankedPictures(values, np.asarray(rows, dtype=np.intp))


def _part_of(
    slices: ClassSlices, index: int, part: str, generator: np.random.Generator
) -> npt.NDArray[np.bool_] | None:
    """Pixels to blank; None where the picture does not have the part."""
    if part == BLANKED[4]:
        return _border(slices, index)
    box = slices.boxes(index)
    if not box.any():
        return None
    # Each box by itself: what lies between two of them is no finding.
    around = np.ones((2 * _GROWN + 1,) * 2, dtype=bool)
    box = np.asarray(binary_dilation(box, around), dtype=np.bool_)
    if part == BLANKED[1]:
        return box
    if part == BLANKED[3]:
        return ~box
    return _elsewhere(box, slices.values[index], generator)


def _border(slices: ClassSlices, index: int) -> npt.NDArray[np.bool_]:
    """An eighth of the picture on each of its sides, not of the square that it was laid in."""
    top, left, bottom, right = (int(edge) for edge in slices.inside[index])
    down, across = round((bottom - top) * _BORDER), round((right - left) * _BORDER)
    gone = np.zeros(slices.values.shape[1:], dtype=np.bool_)
    gone[top:bottom, left:right] = True
    gone[top + down : bottom - down, left + across : right - across] = False
    return gone


def _elsewhere(
    box: npt.NDArray[np.bool_], picture: npt.NDArray[Any], generator: np.random.Generator
) -> npt.NDArray[np.bool_] | None:
    """The same shape in the head where it does not touch the finding; None if there is no place."""
    rows, columns = np.flatnonzero(box.any(axis=1)), np.flatnonzero(box.any(axis=0))
    shape = box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = shape.shape
    head = picture > picture.min() + 0.15 * float(picture.max() - picture.min())
    for _ in range(_TRIES):
        top = int(generator.integers(0, len(box) - height + 1))
        left = int(generator.integers(0, len(box[0]) - width + 1))
        here = np.s_[top : top + height, left : left + width]
        if not (box[here] & shape).any() and head[here][shape].mean() > 0.8:
            moved = np.zeros_like(box)
            moved[here] = shape
            return moved
    return None
