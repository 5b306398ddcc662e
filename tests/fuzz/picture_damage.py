"""Damage to pictures by their parts: PNG's chunks, TIFF's tags, JPEG's and BMP's size fields."""

from __future__ import annotations

import struct
import zlib
from random import Random

from .byte_damage import EDGES, damage_bytes


def damage_picture(rng: Random, content: bytes) -> tuple[str, bytes]:
    """A name for the damage, and the damaged picture."""
    if rng.random() < 0.35:
        return damage_bytes(rng, content)
    if content.startswith(b"\x89PNG"):
        return _png(rng, content)
    if content[:4] in (b"II*\0", b"MM\0*"):
        return _tiff(rng, content)
    if content.startswith(b"\xff\xd8"):
        return _jpeg(rng, content)
    return _bmp(rng, content)


def _png(rng: Random, content: bytes) -> tuple[str, bytes]:
    """Chunks with right checksums and wrong content."""
    chunks, at = [], 8
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    way = rng.choice(("size", "size", "bomb", "drop", "twice", "mix", "extra"))
    if way in ("size", "bomb"):
        width, height = rng.choice(
            ((0, 5), (1, 2**31 - 1), (40_000, 40_000), (65_536, 65_536), (20, 18), (9000, 9000))
        )
        depth, colour = rng.choice(
            ((1, 0), (8, 0), (16, 0), (8, 2), (8, 3), (8, 6), (16, 6), (3, 1))
        )
        head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, rng.choice((0, 1, 9)))
        chunks[0] = (b"IHDR", head)
    if way == "bomb":
        lines = [(b"IDAT", zlib.compress(bytes(60_000_000), 1))]
        chunks = [chunks[0], *lines, (b"IEND", b"")]
    elif way == "drop":
        chunks.pop(rng.randrange(len(chunks)))
    elif way == "twice":
        chunks.insert(rng.randrange(len(chunks)), rng.choice(chunks))
    elif way == "mix":
        rng.shuffle(chunks)
    elif way == "extra":
        text = zlib.compress(bytes(80_000_000), 1)
        chunks.insert(
            1,
            rng.choice(
                (
                    (b"zTXt", b"k\0\0" + text),
                    (b"iCCP", b"p\0\0" + text),
                    (b"PLTE", b"\1\2"),
                    (b"tRNS", b""),
                )
            ),
        )
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return f"PNG {way}", content[:8] + body


def _tiff(rng: Random, content: bytes) -> tuple[str, bytes]:
    """One tag of a directory with another type, count or value; or a directory that loops."""
    out = bytearray(content)
    order = "<" if content[:2] == b"II" else ">"
    (start,) = struct.unpack_from(f"{order}I", content, 4)
    (count,) = struct.unpack_from(f"{order}H", content, start)
    if rng.random() < 0.15:
        after = start + 2 + 12 * count
        target = rng.choice((start, 8, len(content) - 2, 2**31))
        struct.pack_into(f"{order}I", out, after, target)
        return f"TIFF, next page at {target}", bytes(out)
    at = start + 2 + 12 * rng.randrange(count)
    (tag,) = struct.unpack_from(f"{order}H", content, at)
    what = rng.choice(("type", "count", "value", "value", "value"))
    value = rng.choice((*EDGES, 3, 5, 7, 12, 65_000, 100_000))
    if what == "type":
        struct.pack_into(f"{order}H", out, at + 2, value % 65536)
    else:
        struct.pack_into(f"{order}I", out, at + (4 if what == "count" else 8), value)
    return f"TIFF tag {tag}: {what} {value}", bytes(out)


def _jpeg(rng: Random, content: bytes) -> tuple[str, bytes]:
    """Sizes of the frame, lengths of segments."""
    out, at = bytearray(content), 2
    segments = []
    while at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] != 0xDA:
        segments.append(at)
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    frame = next((s for s in segments if content[s + 1] in (0xC0, 0xC2)), None)
    if frame is not None and rng.random() < 0.6:
        height, width = rng.choice(
            ((0, 0), (65_500, 65_500), (1, 65_535), (65_535, 1), (4, 4), (12_000, 12_000))
        )
        struct.pack_into(">HH", out, frame + 5, height, width)
        return f"JPEG of {height} x {width}", bytes(out)
    place = rng.choice(segments)
    length = rng.choice((0, 1, 2, 3, 65_535))
    struct.pack_into(">H", out, place + 2, length)
    return f"JPEG segment {content[place + 1]:02X} is {length} long", bytes(out)


def _bmp(rng: Random, content: bytes) -> tuple[str, bytes]:
    out = bytearray(content)
    name, offset, form = rng.choice(
        (("offset", 10, "<I"), ("header", 14, "<I"), ("width", 18, "<i"), ("height", 22, "<i"),
         ("bits", 28, "<H"), ("packing", 30, "<I"), ("colours", 46, "<I"))
    )  # fmt: skip
    value = rng.choice((*EDGES[:11], 20_000, 40_000))
    struct.pack_into(form, out, offset, value % 65536 if form == "<H" else min(value, 2**31 - 1))
    return f"BMP {name} {value}", bytes(out)
