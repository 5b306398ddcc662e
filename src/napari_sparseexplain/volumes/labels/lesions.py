"""The lesions of a label map: connected components, the largest first, and where to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

#: Pieces smaller than this are noise in a label map, not lesions to jump to.
SMALLEST_VOXELS = 3


@dataclass(frozen=True)
class Lesion:
    """One connected component.

    Attributes
    ----------
    voxels : int
    place : tuple of int
        (slice, row, column) of a voxel of it, on the slice where its area is largest.
    """

    voxels: int
    place: tuple[int, int, int]


def lesions(labels: npt.NDArray[Any], axis: int = 0, most: int = 50) -> list[Lesion]:
    """Connected components of what is not 0, the largest first.

    Voxels that share a face, an edge or a corner belong together; different labels that touch are
    one lesion, since a tumour's parts have labels of their own.

    Parameters
    ----------
    labels : ndarray, shape (S, P, L)
    axis : int
        Along which the slice with the largest area is looked for.
    most : int
        No more than these.

    Returns
    -------
    list of Lesion
        Empty where nothing is labelled. Pieces of fewer than `SMALLEST_VOXELS` voxels are left
        out, unless there is nothing else.
    """
    mask = np.asarray(labels) != 0
    found = ndimage.find_objects(mask.astype(np.uint8))
    if not found or found[0] is None:
        return []
    box = found[0]
    labelled: Any = ndimage.label(mask[box], structure=np.ones((3, 3, 3), dtype=bool))
    pieces, count = labelled
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-sizes, kind="stable")[:most]
    if sizes[order[0]] >= SMALLEST_VOXELS:
        order = order[sizes[order] >= SMALLEST_VOXELS]
    boxes = ndimage.find_objects(pieces)
    start = np.array([part.start for part in box])
    answer = []
    for piece in order:
        inner = boxes[piece]
        own = pieces[inner] == piece + 1
        corner = start + [part.start for part in inner]
        s, p, l = (int(v) for v in corner + _middle(own, axis))  # noqa: E741
        answer.append(Lesion(int(sizes[piece]), (s, p, l)))
    return answer


def _middle(piece: npt.NDArray[np.bool_], axis: int) -> npt.NDArray[np.intp]:
    """The voxel nearest to the middle of the slice in which a piece is largest."""
    others = tuple(other for other in range(3) if other != axis)
    index = int(np.count_nonzero(piece, axis=others).argmax())
    places = np.argwhere(np.take(piece, index, axis=axis))
    nearest = places[((places - places.mean(axis=0)) ** 2).sum(axis=1).argmin()]
    return np.insert(nearest, axis, index)
