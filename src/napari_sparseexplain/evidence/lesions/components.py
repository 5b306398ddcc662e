"""Connected components of a mask, the largest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ...errors import SparseExplainError

#: Slices that bound a component.
Box = tuple[slice, slice, slice]

#: A mask in more pieces is noise, not lesions; a table of them helps nobody.
MOST_COMPONENTS = 2000

_CORNERS = np.ones((3, 3, 3), dtype=bool)


@dataclass(frozen=True, eq=False)
class Component:
    """Voxels that hang together.

    Attributes
    ----------
    number : int
        1 is the largest. It stays the component's own, however a table is sorted.
    box : tuple of three slices
        Where it lies in the mask.
    inside : ndarray of bool
        Its voxels, of the shape of the box.
    voxels : int
    """

    number: int
    box: Box
    inside: npt.NDArray[np.bool_]
    voxels: int

    @property
    def start(self) -> npt.NDArray[np.int64]:
        """First (slice, row, column) of the box."""
        return np.array([part.start for part in self.box], dtype=np.int64)


def components_of(mask: npt.NDArray[Any]) -> tuple[Component, ...]:
    """Connected components of what is not 0, the largest first.

    Voxels that share a face, an edge or a corner belong together (26 neighbours). Labels that
    touch are one lesion, since a tumour's parts have labels of their own. Components of equal size
    stand in the order of their first voxel.

    Parameters
    ----------
    mask : ndarray, shape (S, P, L)

    Raises
    ------
    SparseExplainError
        More than `MOST_COMPONENTS` pieces.
    """
    marked = np.asarray(mask) != 0
    outer = occupied_box(marked)
    if outer is None:
        return ()
    labelled: Any = ndimage.label(marked[outer], structure=_CORNERS)
    pieces, count = labelled
    if count > MOST_COMPONENTS:
        raise SparseExplainError(
            f"the mask falls into {count} pieces, more than {MOST_COMPONENTS}",
            remedy="Take a mask with less noise, such as one with small pieces removed",
        )
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    boxes = ndimage.find_objects(pieces)
    found = []
    for number, piece in enumerate(np.argsort(-sizes, kind="stable"), start=1):
        inner = boxes[piece]
        box = tuple(
            slice(a.start + b.start, a.start + b.stop) for a, b in zip(outer, inner, strict=True)
        )
        assert len(box) == 3
        found.append(Component(number, box, pieces[inner] == piece + 1, int(sizes[piece])))
    return tuple(found)


def occupied_box(marked: npt.NDArray[np.bool_]) -> Box | None:
    """The smallest box about what is marked; None where nothing is."""
    found = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        places = np.flatnonzero(marked.any(axis=others))
        if not places.size:
            return None
        found.append(slice(int(places[0]), int(places[-1]) + 1))
    return found[0], found[1], found[2]


def without(
    mask: npt.NDArray[Any], components: Sequence[Component], off: Iterable[int]
) -> npt.NDArray[Any]:
    """A copy of a mask in which some of its components, by their numbers, are 0."""
    edited, numbers = np.array(mask), set(off)
    for component in components:
        if component.number in numbers:
            edited[component.box][component.inside] = 0
    return edited
