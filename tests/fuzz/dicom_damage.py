"""Damage to DICOM by its elements, in the bytes of the file (PS3.5 7.1.2): no writer in between."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from random import Random

from .byte_damage import damage_bytes

#: Representations whose length takes four bytes, after two that are not used.
_LONG = (b"OB", b"OD", b"OF", b"OL", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT")

_NUMBERS = (
    b"",
    b"0",
    b"-1",
    b"1e30",
    b"1e300",
    b"-1e38",
    b"nan",
    b"inf",
    b"a",
    b"1\\2",
    b"0\\0",
    b"9" * 400,
    b"1e-40",
)
_WORDS = (
    b"",
    b" ",
    b"x" * 70_000,
    b"\\\\\\\\",
    b"\x1b$B",
    b"\xff\xfe",
    b"../../x",
    b"\0\0",
    b"<b>&",
    b"a\\b" * 500,
)
_UIDS = (
    *(b"", b".", b"1..2", b"9" * 64, b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1.99"),
    *(b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.4.90"),
    *(b"1.2.840.10008.1.2.4.80", b"1.2.840.10008.1.2.5", b"1.2.840.10008.5.1.4.1.1.66.4"),
    *(b"1.2.840.10008.5.1.4.1.1.88.11", b"1.2.840.10008.1.3.10"),
)
_SHORTS = (0, 1, 2, 3, 7, 8, 12, 16, 32, 64, 255, 512, 32768, 65535)
_COUNTS = (b"0", b"2", b"3", b"1000", b"99999999", b"-3", b"1e5", b"2147483648")

#: By representation: what a value is replaced by.
_VALUES: dict[bytes, tuple[bytes, ...]] = {
    b"DS": _NUMBERS,
    b"IS": (*_NUMBERS, *_COUNTS),
    b"UI": _UIDS,
    b"US": (*(struct.pack("<H", n) for n in _SHORTS), b"", b"\1\0\2\0"),
    b"CS": (*_WORDS[:6], b"RGB", b"PALETTE COLOR", b"YBR_FULL", b"SEG", b"SR", b"RTDOSE", b"MOSAIC",
            b"ORIGINAL\\PRIMARY\\MOSAIC", b"ISO 2022 IR 87", b"NM"),
}  # fmt: skip


@dataclass(frozen=True)
class _Element:
    group: int
    element: int
    kind: bytes
    value: bytes
    length: int | None = None

    def encoded(self) -> bytes:
        padded = self.value + (b"\0" if len(self.value) % 2 else b"")
        length = len(padded) if self.length is None else self.length
        head = struct.pack("<HH2s", self.group, self.element, self.kind)
        if self.kind in _LONG:
            return head + b"\0\0" + struct.pack("<I", length) + padded
        return head + struct.pack("<H", min(length, 0xFFFF)) + padded[:0xFFFF]

    @property
    def name(self) -> str:
        return f"({self.group:04X},{self.element:04X})"


def damage_dicom(rng: Random, content: bytes) -> tuple[str, bytes]:
    """A name for the damage, and the damaged file."""
    if rng.random() < 0.25:
        return damage_bytes(rng, content)
    elements = _elements(content)
    said = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        way = rng.choice(_WAYS)
        name, elements = way(rng, elements)
        said.append(name)
    body = b"".join(e.encoded() for e in elements if e.group != 2)
    if rng.random() < 0.05:
        said.append("packed")
        elements = _with_syntax(elements, b"1.2.840.10008.1.2.1.99\0")
        tail = rng.choice((b"", bytes(100_000_000)))
        body = zlib.compress(body + tail, 1, wbits=-15)
    meta = b"".join(e.encoded() for e in elements if e.group == 2 and e.element != 0)
    first = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta))
    return "; ".join(said), bytes(128) + b"DICM" + first + meta + body


def _elements(content: bytes) -> list[_Element]:
    """The elements of a file in explicit little endian, without sequences of open length."""
    at, found = 132, []
    while at + 8 <= len(content):
        group, element, kind = struct.unpack_from("<HH2s", content, at)
        if kind in _LONG:
            (length,) = struct.unpack_from("<I", content, at + 8)
            start = at + 12
        else:
            (length,) = struct.unpack_from("<H", content, at + 6)
            start = at + 8
        found.append(_Element(group, element, kind, content[start : start + length]))
        at = start + length
    return found


def _chosen(rng: Random, elements: list[_Element]) -> int:
    """Mostly what describes the image: groups 0018 to 7FE0."""
    image = [k for k, e in enumerate(elements) if e.group >= 0x18]
    return rng.choice(image) if image and rng.random() < 0.7 else rng.randrange(len(elements))


def _changed(elements: list[_Element], at: int, **fields: object) -> list[_Element]:
    return [*elements[:at], replace(elements[at], **fields), *elements[at + 1 :]]  # type: ignore[arg-type]


def _value(rng: Random, elements: list[_Element]) -> tuple[str, list[_Element]]:
    at = _chosen(rng, elements)
    old = elements[at]
    if old.kind == b"OW":
        value = rng.choice(
            (b"", b"\1", old.value[:-1], old.value[:7], old.value * 3, b"\xff\xd8\xff\xe0" * 20)
        )
    else:
        value = rng.choice(_VALUES.get(old.kind, _WORDS))
        parts = old.value.split(b"\\")
        if len(parts) > 1 and rng.random() < 0.6:
            parts[rng.randrange(len(parts))] = value
            value = b"\\".join(parts)
    return f"{old.name} = {value[:20]!r}", _changed(elements, at, value=value)


def _gone(rng: Random, elements: list[_Element]) -> tuple[str, list[_Element]]:
    at = _chosen(rng, elements)
    return f"{elements[at].name} gone", [*elements[:at], *elements[at + 1 :]]


def _length(rng: Random, elements: list[_Element]) -> tuple[str, list[_Element]]:
    at = _chosen(rng, elements)
    length = rng.choice((0, 1, 3, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF))
    return f"{elements[at].name} is {length} long", _changed(elements, at, length=length)


def _kind(rng: Random, elements: list[_Element]) -> tuple[str, list[_Element]]:
    at = _chosen(rng, elements)
    kind = rng.choice((b"SQ", b"UN", b"OB", b"DS", b"US", b"FD", b"PN", b"XX", b"\0\0", b"AT"))
    return f"{elements[at].name} as {kind!r}", _changed(elements, at, kind=kind)


def _twice(rng: Random, elements: list[_Element]) -> tuple[str, list[_Element]]:
    at = _chosen(rng, elements)
    place = rng.randrange(len(elements))
    return f"{elements[at].name} again", [*elements[:place], elements[at], *elements[place:]]


def _nested(rng: Random, elements: list[_Element]) -> tuple[str, list[_Element]]:
    """A sequence within a sequence, closed or not; or functional groups of next to nothing."""
    depth = rng.choice((1, 3, 100, 4000))
    tag = rng.choice(((0x0008, 0x1140), (0x5200, 0x9230), (0x5200, 0x9229), (0x0028, 0x3000)))
    opening = struct.pack("<HH2sHI", *tag, b"SQ", 0, 0xFFFFFFFF)
    opening += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    closing = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    value = opening * depth + (closing * depth if rng.random() < 0.7 else b"")
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(value)) + value
    new = _Element(*tag, b"SQ", item)
    place = next((k for k, e in enumerate(elements) if (e.group, e.element) > tag), len(elements))
    return f"({tag[0]:04X},{tag[1]:04X}) {depth} deep", [*elements[:place], new, *elements[place:]]


def _private(rng: Random, elements: list[_Element]) -> tuple[str, list[_Element]]:
    """A vendor's block with numbers of slices and tables that lie."""
    count = rng.choice((b"2", b"9", b"1000000", b"1e18", b"-4", b"x"))
    table = rng.choice(
        (b"SV10" + bytes(200), b"SV10\4\3\2\1" + struct.pack("<2I", 900, 77), b"\xff" * 300)
    )
    new = [
        _Element(0x0019, 0x0010, b"LO", b"SIEMENS MR HEADER"),
        _Element(0x0019, 0x100A, b"IS", count),
        _Element(0x0029, 0x0010, b"LO", b"SIEMENS CSA HEADER"),
        _Element(0x0029, 0x1010, b"OB", table),
    ]
    place = next((k for k, e in enumerate(elements) if e.group > 0x29), len(elements))
    return f"mosaic of {count!r}", [*elements[:place], *new, *elements[place:]]


def _syntax(rng: Random, elements: list[_Element]) -> tuple[str, list[_Element]]:
    uid = rng.choice(_UIDS)
    return f"transfer syntax {uid.decode()}", _with_syntax(elements, uid)


def _with_syntax(elements: list[_Element], uid: bytes) -> list[_Element]:
    return [replace(e, value=uid) if (e.group, e.element) == (2, 0x10) else e for e in elements]


_WAYS = (_value, _value, _value, _value, _gone, _length, _kind, _twice, _nested, _private, _syntax)
