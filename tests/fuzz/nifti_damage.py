"""Damage to NIfTI by the fields of its header (nifti1.h, nifti2.h), and by what it is packed in."""

from __future__ import annotations

import gzip
import struct
from random import Random
from typing import Any

import numpy as np

from .byte_damage import damage_bytes

_NAN, _INF = float("nan"), float("inf")
_SHORTS = (-32768, -1, 0, 1, 2, 3, 4, 7, 8, 16, 100, 1000, 32767)
_FLOATS = (
    0.0,
    -0.0,
    -1.0,
    1e-45,
    1e-30,
    1e-5,
    0.5,
    1.0,
    352.0,
    353.5,
    1e9,
    1e30,
    3e38,
    _NAN,
    _INF,
    -_INF,
)
_LONGS = (-(2**40), -1, 0, 1, 352, 544, 2**31, 2**40, 2**62)

#: Offset, struct format, values: of NIfTI-1 and of NIfTI-2.
_FIELDS: dict[int, dict[str, tuple[int, str, tuple[Any, ...]]]] = {
    1: {
        **{f"dim[{k}]": (40 + 2 * k, "h", _SHORTS) for k in range(8)},
        **{f"pixdim[{k}]": (76 + 4 * k, "f", _FLOATS) for k in range(5)},
        **{f"quatern[{k}]": (256 + 4 * k, "f", _FLOATS) for k in range(6)},
        **{f"srow[{k}]": (280 + 4 * k, "f", _FLOATS) for k in range(12)},
        "sizeof_hdr": (0, "i", (0, 1, 347, 540, 0x5C010000, -1)),
        "intent_code": (68, "h", (*_SHORTS, 1002, 1007, 2003, 3000, 3006)),
        "datatype": (
            70,
            "h",
            (*range(20), 32, 64, 128, 256, 512, 768, 1024, 1280, 1536, 1792, 2048, 2304, -1),
        ),
        "bitpix": (72, "h", (*_SHORTS, 32, 64, 128)),
        "vox_offset": (108, "f", _FLOATS),
        "scl_slope": (112, "f", _FLOATS),
        "scl_inter": (116, "f", _FLOATS),
        "xyzt_units": (123, "B", (0, 1, 2, 3, 4, 7, 8, 63, 255)),
        "cal_max": (124, "f", _FLOATS),
        "qform_code": (252, "h", _SHORTS),
        "sform_code": (254, "h", _SHORTS),
        "magic": (344, "4s", (b"n+1\0", b"ni1\0", b"n+2\0", b"\0\0\0\0", b"n+1x")),
        "extension": (348, "B", (0, 1, 255)),
    },
    2: {
        **{f"dim[{k}]": (16 + 8 * k, "q", _LONGS) for k in range(8)},
        **{f"pixdim[{k}]": (104 + 8 * k, "d", (*_FLOATS, 1e300)) for k in range(5)},
        **{f"srow[{k}]": (400 + 8 * k, "d", (*_FLOATS, 1e300)) for k in range(12)},
        "sizeof_hdr": (0, "i", (0, 348, 540 << 16, -1)),
        "datatype": (12, "h", (*range(20), 256, 512, 1024, 1536, 1792, 2048, 2304, -1)),
        "bitpix": (14, "h", _SHORTS),
        "vox_offset": (168, "q", _LONGS),
        "scl_slope": (176, "d", (*_FLOATS, 1e300)),
        "scl_inter": (184, "d", (*_FLOATS, 1e300)),
        "qform_code": (344, "i", _SHORTS),
        "sform_code": (348, "i", _SHORTS),
        "xyzt_units": (500, "i", (0, 1, 2, 3, 255, -1)),
    },
}


def damage_nifti(rng: Random, content: bytes) -> tuple[str, bytes]:
    """A name for the damage, and the damaged file; packed if it was packed."""
    packed = content[:2] == b"\x1f\x8b"
    if rng.random() < 0.3:
        return damage_bytes(rng, content)
    plain = bytearray(gzip.decompress(content) if packed else content)
    version = 2 if struct.unpack_from("<i", plain)[0] == 540 else 1
    way = rng.random()
    if way < 0.15:
        said, plain = _all_voxels(rng, plain, version)
    elif way < 0.25:
        said, plain = _larger(rng, plain, version)
    elif way < 0.3:
        said, plain = _other_order(plain, version)
    else:
        names = rng.sample(sorted(_FIELDS[version]), rng.choice((1, 1, 2, 3)))
        said = "; ".join(_set(rng, plain, version, name) for name in names)
    if not packed:
        return said, bytes(plain)
    return _packed(rng, said, bytes(plain))


