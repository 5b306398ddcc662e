"""The box about the head, or whatever a scan shows: what a view is fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from .brain_mask import brain_mask
from .study import Study

#: Lower and upper corner in millimetres along (S, P, L) from the middle of voxel 0.
Box = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]

#: Voxels along an axis that are looked at: the head is large.
_LOOKED_AT = 64

#: A box that has less of an axis than this is of something else than the scan's subject; one with
#: more than that is the whole slice.
_LEAST, _WHOLE = 0.25, 0.95

_KEPT: WeakKeyDictionary[Study, Box | None] = WeakKeyDictionary()


def head_box(study: Study) -> Box | None:
    """The box about what a study's reference scan shows that is not background.

    Parameters
    ----------
    study : Study

    Returns
    -------
    pair of ndarray, shape (3,), or None
        Lower and upper corner, in millimetres along S, P and L from the middle of voxel 0. None
        where the scan fills its field of view, or nothing stands out from its background.
    """
    if study not in _KEPT:
        _KEPT[study] = _found(study)
    return _KEPT[study]


def box_in_plane(study: Study, axes: Sequence[int]) -> Box:
    """The part of a slice that a view is fitted to: that with the head, else all of it.

    Parameters
    ----------
    axes : pair of int
        Of (0 S, 1 P, 2 L), those along the picture's rows and columns.

    Returns
    -------
    pair of ndarray, shape (2,)
        Millimetres along rows and columns.
    """
    low, high = head_box(study) or whole_box(study)
    return low[list(axes)], high[list(axes)]


def whole_box(study: Study) -> Box:
    """All voxels of a study, to their outer edges."""
    spacing = np.asarray(study.grid.spacing, np.float64)
    return -spacing / 2, (np.asarray(study.grid.shape) - 0.5) * spacing


def _found(study: Study) -> Box | None:
    scan = np.asarray(study[study.reference].spatial())
    if scan.ndim != 3:  # a picture in colour
        return None
    steps = [max(1, -(-count // _LOOKED_AT)) for count in scan.shape]
    head = brain_mask(scan[tuple(slice(None, None, step) for step in steps)])
    if not head.any():
        return None
    ends = []
    for axis, (step, count) in enumerate(zip(steps, scan.shape, strict=True)):
        seen = np.flatnonzero(head.any(axis=tuple({0, 1, 2} - {axis}))) * step
        # What lies between two voxels that were looked at may belong to it.
        low, high = max(seen[0] - step, 0), min(seen[-1] + step, count - 1)
        part = (high - low + 1) / count
        if part < _LEAST:
            return None
        ends.append((0, count - 1) if part > _WHOLE else (low, high))
    found = np.asarray(ends, np.float64)
    if (found[:, 1] - found[:, 0] + 1 == scan.shape).all():
        return None
    spacing = np.asarray(study.grid.spacing, np.float64)
    return (found[:, 0] - 0.5) * spacing, (found[:, 1] + 0.5) * spacing
