"""A table that says the class of each picture: columns by their usual names, paths as written."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...errors import ReadError
from ..finding import Finding

#: Columns of a table that name the picture, the class and the patient, by their usual names.
_NAME_COLUMNS = ("image_id", "image index", "image", "path", "filename", "file", "name", "id")
_CLASS_COLUMNS = ("class", "label", "finding labels", "finding", "diagnosis", "target", "category")
_PATIENT_COLUMNS = ("patient_id", "patient id", "patient", "patientid", "subject", "pid")
_VIEW_COLUMNS = ("view", "projection", "view position", "plane")


@dataclass(frozen=True)
class TableRow:
    """A picture of a table: where it lies, its class, and patient and view where they are told."""

    path: Path
    label: str
    patient: str = ""
    view: str = ""


def read_class_table(
    pictures: Iterable[Path],
    root: Path,
    table: Path,
    column: str | None,
    findings: list[Finding],
) -> list[TableRow]:
    """The rows whose picture is there; what the others lack is told.

    A picture is found by its path as the table writes it, from as many of its folders as are the
    same (`_Places`). A name that several pictures have, of which none lies where the table says, is
    left out: it would give one patient's class to another.

    Raises
    ------
    ReadError
        No such table, or no column for the picture or the class.
    """
    rows = read_rows(table, findings)
    names = {name.strip().lower(): name for name in rows[0]}
    of = {
        what: next((names[n] for n in usual if n in names), None)
        for what, usual in (
            ("image", _NAME_COLUMNS),
            ("class", _CLASS_COLUMNS),
            ("patient", _PATIENT_COLUMNS),
            ("view", _VIEW_COLUMNS),
        )
    }
    if column is not None:
        of["class"] = names.get(column.strip().lower())
    for what in ("image", "class"):
        if of[what] is None:
            asked = f" {column!r}" if what == "class" and column is not None else ""
            raise ReadError(
                f"the table has no column{asked} for the {what}",
                where=table,
                remedy=f"Its columns are {', '.join(rows[0])}; name that of the class with "
                "--column, and that of the image one of " + ", ".join(_NAME_COLUMNS),
            )
    places = _Places(pictures, root)
    found: list[tuple[str, int, TableRow]] = []
    missing, several, blank = [], [], 0
    name_of, class_of = str(of["image"]), str(of["class"])
    for row in rows:
        name, label = row[name_of].strip(), row[class_of].strip()
        if not label:
            blank += 1
            continue
        paths, depth = places.of(name)
        if len(paths) == 1:
            patient = row[of["patient"]].strip() if of["patient"] else ""
            view = row[of["view"]].strip() if of["view"] else ""
            found.append((name, depth, TableRow(paths[0], label, patient, view)))
        else:
            (several if paths else missing).append(name)
    claimed: dict[Path, dict[str, int]] = defaultdict(dict)
    for name, depth, row in found:
        claimed[row.path][name] = depth
    kept = []
    for name, depth, row in found:
        # Of rows of several names that come to one picture, that which says more of its path.
        rivals = [other for n, other in claimed[row.path].items() if n != name]
        if rivals and depth <= max(rivals):
            several.append(name)
        else:
            kept.append(row)
    many = f"of its {len(rows)} rows name an image"
    if missing:
        said = f"{len(missing)} {many} that is not in the folder (the first: {missing[0]})"
        findings.append(Finding("warning", "table-without-images", said, table.name))
    if several:
        said = (
            f"{len(several)} {many} by a name that several have, in other folders than the table "
            f"says, and are left out (the first: {several[0]})"
        )
        findings.append(Finding("warning", "table-several-images", said, table.name))
    if blank:
        findings.append(
            Finding("warning", "table-without-class", f"{blank} rows name no class", table.name)
        )
    return kept


def read_rows(table: Path, findings: list[Finding]) -> list[dict[str, str]]:
    """The rows of a CSV, each with a text for every column.

    Cells behind the last column are told; cells that lack are empty.

    Raises
    ------
    ReadError
        It cannot be read, or has no rows.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            given = list(csv.DictReader(stream, restval=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ReadError(
            f"the table cannot be read ({error})", where=table, remedy="Give a CSV in UTF-8"
        ) from error
    if not given:
        raise ReadError("the table has no rows", where=table, remedy="Give a CSV with a header")
    # What is behind the last column stands under None.
    long = sum(None in row for row in given)
    if long:
        findings.append(
            Finding(
                "warning",
                "table-cells",
                f"{long} of its {len(given)} rows have more cells than its header; those behind "
                "the last column are not read",
                table.name,
            )
        )
    return [{k: v for k, v in row.items() if isinstance(k, str)} for row in given]


class _Places:
    """Pictures by the ends of their paths, with and without the ending of the file."""

    def __init__(self, pictures: Iterable[Path], root: Path) -> None:
        self._whole: dict[tuple[str, ...], list[Path]] = defaultdict(list)
        self._stems: dict[tuple[str, ...], list[Path]] = defaultdict(list)
        for path in pictures:
            parts = _parts(path.relative_to(root.parent).as_posix())
            stems = (*parts[:-1], path.stem.lower())
            for start in range(len(parts)):
                self._whole[parts[start:]].append(path)
                self._stems[stems[start:]].append(path)

    def of(self, name: str) -> tuple[list[Path], int]:
        """The pictures that agree with the most parts of a path's end, and in how many parts."""
        parts = _parts(name)
        for start in range(len(parts)):
            for known in (self._whole, self._stems):
                if paths := known.get(parts[start:]):
                    return paths, len(parts) - start
        return [], 0


def _parts(name: str) -> tuple[str, ...]:
    parts = PurePosixPath(name.replace("\\", "/").lower()).parts
    return tuple(part for part in parts if part not in (".", "/"))
