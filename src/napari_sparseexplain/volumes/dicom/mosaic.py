"""Siemens mosaics: all slices of one time point tiled into one big square image.

The tiles fill a square grid row by row, ceil(sqrt(N)) to a side. ImagePositionPatient is that of
a slice as large as the whole mosaic and centred where the real slice is centred, so the corner of
the first tile lies half the difference in size further in, along the row and along the column.
How many tiles there are, and to which side they are stacked, only Siemens' private elements tell:
(0019,xx0A) NumberOfImagesInMosaic, or the CSA image header (0029,xx10), which also holds
SliceNormalVector.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from ...errors import ReadError
from .frames import Frame, base_frame
from .values import private, private_number, texts

#: Slices of one mosaic; scanners make some hundred.
_MOST_TILES = 4096

#: Check value that ends the header of a CSA block and of every element in it.
_CSA_CHECK = (77, 205)


def mosaic_tiles(header: Dataset) -> int | None:
    """Number of tiles, None when the file is no mosaic, 0 when it is one but does not say."""
    marked = "MOSAIC" in texts(header, "ImageType")
    count = private_number(header, 0x0019, "SIEMENS MR HEADER", 0x0A)
    if not count:
        count = _csa_number(csa_header(header), "NumberOfImagesInMosaic")
    if count and count > 1:
        return int(count)
    return 0 if marked else None


def mosaic_frames(path: Path, header: Dataset) -> list[Frame]:
    """One frame a tile, each with its own position.

    Raises
    ------
    ReadError
        The number of tiles, the position or the distance of the slices is not given, or the
        image does not divide into the tiles.
    """
    whole = base_frame(path, header)
    count = mosaic_tiles(header)
    if not count:
        raise _not_told(path, "how many slices it holds")
    if count > _MOST_TILES:
        raise ReadError(
            f"the header announces a mosaic of {count:,} slices; none has more than {_MOST_TILES}",
            where=path,
            remedy="Export the series again from the scanner",
        )
    side = math.ceil(math.sqrt(count))
    if whole.rows % side or whole.columns % side:
        raise ReadError(
            f"the mosaic of {whole.rows} x {whole.columns} pixels does not divide into "
            f"{side} x {side} tiles",
            where=path,
            remedy="Export the series again from the scanner",
        )
    rows, columns = whole.rows // side, whole.columns // side
    normal = slice_normal(header, whole)
    if whole.position is None or whole.orientation is None or normal is None:
        raise _not_told(path, "where its slices lie")
    if whole.pixel_spacing is None or whole.thickness is None:
        raise _not_told(path, "the size of its voxels")
    across, down = np.asarray(whole.orientation[:3]), np.asarray(whole.orientation[3:])
    row_mm, column_mm = whole.pixel_spacing
    first = (
        np.asarray(whole.position)
        + across * column_mm * (whole.columns - columns) / 2
        + down * row_mm * (whole.rows - rows) / 2
    )
    frames = []
    for k in range(count):
        x, y, z = (float(v) for v in first + k * whole.thickness * normal)
        corner = (k // side * rows, k % side * columns)
        frames.append(replace(whole, corner=corner, rows=rows, columns=columns, position=(x, y, z)))
    return frames


def slice_normal(header: Dataset, frame: Frame) -> np.ndarray | None:
    """Direction from the first tile's slice to the next, LPS.

    The CSA header's SliceNormalVector where there is one, since the slices may be stacked
    against row direction x column direction.
    """
    cross = frame.normal
    if cross is None:
        return None
    stated = csa_header(header).get("SliceNormalVector", ())
    normal = np.asarray(cross)
    if len(stated) == 3:
        try:
            vector = np.array([float(v) for v in stated])
        except ValueError:
            return normal
        if vector @ normal < 0:
            return -normal
    return normal


def csa_header(header: Dataset) -> Mapping[str, tuple[str, ...]]:
    """Elements of the Siemens CSA image header by name; empty when absent or damaged."""
    block = private(header, 0x0029, "SIEMENS CSA HEADER", 0x10)
    if not isinstance(block, bytes):
        return {}
    try:
        return _parse_csa(block)
    except (struct.error, IndexError, ValueError):
        return {}


def _parse_csa(block: bytes) -> dict[str, tuple[str, ...]]:
    """A CSA block of version 2 (it begins with SV10) or 1.

    An element is a 64-byte name, its multiplicity, a 4-byte type, two integers (the second the
    number of items) and a check value; an item is four integers and its text, padded to 4 bytes.
    The text's length is the second integer in version 2; in version 1 it is the first one less
    the item count of the first element that has items.
    """
    second = block[:4] == b"SV10"
    at = 8 if second else 0
    count, check = struct.unpack_from("<2I", block, at)
    if check not in _CSA_CHECK or not 0 < count <= 1024:
        raise ValueError("no CSA header")
    at += 8
    found: dict[str, tuple[str, ...]] = {}
    offset: int | None = None
    for _ in range(count):
        name, multiplicity, _, _, items, check = struct.unpack_from("<64si4s3i", block, at)
        if check not in _CSA_CHECK:
            raise ValueError("damaged CSA element")
        at += 84
        offset = items if offset is None and items else offset
        values = []
        for _ in range(items):
            lengths = struct.unpack_from("<4i", block, at)
            at += 16
            length = lengths[1] if second else lengths[0] - (offset or 0)
            if not 0 <= length <= len(block) - at:
                if not second and multiplicity == 0:
                    break
                raise ValueError("damaged CSA item")
            values.append(block[at : at + length].split(b"\0")[0].decode("latin-1").strip())
            at += length + -length % 4
        label = name.split(b"\0")[0].decode("latin-1")
        found[label] = tuple(v for v in values if v)
    return found


def _csa_number(header: Mapping[str, tuple[str, ...]], name: str) -> float | None:
    values = header.get(name, ())
    try:
        return float(values[0]) if values else None
    except ValueError:
        return None


def _not_told(path: Path, what: str) -> ReadError:
    return ReadError(
        f"the image is a Siemens mosaic, but its header does not tell {what} (the private Siemens "
        "elements were probably removed when it was made anonymous)",
        where=path,
        remedy="Export the series again with its private elements, or convert it to NIfTI at its "
        "source",
    )
