"""Whose each picture of a folder of classes is, by all names together, and which number it has.

A name that is one word and one number (``glioma_0012``, ``Te-gl_10``, ``image(1)``) tells a picture
and nobody's code: were it taken for one, every picture would be a patient, and a split "by patient"
one at random. Such a number is the order of the pictures, by which `training.classifiers` cuts.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..finding import Finding
from ..roles.roles import stem_of
from .class_image import ClassImage
from .patients_of_folder import patients_of
from .scan_folders import scan_folders, sequence_of, view_of
from .slice_folders import SPLIT_FOLDER
from .slice_name import names_patient, only_counts

#: The last number of a name.
_NUMBER = re.compile(r"(\d{1,18})\D*$")

#: Folders within a patient's.
_STUDY = re.compile(r"(?i)(study|exam|date|day)[-_. ]?\d+")

#: Pictures of a class from which one patient for all of them cannot be meant.
_SEVERAL = 4

#: Distinct codes in a folder, as a share of its pictures, above which nearly each has its own.
_OWN = 0.8


def with_patients(
    images: Sequence[ClassImage], root: Path, *, by_folder: bool
) -> tuple[list[ClassImage], list[Finding]]:
    """The images with the patient, number, view and sequence that their names and folders tell.

    A patient or a view that an image has already (of a table) stays.

    Parameters
    ----------
    root : Path
        The folder in which the images lie.
    by_folder : bool
        Whether a folder of the name of the image's class is the class, and no patient's.
    """
    above = [_place(image, root, by_folder) for image in images]
    scans = scan_folders(above)
    images = _with_scans(images, [[part for part in place if part in scans] for place in above])
    places = [tuple(part for part in place if part not in scans) for place in above]
    names = [Path(*place, image.path.name) for place, image in zip(places, images, strict=True)]
    codes, findings = patients_of([root / name for name in names], root)
    told = [_told(name, code) for name, code in zip(names, codes, strict=True)]
    own = [
        (image.path.parent, code)
        for image, (code, sure) in zip(images, told, strict=True)
        if code and not sure
    ]
    if len(set(own)) > _OWN * len(own):
        told = [(code if sure else "", sure) for code, sure in told]
    words = _words_of_classes(images, [code for code, _ in told])
    told = [("" if code in words else code, sure) for code, sure in told]
    found, unknown = [], 0
    for image, (code, _) in zip(images, told, strict=True):
        stem = image.path.stem
        patient = image.patient or code
        number = image.number
        if number is None and (only_counts(stem) or not patient):
            digits = _NUMBER.search(stem)
            number = int(digits[1]) if digits else None
        unknown += not patient and not only_counts(stem)
        found.append(replace(image, patient=patient, number=number))
    if unknown == len(found):
        findings = []
    if unknown > len(found) / 2:
        findings.append(
            Finding(
                "warning",
                "patients-unknown",
                f"the names of {unknown} of the {len(found)} pictures tell no patient; their last "
                "number is taken for the order of the pictures, in which those of a patient "
                "follow one another. Where they do not, give a table with a column of patients "
                "(--csv)",
                root.name,
            )
        )
    return found, findings


def _with_scans(images: Sequence[ClassImage], folders: Sequence[Sequence[str]]) -> list[ClassImage]:
    """The images with the view and, of several in the set, the sequence that their folders tell."""
    told = [" ".join(filter(None, map(sequence_of, parts))) for parts in folders]
    several = len(set(told)) > 1
    return [
        replace(
            image,
            view=image.view or next(filter(None, map(view_of, parts)), ""),
            sequence=sequence if several else "",
        )
        for image, parts, sequence in zip(images, folders, told, strict=True)
    ]


def _words_of_classes(images: Sequence[ClassImage], codes: Sequence[str]) -> set[str]:
    """Codes that are all of every class they are in: words of the set (``glioma_2019_0012``)."""
    of_class: dict[str, Counter[str]] = defaultdict(Counter)
    for image, code in zip(images, codes, strict=True):
        of_class[image.label][code] += 1
    alone = {
        code
        for counts in of_class.values()
        for code, count in counts.items()
        if len(counts) == 1 and count >= _SEVERAL and not names_patient(code)
    }
    beside = {code for counts in of_class.values() if len(counts) > 1 for code in counts}
    return alone - beside


def _place(image: ClassImage, root: Path, by_folder: bool) -> tuple[str, ...]:
    """Folders of a picture without those of a split and that of its class."""
    parts = [p for p in image.path.parent.relative_to(root).parts if not SPLIT_FOLDER.match(p)]
    if by_folder and image.label in parts:
        parts.remove(image.label)
    return tuple(parts)


def _told(name: Path, code: str) -> tuple[str, bool]:
    """The patient's code, and whether the name or place says so by itself.

    A folder ``patient007`` does, a name ``case_12_slice_3`` does, and one with a number of its own
    behind the code, ``00000165_001``.
    """
    for part in name.parts[:-1]:
        if names_patient(part):
            return part, True
    stem = stem_of(name.name)
    if not re.search(r"\d", code) or (code == stem and only_counts(stem)):
        return "", False
    counted = stem.startswith(code) and bool(re.search(r"\d", stem[len(code) :]))
    if folders := _folders_of(code, name):
        return folders, True
    return code, names_patient(stem) or counted


def _folders_of(code: str, name: Path) -> str:
    """The folders that a code begins with, without those of a study or a visit."""
    parts = [part for part in code.split("/") if part in name.parts[:-1]]
    while len(parts) > 1 and (only_counts(parts[-1]) or _STUDY.fullmatch(parts[-1])):
        parts.pop()
    return "/".join(parts) if any(re.search(r"\d", part) for part in parts) else ""
