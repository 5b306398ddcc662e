"""Which pictures a folder of classes holds: a folder a class, or a table that says the class.

Beside a picture may lie a text of the same name with boxes, one a line: ``label x y width height``
as shares of the picture, x and y of the middle; or a mask. ``views.csv`` (number, class, view) says
of numbered pictures how they were cut. Cheng's MATLAB files say class, patient and mask themselves.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import ReadError
from ...files.folder_walk import walk_folder
from ...progress import Progress, Work
from ..finding import Finding
from .class_image import Box, ClassImage
from .class_patients import with_patients
from .class_table import read_class_table, read_rows
from .slice_folders import SPLIT_FOLDER, is_mask
from .tumour_mat import FOLDS, read_tumour_header

#: Endings of pictures.
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".dcm", ".dicom", ".ima")

#: The table of views, beside the folders of the classes.
VIEWS = "views.csv"

#: Faults that are told one by one; of more the number is told.
_TOLD = 5


@dataclass(frozen=True)
class ClassFolder:
    """The pictures of a folder and their classes.

    Attributes
    ----------
    root : Path
    classes : tuple of str
        In the order of their names.
    images : tuple of ClassImage
        By class, then in the order of their numbers or names.
    findings : tuple of Finding
    """

    root: Path
    classes: tuple[str, ...]
    images: tuple[ClassImage, ...]
    findings: tuple[Finding, ...] = ()

    def counts(self) -> Mapping[str, int]:
        """Pictures of each class."""
        found = Counter(image.label for image in self.images)
        return {name: found[name] for name in self.classes}


def find_class_images(
    root: str | Path, *, table: str | Path | None = None, column: str | None = None
) -> Work[ClassFolder]:
    """Look through a folder of classes; pictures are not read.

    Parameters
    ----------
    root : str or Path
        A folder with a folder for each class, which may lie in ``train/``, ``test/`` …
    table : str or Path, optional
        A CSV that says the class of each picture in its place.
    column : str, optional
        Of the table the column of the class; by its usual names when not given.

    Raises
    ------
    ReadError
        No such folder or table, nothing that is a picture, or a single class.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise ReadError(
            "there is no such folder",
            where=folder,
            remedy="Give a folder that has a folder of pictures for each class",
        )
    files: list[Path] = []
    for place, _, names in walk_folder(folder):
        files += [place / name for name in names if not name.startswith(".")]
        yield Progress(len(files), 0, f"{len(files)} files")
    pictures = [p for p in files if p.suffix.lower() in PICTURES]
    drawn = {p for p in pictures if is_mask(p, folder)}
    masks = {_key(p): p for p in sorted(drawn)}
    pictures = [p for p in pictures if p not in drawn]
    findings: list[Finding] = []
    slices = sorted(p for p in files if p.suffix.lower() == ".mat" and p.name != FOLDS)
    if table is None and slices and not pictures:
        images = yield from _by_header(slices, findings)
    elif table is None:
        images = _by_folder(folder, pictures)
        empty = _empty_classes(folder, images)
        findings += [
            Finding("warning", "class-without-images", "the class has no image", name)
            for name in empty
        ]
    else:
        images = _by_table(folder, pictures, Path(table), column, findings)
    if not images:
        raise ReadError(
            f"none of the {len(files)} files in it is a picture of a class",
            where=folder,
            remedy="Give a folder that has a folder of pictures for each class, or a table with "
            "--csv",
        )
    # A table says more surely what a view is than the name of a folder.
    of_table = [image.view for image in images]
    images, said = with_patients(images, folder, by_folder=table is None)
    findings += said
    views = _views(folder, findings)
    images = [
        replace(
            image,
            view=view or views.get((image.label, image.number), "") or image.view,
            boxes=image.boxes or _boxes(image.path.with_suffix(".txt"), findings),
            mask=masks.get(_key(image.path)),
        )
        for image, view in zip(images, of_table, strict=True)
    ]
    classes = tuple(sorted({image.label for image in images}))
    if len(classes) == 1:
        raise ReadError(
            f"all {len(images)} pictures are of one class, {images[0].label}",
            where=folder,
            remedy="Give the folder above those of the classes, or a table with --csv",
        )
    images.sort(key=lambda i: (i.label, -1 if i.number is None else i.number, i.name, i.path))
    return ClassFolder(folder, classes, tuple(images), tuple(_shortened(findings)))


def _key(path: Path) -> str:
    """By which a mask and its picture are told to belong together."""
    stem = re.sub(r"(?i)[-_. ]?(mask|seg|label)s?$", "", path.stem)
    parents = [p for p in path.parent.parts if p.lower() not in ("images", "masks", "labels")]
    return "/".join((*parents, stem))


