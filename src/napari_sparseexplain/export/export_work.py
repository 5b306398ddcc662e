"""What a person can export of a reading, each as work with progress: pictures, report, DICOM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ..errors import SparseExplainError
from ..progress import Progress, Work
from ..review.reading import Reading
from ..review.review import KeySlice
from .compositor import PictureSize, compose
from .measurements import measurement_file
from .picture_file import save_picture
from .picture_series import every_slice, export_slices, picture_name

#: What can be exported.
What = Literal["slice", "key slices", "every slice", "report", "dicom"]


@dataclass(frozen=True)
class ExportChoice:
    """What, where to, and how.

    Attributes
    ----------
    what : str
    path : Path
        File of a slice or a report; folder of the others.
    size : PictureSize
    every : int
        Distance of slices, of ``"every slice"``.
    identify : bool
        Whether names stand as they are.
    overwrite : bool
        Whether files that are there may be replaced.
    """

    what: What
    path: Path
    size: PictureSize = field(default_factory=PictureSize)
    every: int = 1
    identify: bool = False
    overwrite: bool = False


def export_work(reading: Reading, choice: ExportChoice) -> Work[list[Path]]:
    """Write what was chosen, yielding progress.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    SparseExplainError
        Something is still being computed, a file is there already or cannot be written, there is
        no key slice, or no explanation that DICOM could hold.
    """
    check_ready(reading)
    if choice.what == "slice":
        yield Progress(0, 1, "drawing")
        picture = compose(reading, choice.size, identify=choice.identify)
        return save_picture(picture, choice.path, overwrite=choice.overwrite)
    if choice.what == "report":
        from .report import write_report  # here: the window opens without a PDF library

        written = yield from write_report(
            reading, choice.path, identify=choice.identify, overwrite=choice.overwrite
        )
        beside = [measurement_file(written)] if reading.review.annotations else []
        return [written, *beside]
    if choice.what == "dicom":
        return (yield from _dicom(reading, choice))
    return (
        yield from export_slices(
            reading,
            choice.path,
            _slices(reading, choice),
            choice.size,
            identify=choice.identify,
            overwrite=choice.overwrite,
        )
    )


def existing_files(reading: Reading, choice: ExportChoice) -> list[Path]:
    """Files of the export that are there already; what DICOM will write is not known before."""
    if choice.what in ("slice", "report"):
        planned = [choice.path]
    elif choice.what == "dicom":
        planned = []
    else:
        names = [picture_name(i, key) for i, key in enumerate(_slices(reading, choice))]
        planned = [choice.path / name for name in names]
    if choice.what == "report":  # without marks, too: a former table is then taken away
        planned.append(measurement_file(choice.path))
    else:
        planned += [path.with_suffix(".json") for path in planned]
    return [path for path in planned if path.exists()]


def check_ready(reading: Reading) -> None:
    """Refuse while something computes: the picture would not be what is waited for.

    Raises
    ------
    SparseExplainError
        Says what.
    """
    if reading.pending:
        raise SparseExplainError(
            f"{', '.join(reading.pending)}: still computing",
            where="export",
            remedy="Wait until it is done, or cancel it, and export again",
        )


def _slices(reading: Reading, choice: ExportChoice) -> Sequence[KeySlice]:
    if choice.what == "key slices":
        return reading.review.key_slices
    return every_slice(reading, choice.every)


def _dicom(reading: Reading, choice: ExportChoice) -> Work[list[Path]]:
    """Every explanation in the picture beside its scan, with the picture itself."""
    if not reading.explanations:
        raise SparseExplainError(
            "there is no explanation in the picture that DICOM could hold",
            where="export",
            remedy="Show one, or export a PNG",
        )
    from .dicom_deidentification import Deidentification
    from .dicom_export import CapturedPicture, export_dicom_work

    identity = Deidentification(keep_identity=choice.identify)
    files: list[Path] = []
    for key, explanation in reading.explanations.items():
        study = reading.studies[reading.review.explanations[key].study]
        yield Progress(0, 0, f"{explanation.method}: drawing")
        drawn = compose(reading, choice.size, identify=choice.identify)
        captured = CapturedPicture(
            f"{key}_picture",
            np.asarray(drawn.image.convert("RGB")),
            explanation.method,
            shows_identity=choice.identify,
        )
        done = yield from export_dicom_work(
            explanation,
            study,
            choice.path,
            pictures=[captured],
            identity=identity,
            overwrite=choice.overwrite,
        )
        files += done.files
    return files
