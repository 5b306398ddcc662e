"""Which files are DICOM: one file, a list, a folder with all below it, or a DICOMDIR.

File format: DICOM PS3.10; the directory object: PS3.3 Annex F.
"""

from __future__ import annotations

import gzip
import struct
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydicom.dataset import Dataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from ...errors import ReadError, reason_of
from ...files.folder_walk import files_below
from ...files.regular_file import is_folder, is_regular, regular_size
from ..readers import what_is_read
from .deflated import check_deflated
from .values import first_item, items, text, texts

#: Two-letter value representations that can follow a tag in an explicit header (PS3.5 6.2).
_REPRESENTATIONS = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN "
    b"UR US UT UV".split()
)

#: Pixel Data, and its two kinds of floating point.
_PIXELS = (0x7FE00010, 0x7FE00009, 0x7FE00008)

#: Elements of one data set outside its sequences; a header has some hundred.
_MOST_ELEMENTS = 100_000

#: SOP class of a DICOMDIR (PS3.6).
_DIRECTORY_CLASS = "1.2.840.10008.1.3.10"


class FoundFiles(NamedTuple):
    """DICOM files of a path, in name order, and the files a DICOMDIR names that are not there."""

    files: tuple[Path, ...]
    missing: tuple[Path, ...]


def looks_like_dicom(path: Path) -> bool:
    """Whether a file starts like DICOM: ``DICM`` after the preamble, or a bare data set.

    A bare data set (no preamble, as old archives and network dumps write it) is recognised when
    its first tag is of group 0002 or 0008 and is followed by a value representation, or by a
    length that the file can hold.

    Parameters
    ----------
    path : Path
        Any file. A folder or an unreadable file gives False.
    """
    if not is_regular(path):
        return False
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(0)
            # Files of a system (/proc) have no size, and reading one can wait for ever.
            head = stream.read(132) if size else b""
    except OSError:
        return False
    if head[128:132] == b"DICM":
        return True
    if len(head) < 16:
        return False
    if head[4:6] in _REPRESENTATIONS:
        return any(
            struct.unpack(order, head[:4])[0] in (0x0002, 0x0008) for order in ("<HH", ">HH")
        )
    group, element, length = struct.unpack("<HHI", head[:8])
    return group in (0x0002, 0x0008) and element <= 0x0020 and length < min(size, 1 << 10)


def is_packed_dicom(path: Path) -> bool:
    """Whether a file is DICOM within a gzip stream (``.dcm.gz``), which is not read as it is."""
    if not is_regular(path):
        return False
    try:
        with open(path, "rb") as stream:
            if stream.read(2) != b"\x1f\x8b":
                return False
        with gzip.open(path, "rb") as stream:
            return stream.read(132)[128:132] == b"DICM"
    except (OSError, EOFError, zlib.error):
        return False


def find_dicom_files(path: Path | Sequence[Path]) -> FoundFiles:
    """All DICOM files that ``path`` stands for; other files beside them are passed over.

    Raises
    ------
    ReadError
        The path does not exist, a single file is not DICOM, or there is no DICOM file.
    """
    if not isinstance(path, Path):
        files = tuple(sorted({Path(p) for p in path}))
        return _not_empty(FoundFiles(tuple(p for p in files if _is_data_file(p)), ()), files)
    if is_folder(path):
        files = tuple(files_below(path))
        return _not_empty(FoundFiles(tuple(p for p in files if _is_data_file(p)), ()), (path,))
    regular_size(path)
    if not looks_like_dicom(path):
        raise ReadError(
            "the file is not DICOM: it has no DICM mark and does not begin with a DICOM tag",
            where=path,
            remedy=f"Open {what_is_read()}; unpack archives first",
        )
    header = read_header(path)
    if _is_directory(header):
        return _from_directory(path, header)
    return FoundFiles((path,), ())


def read_header(path: Path) -> Dataset:
    """The file's data set up to its pixels.

    pydicom's warnings about values that break a rule of the standard (over-long text, unknown
    private elements) are kept silent on purpose: they concern elements that are not used here,
    or that are checked where they are used.

    Raises
    ------
    ReadError
        The bytes cannot be parsed as a data set.
    """
    return _parse(path, stop_before_pixels=True)


