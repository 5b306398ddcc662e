"""What stands in a DICOM image where nothing was measured (PS3.3 C.7.5.1.1.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from .frames import Frame
from .values import first_item, integer, number, value


def padding_of(header: Dataset, frame: Frame, dtype: np.dtype[Any]) -> tuple[float, float] | None:
    """Range of the padding in the values of the volume; None when there is none.

    PixelPaddingValue, or all from it to PixelPaddingRangeLimit, are stored values: they are
    rescaled as the pixels are. Both may be written as the other sign than the pixels'.

    Parameters
    ----------
    header : Dataset
    frame : Frame
        The first, for its rescale.
    dtype : numpy dtype
        Of the volume, whose rounding a range has to allow for.
    """
    for keyword in ("FloatPixelPaddingValue", "DoubleFloatPixelPaddingValue"):
        if (found := number(header, keyword)) is not None:
            limit = number(header, keyword.replace("Value", "RangeLimit"))
            return _ordered(found, found if limit is None else limit, dtype)
    stored = number(header, "PixelPaddingValue")
    if stored is None or first_item(header, "ModalityLUTSequence") is not None:
        return None
    limit = number(header, "PixelPaddingRangeLimit")
    ends = [
        _as_stored(end, header) * frame.slope + frame.intercept
        for end in (stored, stored if limit is None else limit)
    ]
    return _ordered(ends[0], ends[1], dtype)


def _as_stored(found: float, header: Dataset) -> float:
    """A value as the pixels are read: 63536 of a signed image of 16 bits is -2000."""
    bits = integer(header, "BitsAllocated") or 16
    signed = value(header, "PixelRepresentation") == 1
    if signed and found >= 1 << (bits - 1):
        return found - (1 << bits)
    if not signed and found < 0:
        return found + (1 << bits)
    return found


def _ordered(one: float, other: float, dtype: np.dtype[Any]) -> tuple[float, float]:
    low, high = min(one, other), max(one, other)
    if dtype.kind != "f":
        return low, high
    # What float32 makes of the ends, and of products a step beside it.
    room = 4 * float(np.finfo(np.float32).eps) * max(abs(low), abs(high))
    return low - room, high + room
