"""A review as a folder: ``review.json`` and, where wanted, the arrays of its explanations.

``review.json`` is replaced in one step and last: whatever interrupts a save, the folder holds the
review of before or the new one. Arrays lie in folders named after their content's record and are
never rewritten. Which review may be replaced, and what goes with it: `former_review`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from ..arguments import check_kind, given_path, is_by_text, is_texts
from ..errors import ReadError, SparseExplainError, StudyError
from ..evidence import Explanation
from ..evidence.explanation_files import entry_name
from ..evidence.provenance import Provenance, package_versions
from ..evidence.store import RECORD_FILE, write_explanation
from ..files.atomic_write import (
    cannot_write,
    make_folders,
    moved_together,
    remove_empty,
    undisturbed,
    write_atomically,
)
from ..files.folder_lock import folder_lock
from ..files.json_file import MOST_BYTES, parse_json, read_own_json
from ..files.plain_data import from_plain, to_plain
from ..files.regular_file import is_regular
from ..volumes import Finding, Study
from .former_review import ARRAYS, check_replaceable, own_positions, remove_arrays
from .reading import Reading
from .reading_check import check_reading
from .restored_explanation import Loaded, lies_elsewhere, restore_explanation
from .review import ExplanationReference, Review, StudyReference
from .reviewed_study import StudyChangedError as StudyChangedError  # what restore_review raises
from .reviewed_study import StudyMovedError as StudyMovedError
from .reviewed_study import open_reviewed
from .study_reference import study_reference

REVIEW_FILE = "review.json"

_FORMAT = "napari-sparseexplain review"
_VERSION = 1

#: Seconds that another process may take to save its arrays into the same folder.
_LONGEST_SAVE_S = 600.0


def save_review(
    reading: Reading,
    folder: str | Path,
    *,
    arrays: bool | Collection[str] = False,
    overwrite: bool = False,
) -> Path:
    """Save a review.

    Parameters
    ----------
    reading : Reading
    folder : str or Path
        Made when it is not there.
    arrays : bool or collection of str
        Whether the maps of the explanations, or of those with these keys, are saved with it, as
        NIfTI. Otherwise the review says where they were saved, or, when they were not, how to make
        them again.
    overwrite : bool
        Whether a review of the same study that is there may be replaced: ask before.

    Returns
    -------
    Path
        ``review.json``.

    Raises
    ------
    ReviewThereError
        There is a review of the same study and ``overwrite`` is off, or one of another study,
        which is never replaced.
    SparseExplainError
        A study was made in memory, there is a ``review.json`` that cannot be read, or the folder
        cannot be written; what was there stays.

    Examples
    --------
    >>> import tempfile, napari_sparseexplain as se
    >>> folder = tempfile.TemporaryDirectory()
    >>> reading = se.default_reading(se.sample_study())
    >>> se.save_review(reading, folder.name).name
    'review.json'
    """
    check_kind(reading, Reading, "reading", "one, from se.default_reading or se.restore_review")
    check_kind(arrays, _are_keys, "arrays", "True, or the keys of explanations, as ['xrai-wt']")
    folder = given_path(folder, "folder")
    path = folder / REVIEW_FILE
    studies = {key: _saved_study(reading.studies[key]) for key in reading.review.studies}
    new = replace(reading.review, studies=studies, versions=package_versions())
    _former(path, new, overwrite=overwrite)
    wanted = {k for k in reading.explanations if arrays is True or (arrays and k in arrays)}
    made: list[Path] = []
    new_arrays: list[str] = []
    try:
        made = make_folders(folder)
        with folder_lock(folder, _LONGEST_SAVE_S):
            former = _former(path, new, overwrite=overwrite)
            for key in wanted:
                new_arrays += _save_arrays(reading, key, folder)
            new = replace(new, explanations=_references(reading, wanted, folder))
            with undisturbed():
                write_atomically(path, _text(new, path), overwrite=overwrite)
                made, new_arrays = [], []
                if former is not None:
                    remove_arrays(folder, own_positions(former) - own_positions(new))
    except SparseExplainError:
        raise  # a ReadError is an OSError, too
    except OSError as error:
        raise cannot_write("the review", folder, error) from error
    finally:
        remove_arrays(folder, new_arrays)
        remove_empty([*made, folder / ARRAYS] if made or new_arrays else [])
    return path


def check_saving(reading: Reading, folder: str | Path) -> None:
    """Say before a person is made to wait whether `save_review` would replace a review.

    Raises
    ------
    ReviewThereError
        As `save_review` without ``overwrite``.
    ReadError
        There is a ``review.json`` that cannot be read.
    """
    studies = {key: _saved_study(reading.studies[key]) for key in reading.review.studies}
    _former(Path(folder) / REVIEW_FILE, replace(reading.review, studies=studies), overwrite=False)


def _former(path: Path, new: Review, *, overwrite: bool) -> Review | None:
    """The review that would be replaced, once it may be."""
    if not os.path.lexists(path):
        return None
    try:
        former = read_review(path)
    except ReadError as error:
        raise ReadError(
            f"there is a file {REVIEW_FILE} that cannot be read as a review, so it is not replaced",
            where=path.parent,
            remedy="Choose another folder, or move the file away",
        ) from error
    check_replaceable(former, new, path, overwrite=overwrite)
    return former


def _text(review: Review, path: Path) -> str:
    values = {"format": _FORMAT, "version": _VERSION, "review": to_plain(review)}
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)
    if len(text) > MOST_BYTES // 4:  # a character has at most four bytes
        parse_json(text.encode(), where=path, problem="the review is too large to be opened again",
                   remedy="Remove marks, or save it as two reviews")  # fmt: skip
    return text + "\n"


def _references(
    reading: Reading, saved: Collection[str], folder: Path
) -> dict[str, ExplanationReference]:
    """The review's explanations, with where their arrays are."""
    references = dict(reading.review.explanations)
    for key, explanation in reading.explanations.items():
        place = _array_file(explanation)
        # Arrays that an earlier save put here stay, also when this one was not asked for them.
        if key in saved or _has_arrays(folder, place):
            references[key] = replace(references[key], folder=place, entry="")
        elif references[key].folder.startswith(f"{ARRAYS}/"):
            references[key] = replace(references[key], folder="", entry="")  # of another review
    return references


