"""An attribution study to be looked through: each of its pictures with the map of every method."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ...progress import Progress, Work
from ...volumes.study import Study
from .attribution_study import BLIND, ON_RANDOM, RECORDS, StudyRecord, map_file
from .class_slices import ClassSlices, fed_again
from .picture_study import PLAIN_ROLE, study_of_slices


@dataclass(frozen=True, eq=False)
class StudyBrowser:
    """Pictures of a study, by class, and the maps that belong to each.

    Attributes
    ----------
    folder : Path
    slices : ClassSlices
        Its pictures, as the models were fed them.
    columns : tuple of (model, method)
    records : mapping of (picture, model, method) to StudyRecord
    """

    folder: Path
    slices: ClassSlices
    columns: tuple[tuple[str, str], ...]
    records: Mapping[tuple[str, str, str], StudyRecord]

    def __len__(self) -> int:
        return len(self.slices)

    def record(self, index: int, column: tuple[str, str]) -> StudyRecord | None:
        """What is known of a map; None where the study was stopped before it."""
        return self.records.get((self.slices.images[index].name, *column))

    def heat(self, index: int, column: tuple[str, str]) -> npt.NDArray[np.float32] | None:
        """Importance, shape (size, size), magnitude of a signed map; None where there is none."""
        record = self.record(index, column)
        path = map_file(self.folder, self.slices.images[index].name, *column)
        if record is None or record.fault or not path.is_file():
            return None
        values = np.load(path, allow_pickle=False).astype(np.float32)
        shape = self.slices.values.shape[1:]
        if values.shape != shape or not np.isfinite(values).all():
            return None
        return np.abs(values) if values.min() < 0 else values

    def words(self, index: int, column: tuple[str, str]) -> str:
        """Below a map: AUPRC beside chance, what the model called the picture, or why none is."""
        record = self.record(index, column)
        if record is None:
            return "not there yet"
        if record.fault:
            return f"no map: {record.fault}"
        right = "✓" if record.predicted.strip().lower() == record.label.lower() else "✗"
        score = record.figures.get("AUPRC")
        told = "no box" if score is None else f"AUPRC {score:.2f} (chance {record.prevalence:.2f})"
        return f"{told} · {right} {record.predicted}"


def browse_study_work(folder: str | Path, slices: ClassSlices) -> Work[StudyBrowser]:
    """Find the pictures of a study's folder among those that are open.

    Parameters
    ----------
    slices : ClassSlices
        Those that are open; read again where the study's models were fed another size.

    Raises
    ------
    ReadError
        No study is there, its records cannot be read, or its pictures are not among these.
    """
    place = Path(folder)
    yield Progress(0, 0, "reading the study")
    records = _records(place)
    named = {image.name: row for row, image in enumerate(slices.images)}
    pictures = dict.fromkeys(record.picture for record in records)
    missing = [name for name in pictures if name not in named]
    if missing:
        raise ReadError(
            f"{len(missing)} of its {len(pictures)} pictures are not among those that are open "
            f"(the first: {missing[0]})",
            where=place,
            remedy="Open the folder of pictures that the study was made of",
        )
    # The order of the folder: by class, then by number.
    chosen = slices.subset(sorted(named[name] for name in pictures))
    size = _size(place, records)
    if size != chosen.size:
        chosen = yield from fed_again(chosen, size)
    columns = dict.fromkeys(
        (record.model, record.method)
        for record in records
        if record.method not in BLIND and not record.method.endswith(ON_RANDOM)
    )
    return StudyBrowser(place, chosen, tuple(columns), {record.key: record for record in records})


def browser_study(browser: StudyBrowser) -> Study:
    """The pictures of a study as the slices of one for the window, as the models were fed them."""
    slices = browser.slices
    shape = (len(slices), slices.size, slices.size)

    def grey(index: tuple[slice, ...]) -> npt.NDArray[np.float32]:
        return slices.values[index].astype(np.float32)

    name = f"study {browser.folder.name}"
    views = [image.view for image in slices.images]
    return study_of_slices(name, PLAIN_ROLE, shape, np.dtype(np.float32), views, grey, None)


def _records(place: Path) -> list[StudyRecord]:
    if not (place / RECORDS).is_file():
        raise ReadError(
            f"no study is there: it has no {RECORDS}",
            where=place,
            remedy="Choose the folder that was given to compare-attribution with --out",
        )
    try:
        lines = (place / RECORDS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(
            f"its {RECORDS} cannot be read ({error})",
            where=place,
            remedy="Run compare-attribution again with this --out: a study goes on where it stood",
        ) from error
    records = [record for record in map(_record, lines) if record is not None]
    if not records:
        raise ReadError(
            "none of its lines is a record of a map",
            where=place,
            remedy="Run compare-attribution with this --out",
        )
    return records


def _record(line: str) -> StudyRecord | None:
    """A record; None for the line that was written when the study was stopped."""
    try:
        record = StudyRecord(**json.loads(line))
    except (ValueError, TypeError):
        return None
    texts = (*record.key, record.label, record.predicted, record.fault)
    return record if all(isinstance(text, str) for text in texts) else None


def _size(place: Path, records: list[StudyRecord]) -> int:
    """Rows of its maps."""
    for record in records:
        path = map_file(place, *record.key)
        if path.is_file():
            try:
                return int(np.load(path, mmap_mode="r", allow_pickle=False).shape[0])
            except (OSError, ValueError, IndexError):
                continue
    raise ReadError(
        "none of its maps is there",
        where=place,
        remedy="Keep the folder maps beside the records, or run the study again",
    )
