"""Label maps are whole numbers: recognise them in any stored type, keep them small."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ..volume import Volume

#: From here on a float32 (a float64) is whole by rounding, so it is no label.
_LARGEST_LABEL = {4: 2**31, 8: 2**53}

#: Values that a table can count faster than sorting can find them: one- and two-byte labels.
_COUNTED_BYTES = 2

#: A scale factor that was stored as a float32, or rounded for a table, moves a label by this part
#: of its size at most; the values of a scan lie anywhere.
ROUNDING = 1e-3

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


@dataclass(frozen=True)
class LabelReading:
    """A label map, and what had to be put right for it.

    Attributes
    ----------
    labels : ndarray
        Whole numbers; not writable when the data were not.
    rounded : float
        The largest distance of a value from its whole number; 0 when all were whole.
    not_finite : int
        Voxels that were NaN or infinite, now 0.
    """

    labels: npt.NDArray[Any]
    rounded: float = 0.0
    not_finite: int = 0

    def as_text(self) -> str:
        """What was put right, empty when nothing was."""
        said = []
        if self.not_finite:
            voxels = "voxel" if self.not_finite == 1 else "voxels"
            said.append(f"{self.not_finite} {voxels} without a value became 0")
        if self.rounded:
            said.append(f"values up to {self.rounded:.2g} off a whole number were rounded")
        return " and ".join(said)


def as_label_array(data: npt.NDArray[Any], *, few: bool = False) -> npt.NDArray[Any] | None:
    """``data`` as integers when it is a label map as it stands, None when it is not.

    Nothing is put right here; `read_labels` does that for a mask that came from elsewhere.
    """
    reading = read_labels(data, few=few)
    if reading is None or reading.rounded or reading.not_finite:
        return None
    return reading.labels


def read_labels(data: npt.NDArray[Any], *, few: bool = False) -> LabelReading | None:
    """``data`` as whole numbers when it is a label map, None when it is not.

    A mask stays a mask when a scale factor was rounded (1.00004 instead of 1), when it was stored
    as floats, and when there is NaN where nothing was marked.

    Parameters
    ----------
    data : ndarray
        Any real type. Integers come back as they are; floats that are whole numbers, to
        `ROUNDING` of their size, become the smallest integer type that holds them, slab by slab
        (one byte a voxel is the usual case).
    few : bool
        Whether more than `FEW_VALUES` (else `MANY_VALUES`) distinct values rule a label map out.
    """
    if data.dtype.kind not in "iubf" or data.size == 0:
        return None
    allowed = FEW_VALUES if few else MANY_VALUES
    if data.dtype.kind in "iub":
        return LabelReading(data) if _has_at_most(data, allowed) else None
    low, high, off, missing = 0, 0, 0.0, 0
    seen: set[float] = set()
    for slab in data:
        finite = np.isfinite(slab)
        values = np.unique(slab if finite.all() else slab[finite]).astype(np.float64)
        missing += int(finite.size - np.count_nonzero(finite))
        if values.size == 0:
            continue
        whole = np.rint(values)
        away = np.abs(values - whole)
        if (away > ROUNDING * np.maximum(np.abs(whole), 1.0)).any() or (away >= 0.25).any():
            return None
        off = max(off, float(away.max()))
        seen.update(whole.tolist())
        if len(seen) > allowed:
            return None
        low, high = min(low, int(whole[0])), max(high, int(whole[-1]))
    if missing == data.size or (off and low == high == 0):
        return None  # no values, or values that are all nearly 0: a map of small numbers
    if max(abs(low), high) >= _LARGEST_LABEL.get(data.dtype.itemsize, 2**31):
        return None
    labels = np.empty(data.shape, dtype=smallest_integer(low, high))
    for out, slab in zip(labels, data, strict=True):
        whole = slab if not off else np.rint(slab)
        out[...] = np.where(np.isfinite(slab), whole, 0) if missing else whole
    labels.setflags(write=False)
    return LabelReading(labels, off, missing)


def read_labels_of_frames(data: Any) -> LabelReading | None:
    """`read_labels` of an array with one more axis, whose images are label maps; None of others.

    Parameters
    ----------
    data : array-like, shape (frames, S, P, L)
        Read an image at a time. Whole numbers in memory or mapped from a file come back as they
        are; everything else becomes the smallest integer type that holds all.
    """
    readings = []
    for number in range(int(data.shape[0])):
        reading = read_labels(np.asarray(data[number]))
        if reading is None:
            return None
        if isinstance(data, np.ndarray) and data.dtype.kind in "iub":
            continue
        readings.append(reading)
    if not readings:
        return LabelReading(data)
    labels = np.stack([reading.labels for reading in readings])
    labels.setflags(write=False)
    off = max(reading.rounded for reading in readings)
    return LabelReading(labels, off, sum(reading.not_finite for reading in readings))


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


def know_labels(volume: Volume, labels: Iterable[int]) -> None:
    """Tell which labels a map holds that is drawn when it is looked at, so that it is not read."""
    _FOUND[volume] = tuple(sorted(labels))


def labels_of(volume: Volume) -> tuple[int, ...]:
    """`occurring_labels` of a label map of a study, in any of its frames; it is read once."""
    if volume not in _FOUND:
        frames = volume.data.reshape(-1, *volume.grid.shape) if volume.leading else ()
        each = (occurring_labels(np.asarray(frame)) for frame in frames)
        found = set().union(*each) if volume.leading else occurring_labels(volume.spatial())
        _FOUND[volume] = tuple(sorted(found))
    return _FOUND[volume]
