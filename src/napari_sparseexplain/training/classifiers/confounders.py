"""What a classifier still tells when a part of each picture is blanked: does it need the finding?

If it is as often right without the finding as with it, its accuracy comes from somewhere else, and
no map that points at the finding would be true to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .class_slices import ClassSlices

#: Parts that are blanked, in words.
BLANKED = (
    "nothing",
    "the box",
    "as much elsewhere",
    "all but the box",
    "the border (an eighth on each side)",
)

#: Share of the picture on each side that is border.
_BORDER = 1 / 8

#: Pixels by which a box is enlarged, so that no edge of the finding is left.
_GROWN = 2


def blanked_pictures(slices: ClassSlices, part: str, seed: int = 0) -> npt.NDArray[np.float16]:
    """Pictures with a part set to their mean, which is 0.

    Parameters
    ----------
    part : str
        One of `BLANKED`. *As much elsewhere* moves each box to a place drawn at random inside the
        head where it does not touch the finding; a picture that has no such place stays whole.
    """
    values = slices.values.copy()
    if part == BLANKED[0]:
        return values
    if part == BLANKED[4]:
        edge = round(slices.size * _BORDER)
        inner = values[:, edge:-edge, edge:-edge].copy()
        values[:] = 0
        values[:, edge:-edge, edge:-edge] = inner
        return values
    generator = np.random.default_rng(seed)
    for index in range(len(slices)):
        box = _grown(slices.boxes(index))
        if not box.any():
            continue
        if part == BLANKED[1]:
            values[index][box] = 0
        elif part == BLANKED[3]:
            values[index][~box] = 0
        else:
            values[index][_elsewhere(box, values[index], generator)] = 0
    return values


def _grown(box: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    grown = box.copy()
    rows, columns = np.flatnonzero(box.any(axis=1)), np.flatnonzero(box.any(axis=0))
    if len(rows):
        grown[
            max(rows[0] - _GROWN, 0) : rows[-1] + _GROWN + 1,
            max(columns[0] - _GROWN, 0) : columns[-1] + _GROWN + 1,
        ] = True
    return grown


def _elsewhere(
    box: npt.NDArray[np.bool_], picture: npt.NDArray[Any], generator: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """A box of the same size in the head that does not touch this one; nowhere if there is none."""
    rows, columns = np.flatnonzero(box.any(axis=1)), np.flatnonzero(box.any(axis=0))
    height, width = int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)
    head = picture > picture.min() + 0.15 * float(picture.max() - picture.min())
    moved = np.zeros_like(box)
    for _ in range(200):
        top = int(generator.integers(0, len(box) - height + 1))
        left = int(generator.integers(0, len(box[0]) - width + 1))
        here = np.s_[top : top + height, left : left + width]
        if not box[here].any() and head[here].mean() > 0.8:
            moved[here] = True
            break
    return moved
