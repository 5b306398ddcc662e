"""A reading as DICOM: pictures of its slices, the maps over them, its measurements, its view."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from ...errors import StudyError
from ...files.atomic_write import check_free, moved_together
from ...progress import Work
from ...review.reading import Reading
from ..pictures.compositor import PictureSize
from ..pictures.picture_series import capture_name, key_or_shown_slices
from .deidentification import Deidentification
from .objects import Exported, export_dicom_work, map_files
from .pictures import export_pictures_dicom
from .reading_measurements import export_measurements_dicom, report_names
from .reading_views import export_views_dicom, view_names
from .source import from_dicom


def check_from_dicom(reading: Reading) -> None:
    """Refuse a reading whose slices are of a study without DICOM images; no file is read.

    Raises
    ------
    StudyError
        Names the study.
    """
    for key in key_or_shown_slices(reading):
        study = reading.studies[key.study]
        if not from_dicom(study):
            raise StudyError(
                "DICOM export needs a study that was opened from DICOM images, and this one was "
                "not",
                where=study.name,
                remedy="Export slices as PNG, or a report",
            )


def planned_files(reading: Reading) -> list[str]:
    """Names of the files that `export_reading_dicom` writes, in its order; no file is read.

    Among them are a structured report that is not written where every mask turns out to be empty,
    and a view that is not where its images have scalings of their own.
    """
    keys = key_or_shown_slices(reading)
    names = dict.fromkeys(capture_name(place, key) for place, key in enumerate(keys))
    for key, explanation in reading.explanations.items():
        if not _reason(reading, key):
            for name in map_files(explanation):
                # Two maps of one method and target, as with other parameters, have one name.
                names[next(n for n in _numbered(Path(name)) if n not in names)] = None
    return [*names, *report_names(reading).values(), *view_names(reading).values()]


def export_reading_dicom(
    reading: Reading,
    folder: str | Path,
    size: PictureSize | None = None,
    *,
    identity: Deidentification | None = None,
    overwrite: bool = False,
) -> Work[Exported]:
    """Write key slices, or the slice in the picture where none is marked, and what is over them.

    Parameters
    ----------
    reading : Reading
    folder : str or Path
        Made when it is not there. The files come into it together, when all are made.
    size : PictureSize, optional
    identity : Deidentification, optional
        De-identified with a key of its own if left out; one for all files, so that they agree.
    overwrite : bool

    Returns
    -------
    Exported
        Secondary Captures first, then Segmentations and Parametric Maps, then the measurements as
        structured reports and the views as presentation states; and notes, also of what was left
        out.

    Raises
    ------
    StudyError
        A study did not come from DICOM, or is not the one that was explained.
    SparseExplainError
        A file is there already or cannot be written, or a text would tell who the patient is.
    """
    check_from_dicom(reading)
    identity = identity or Deidentification()
    folder = Path(folder)
    names = planned_files(reading)
    check_free([folder / name for name in names], overwrite=overwrite)
    with (
        moved_together(folder, overwrite=overwrite) as temporary,
        TemporaryDirectory(dir=temporary) as making,
    ):
        done = yield from export_pictures_dicom(
            reading,
            Path(making, "pictures"),
            key_or_shown_slices(reading),
            size,
            identity=identity,
        )
        made, notes = list(done.files), dict.fromkeys(done.notes)
        for key, explanation in reading.explanations.items():
            study = reading.studies[reading.review.explanations[key].study]
            left_out = _reason(reading, key)
            if left_out:
                notes[f"{explanation.method}: {left_out}"] = None
                continue
            done = yield from export_dicom_work(
                explanation, study, Path(making, key), identity=identity
            )
            made += done.files
            notes.update(dict.fromkeys(done.notes))
        made_beside: list[Path] = []
        for work, place in (
            (export_measurements_dicom, "measurements"),
            (export_views_dicom, "views"),
        ):
            done = yield from work(reading, Path(making, place), identity=identity)
            made_beside += done.files
            notes.update(dict.fromkeys(done.notes))
        # What is planned beside pictures and maps need not be written.
        names = names[: len(made)] + [path.name for path in made_beside]
        made += made_beside
        for path, name in zip(made, names, strict=True):
            os.replace(path, temporary / name)
    return Exported(tuple(folder / name for name in names), tuple(notes))


def _reason(reading: Reading, key: str) -> str:
    """Why maps of an explanation cannot be DICOM objects; empty where they can."""
    if not from_dicom(reading.studies[reading.review.explanations[key].study]):
        return "its study did not come from DICOM images, so its maps are in the pictures alone"
    try:
        map_files(reading.explanations[key])
    except StudyError:
        return "no map lies on the patient's voxels, so it is in the pictures alone"
    return ""


def _numbered(path: Path) -> Iterator[str]:
    """Names for a file: its own, then with a number."""
    yield path.name
    for number in count(2):
        yield f"{path.stem}_{number}{path.suffix}"
