"""Damage to zip archives by their members, to the arrays in them, and to safetensors."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from random import Random
from warnings import catch_warnings, simplefilter

from .byte_damage import damage_bytes
from .json_damage import damage_json

#: How large a member becomes that is packed to next to nothing.
_BOMB = 300_000_000

#: Headers of ``.npy`` members that lie.
_HEADERS = (
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (100000, 100000, 1000), }",
    "{'descr': '<f8', 'fortran_order': True, 'shape': (-1, 4), }",
    "{'descr': '<U100000', 'fortran_order': False, 'shape': (1000000,), }",
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 5), }",
    "{'descr': '<c16', 'fortran_order': False, 'shape': (4, 4), }",
    "{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (4,), }",
    "__import__('os').system('true')",
    "(" * 3000,
)


def damage_archive(rng: Random, content: bytes) -> tuple[str, bytes]:
    """A name for the damage, and the damaged archive."""
    if rng.random() < 0.3:
        return damage_bytes(rng, content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    at = rng.randrange(len(members))
    name, data = members[at]
    way = rng.choice(_MEMBER_WAYS)
    said, new = way(rng, name, data)
    members[at : at + 1] = new
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    out = io.BytesIO()
    with catch_warnings(), zipfile.ZipFile(out, "w", method, compresslevel=1) as archive:
        simplefilter("ignore")  # of names that stand there twice
        for member, raw in members:
            archive.writestr(member, raw)
    written = out.getvalue()
    if rng.random() < 0.15:
        said, written = f"{said}; sizes that lie", _false_sizes(rng, written)
    return said, written


def _gone(rng: Random, name: str, data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    return f"{name} gone", []


def _empty(rng: Random, name: str, data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    return f"{name} empty", [(name, b"")]


def _damaged(rng: Random, name: str, data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    if name.endswith(".json"):
        try:
            said, raw = damage_json(rng, data)
        except ValueError:
            said, raw = damage_bytes(rng, data)
    else:
        said, raw = damage_bytes(rng, data)
    return f"{name}: {said}", [(name, raw)]


def _twice(rng: Random, name: str, data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    other = damage_bytes(rng, data)[1]
    return f"{name} twice", [(name, data), (name, other)]


def _renamed(rng: Random, name: str, data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    other = rng.choice(
        ("../../x", "/x", "x\\y", ".", "a" * 4000, name.upper(), f"{name}/", "data.pkl")
    )
    return f"{name} as {other[:20]!r}", [(other, data)]


def _bomb(rng: Random, name: str, data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    return f"{name}: a bomb", [(name, data + bytes(_BOMB))]


def _many(rng: Random, name: str, data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    return "5,000 members more", [(name, data), *((f"{k}.npy", b"") for k in range(5000))]


def _header(rng: Random, name: str, data: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """The header of an array replaced by one that lies; of what is no array, a pickle."""
    text = rng.choice(_HEADERS).encode()
    padded = text + b" " * (64 - (len(text) + 11) % 64) + b"\n"
    version = rng.choice((b"\1\0", b"\2\0", b"\3\0", b"\7\0"))
    length = struct.pack("<H" if version == b"\1\0" else "<I", len(padded))
    body = rng.choice((data[128:], b"", b"\x80\x04N."))
    return f"{name}: {text[:50].decode()}", [
        (name, b"\x93NUMPY" + version + length + padded + body)
    ]


_MEMBER_WAYS = (
    _gone,
    _empty,
    _damaged,
    _damaged,
    _damaged,
    _twice,
    _renamed,
    _bomb,
    _many,
    _header,
)


def _false_sizes(rng: Random, content: bytes) -> bytes:
    """Sizes in the archive's own list replaced."""
    out, at = bytearray(content), content.find(b"PK\x01\x02")
    if at < 0:
        return content
    offset = rng.choice((20, 24, 42))  # packed, unpacked, where it lies
    struct.pack_into("<I", out, at + offset, rng.choice((0, 1, 2**31, 2**32 - 1)))
    return bytes(out)


def damage_tensors(rng: Random, content: bytes) -> tuple[str, bytes]:
    """Damage to a safetensors file: its JSON header, the header's length, or its bytes."""
    if rng.random() < 0.3:
        return damage_bytes(rng, content)
    (length,) = struct.unpack_from("<Q", content)
    if rng.random() < 0.15:
        told = rng.choice((0, 1, length - 1, length + 1, 2**31, 2**40, 2**63, 2**64 - 1))
        return f"header of {told} bytes", struct.pack("<Q", told) + content[8:]
    header, body = content[8 : 8 + length], content[8 + length :]
    if rng.random() < 0.4:
        values = json.loads(header)
        name = rng.choice([n for n in values if n != "__metadata__"])
        field, value = rng.choice(
            (("shape", [2**40, 2**40]), ("shape", [-1]), ("shape", []), ("dtype", "F8_E4M3"),
             ("dtype", "X"), ("dtype", "BF16"), ("data_offsets", [0, 2**62]),
             ("data_offsets", [8, 0]))
        )  # fmt: skip
        values[name][field] = value
        said, header = f"{name}.{field} = {value}", json.dumps(values).encode()
    else:
        said, header = damage_json(rng, header)
    return said, struct.pack("<Q", len(header)) + header + body
