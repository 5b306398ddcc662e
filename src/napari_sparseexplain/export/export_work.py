"""What a person can export of a reading, each as work with progress: pictures, report, DICOM."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..errors import SparseExplainError
from ..files.atomic_write import check_free
from ..progress import Progress, Work
from ..review.reading import Reading
from ..review.review import KeySlice
from .pictures.compositor import PictureSize, draw
from .pictures.picture_file import write_picture
from .pictures.picture_series import every_slice, export_slices, picture_name
from .privacy.output_check import released_together
from .privacy.policy import policy_for
from .report.measurements import measurement_file

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


class Files(list[Path]):
    """Files that were written.

    Attributes
    ----------
    notes : tuple of str
        What a person must know of them.
    """

    def __init__(self, files: Iterable[Path], notes: Iterable[str] = ()) -> None:
        super().__init__(files)
        self.notes = tuple(notes)


def export_work(reading: Reading, choice: ExportChoice) -> Work[Files]:
    """Write what was chosen, yielding progress.

    Returns
    -------
    Files
        And what a person must know of them.

    Raises
    ------
    SparseExplainError
        Something is still being computed, a file is there already or cannot be written, there is
        no key slice, or DICOM is wanted of a study that did not come from it.
    """
    check_possible(reading, choice.what)
    if choice.what == "slice":
        yield Progress(0, 1, "drawing")
        return (yield from _slice(reading, choice))
    if choice.what == "report":
        from .report.document import write_report  # here: the window opens without a PDF library

        policy = policy_for(reading.studies.values(), identify=choice.identify)
        written = yield from write_report(
            reading,
            choice.path,
            identify=choice.identify,
            overwrite=choice.overwrite,
            policy=policy,
        )
        beside = [measurement_file(written)] if reading.review.annotations else []
        return Files([written, *beside], policy.notes())
    if choice.what == "dicom":
        return (yield from _dicom(reading, choice))
    policy = policy_for(reading.studies.values(), identify=choice.identify)
    written = yield from export_slices(
        reading,
        choice.path,
        _slices(reading, choice),
        choice.size,
        identify=choice.identify,
        overwrite=choice.overwrite,
        policy=policy,
    )
    return Files(written, policy.notes())


def _slice(reading: Reading, choice: ExportChoice) -> Work[Files]:
    """The picture of what is on the screen, and its JSON file."""
    policy = policy_for(reading.studies.values(), identify=choice.identify)
    png = _picture_file(choice.path)
    check_free([png, png.with_suffix(".json")], overwrite=choice.overwrite)
    yield Progress(0, 1, "drawing")
    picture = draw(policy.reading(reading), policy, choice.size)
    with released_together(png.parent, policy, overwrite=choice.overwrite) as temporary:
        written = write_picture(picture, temporary / png.name)
    return Files([png.parent / path.name for path in written], policy.notes())


def _picture_file(path: Path) -> Path:
    """Where the picture of the slice goes: a name with another ending gets .png behind it."""
    return path if path.suffix.lower() == ".png" else Path(f"{path}.png")


def existing_files(reading: Reading, choice: ExportChoice) -> list[Path]:
    """Files of the export that are there already."""
    if choice.what == "slice":
        planned = [_picture_file(choice.path)]
    elif choice.what == "report":
        planned = [choice.path]
    elif choice.what == "dicom":
        from .dicom.reading import planned_files

        planned = [choice.path / name for name in planned_files(reading)]
    else:
        names = [picture_name(i, key) for i, key in enumerate(_slices(reading, choice))]
        planned = [choice.path / name for name in names]
    if choice.what == "report":  # without marks, too: a former table is then taken away
        planned.append(measurement_file(choice.path))
    elif choice.what != "dicom":
        planned += [path.with_suffix(".json") for path in planned]
    return [path for path in planned if path.exists()]


def check_possible(reading: Reading, what: What) -> None:
    """Refuse what cannot be exported, before anybody is asked where to.

    Raises
    ------
    SparseExplainError
        Something computes: the picture would not be what is waited for. Or DICOM is wanted of a
        study that did not come from it.
    """
    if reading.pending:
        raise SparseExplainError(
            f"{', '.join(reading.pending)}: still computing",
            where="export",
            remedy="Wait until it is done, or cancel it, and export again",
        )
    if what == "dicom":
        from .dicom.reading import check_from_dicom

        check_from_dicom(reading)


def _slices(reading: Reading, choice: ExportChoice) -> Sequence[KeySlice]:
    if choice.what == "key slices":
        return reading.review.key_slices
    return every_slice(reading, choice.every)


def _dicom(reading: Reading, choice: ExportChoice) -> Work[Files]:
    # Here: the window opens without DICOM objects.
    from .dicom.deidentification import Deidentification
    from .dicom.reading import export_reading_dicom

    done = yield from export_reading_dicom(
        reading,
        choice.path,
        choice.size,
        identity=Deidentification(keep_identity=choice.identify),
        overwrite=choice.overwrite,
    )
    return Files(done.files, done.notes)
