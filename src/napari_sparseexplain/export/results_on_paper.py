"""A study and what was found in it, as a picture or a report, in one call."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import NoneType

from ..arguments import check_kind, given_path, is_whole
from ..evidence import Explanation
from ..files.atomic_write import check_free
from ..progress import drain
from ..review.default_review import default_reading
from ..review.frames import at_slice
from ..review.reading import Reading
from ..volumes import Study
from .pictures.compositor import PictureSize, draw
from .pictures.picture_file import write_picture
from .privacy.output_check import released_together
from .privacy.policy import ExportPolicy, policy_for
from .report.document import write_report

#: One result, several, or several by names.
Results = Explanation | Sequence[Explanation] | Mapping[str, Explanation] | None


def save_picture(
    study: Study,
    results: Results,
    path: str | Path,
    *,
    index: int | None = None,
    size: PictureSize | None = None,
    identify: bool = False,
    overwrite: bool = False,
) -> list[Path]:
    """Draw a study's scan with its mask and one map a panel, with letters, legend and notice.

    Parameters
    ----------
    study : Study
        The study explained.
    results : Explanation, several of them (a sequence, or by names), or None
        None for the scans alone. Up to four panels are drawn.
    path : str or Path
        Of a PNG file; a JSON file with all that it says is written beside it.
    index : int, optional
        Slice of the study, counted from 0. The largest slice of the lesion when not given, or the
        middle of what was explained.
    size : PictureSize, optional
        1600 × 1400 pixels when not given.
    identify : bool
        Whether names of study and scans stand as they are.
    overwrite : bool
        Whether files that are there may be replaced.

    Returns
    -------
    list of Path
        The PNG and the JSON file.

    Raises
    ------
    SparseExplainError
        There is no scan, no such slice or result; a file is there already or cannot be written; or
        the picture would tell who was examined.

    Examples
    --------
    >>> import tempfile, napari_sparseexplain as se
    >>> folder = tempfile.TemporaryDirectory()
    >>> [path.name for path in se.save_picture(se.sample_study(), None, folder.name + "/scans.png")]
    ['scans.png', 'scans.json']
    """
    _check(study, size, index)
    png = given_path(path)
    png = png if png.suffix.lower() == ".png" else png.with_name(f"{png.name}.png")
    check_free([png, png.with_suffix(".json")], overwrite=overwrite)
    reading = _reading(study, results)
    if index is not None:
        reading = at_slice(reading, replace(reading.review.key_slices[0], index=index))
    policy = policy_for(reading.studies.values(), identify=identify)
    picture = draw(policy.reading(reading), policy, size)
    with released_together(png.parent, policy, overwrite=overwrite) as temporary:
        written = write_picture(picture, temporary / png.name)
    _warn(policy)
    return [png.parent / file.name for file in written]


def report(
    study: Study,
    results: Results,
    path: str | Path,
    *,
    identify: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write a PDF: the study, the models, the scores and the notes, and one page a picture.

    Parameters
    ----------
    study : Study
        The study explained.
    results : Explanation, several of them (a sequence, or by names), or None
    path : str or Path
        Of the PDF.
    identify : bool
        Whether names of study and scans stand as they are.
    overwrite : bool
        Whether a file that is there may be replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SparseExplainError
        There is no scan; the file is there already or cannot be written; or it would tell who was
        examined.

    Examples
    --------
    >>> import tempfile, napari_sparseexplain as se
    >>> folder = tempfile.TemporaryDirectory()
    >>> se.report(se.sample_study(), None, folder.name + "/report.pdf").name
    'report.pdf'
    """
    _check(study)
    file = given_path(path)
    file = file if file.suffix.lower() == ".pdf" else file.with_name(f"{file.name}.pdf")
    reading = _reading(study, results)
    policy = policy_for(reading.studies.values(), identify=identify)
    path = drain(write_report(reading, file, overwrite=overwrite, policy=policy))
    _warn(policy)
    return path


def _check(study: Study, size: PictureSize | None = None, index: int | None = None) -> None:
    check_kind(study, Study, "study", "one, from se.open_study or se.study_of_arrays")
    check_kind(size, (PictureSize, NoneType), "size", "an se.PictureSize")
    if index is not None:
        check_kind(index, is_whole, "slice", "its number, counted from 0")


def _warn(policy: ExportPolicy) -> None:
    """Say in a script what the window and the shell say as notes: letters that were not drawn."""
    for note in policy.told:
        warnings.warn(note, stacklevel=3)


def _are_explanations(given: object) -> bool:
    return isinstance(given, Iterable) and all(isinstance(item, Explanation) for item in given)


def _reading(study: Study, results: Results) -> Reading:
    if results is None:
        return default_reading(study)
    if isinstance(results, Explanation):
        results = [results]
    if isinstance(results, Mapping):
        return default_reading(study, results)
    named: dict[str, Explanation] = {}
    check_kind(results, _are_explanations, "results", "what se.explain gave, or a list of it")
    for item in results:
        words = " ".join(part for part in (item.method, item.target) if part)
        name, number = words, 2
        while name in named:
            name, number = f"{words} ({number})", number + 1
        named[name] = item
    return default_reading(study, named)
