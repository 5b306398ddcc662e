"""The members of a stranger's zip archive, read without trusting what it says of itself.

Every size is bounded before anything is read, one name stands for one member, and what the
archive's list says must be what stands before the member itself. The checksums are compared while
reading. torch is only ever given an archive made anew from these members.
"""

from __future__ import annotations

import io
import os
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from ...errors import ModelError

#: Members that any model may have; the largest networks have a few thousand.
_MOST_MEMBERS = 100_000

#: Unpacked bytes for each byte of the file: torch stores numbers as they are, and packs only code.
_UNPACKED_PER_BYTE, _UNPACKED_BYTES = 4, 64 << 20

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SIZES_FOLLOW, _ENCRYPTED = 0x8, 0x1 | 0x40 | 0x2000
_ZIP64 = 0xFFFFFFFF


class CheckedArchive:
    """An archive whose list of members was checked; use it as a context.

    Parameters
    ----------
    path : Path
    what : str
        What it should be, for messages ("TorchScript file").
    remedy : str

    Attributes
    ----------
    root : str
        The folder in which all members lie.
    names : tuple of str
        Members below that folder.

    Raises
    ------
    ModelError
        It is no archive, damaged, or not what any model's is.
    """

    def __init__(self, path: Path, what: str, remedy: str) -> None:
        self._path, self._what, self._remedy = path, what, remedy
        try:
            self._file = open(path, "rb")  # noqa: SIM115 (closed in __exit__)
        except OSError as error:
            raise ModelError(
                f"the file cannot be opened ({error.strerror or error})", where=path, remedy=remedy
            ) from error
        try:
            self._size = os.fstat(self._file.fileno()).st_size
            self._zip = self._opened()
            self._members = self._checked_members()
        except BaseException:
            self._file.close()
            raise
        self.root = next(iter(self._members)).partition("/")[0]
        self.names = tuple(name.partition("/")[2] for name in self._members)

    def __enter__(self) -> CheckedArchive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()

    def size(self, name: str) -> int:
        """Unpacked bytes of a member; 0 where there is none."""
        info = self._members.get(f"{self.root}/{name}")
        return 0 if info is None else info.file_size

    def read(self, name: str, most: int | None = None) -> bytes:
        """A member's content.

        Raises
        ------
        ModelError
            There is none, it is larger than ``most``, or not what the archive says it is.
        """
        info = self._members.get(f"{self.root}/{name}")
        if info is None:
            raise self.refusal(f"has no {name}")
        if most is not None and info.file_size > most:
            raise self.refusal(f"has a {name} of {info.file_size} bytes")
        try:
            with self._zip.open(info) as member:
                content = member.read(info.file_size + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            ValueError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise self.damage(f"its member {name} does not unpack") from error
        if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
            raise self.damage(f"its member {name} is not what its list says")
        return content

    def refusal(self, what: str) -> ModelError:
        """An error for what no honest file holds."""
        return ModelError(
            f"the {self._what} {what}, so it is not loaded", where=self._path, remedy=self._remedy
        )

    def damage(self, what: str) -> ModelError:
        """An error for what may be an accident."""
        return ModelError(
            f"the {self._what} is damaged: {what}", where=self._path, remedy=self._remedy
        )

    def _opened(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self._file)
        except (
            zipfile.BadZipFile,
            OSError,
            ValueError,
            NotImplementedError,
            OverflowError,
            MemoryError,
            struct.error,
        ) as error:
            raise self.damage("it is no zip archive, or only a part of one") from error

    def _checked_members(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._zip.infolist()
        if not 0 < len(infos) <= _MOST_MEMBERS:
            raise self.damage(f"it lists {len(infos)} members")
        seen: set[str] = set()
        total = 0
        for info in infos:
            self._check_name(info)
            folded = _folded(info.filename)
            if folded in seen:
                raise self.refusal(f"has two members called {_shown(info.filename)}")
            seen.add(folded)
            if info.flag_bits & _ENCRYPTED or info.compress_type not in _PACKINGS:
                raise self.refusal(f"packs {_shown(info.filename)} in a way that torch never does")
            total += info.file_size
        if total > _UNPACKED_PER_BYTE * self._size + _UNPACKED_BYTES:
            raise self.refusal(f"would unpack to {total / 2**30:.1f} GB")
        roots = {info.filename.partition("/")[0] for info in infos}
        if len(roots) != 1:
            raise self.refusal("is not laid out as torch does it")
        self._check_places(infos)
        return {info.filename: info for info in infos}

    def _check_name(self, info: zipfile.ZipInfo) -> None:
        name = info.filename
        parts = name.split("/")
        plain = name.isprintable() and "\\" not in name and info.orig_filename == name
        if not plain or len(parts) < 2 or any(part in ("", ".", "..") for part in parts):
            raise self.refusal(f"has a member with the name {_shown(name)}")

    def _check_places(self, infos: list[zipfile.ZipInfo]) -> None:
        """What stands before each member says the same as the list, and no two share bytes."""
        end = 0
        for info in sorted(infos, key=lambda info: info.header_offset):
            try:
                self._file.seek(info.header_offset)
                head = _LOCAL.unpack(self._file.read(_LOCAL.size))
                name = self._file.read(head[9])
            except (struct.error, OSError, ValueError) as error:
                raise self.damage("its list names places that are not there") from error
            mark, flags, packing, crc, packed, size = head[0], *head[2:4], *head[6:9]
            same = (
                mark == b"PK\x03\x04"
                and packing == info.compress_type
                and not flags & _ENCRYPTED
                and name == info.filename.encode("utf-8")
                and _agrees(crc, info.CRC, flags)
                and _agrees(packed, info.compress_size, flags)
                and _agrees(size, info.file_size, flags)
            )
            if not same:
                raise self.damage(
                    f"its list does not agree with its member {_shown(info.filename)}"
                )
            if info.header_offset < end:
                raise self.refusal("has members that lie in one another")
            end = info.header_offset + _LOCAL.size + head[9] + head[10] + info.compress_size
            if info.compress_type == zipfile.ZIP_STORED and info.compress_size != info.file_size:
                raise self.damage(f"its member {_shown(info.filename)} has two sizes")
        if end > self._size:
            raise self.damage("it is only a part of one")


def packed_anew(root: str, members: Mapping[str, bytes]) -> bytes:
    """An archive of checked members, stored as torch stores them."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as out:
        for name, content in members.items():
            out.writestr(f"{root}/{name}", content)
    return made.getvalue()


def _agrees(before: int, listed: int, flags: int) -> bool:
    """A number before a member and in the list; some writers leave the first to follow later."""
    return before in (listed, _ZIP64) or bool(flags & _SIZES_FOLLOW and before == 0)


def _folded(name: str) -> str:
    """A name as the most forgiving file system would compare it."""
    return unicodedata.normalize("NFKC", name).casefold()


def _shown(name: str) -> str:
    return repr(name if len(name) <= 80 else name[:77] + "…")
