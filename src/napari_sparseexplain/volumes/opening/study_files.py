"""What lies in a file or folder that could belong to a study."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import ReadError
from ...files.regular_file import (
    DANGLING,
    FETCH,
    entries_below,
    is_folder,
    is_regular,
    regular_size,
)
from ..dicom.files import is_packed_dicom
from ..dicom.reader import looks_like_dicom
from ..nifti.header import looks_like_nifti
from ..registration.transform_files import TRANSFORM_ENDINGS
from ..roles.roles import read_name
from .dataset_folder import case_of, cases_below
from .own_output import without_results

NIFTI_ENDINGS = (".nii", ".nii.gz", ".hdr", ".hdr.gz")
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")

#: Image formats that are not read: said when met in a folder, not passed over in silence.
OTHER_IMAGES = (
    *(".nrrd", ".nhdr", ".mgz", ".mgh", ".mha", ".mhd", ".mnc", ".nii.bz2", ".nii.zst"),
    ".nii.zip",
)

#: Never DICOM, so their first bytes are not looked at.
_NO_IMAGE = (
    *(".txt", ".json", ".tsv", ".csv", ".md", ".xml", ".html", ".pdf", ".py", ".sh", ".yaml"),
    *(".yml", ".bval", ".bvec", ".bvals", ".bvecs", ".mat", ".log", ".dump", ".img", ".img.gz"),
    *(
        ".gif",
        ".svg",
        ".zip",
        ".tar",
        ".gz",
        ".gii",
        ".label",
        ".lta",
        ".xfm",
        ".tfm",
        ".h5",
        ".npy",
    ),
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
    nifti, pictures, dicom, other : tuple of Path
        ``other`` are images in a format that is not read.
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
    nifti: tuple[Path, ...] = ()
    pictures: tuple[Path, ...] = ()
    dicom: tuple[Path, ...] = ()
    other: tuple[Path, ...] = ()
    results: tuple[Path, ...] = ()
    dangling: tuple[Path, ...] = ()
    packed: tuple[Path, ...] = ()
    transforms: tuple[Path, ...] = ()

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
    if not (found.nifti or found.pictures or found.dicom):
        if found.other:
            return found
        if found.packed:
            raise packed_error(found.packed)
        if dangling:
            raise dangling_error(dangling)
        raise ReadError(
            f"none of the {len(files)} files in this folder is an image",
            where=path,
            remedy="Choose a folder with NIfTI or DICOM files, or PNG, JPG or TIFF pictures",
        )
    _check_one_patient(path, found.nifti)
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
    name = path.name.lower()
    if is_packed_dicom(path):
        raise packed_error((path,))
    if name == "dicomdir" or looks_like_dicom(path):
        return StudyFiles(root, dicom=(path,))
    if name.endswith(PICTURE_ENDINGS):
        return StudyFiles(root, pictures=(path,))
    if name.endswith(".img") and is_regular(path.with_suffix(".hdr")):
        return StudyFiles(root, nifti=(path.with_suffix(".hdr"),))
    if case := case_of(path):
        return StudyFiles(path.parent.parent, nifti=case)
    if name.endswith((*NIFTI_ENDINGS, *OTHER_IMAGES)) or looks_like_nifti(path):
        return StudyFiles(root, nifti=(path,))
    if name.endswith((".dcm", ".ima")):
        return StudyFiles(root, dicom=(path,))
    return StudyFiles(root, nifti=(path,))


def _images(files: list[Path]) -> tuple[Path, ...]:
    """Those that would have been opened."""
    endings = (*NIFTI_ENDINGS, *PICTURE_ENDINGS, ".dcm")
    return tuple(path for path in files if path.name.lower().endswith(endings))


def _is_hidden(path: Path, root: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.relative_to(root).parts)


def _no_image(path: Path) -> bool:
    """Whether the ending rules an image out."""
    return path.name.lower().endswith(_NO_IMAGE) and not path.name.lower().endswith(".gz")


def _known(path: Path) -> bool:
    """Whether the ending rules DICOM out."""
    name = path.name.lower()
    return name.endswith((*NIFTI_ENDINGS, *PICTURE_ENDINGS, *OTHER_IMAGES, *_NO_IMAGE))


def _sorted_out(root: Path, files: list[Path]) -> StudyFiles:
    """Files by kind; a DICOMDIR only where none of the files that it names is there."""
    nifti: list[Path] = []
    pictures: list[Path] = []
    dicom: list[Path] = []
    other: list[Path] = []
    packed: list[Path] = []
    directories: list[Path] = []
    for path in files:
        name = path.name.lower()
        if name.endswith((".hdr", ".hdr.gz")):
            nifti += [path] if looks_like_nifti(path) else []
        elif name.endswith(NIFTI_ENDINGS):
            nifti.append(path)
        elif name.endswith(PICTURE_ENDINGS):
            pictures.append(path)
        elif name.endswith(OTHER_IMAGES):
            other.append(path)
        elif name == "dicomdir":
            directories.append(path)
        elif not _known(path) and looks_like_dicom(path):
            dicom.append(path)
        elif not name.endswith(_NEVER_PACKED) and is_packed_dicom(path):
            packed.append(path)
    found = dicom or directories[:1]
    return StudyFiles(
        root, tuple(nifti), tuple(pictures), tuple(found), tuple(other), packed=tuple(packed)
    )


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
