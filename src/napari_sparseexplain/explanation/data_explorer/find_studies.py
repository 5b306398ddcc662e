"""Which studies lie in the places that a person names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...files.folder_walk import walk_folder
from ...volumes.labelled.contour_file import CONTOUR_NAME
from ...volumes.labelled.slice_folders import SPLIT_FOLDER
from ...volumes.opening.dataset_folder import case_name
from ...volumes.readers import Reader, readers

#: Folders of the Medical Segmentation Decathlon and of nnU-Net.
_CASES = re.compile(r"(?i)^images(tr|ts|val)$")

#: What is below such a folder is of other studies.
_WITHIN = re.compile(r"^(sub|ses)-[A-Za-z0-9]+$")

#: Files without a telling name that are looked into in one folder.
_LOOKED_INTO = 3


def holds_studies(places: Sequence[Path]) -> bool:
    """Whether places are studies, and not one folder of pictures or of files with contours."""
    if len(places) != 1 or not places[0].is_dir():
        return True
    endings = tuple(e for r in _scan_readers() if not r.by_content for e in r.endings)
    pictures = tuple(e for r in readers() if r.pictures for e in r.endings)
    labelled = False
    for _, folders, names in walk_folder(places[0]):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            small = name.lower()
            if CONTOUR_NAME.search(name):
                return False
            if small.endswith(endings):
                return True
            labelled |= small.endswith(pictures)
    return not labelled


def find_studies(places: Sequence[Path]) -> list[Path]:
    """Every study of the places once: files, folders of scans, folders of such folders.

    A data set of the Decathlon or of nnU-Net gives a file a case, BIDS a folder a session.
    """
    return list(dict.fromkeys(study for place in places for study in _studies(place, top=True)))


def _studies(place: Path, *, top: bool) -> Iterator[Path]:
    if not place.is_dir():
        yield place  # a file; one that is not there is told when it is opened
        return
    inside = sorted(p for p in place.iterdir() if not p.name.startswith("."))
    folders = [p for p in inside if p.is_dir()]
    files = [p for p in inside if p.is_file()]
    cases = [p for p in folders if _CASES.match(p.name)]
    if cases or _CASES.match(place.name):
        for folder in cases or [place]:
            yield from _first_of_cases(folder)
    elif _has_scan(files):
        yield place
    elif any(_WITHIN.match(p.name) for p in folders):
        for folder in folders:
            if _WITHIN.match(folder.name):
                yield from _studies(folder, top=False)
    elif top or SPLIT_FOLDER.match(place.name):
        for folder in folders:
            yield from _studies(folder, top=False)
    elif any(_scans_below(folder) for folder in folders):
        yield place


def _first_of_cases(folder: Path) -> Iterator[Path]:
    seen = set()
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.name.lower().endswith((".nii", ".nii.gz")):
            continue
        if (case := case_name(path)) not in seen:
            seen.add(case)
            yield path


def _scan_readers() -> list[Reader]:
    return [reader for reader in readers() if not reader.pictures]


def _scans_below(folder: Path) -> bool:
    """Whether a folder, or one below it, holds a scan."""
    for place, folders, names in walk_folder(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if _has_scan([place / name for name in names if not name.startswith(".")]):
            return True
    return False


def _has_scan(files: Sequence[Path]) -> bool:
    """By names; of files that have no telling one the first bytes."""
    scans = _scan_readers()
    endings = tuple(ending for reader in scans for ending in reader.all_endings)
    names = {name for reader in scans for name in reader.names}
    if any(p.name.lower().endswith(endings) or p.name.lower() in names for p in files):
        return True
    plain = [p for p in files if not p.suffix or p.suffix[1:].isdigit()][:_LOOKED_INTO]
    return any(r.recognises(p) for p in plain for r in scans if r.by_content)
