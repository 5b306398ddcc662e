"""Palettes of DICOM images (PS3.3 C.7.6.3.1.5 and .6) as 8-bit colours, in either byte order.

The standard packs entries of 8 bits two to a word, which a big-endian file swaps; writers also
keep them in a word each. pydicom reads the words as little-endian in any file and takes the upper
byte of an 8-bit entry, so such palettes came out wrong or black.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import ExplicitVRBigEndian

from .values import text, value

_CHANNELS = ("Red", "Green", "Blue")


def palette_colours(plane: npt.NDArray[Any], header: Dataset) -> npt.NDArray[np.uint8]:
    """Colours of a plane of indices.

    Parameters
    ----------
    plane : ndarray of integers, shape (rows, columns)
    header : Dataset
        Of the image, with its transfer syntax.

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 3)

    Raises
    ------
    ValueError
        The palette is absent, or has a length that fits no number of bits.
    """
    if value(header, "RedPaletteColorLookupTableData") is None:
        # A segmented palette: pydicom expands it in the file's own byte order.
        colours = apply_color_lut(plane, header)[..., :3]
        bits = int(header.RedPaletteColorLookupTableDescriptor[2])
        return (colours >> 8).astype(np.uint8) if bits > 8 else colours.astype(np.uint8)
    descriptor = list(header.RedPaletteColorLookupTableDescriptor)
    count, first = int(descriptor[0]) or 1 << 16, int(descriptor[1])
    if first > 0x7FFF and plane.dtype.kind == "i":
        first -= 1 << 16
    tables = [
        _entries(header, f"{channel}PaletteColorLookupTableData", count) for channel in _CHANNELS
    ]
    highest = max(int(table.max(initial=0)) for table in tables)
    if highest > 0xFF:
        # Of 16 bits the upper byte; of 8 bits, too, where a writer has put them there. Tables that
        # fill 8 bits only are of 8 bits, whatever their descriptor says.
        tables = [table >> 8 for table in tables]
    place = np.clip(plane.astype(np.int64) - first, 0, count - 1)
    return np.stack([table[place] for table in tables], axis=-1).astype(np.uint8)


def _entries(header: Dataset, keyword: str, count: int) -> npt.NDArray[np.uint16]:
    """One channel's entries as whole numbers, in the file's byte order."""
    found = value(header, keyword)
    if not isinstance(found, bytes):
        return np.asarray(found, dtype=np.uint16).ravel()[:count]
    swapped = _is_big_endian(header)
    if len(found) >= 2 * count:
        words = np.frombuffer(found[: 2 * count], dtype=">u2" if swapped else "<u2")
        return words.astype(np.uint16)
    if len(found) not in (count, count + 1):
        raise ValueError(f"{len(found)} bytes for {count} colours")
    data = np.frombuffer(found, dtype=np.uint8)
    if swapped and data.size % 2 == 0 and _has_16_bit_entries(header, keyword):
        data = data.reshape(-1, 2)[:, ::-1].ravel()
    return data[:count].astype(np.uint16)


def _has_16_bit_entries(header: Dataset, keyword: str) -> bool:
    """Whether the element holds words (OW), as the standard has it, and not bytes."""
    return str(header[keyword].VR) != "OB"


def _is_big_endian(header: Dataset) -> bool:
    meta = getattr(header, "file_meta", None)
    syntax = text(meta, "TransferSyntaxUID") if meta is not None else ""
    if syntax:
        return syntax == ExplicitVRBigEndian
    return getattr(header, "original_encoding", (False, True))[1] is False