def _side(path: Path, root: Path) -> str:
    """The folder that is a side of a split, where the picture lies in one."""
    parts = path.relative_to(root).parts[:-1]
    return next((part.lower() for part in parts if SPLIT_FOLDER.match(part)), "")


def _by_folder(root: Path, pictures: Iterable[Path]) -> list[ClassImage]:
    images = []
    for path in pictures:
        parts = path.relative_to(root).parts[:-1]
        names = [p for p in parts if not SPLIT_FOLDER.match(p) and p.lower() != "images"]
        if names:
            side = _side(path, root)
            images.append(ClassImage(path.stem, names[0], path, split=side))
    return images


def _by_header(slices: Iterable[Path], findings: list[Finding]) -> Work[list[ClassImage]]:
    """Cheng's MATLAB files, which say their class and patient themselves."""
    paths = list(slices)
    images: list[ClassImage] = []
    for number, path in enumerate(paths, 1):
        try:
            images.append(read_tumour_header(path))
        except ReadError as error:
            findings.append(Finding("warning", "unreadable", str(error), path.name))
        yield Progress(number, len(paths), f"reading {path.name}")
    return images


def _empty_classes(root: Path, images: Iterable[ClassImage]) -> list[str]:
    used = {image.label for image in images}
    return [
        p.name
        for p in sorted(root.iterdir())
        if p.is_dir()
        and not SPLIT_FOLDER.match(p.name)
        and not p.name.startswith(".")
        and p.name.lower() not in ("images", "masks", "labels")
        and p.name not in used
    ]


def _by_table(
    root: Path,
    pictures: Iterable[Path],
    table: Path,
    column: str | None,
    findings: list[Finding],
) -> list[ClassImage]:
    rows = read_class_table(pictures, root, table, column, findings)
    return [
        ClassImage(
            row.path.stem, row.label, row.path, None, row.view, row.patient, _side(row.path, root)
        )
        for row in rows
    ]


def _views(root: Path, findings: list[Finding]) -> dict[tuple[str, int | None], str]:
    path = root / VIEWS
    if not path.is_file():
        return {}
    rows = read_rows(path, findings)
    if not {"number", "class", "view"} <= set(rows[0]):
        raise ReadError(
            f"the table of views has the columns {', '.join(rows[0])}",
            where=path,
            remedy="It must have number, class and view",
        )
    whole = [row for row in rows if row["number"].isdecimal() and len(row["number"]) < 19]
    if len(whole) < len(rows):
        findings.append(
            Finding(
                "warning",
                "view-without-number",
                f"{len(rows) - len(whole)} of its {len(rows)} rows have no whole number",
                path.name,
            )
        )
    return {(row["class"], int(row["number"])): row["view"] for row in whole}


def _boxes(path: Path, findings: list[Finding]) -> tuple[Box, ...]:
    """Boxes of a text, cut at the edges of the picture; what cannot be read is told."""
    if not path.is_file():
        return ()
    boxes: list[Box] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        findings.append(Finding("warning", "box-unread", str(error), path.name))
        return ()
    for line in filter(str.strip, lines):
        try:
            _, x, y, width, height = (float(value) for value in line.split())
        except ValueError:
            findings.append(
                Finding("warning", "box-unread", f"no box: {line.strip()[:40]!r}", path.name)
            )
            continue
        edges = (y - height / 2, x - width / 2, y + height / 2, x + width / 2)
        top, left, bottom, right = (min(max(edge, 0.0), 1.0) for edge in edges)
        # Edges are rounded in some sets; a box that lies wholly outside means nothing.
        if not (bottom > top and right > left):
            findings.append(
                Finding("warning", "box-outside", "the box lies outside the image", path.name)
            )
            continue
        if min(edges) < -0.02 or max(edges) > 1.02:
            findings.append(
                Finding(
                    "warning", "box-outside", "the box reaches out of the image, and was cut",
                    path.name,
                )
            )  # fmt: skip
        boxes.append((top, left, bottom, right))
    return tuple(boxes)


def _shortened(findings: Iterable[Finding]) -> list[Finding]:
    """At most a few of a kind, with the number of the others."""
    by_code: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_code[finding.code].append(finding)
    short: list[Finding] = []
    for group in by_code.values():
        short += group[:_TOLD]
        if len(group) > _TOLD:
            short.append(replace(group[0], message=f"{len(group) - _TOLD} more of this", where=""))
    return short
