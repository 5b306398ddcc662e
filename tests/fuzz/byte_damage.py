"""Damage that knows nothing of a format: what disks, downloads and editors do to files."""

from __future__ import annotations

import gzip
from random import Random

#: Numbers at which sizes and offsets go wrong.
EDGES = (0, 1, 2, 127, 255, 256, 32767, 32768, 65535, 2**24, 2**31 - 1, 2**31, 2**32 - 1)


def damage_bytes(rng: Random, content: bytes) -> tuple[str, bytes]:
    """A name for the damage, and the damaged content."""
    return rng.choice(_WAYS)(rng, content)


def _place(rng: Random, content: bytes) -> int:
    """Mostly near the beginning or the end, where headers and directories are."""
    size = len(content)
    if not size:
        return 0
    near = min(size, rng.choice((64, 400, 2000, size)))
    return size - 1 - rng.randrange(near) if rng.random() < 0.25 else rng.randrange(near)


def _cut(rng: Random, content: bytes) -> tuple[str, bytes]:
    end = _place(rng, content)
    return f"cut at {end} of {len(content)}", content[:end]


def _flip(rng: Random, content: bytes) -> tuple[str, bytes]:
    out, count = bytearray(content), rng.choice((1, 1, 2, 8, 64))
    for _ in range(count if out else 0):
        out[_place(rng, content)] ^= 1 << rng.randrange(8)
    return f"{count} bits turned", bytes(out)


def _number(rng: Random, content: bytes) -> tuple[str, bytes]:
    width, value = rng.choice((1, 2, 4, 8)), rng.choice(EDGES)
    order = rng.choice(("little", "big"))
    at = _place(rng, content)
    raw = (value % 256**width).to_bytes(width, order)
    return f"{value} as {width} bytes at {at}", content[:at] + raw + content[at + width :]


def _block(rng: Random, content: bytes) -> tuple[str, bytes]:
    at, length = _place(rng, content), rng.choice((4, 16, 128, 1024))
    filler = rng.choice((b"\0", b"\xff", b"A", None))
    raw = rng.randbytes(length) if filler is None else filler * length
    kind = rng.choice(("over", "into"))
    rest = content[at + length :] if kind == "over" else content[at:]
    return f"{length} bytes {kind} {at}", content[:at] + raw + rest


def _repeat(rng: Random, content: bytes) -> tuple[str, bytes]:
    at, length = _place(rng, content), rng.choice((8, 100, 5000))
    return f"bytes of {at} again", content[: at + length] + content[at:]


def _remove(rng: Random, content: bytes) -> tuple[str, bytes]:
    at, length = _place(rng, content), rng.choice((1, 2, 8, 300))
    return f"{length} bytes gone at {at}", content[:at] + content[at + length :]


def _other(rng: Random, content: bytes) -> tuple[str, bytes]:
    return rng.choice(
        (
            ("empty", b""),
            ("noise", rng.randbytes(min(len(content), 4000))),
            ("twice", content + content),
            ("packed once more", gzip.compress(content)),
            ("text before", b"\xef\xbb\xbf# " + content),
            ("line ends of another system", content.replace(b"\n", b"\r\n")),
            ("a web page", b"<!DOCTYPE html><html><body>404</body></html>"),
        )
    )


_WAYS = (_cut, _cut, _flip, _flip, _number, _number, _number, _block, _repeat, _remove, _other)