def read_whole(path: Path) -> Dataset:
    """The file's data set with its pixels and a transfer syntax, for files without meta header.

    Raises
    ------
    ReadError
        The bytes cannot be parsed as a data set.
    """
    dataset = _parse(path, stop_before_pixels=False)
    if not text(dataset.file_meta, "TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        if not little:
            syntax = ExplicitVRBigEndian
        else:
            syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


def transfer_syntax(header: Dataset) -> str:
    """UID of the transfer syntax that the meta header names, empty when it names none."""
    return text(header.file_meta, "TransferSyntaxUID")


def is_compressed(header: Dataset) -> bool:
    """Whether the pixels are encapsulated (compressed frame by frame)."""
    native = (
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    )
    return transfer_syntax(header) not in ("", *native)


def is_deflated(header: Dataset) -> bool:
    """Whether all of the data set is packed, so that it is larger than its file."""
    return transfer_syntax(header) == DeflatedExplicitVRLittleEndian


class _Ends:
    """Where the parser stops: at the pixels, or behind them; what follows is padding at best."""

    def __init__(self, *, before_pixels: bool) -> None:
        self._before = before_pixels
        self._seen = False
        self._count = 0

    def __call__(self, tag: BaseTag, representation: str | None, length: int) -> bool:
        self._count += 1
        if self._count > _MOST_ELEMENTS:
            raise ReadError(
                f"the DICOM header is damaged (it has more than {_MOST_ELEMENTS:,} elements)",
                remedy="Fetch the file again from its archive",
            )
        if self._seen:
            return True
        pixels = tag in _PIXELS
        self._seen = pixels
        return pixels and self._before


def _parse(path: Path, *, stop_before_pixels: bool) -> Dataset:
    regular_size(path)
    check_deflated(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with open(path, "rb") as stream:
                ends = _Ends(before_pixels=stop_before_pixels)
                dataset = read_partial(stream, ends, force=True)
    except ReadError as error:
        raise ReadError(error.what, where=path, remedy=error.remedy) from error
    except OSError as error:
        raise ReadError(
            f"the file could not be read ({error.strerror or error})",
            where=path,
            remedy="Check its permissions",
        ) from error
    except Exception as error:  # pydicom's parser raises whatever the broken bytes provoke
        raise ReadError(
            f"the DICOM header is damaged ({reason_of(error)})",
            where=path,
            remedy="Fetch the file again from its archive",
        ) from error
    return dataset


def _is_directory(header: Dataset) -> bool:
    return text(header.file_meta, "MediaStorageSOPClassUID") == _DIRECTORY_CLASS or (
        first_item(header, "DirectoryRecordSequence") is not None
    )


def _is_data_file(path: Path) -> bool:
    """DICOM, and no DICOMDIR: the files that one names lie in the folder anyway."""
    return path.name.upper() != "DICOMDIR" and looks_like_dicom(path)


def _from_directory(path: Path, header: Dataset) -> FoundFiles:
    """The files that a DICOMDIR names; names are compared without case, as media mangle it."""
    present = {p.relative_to(path.parent).as_posix().lower(): p for p in files_below(path.parent)}
    files: list[Path] = []
    missing: list[Path] = []
    for record in items(header, "DirectoryRecordSequence"):
        parts = texts(record, "ReferencedFileID")
        if not parts:
            continue
        file = present.get("/".join(parts).lower())
        if file is None:
            missing.append(path.parent.joinpath(*parts))
        else:
            files.append(file)
    if not files:
        raise ReadError(
            f"the DICOMDIR names {len(missing)} files and none of them is there",
            where=path,
            remedy="Copy the whole medium, not the DICOMDIR alone, or open the folder itself",
        )
    return FoundFiles(tuple(sorted(set(files))), tuple(missing))


def _not_empty(found: FoundFiles, where: Sequence[Path]) -> FoundFiles:
    if found.files:
        return found
    raise ReadError(
        "no DICOM file was found",
        where=where[0] if where else None,
        remedy="Choose the folder that holds the images of the scan",
    )
