"""Arrays of an ``.npz`` file: declared sizes are checked before anything is unpacked.

An ``.npz`` is a zip archive of ``.npy`` members. Each says its type and shape in its own first
bytes, and the archive how long it is unpacked; neither need be true. Here both must agree, must be
bounded, and must be arrays of plain numbers: nothing in the file can be run, and none of it is
unpacked that would not fit.

References
----------
PKWARE, APPNOTE.TXT, .ZIP File Format Specification, 4.3.14 to 4.3.16; NumPy, NEP 1, a simple file
format for NumPy arrays.
"""

from __future__ import annotations

import io
import math
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from ..errors import ReadError
from .regular_file import regular_size

#: Unpacked bytes of one file, unless a reader knows of more.
MOST_BYTES = 256 << 20

#: Arrays in one file, and bytes of the archive's own list of them.
_MOST_ARRAYS = 256
_MOST_DIRECTORY = 1 << 16

#: Bytes of an ``.npy`` member before its numbers.
_MOST_HEADER = 1 << 14

#: Axes of an array.
_MOST_AXES = 8

#: Types of numbers: true or false, whole and floating ones.
_NUMBERS = "biuf"

#: Length of an archive's last record, and of the longest comment after it.
_END, _COMMENT = 22, 1 << 16


class _Refused(Exception):
    """What is wrong with the file."""


def read_npz(
    path: Path, *, problem: str, remedy: str, most_bytes: int = MOST_BYTES
) -> dict[str, npt.NDArray[Any]]:
    """All arrays of an ``.npz`` file by name.

    Parameters
    ----------
    path : Path
    problem, remedy : str
        What the error says when the file cannot be read, and what to do then.
    most_bytes : int
        All arrays together may not be longer, unpacked.

    Raises
    ------
    ReadError
        There is no such file, it is damaged or no ``.npz``, names an array twice, holds what are
        no plain numbers, or announces more than ``most_bytes``.
    """
    try:
        size = regular_size(path)
    except ReadError as error:
        raise ReadError(f"{problem} ({error.what})", where=path, remedy=remedy) from error
    try:
        with open(path, "rb") as stream:
            _check_directory(stream, size)
            with zipfile.ZipFile(stream) as archive:
                return _arrays(archive, most_bytes)
    except _Refused as refused:
        raise ReadError(f"{problem} ({refused})", where=path, remedy=remedy) from refused
    except OSError as error:
        said = error.strerror or "the file is damaged"
        raise ReadError(f"{problem} ({said})", where=path, remedy=remedy) from error
    except MemoryError as error:
        said = "its arrays need more memory than this machine can give"
        raise ReadError(f"{problem} ({said})", where=path, remedy=remedy) from error
    except Exception as error:  # whatever the damaged bytes provoke in zipfile, zlib and NumPy
        said = "the file is damaged"
        raise ReadError(f"{problem} ({said})", where=path, remedy=remedy) from error


def _check_directory(stream: IO[bytes], size: int) -> None:
    """Refuse an archive whose list of members is long before it is read into memory."""
    if size < _END:
        raise _Refused("it is no .npz file")
    reach = min(size, _END + _COMMENT)
    stream.seek(-reach, os.SEEK_END)
    tail = stream.read(reach)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END:
        raise _Refused("it is no .npz file, or cut short")
    members, length = struct.unpack_from("<HI", tail, at + 10)
    # The larger form of the list is for archives of 4 GB or 65,535 members.
    if tail[max(at - 20, 0) : at].startswith(b"PK\x06\x07") or length > _MOST_DIRECTORY:
        raise _Refused("its list of arrays is too long")
    if members > _MOST_ARRAYS:
        raise _Refused(f"it holds {members} arrays; no such file has more than {_MOST_ARRAYS}")
    stream.seek(0)


def _arrays(archive: zipfile.ZipFile, most_bytes: int) -> dict[str, npt.NDArray[Any]]:
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        raise _Refused("it names an array twice")
    announced = sum(member.file_size for member in members)
    if announced > most_bytes:
        raise _Refused(
            f"it announces {announced / 2**20:,.0f} MiB; no more than "
            f"{most_bytes / 2**20:,.0f} MiB make sense"
        )
    found: dict[str, npt.NDArray[Any]] = {}
    for member in members:
        if not member.filename.endswith(".npy"):
            raise _Refused("it holds what is no array")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _Refused("it is packed in a way that NumPy does not write")
        with archive.open(member) as packed:
            found[member.filename.removesuffix(".npy")] = _array(packed, member.file_size)
    return found


def _array(packed: IO[bytes], size: int) -> npt.NDArray[Any]:
    """One member as an array; its own header must announce what the archive does."""
    try:
        version = npy.read_magic(packed)
        length = {(1, 0): 2, (2, 0): 4, (3, 0): 4}[version]
        prefix = packed.read(length)
        header = int.from_bytes(prefix, "little")
        if len(prefix) < length or header > _MOST_HEADER:
            raise ValueError("no header")
        again = io.BytesIO(prefix + packed.read(header))
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, columns_first, dtype = read(again, max_header_size=_MOST_HEADER)
    except (ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise _Refused("an array's own header is damaged") from error
    if dtype.kind not in _NUMBERS or dtype.fields is not None:
        raise _Refused("it holds what are no plain numbers")
    if len(shape) > _MOST_AXES or any(n < 0 for n in shape):
        raise _Refused(f"an array has the shape {_shown(shape)}, which makes no sense")
    needed = math.prod(shape) * dtype.itemsize
    if needed != size - (8 + length + header):
        raise _Refused(f"an array of the shape {_shown(shape)} is not as long as the file says")
    try:
        content = packed.read(needed)
        packed.read(1)  # at the end of a member its checksum is compared
    except (zlib.error, zipfile.BadZipFile, EOFError) as error:
        raise _Refused("it is damaged: its checksum differs") from error
    if len(content) < needed:
        raise _Refused("it is cut short")
    flat = np.frombuffer(content, dtype=dtype)
    return flat.reshape(shape[::-1]).T if columns_first else flat.reshape(shape)


def _shown(shape: tuple[int, ...]) -> str:
    text = " × ".join(map(str, shape))
    return text if len(text) <= 60 else text[:60] + "…"
