"""Siemens' CSA image header (0029,xx10): elements by name, with their values as text."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import lru_cache

from pydicom.dataset import Dataset

from .values import private

#: Check value that ends the header of a CSA block and of every element in it.
_CSA_CHECK = (77, 205)


def csa_header(header: Dataset) -> Mapping[str, tuple[str, ...]]:
    """Elements of the Siemens CSA image header by name; empty when absent or damaged."""
    block = private(header, 0x0029, "SIEMENS CSA HEADER", 0x10)
    if not isinstance(block, bytes):
        return {}
    try:
        return _parse_csa(block)
    except (struct.error, IndexError, ValueError):
        return {}


@lru_cache(maxsize=8)  # one file is asked for its tiles and for its weighting
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