def _set(rng: Random, plain: bytearray, version: int, name: str) -> str:
    offset, form, values = _FIELDS[version][name]
    value = rng.choice(values)
    struct.pack_into(f"<{form}", plain, offset, value)
    return f"{name} = {value}"


def _all_voxels(rng: Random, plain: bytearray, version: int) -> tuple[str, bytearray]:
    """Voxels of another type, all of one odd value or of several."""
    count = 20 * 18 * 6
    value = rng.choice((0, -1, -7, 0.5, 1e-45, 1e38, _NAN, _INF, 2**31 - 1, 2**32 - 1, 2**53))
    code, kind = rng.choice(
        ((2, "u1"), (4, "i2"), (8, "i4"), (16, "f4"), (64, "f8"), (768, "u4"), (1024, "i8"))
    )
    with np.errstate(all="ignore"):
        voxels = np.full(count, value, "f8").astype(kind)
    if rng.random() < 0.5:
        voxels[: count // 2] = np.arange(count // 2).astype(kind)
    start = 544 if version == 2 else 352
    struct.pack_into("<h", plain, 12 if version == 2 else 70, code)
    struct.pack_into("<h", plain, 14 if version == 2 else 72, voxels.itemsize * 8)
    _dims(plain, version, (3, 20, 18, 6, 1, 1, 1, 1))
    return f"voxels {value} as {kind}", plain[:start] + bytearray(voxels.tobytes())


def _larger(rng: Random, plain: bytearray, version: int) -> tuple[str, bytearray]:
    """Sizes that do not fit together with what follows."""
    dims = rng.choice(
        (
            (3, 2000, 2000, 2000, 1, 1, 1, 1),
            (3, 30000, 30000, 1, 1, 1, 1, 1),
            (4, 20, 18, 6, 30000, 1, 1, 1),
            (7, 2, 2, 2, 2, 2, 2, 2),
            (7, 1, 1, 1, 2160, 1, 1, 1),
            (5, 1, 1, 1, 36, 60, 1, 1),
            (2, 2160, 1, 1, 1, 1, 1, 1),
            (1, 2160, 1, 1, 1, 1, 1, 1),
            (3, 1, 1, 2160, 1, 1, 1, 1),
        )
    )
    _dims(plain, version, dims)
    tail = rng.choice((b"", b"", bytes(200_000_000), b"\xff" * 1000))
    return f"size {dims}, {len(tail)} bytes more", plain + tail


def _dims(plain: bytearray, version: int, dims: tuple[int, ...]) -> None:
    form, offset = ("<8q", 16) if version == 2 else ("<8h", 40)
    struct.pack_into(form, plain, offset, *dims)


def _other_order(plain: bytearray, version: int) -> tuple[str, bytearray]:
    """The header in the other byte order, the voxels not."""
    for offset, form, _ in _FIELDS[version].values():
        width = struct.calcsize(f"<{form}")
        if form not in ("B", "4s"):
            plain[offset : offset + width] = plain[offset : offset + width][::-1]
    return "header in the other byte order", plain


def _packed(rng: Random, said: str, plain: bytes) -> tuple[str, bytes]:
    whole = gzip.compress(plain, compresslevel=1)
    return rng.choice(
        (
            (said, whole),
            (said, whole),
            (said, whole),
            (
                f"{said}, packed in two parts",
                gzip.compress(plain[:400]) + gzip.compress(plain[400:]),
            ),
            (f"{said}, checksum wrong", whole[:-8] + b"\0\0\0\0" + whole[-4:]),
            (f"{said}, cut", whole[: rng.randrange(len(whole))]),
            (f"{said}, packed twice", gzip.compress(whole)),
            (f"{said}, plain under the name of a packed one", plain),
        )
    )