def restore_review(
    folder: str | Path,
    *,
    moved: Mapping[str, str | Path] | None = None,
    elsewhere: bool = False,
) -> Reading:
    """Read what `save_review` wrote, with the studies and explanations that it speaks of.

    A study is opened from where the review says, and only shown when its files are, byte for
    byte, those that were reviewed. An explanation is read from the review's own folder; what
    lies elsewhere, another person's review could name without a reason that one sees.

    Parameters
    ----------
    folder : str or Path
        The folder, or its ``review.json``.
    moved : mapping, optional
        New place of a study by its key, where it is no longer where it was.
    elsewhere : bool
        Whether explanations are also read from outside the review's folder: from an absolute
        path, from one that goes up (``../``), or through a link.

    Returns
    -------
    Reading
        Its findings say what a person must know: another version of the program or of a model, an
        explanation that must be run again, or one that lies elsewhere and was not read.

    Raises
    ------
    StudyMovedError
        A study is not there; says how to point to it.
    StudyChangedError
        A file of a study is not the one that was reviewed.
    ReadError
        Not a review, or a damaged one.

    Examples
    --------
    >>> import tempfile, napari_sparseexplain as se
    >>> folder = tempfile.TemporaryDirectory()
    >>> reading = se.default_reading(se.sample_study())
    >>> _ = se.save_review(reading, folder.name)
    >>> se.restore_review(folder.name).review == reading.review
    True
    """
    path = review_file(folder)
    moved = _places(moved)
    review = read_review(path)
    studies = {
        key: open_reviewed(key, reference, moved.get(key))
        for key, reference in review.studies.items()
    }
    findings = _version_findings(review)
    explanations: dict[str, Explanation] = {}
    loaded: Loaded = {}
    for key, reference in review.explanations.items():
        study = studies.get(reference.study)
        found, said = restore_explanation(
            key, reference, path.parent, study, loaded, elsewhere=elsewhere
        )
        findings += said
        if found is not None:
            explanations[key] = found
    references = {key: study_reference(study) for key, study in studies.items()}
    reading = Reading(replace(review, studies=references), studies, explanations, tuple(findings))
    check_reading(reading, path)
    return reading


