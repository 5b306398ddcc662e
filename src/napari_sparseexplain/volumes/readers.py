"""The readers, one line a reader: what it reads, how its files are known, where the function is.

What can be opened follows from this list: the choice of a reader in `open_study`, what napari is
told (`layers/io/napari_reader.py`, and the patterns of the manifest, which a test compares), the
file dialog, what is taken when it is dropped on the picture, the table in `docs/volumes.md` (a
test compares), and the sentences that say what can be read. A family of another package brings
readers of its own (`Family.readers`).

A reader names its functions by texts, so that the list is read without loading any.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..families import OWN, Family, attempt, families, resolve

_VOLUMES = "napari_sparseexplain.volumes"

_ENDING = re.compile(r"(\.[a-z0-9]+){1,3}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Reader:
    """One format of files.

    Attributes
    ----------
    name : str
        One word (``"nifti"``).
    title : str
        In a sentence that lists what can be read (``"NIfTI files"``).
    endings : tuple of str
        Of its files, in small letters, each with its dot; upper and lower case are one.
    reads : str
        What is read of them, for the documentation.
    file : str
        Function ``"package.module:name"`` from one path to ``(Volume, list of Finding)``. It raises
        `ReadError` for a file that it cannot read.
    together : str
        In place of ``file``, a function that takes all files of a study at once: ``(paths, root)``
        to `Work` that ends in ``(list of (Volume, place, findings), findings)``.
    recognise : str
        Function from a path to whether the file's first bytes are of this format.
    by_content : bool
        Its files are recognised without any ending.
    unsure : tuple of str
        Those of its endings that other formats have too: in a folder, such a file is looked into.
    second : mapping of str to tuple of str
        Endings of a second file, and what the first file's may be in its place. Where the second
        one is named, the first is opened.
    names : tuple of str
        Whole file names, in small letters.
    pictures : bool
        Plain pictures: read only where a folder holds no scan, and left to napari when dropped.
    package : str
        The distribution that it came from; filled in for those of other packages.
    """

    name: str
    title: str
    endings: tuple[str, ...]
    reads: str
    file: str = ""
    together: str = ""
    recognise: str = ""
    by_content: bool = False
    unsure: tuple[str, ...] = ()
    second: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    pictures: bool = False
    package: str = OWN

    def __post_init__(self) -> None:
        if bool(self.file) == bool(self.together):
            raise ValueError(f"the reader {self.name!r} must name one function: file or together")
        for ending in (*self.endings, *self.second):
            if not _ENDING.fullmatch(ending):
                raise ValueError(
                    f"the reader {self.name!r} has the ending {ending!r}, which is no dot and small"
                    " letters"
                )

    @property
    def all_endings(self) -> tuple[str, ...]:
        """Its endings, those of a second file among them."""
        return (*self.endings, *self.second)

    def function(self) -> Callable[..., Any]:
        """What reads; loads its module."""
        return resolve(self.file or self.together)

    def recognises(self, path: Path) -> bool:
        """Whether a file's first bytes are of this format; False where nothing can tell."""
        return bool(self.recognise and resolve(self.recognise)(path))


