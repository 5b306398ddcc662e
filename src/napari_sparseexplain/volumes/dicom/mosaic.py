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
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from ...errors import ReadError
from .csa import csa_header
from .frames import Frame, base_frame
from .values import private_number, texts

#: Slices of one mosaic; scanners make some hundred.
_MOST_TILES = 4096


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
