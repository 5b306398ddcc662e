"""Label maps are whole numbers: recognise them in any stored type, keep them small."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .volume import Volume

#: From here on a float32 (a float64) is whole by rounding, so it is no label.
_LARGEST_LABEL = {4: 2**31, 8: 2**53}

#: Values that a table can count faster than sorting can find them: one- and two-byte labels.
_COUNTED_BYTES = 2

#: A map that is only *perhaps* a label map (by its name) has at most this many values.
FEW_VALUES = 32

#: A parcellation of a whole brain has some hundreds; a scan that is named as a mask has more.
MANY_VALUES = 1024


def smallest_integer(low: int, high: int) -> np.dtype[Any]:
    """Smallest integer type that holds ``low`` and ``high``; unsigned where nothing is negative."""
    kinds = ("u1", "u2", "u4", "u8") if low >= 0 else ("i1", "i2", "i4", "i8")
    for kind in kinds:
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return np.dtype(kind)
    return np.dtype("i8")


def as_label_array(data: npt.NDArray[Any], *, few: bool = False) -> npt.NDArray[Any] | None:
    """``data`` as integers when it is a label map, None when it is not.

    Parameters
    ----------
    data : ndarray
        Any real type. Integers come back as they are; floats that are whole numbers become the
        smallest integer type that holds them, slab by slab (one byte a voxel is the usual case).
    few : bool
        Whether more than `FEW_VALUES` (else `MANY_VALUES`) distinct values rule a label map out.

    Returns
    -------
    ndarray or None
        Not writable when ``data`` was not.
    """
    if data.dtype.kind == "c" or data.size == 0:
        return None
    allowed = FEW_VALUES if few else MANY_VALUES
    if data.dtype.kind in "iub":
        return data if _has_at_most(data, allowed) else None
    low, high = 0, 0
    for slab in data:
        if not np.isfinite(slab).all() or (slab != np.rint(slab)).any():
            return None
        low, high = min(low, int(slab.min())), max(high, int(slab.max()))
    if max(abs(low), high) >= _LARGEST_LABEL.get(data.dtype.itemsize, 2**31):
        return None
    if not _has_at_most(data, allowed):
        return None
    labels = np.empty(data.shape, dtype=smallest_integer(low, high))
    for out, slab in zip(labels, data, strict=True):
        out[...] = slab
    labels.setflags(write=False)
    return labels


def _has_at_most(data: npt.NDArray[Any], allowed: int) -> bool:
    """Whether ``data`` holds at most so many distinct values; stops early when not."""
    seen: set[Any] = set()
    for slab in data:
        seen.update(np.unique(slab).tolist())
        if len(seen) > allowed:
            return False
    return True


def occurring_labels(data: npt.NDArray[Any]) -> tuple[int, ...]:
    """Label values that occur, ascending and without 0.

    What it costs follows the voxels and the labels that occur, never how large their numbers are:
    atlases number regions beyond 2³¹.

    Parameters
    ----------
    data : ndarray
        A label map. Values that are not whole count as the whole number below their magnitude, as
        when they are drawn.
    """
    seen: set[int] = set()
    for slab in data if data.ndim > 1 else [data]:
        if slab.dtype.kind == "f":
            slab = slab[np.isfinite(slab)]
        if slab.dtype.kind in "ub" and slab.dtype.itemsize <= _COUNTED_BYTES:
            found = np.flatnonzero(np.bincount(np.ravel(slab)))
        else:
            found = np.unique(slab)
        seen.update(int(value) for value in found)
    return tuple(sorted(seen - {0}))


#: A volume is frozen: with other labels it is another volume.
_FOUND: WeakKeyDictionary[Volume, tuple[int, ...]] = WeakKeyDictionary()


def labels_of(volume: Volume) -> tuple[int, ...]:
    """`occurring_labels` of a label map of a study, which is read once."""
    if volume not in _FOUND:
        _FOUND[volume] = occurring_labels(volume.spatial())
    return _FOUND[volume]