#: The readers of this package, in the order in which files are read.
READERS = (
    Reader(
        name="nifti",
        title="NIfTI files",
        endings=(".nii", ".nii.gz", ".hdr", ".hdr.gz"),
        second=dict.fromkeys((".img", ".img.gz"), (".hdr", ".hdr.gz")),
        reads="NIfTI-1 and -2, one file or a pair of header and image, both byte orders, any real "
        "type, RGB(A), complex (magnitude), up to seven dimensions. The first bytes decide, not "
        "the ending",
        file=f"{_VOLUMES}.nifti.reader:open_nifti",
        recognise=f"{_VOLUMES}.nifti.header:looks_like_nifti",
        unsure=(".hdr", ".hdr.gz"),
    ),
    Reader(
        name="dicom",
        title="DICOM files",
        endings=(".dcm", ".ima", ".dic"),
        names=("dicomdir",),
        reads="series told apart, slices ordered by position; see [DICOM](#dicom). Files are "
        "recognised by content, with or without an ending",
        together=f"{_VOLUMES}.dicom.roles:read_dicom_with_roles_work",
        recognise=f"{_VOLUMES}.dicom.files:looks_like_dicom",
        by_content=True,
    ),
    Reader(
        name="pictures",
        title="pictures (PNG, JPG, TIFF, BMP)",
        endings=(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"),
        reads="pictures without millimetres, one or a folder of them; see [Pictures](#pictures). "
        "Pictures beside scans are left out, and that is said",
        together=f"{_VOLUMES}.pictures.reader:read_pictures_work",
        pictures=True,
    ),
)


def readers() -> tuple[Reader, ...]:
    """The readers: this package's, then those of families of other packages."""
    return _readers_of(families())


def reader_called(name: str) -> Reader:
    """The reader of a name; `KeyError` where there is none."""
    return {reader.name: reader for reader in readers()}[name]


def reader_of_name(name: str) -> Reader | None:
    """The reader whose name or ending a file has; its second file (``.img``) counts too."""
    small = name.lower()
    for reader in readers():
        if small in reader.names:
            return reader
    found = [(e, r) for r in readers() for e in r.all_endings if small.endswith(e)]
    return max(found, key=lambda pair: len(pair[0]))[1] if found else None


def first_file(path: Path, exists: Callable[[Path], bool] = Path.is_file) -> Path | None:
    """The first file of a pair of which the second one is given; None where it is not there.

    Parameters
    ----------
    path : Path
        The second file, as ``scan.img``; of any other file, itself.
    """
    small = path.name.lower()
    for reader in readers():
        for second, firsts in reader.second.items():
            if not small.endswith(second):
                continue
            return file_beside(path, path.name[: -len(second)], firsts, exists)
    return path


def file_beside(
    path: Path, base: str, endings: Iterable[str], exists: Callable[[Path], bool] = Path.is_file
) -> Path | None:
    """A file in a path's folder by its name without the ending, in whatever case that is written.

    Parameters
    ----------
    path : Path
    base : str
        As it is written.
    endings : iterable of str
        In small letters; the first that is there counts. Of several cases the small letters, then
        capitals, then the first in the order of names.
    """
    names: list[str] | None = None
    for ending in endings:
        for usual in (ending, ending.upper()):
            if exists(found := path.with_name(base + usual)):
                return found
        if names is None:
            names = _names_in(path.parent)
        for name in names:
            written = name.startswith(base) and name[len(base) :].lower() == ending
            if written and exists(found := path.with_name(name)):
                return found
    return None


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder))
    except OSError:  # it may be entered and not listed
        return []


def all_endings() -> tuple[str, ...]:
    """The endings of all readers, those of second files among them."""
    return tuple(ending for reader in readers() for ending in reader.all_endings)


def what_is_read() -> str:
    """For a sentence: ``"NIfTI files, DICOM files or pictures (PNG, …)"``."""
    *others, last = (reader.title for reader in readers())
    return f"{', '.join(others)} or {last}"


def name_patterns(of: tuple[Reader, ...] | None = None) -> tuple[str, ...]:
    """Patterns of file names, as napari's manifest has them: ``*.nii``, ``*.NII``, ``DICOMDIR``.

    Parameters
    ----------
    of : tuple of Reader, optional
        All readers, when not given.
    """
    patterns: list[str] = []
    for reader in readers() if of is None else of:
        for ending in reader.all_endings:
            patterns += [f"*{ending}", f"*{ending.upper()}"]
        patterns += [word for name in reader.names for word in (name.upper(), name)]
    return tuple(patterns)


def dialog_filter() -> str:
    """What a file dialog offers, in Qt's words: all files first, since DICOM may have no ending."""
    kinds = [f"{r.title.partition(' (')[0]} ({' '.join(name_patterns((r,)))})" for r in readers()]
    return ";;".join(("All files (*)", *kinds))


@lru_cache(maxsize=1)
def _readers_of(those: tuple[Family, ...]) -> tuple[Reader, ...]:
    found = list(READERS)
    for family in those:
        if not family.readers:
            continue
        with attempt(family):
            found += _of_family(family, found)
    return tuple(found)


def _of_family(family: Family, there: list[Reader]) -> list[Reader]:
    """The readers that a family brings; all of them or none."""
    new: list[Reader] = []
    for reference in family.readers:
        reader = resolve(reference)
        if not isinstance(reader, Reader):
            raise TypeError(f"{reference} is no Reader")
        for other in (*there, *new):
            if other.name == reader.name:
                raise ValueError(f"{other.package} has a reader {other.name!r} already")
            if taken := {*other.all_endings, *other.names} & {*reader.all_endings, *reader.names}:
                raise ValueError(f"{other.package} reads {sorted(taken)[0]} already")
        new.append(replace(reader, package=family.package))
    return new
