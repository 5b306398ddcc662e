"""Label maps are whole numbers: recognise them in any stored type, keep them small."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

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
    if max(abs(low), high) >= 2**31:  # no label; a float of this size is whole by rounding
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
