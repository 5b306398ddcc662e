"""What a picture announces of itself, checked before any of its pixels is decoded."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from ...errors import ReadError
from ..opening.declared_size import check_unpacked

#: Formats that a file may be, whatever its ending. Others of Pillow's start programs (Ghostscript).
_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM", "JPEG2000")

#: Pixels of one picture; the largest microscope slides are not read here.
_MOST_PIXELS = 1 << 30

#: Pages of a TIFF, its slices.
_MOST_PAGES = 20_000

#: A picture is decoded in one go and copied once or twice, so less is harmless than of a scan.
_HARMLESS = 256 << 20

_REMEDY = "Check that another program opens it, or export the picture again, smaller"


def check_picture(path: Path) -> None:
    """Refuse what is no picture, and one that announces far more pixels than the file can hold.

    Raises
    ------
    ReadError
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_FORMATS) as picture:
                width, height = picture.size
                values = len(picture.getbands()) * {"I": 4, "F": 4, "I;16": 2}.get(picture.mode, 1)
    except UnidentifiedImageError as error:
        raise ReadError(
            "the picture cannot be decoded (it is no PNG, JPEG, BMP or TIFF)",
            where=path,
            remedy=_REMEDY,
        ) from error
    _check(path, width * height, width * height * values)


def check_tiff(path: Path) -> None:
    """The same of all pages of a TIFF.

    Raises
    ------
    ReadError
    """
    import tifffile

    _check_pages(path)
    with quiet_tiff(), tifffile.TiffFile(path) as file:
        pixels = needed = 0
        for page in file.pages:
            shape = tuple(int(n) for n in page.shape)
            pixels = max(pixels, math.prod(shape))
            size = 1 if page.dtype is None else page.dtype.itemsize
            needed += math.prod(shape) * size
            if page.compression == 1 and math.prod(shape) * size > path.stat().st_size:
                raise ReadError(
                    f"a page of {' × '.join(map(str, shape))} pixels is larger than the file",
                    where=path,
                    remedy=_REMEDY,
                )
    _check(path, pixels, needed)


def _check_pages(path: Path) -> None:
    """Follow a TIFF from page to page, and refuse one that comes back to a page, or never ends.

    TIFF Revision 6.0, section 2: each directory ends with the place of the next, the last with 0.
    BigTIFF has the same with wider numbers.
    """
    seen: set[int] = set()
    with open(path, "rb") as stream:
        head = stream.read(16)
        order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
        big = int.from_bytes(head[2:4], order) == 43
        wide, entry, counted = (8, 20, 8) if big else (4, 12, 2)
        at = int.from_bytes(head[8:16] if big else head[4:8], order)
        while at:
            if at in seen or len(seen) >= _MOST_PAGES:
                what = "comes back to a page" if at in seen else f"has over {_MOST_PAGES:,} pages"
                raise ReadError(
                    f"the picture cannot be decoded (its list of pages {what})",
                    where=path,
                    remedy=_REMEDY,
                )
            seen.add(at)
            stream.seek(min(at, 1 << 62))
            entries = int.from_bytes(stream.read(counted), order)
            stream.seek(min(at + counted + entry * entries, 1 << 62))
            at = int.from_bytes(stream.read(wide), order)


def _check(path: Path, pixels: int, needed: int) -> None:
    if pixels > _MOST_PIXELS:
        raise ReadError(
            f"the picture announces {pixels:,} pixels, more than can be shown",
            where=path,
            remedy=_REMEDY,
        )
    size = path.stat().st_size
    check_unpacked(needed, size, path, remedy=_REMEDY, harmless=_HARMLESS)


@contextmanager
def quiet_tiff() -> Iterator[None]:
    """Keep tifffile's log to itself: what matters of a damaged file is said as one error."""
    logger = logging.getLogger("tifffile")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