def read_review(path: Path) -> Review:
    """The plain data of ``review.json``; nothing that it speaks of is opened.

    Raises
    ------
    ReadError
        No such file, not a review, a damaged one, or one of a later version.
    """
    values = read_own_json(
        path,
        format=_FORMAT,
        version=_VERSION,
        problem="there is no review that can be read",
        foreign="the file is no review",
        remedy="Give a folder that a review was saved in",
    )
    review = from_plain(Review, values.get("review"), str(path))
    for key, reference in review.explanations.items():
        place = f"explanations.{key}.provenance"
        from_plain(Provenance, reference.provenance, str(path), place=place)
    return review


def explanations_elsewhere(folder: str | Path) -> dict[str, Path]:
    """Where explanations of a review would be read from that lie outside its folder, by key.

    Raises
    ------
    ReadError
        Not a review, or a damaged one.
    """
    path = review_file(folder)
    return {
        key: path.parent / reference.folder
        for key, reference in read_review(path).explanations.items()
        if reference.folder and lies_elsewhere(path.parent, reference.folder)
    }


def review_file(folder: str | Path) -> Path:
    """``review.json`` of a folder, or the file itself."""
    path = given_path(folder, "folder")
    return path if path.name == REVIEW_FILE else path / REVIEW_FILE


def is_review(path: str | Path) -> bool:
    """Whether a path is a folder with a review, or its file."""
    place = Path(path)
    return place.name == REVIEW_FILE or is_regular(place / REVIEW_FILE)


def _are_keys(arrays: object) -> bool:
    return isinstance(arrays, bool) or is_texts(arrays)


def _places(moved: object) -> dict[str, Path]:
    """New places of studies, by their keys."""
    if moved is None:
        return {}
    check_kind(moved, is_by_text, "place of the studies", "paths by their keys: {'study': path}")
    assert isinstance(moved, Mapping)
    return {key: given_path(place, f"place of {key!r}") for key, place in moved.items()}


def _saved_study(study: Study) -> StudyReference:
    reference = study_reference(study)
    if not reference.path or not all(v.sha256 for v in reference.volumes.values()):
        raise StudyError(
            "the study was made in memory, so a review cannot point to it",
            where=study.name,
            remedy="Save its volumes first (File, Save), and open them",
        )
    return reference


def _array_file(explanation: Explanation) -> str:
    """Folder of the arrays within the review, named after the record of their run."""
    record = json.dumps(
        [to_plain(explanation.provenance), explanation.method, explanation.target,
         [m.name for m in explanation.maps], explanation.slices.start, explanation.slices.stop],
        sort_keys=True,
    )  # fmt: skip
    name = entry_name(explanation.method, "")  # whatever a record from elsewhere calls it
    return f"{ARRAYS}/{name}-{hashlib.sha256(record.encode()).hexdigest()[:12]}"


def _has_arrays(folder: Path, place: str) -> bool:
    return (folder / place / RECORD_FILE).is_file()


def _save_arrays(reading: Reading, key: str, folder: Path) -> list[str]:
    """Write arrays into the review's folder, once for one record; the place that was made."""
    explanation = reading.explanations[key]
    study = reading.studies[reading.review.explanations[key].study]
    place = _array_file(explanation)
    if _has_arrays(folder, place):
        return []
    remove_empty([folder / place])  # of a save that was killed
    try:
        with moved_together(folder / place, overwrite=False) as temporary:
            write_explanation(explanation, study, temporary)
    except BaseException:
        remove_empty([folder / ARRAYS, folder / place])
        raise
    return [place]


def _version_findings(review: Review) -> list[Finding]:
    now = package_versions()
    name = "napari-sparseexplain"
    changed = [
        f"{package} {version} → {now.get(package, 'not installed')}"
        for package, version in review.versions.items()
        if now.get(package) != version
    ]
    if not changed:
        return []
    ours = review.versions.get(name) != now.get(name)
    return [
        Finding(
            "warning" if ours else "info",
            "versions-differ",
            "the review was saved with other versions: " + ", ".join(changed),
            name,
        )
    ]
