"""An attribution study to be looked through: each of its pictures with the map of every method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ...networks.running.in_plane_resampling import resample_in_plane
from ...progress import Progress, Work
from ...volumes.study import Study
from .class_slices import ClassSlices, fed_again
from .picture_study import PLAIN_ROLE, study_of_slices
from .study_records import (
    BLIND,
    ON_RANDOM,
    StudyRecord,
    file_digest,
    map_file,
    read_notes,
    read_records,
)


@dataclass(frozen=True, eq=False)
class StudyBrowser:
    """Pictures of a study, by class, and the maps that belong to each.

    Attributes
    ----------
    folder : Path
    slices : ClassSlices
        Its pictures, as the models were fed them.
    files : tuple of str
        Digest of each picture's file, by which the records name it.
    columns : tuple of (model, method)
    records : mapping of (file, model, method) to StudyRecord
    notes : tuple of str
        What was kept of its pictures: which were left out, and what the models have seen.
    """

    folder: Path
    slices: ClassSlices
    files: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    records: Mapping[tuple[str, str, str], StudyRecord]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.slices)

    def record(self, index: int, column: tuple[str, str]) -> StudyRecord | None:
        """What is known of a map; None where the study was stopped before it."""
        return self.records.get((self.files[index], *column))

    def heat(self, index: int, column: tuple[str, str]) -> npt.NDArray[np.float32] | None:
        """Importance, shape (size, size), magnitude of a signed map; None where there is none.

        Of a model that is fed another size it is brought to that of the pictures.
        """
        record = self.record(index, column)
        path = map_file(self.folder, self.files[index], *column)
        if record is None or record.fault or not path.is_file():
            return None
        values = np.load(path, allow_pickle=False).astype(np.float32)
        size = self.slices.size
        if values.ndim != 2 or values.shape[0] != values.shape[1] or not np.isfinite(values).all():
            return None
        heat = np.abs(values) if values.min() < 0 else values
        return heat if heat.shape == (size, size) else resample_in_plane(heat, (size, size))

    def words(self, index: int, column: tuple[str, str]) -> str:
        """Below a map: its AUPRC, what the model called the picture, or why there is none."""
        record = self.record(index, column)
        if record is None:
            return "not there yet"
        if record.fault:
            return f"no map: {record.fault}"
        right = "✓" if record.predicted.strip().lower() == record.label.lower() else "✗"
        score = record.figures.get("AUPRC")
        told = f"AUPRC {score:.2f}" if score is not None else (
            "a constant map" if record.prevalence else "no box"
        )  # fmt: skip
        return f"{told} · {right} {record.predicted}"

    def chance(self, index: int) -> str:
        """What an AUPRC is by chance on a picture, once for all its maps; empty without a box."""
        records = (self.record(index, column) for column in self.columns)
        share = next((r.prevalence for r in records if r is not None and r.prevalence), 0.0)
        return f"by chance {share:.2f}" if share else ""


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
    records = read_records(place)
    if not records:
        raise ReadError(
            "none of its lines is a record of a map",
            where=place,
            remedy="Run compare-attribution with this --out",
        )
    names = {record.place: record.picture for record in records}
    rows = yield from _rows(names, slices)
    missing = [name for file, name in names.items() if file not in rows]
    if missing:
        raise ReadError(
            f"{len(missing)} of its {len(names)} pictures are not among those that are open "
            f"(the first: {missing[0]})",
            where=place,
            remedy="Open the folder of pictures that the study was made of",
        )
    # The order of the folder: by class, then by number.
    order = sorted((row, file) for file, row in rows.items())
    chosen = slices.subset([row for row, _ in order])
    size = _size(place, records)
    if size != chosen.size:
        chosen = yield from fed_again(chosen, size)
    columns = dict.fromkeys(
        (record.model, record.method)
        for record in records
        if record.method not in BLIND and not record.method.endswith(ON_RANDOM)
    )
    files = tuple(file for _, file in order)
    by_key = {record.key: record for record in records}
    return StudyBrowser(place, chosen, files, tuple(columns), by_key, read_notes(place))


def _rows(names: Mapping[str, str], slices: ClassSlices) -> Work[dict[str, int]]:
    """Which of the pictures each digest is of: those of the name first, then all others."""
    found: dict[str, int] = {}
    called = set(names.values())
    order = sorted(range(len(slices)), key=lambda row: slices.images[row].name not in called)
    for count, row in enumerate(order):
        if len(found) == len(names):
            break
        yield Progress(count, len(order), f"looking for the study's pictures: {count}")
        try:
            file = file_digest(slices.images[row])
        except ReadError:
            continue
        if file in names:
            found.setdefault(file, row)
    return found


def browser_study(browser: StudyBrowser) -> Study:
    """The pictures of a study as the slices of one for the window, as the models were fed them."""
    slices = browser.slices
    shape = (len(slices), slices.size, slices.size)

    def grey(index: tuple[slice, ...]) -> npt.NDArray[np.float32]:
        return slices.values[index].astype(np.float32)

    name = f"study {browser.folder.name}"
    views = [image.view for image in slices.images]
    return study_of_slices(name, PLAIN_ROLE, shape, np.dtype(np.float32), views, grey, None)


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
