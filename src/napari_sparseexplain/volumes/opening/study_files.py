"""What lies in a file or folder that could belong to a study."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...errors import ReadError
from ...files.folder_walk import entries_below
from ...files.regular_file import (
    DANGLING,
    FETCH,
    is_folder,
    is_regular,
    regular_size,
)
from ..dicom.files import is_packed_dicom
from ..nifti.header import looks_like_analyze
from ..readers import (
    Reader,
    all_endings,
    first_file,
    reader_called,
    reader_of_name,
    readers,
    what_is_read,
)
from ..registration.transform_files import TRANSFORM_ENDINGS
from ..roles.roles import read_name
from .dataset_folder import case_of, cases_below
from .own_output import without_results

#: Image formats that are not read: said when met in a folder, not passed over in silence.
OTHER_IMAGES = (
    *(".nrrd", ".nhdr", ".mgz", ".mgh", ".mha", ".mhd", ".mnc", ".nii.bz2", ".nii.zst"),
    ".nii.zip",
)

#: Never DICOM, so their first bytes are not looked at.
_NO_IMAGE = (
    *(".txt", ".json", ".tsv", ".csv", ".md", ".xml", ".html", ".pdf", ".py", ".sh", ".yaml"),
    *(".yml", ".bval", ".bvec", ".bvals", ".bvecs", ".mat", ".log", ".dump"),
    *(".gif", ".svg", ".zip", ".tar", ".gz", ".gii", ".label", ".lta", ".xfm", ".tfm", ".h5"),
    ".npy",
)

#: Files that hold gzip streams of other kinds, which are not looked into.
_NEVER_PACKED = (".tar.gz", ".tgz", ".img.gz", ".txt.gz", ".csv.gz", ".tsv.gz", ".json.gz")

#: Files that are looked into for a transform.
_MOST_TRANSFORMS = 500

_SUBJECT = re.compile(r"(?:^|[/_])(sub-[A-Za-z0-9]+)(?=[_/])")


@dataclass(frozen=True)
class StudyFiles:
    """Candidates by kind, in name order.

    Attributes
    ----------
    root : Path
        The folder (of a single file: its folder).
    files : mapping of str to tuple of Path
        By the name of the reader that reads them.
    other : tuple of Path
        Images in a format that is not read.
    results : tuple of Path
        Images that this program wrote itself and that were passed over.
    dangling : tuple of Path
        Links to files that are not there, and may be images.
    packed : tuple of Path
        DICOM files that were packed with gzip.
    transforms : tuple of Path
        Files that may hold a transform from a registration.
    """

    root: Path
    files: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    other: tuple[Path, ...] = ()
    results: tuple[Path, ...] = ()
    dangling: tuple[Path, ...] = ()
    packed: tuple[Path, ...] = ()
    transforms: tuple[Path, ...] = ()

    def of(self, reader: str) -> tuple[Path, ...]:
        """What a reader reads of them."""
        return self.files.get(reader, ())

    def place(self, path: Path) -> str:
        """A file's path within the study, for a person."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return str(path)


def find_study_files(path: Path) -> StudyFiles:
    """All image files of a path.

    Parameters
    ----------
    path : Path
        A file, a DICOMDIR, or a folder, which is searched with all below it; hidden files and
        folders are passed over.

    Raises
    ------
    ReadError
        There is no such path, no image in it, or the images of several patients.
    """
    if not is_folder(path):
        regular_size(path)
        return _single(path)
    regular, links = entries_below(path)
    files = [p for p in regular if not _is_hidden(p, path)]
    dangling = tuple(p for p in links if not _is_hidden(p, path) and not _no_image(p))
    if not files:
        if dangling:
            raise dangling_error(dangling)
        raise ReadError(
            "the folder is empty",
            where=path,
            remedy="Choose the folder that holds the scans themselves",
        )
    files, passed = without_results(path, files)
    transforms = [p for p in files if p.name.lower().endswith(TRANSFORM_ENDINGS)]
    found = replace(
        _sorted_out(path, files),
        results=_images(passed),
        dangling=dangling,
        transforms=tuple(transforms[:_MOST_TRANSFORMS]),
    )
    if not found.files:
        if found.other:
            return found
        if found.packed:
            raise packed_error(found.packed)
        if dangling:
            raise dangling_error(dangling)
        raise ReadError(
            f"none of the {len(files)} files in this folder is an image",
            where=path,
            remedy=f"Choose a folder with {what_is_read()}",
        )
    _check_one_patient(path, found.of("nifti"))
    return found


def dangling_error(links: Sequence[Path]) -> ReadError:
    """What is said of links to files that are not there."""
    names = [link.name for link in links[1:5]] + (["…"] if len(links) > 5 else [])
    more = f" (so do {', '.join(names)}; {len(links)} links in all)" if names else ""
    return ReadError(f"{DANGLING}{more}", where=links[0], remedy=FETCH)


def packed_error(packed: Sequence[Path]) -> ReadError:
    """What is said of DICOM files that were packed with gzip."""
    more = f" (so are {len(packed) - 1} further files)" if len(packed) > 1 else ""
    return ReadError(
        f"the DICOM file is packed with gzip{more}, which is not read",
        where=packed[0],
        remedy="Unpack it first (gunzip), and open the result",
    )


