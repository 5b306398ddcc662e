"""Which characters a font file has: its table ``cmap``, read without the rest of the font.

OpenType 1.9, chapters "OpenType font file" and "cmap": formats 4 and 12, which are all that current
fonts use for Unicode. Of a collection (``.ttc``) the first font is taken.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

#: Tables that hold outlines of letters; a font of pictures alone cannot be drawn at any size.
_OUTLINES = (b"glyf", b"CFF ", b"CFF2")

#: A table of characters is never larger; what says so is damaged.
_LARGEST = 1 << 23


@dataclass(frozen=True)
class FontFile:
    """A font on this machine.

    Attributes
    ----------
    path : Path
    """

    path: Path
    _known: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    def has(self, letter: str) -> bool:
        """Whether the font has a character."""
        if letter not in self._known:
            starts, stops = self.ranges
            place = int(np.searchsorted(starts, ord(letter), side="right")) - 1
            self._known[letter] = place >= 0 and ord(letter) <= int(stops[place])
        return self._known[letter]

    @cached_property
    def ranges(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """First and last code points of its ranges, ascending; none of a damaged file."""
        try:
            with open(self.path, "rb") as stream:
                codes = _codes(stream)
        except (OSError, struct.error, ValueError, IndexError, OverflowError):
            codes = np.zeros(0, np.int64)
        if not len(codes):
            return codes, codes
        ends = np.flatnonzero(np.diff(codes) > 1)
        return codes[np.concatenate([[0], ends + 1])], codes[np.concatenate([ends, [-1]])]


def _codes(stream: BinaryIO) -> npt.NDArray[np.int64]:
    """Code points of a font's letters, ascending."""
    head = stream.read(16)
    offset = struct.unpack(">I", head[12:16])[0] if head[:4] == b"ttcf" else 0
    stream.seek(offset)
    count = struct.unpack(">4xH6x", stream.read(12))[0]
    tables = {}
    for _ in range(count):
        tag, start, length = struct.unpack(">4s4xII", stream.read(16))
        tables[tag] = (start, length)
    if b"cmap" not in tables or not any(tag in tables for tag in _OUTLINES):
        return np.zeros(0, np.int64)
    start, length = tables[b"cmap"]
    stream.seek(start)
    table = stream.read(min(length, _LARGEST))
    found = [np.zeros(0, np.int64), *(_read(table, at) for at in _unicode_subtables(table))]
    return np.unique(np.concatenate(found))


def _unicode_subtables(table: bytes) -> list[int]:
    """Where the tables of Unicode characters begin."""
    (count,) = struct.unpack_from(">2xH", table)
    starts = []
    for place in range(count):
        platform, encoding, start = struct.unpack_from(">HHI", table, 4 + 8 * place)
        if platform == 0 or (platform == 3 and encoding in (1, 10)):
            starts.append(start)
    return list(dict.fromkeys(starts))


def _read(table: bytes, start: int) -> npt.NDArray[np.int64]:
    (kind,) = struct.unpack_from(">H", table, start)
    if kind == 4:
        return _format_4(table, start)
    return _format_12(table, start) if kind == 12 else np.zeros(0, np.int64)


def _format_4(table: bytes, start: int) -> npt.NDArray[np.int64]:
    (twice,) = struct.unpack_from(">6xH", table, start)
    count = twice // 2
    words = np.frombuffer(table[start : len(table) - (len(table) - start) % 2], ">u2").astype(
        np.int64
    )
    ends = words[7 : 7 + count]
    begins = words[8 + count : 8 + 2 * count]
    deltas = words[8 + 2 * count : 8 + 3 * count]
    at = 8 + 3 * count
    offsets = words[at : at + count]
    found = []
    for place in range(count):
        codes = np.arange(begins[place], min(int(ends[place]), 0xFFFE) + 1)
        if not len(codes):
            continue
        if offsets[place]:
            inside = at + place + offsets[place] // 2 + codes - begins[place]
            codes, inside = codes[inside < len(words)], inside[inside < len(words)]
            glyphs = words[inside]
            glyphs = np.where(glyphs, (glyphs + deltas[place]) & 0xFFFF, 0)
        else:
            glyphs = (codes + deltas[place]) & 0xFFFF
        found.append(codes[glyphs != 0])
    return np.concatenate([np.zeros(0, np.int64), *found])


def _format_12(table: bytes, start: int) -> npt.NDArray[np.int64]:
    (count,) = struct.unpack_from(">12xI", table, start)
    groups = np.frombuffer(table, ">u4", min(count, _LARGEST // 12) * 3, start + 16)
    groups = groups.reshape(-1, 3).astype(np.int64)
    lengths = np.minimum(groups[:, 1], 0x10FFFF) - groups[:, 0] + 1
    if (lengths < 0).any() or lengths.sum() > 0x110000:
        raise ValueError("ranges that no font has")
    firsts = np.repeat(groups[:, 0], lengths)
    steps = np.arange(len(firsts)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    glyphs = np.repeat(groups[:, 2], lengths) + steps
    return (firsts + steps)[glyphs != 0]