def _single(path: Path) -> StudyFiles:
    """A file by what it holds; its ending decides only where its bytes do not."""
    root = path.parent
    if is_packed_dicom(path):
        raise packed_error((path,))
    named = reader_of_name(path.name)
    whole = named is not None and path.name.lower() in named.names
    for reader in readers():
        if (whole and reader is named) or (reader.by_content and reader.recognises(path)):
            return _of(root, reader, path)
    first = path if named is None else first_file(path, is_regular)
    if named is not None and first is not None and first != path:
        return _of(root, named, first)
    if case := case_of(path):
        return StudyFiles(path.parent.parent, {"nifti": case})
    if named is None or named.recognise:
        found = next((reader for reader in readers() if reader.recognises(path)), None)
        # Where nobody knows it, the reader of NIfTI says what else it is.
        return _of(root, found or named or reader_called("nifti"), path)
    return _of(root, named, path)


def _of(root: Path, reader: Reader, path: Path) -> StudyFiles:
    return StudyFiles(root, {reader.name: (path,)})


def _images(files: list[Path]) -> tuple[Path, ...]:
    """Those that would have been opened."""
    return tuple(p for p in files if p.name.lower().endswith(all_endings()) and not _is_second(p))


def _is_second(path: Path) -> bool:
    """Whether it is the second file of a pair, which is read with the first one."""
    seconds = tuple(ending for reader in readers() for ending in reader.second)
    return path.name.lower().endswith(seconds)


def _is_hidden(path: Path, root: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.relative_to(root).parts)


def _no_image(path: Path) -> bool:
    """Whether the ending rules an image out."""
    name = path.name.lower()
    if reader_of_name(name) is not None:
        return _is_second(path)
    return name.endswith(_NO_IMAGE) and not name.endswith(".gz")


def _sorted_out(root: Path, files: list[Path]) -> StudyFiles:
    """Files by kind; a DICOMDIR only where none of the files that it names is there."""
    found: dict[str, list[Path]] = {}
    directories: dict[str, list[Path]] = {}
    other: list[Path] = []
    packed: list[Path] = []
    lone: list[Path] = []
    for path in files:
        name = path.name.lower()
        reader = reader_of_name(name)
        if reader is not None and name in reader.names:
            directories.setdefault(reader.name, []).append(path)
        elif _is_second(path):
            if first_file(path, is_regular) is None:
                lone.append(path)
        elif reader is not None and not reader.by_content:
            if not name.endswith(reader.unsure) or reader.recognises(path):
                found.setdefault(reader.name, []).append(path)
            elif looks_like_analyze(path):
                other.append(path)
        elif name.endswith(OTHER_IMAGES):
            other.append(path)
        elif (known := _recognised(path)) is not None:
            found.setdefault(known.name, []).append(path)
        elif not name.endswith(_NEVER_PACKED) and is_packed_dicom(path):
            packed.append(path)
    for reader, named in directories.items():
        found.setdefault(reader, named[:1])
    if not (found or other or packed):
        other = lone  # a disk's image beside scans is none of theirs; alone, it is what was meant
    kept = {reader: tuple(paths) for reader, paths in found.items()}
    return StudyFiles(root, kept, tuple(other), packed=tuple(packed))


def _recognised(path: Path) -> Reader | None:
    """The reader whose content a file has, where its ending does not rule that out."""
    if path.name.lower().endswith(_NO_IMAGE):
        return None
    return next((r for r in readers() if r.by_content and r.recognises(path)), None)


def _check_one_patient(root: Path, nifti: tuple[Path, ...]) -> None:
    """A study is of one patient: refuse a data set's root, naming what is in it."""
    cases = cases_below(nifti)
    if len(cases) > 1:
        shown = ", ".join(cases[:4]) + (", …" if len(cases) > 4 else "")
        raise ReadError(
            f"the folder is a data set of {len(cases)} cases ({shown})",
            where=root,
            remedy="Open one of them: give one of its files in imagesTr, and its channels and "
            "labels come with it",
        )
    if cases:
        return
    subjects: dict[str, None] = {}
    for path in nifti:
        if found := _SUBJECT.search(path.relative_to(root).as_posix()):
            subjects[found[1]] = None
    if len(subjects) > 1:
        raise _several(root, list(subjects))
    if subjects:
        return
    folders: dict[str, set[str]] = {}
    for path in nifti:
        if path.parent != root:
            top = path.relative_to(root).parts[0]
            folders.setdefault(top, set()).add(_kind_of_name(path))
    seen: set[str] = set()
    for kinds in folders.values():
        if len(folders) > 1 and seen & kinds and len(kinds) > 1:
            raise _several(root, list(folders))
        seen |= kinds


def _kind_of_name(path: Path) -> str:
    """What a name tells, for comparing folders with each other."""
    reading = read_name(path.name)
    return reading.role or path.name


def _several(root: Path, names: list[str]) -> ReadError:
    shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
    return ReadError(
        f"the folder holds {len(names)} studies or patients ({shown})",
        where=root,
        remedy="Open one of them at a time",
    )
