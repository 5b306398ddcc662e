"""A review as a folder: ``review.json`` and, where wanted, the arrays of its explanations.

``review.json`` is replaced in one step and last: whatever interrupts a save, the folder holds the
review of before or the new one. Arrays lie in folders named after their content's record and are
never rewritten.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ..errors import ReadError, SparseExplainError, StudyError
from ..evidence import Explanation
from ..evidence.provenance import Provenance, package_versions
from ..evidence.store import save_explanation
from ..json_file import MOST_BYTES, parse_json, read_own_json
from ..plain_data import from_plain, to_plain
from ..regular_file import is_regular
from ..volumes import Finding, Study, open_study
from ..whole_file import write_whole
from .reading import Reading
from .reading_check import check_reading
from .restored_explanation import Loaded, lies_elsewhere, restore_explanation
from .review import ExplanationReference, Review, StudyReference
from .study_reference import study_reference

REVIEW_FILE = "review.json"
ARRAYS = "explanations"

_FORMAT = "napari-sparseexplain review"
_VERSION = 1


class StudyMovedError(ReadError):
    """A study of a review is not where it was; it can be pointed to.

    Attributes
    ----------
    key : str
        The study's key in the review.
    """

    key = ""


class StudyChangedError(ReadError):
    """A study of a review holds other files than when it was reviewed."""


def save_review(
    reading: Reading, folder: str | Path, *, arrays: bool = False, overwrite: bool = True
) -> Path:
    """Save a review.

    Parameters
    ----------
    reading : Reading
    folder : str or Path
        Made when it is not there.
    arrays : bool
        Whether the maps of the explanations are saved with it, as NIfTI. Otherwise the review
        says where they were saved, or, when they were not, how to make them again.
    overwrite : bool
        Whether a review that is there is replaced.

    Returns
    -------
    Path
        ``review.json``.

    Raises
    ------
    SparseExplainError
        A study was made in memory, or the folder cannot be written; what was there stays.
    """
    folder = Path(folder)
    path = folder / REVIEW_FILE
    studies = {key: _saved_study(reading.studies[key]) for key in reading.review.studies}
    references = dict(reading.review.explanations)
    for key, explanation in reading.explanations.items():
        place = _array_place(explanation)
        if arrays:
            _save_arrays(explanation, reading.studies[references[key].study], folder)
        # Arrays that an earlier save put here stay, also when this one was not asked for them.
        if arrays or (folder / place).is_dir():
            references[key] = replace(references[key], folder=place, entry="")
        elif references[key].folder.startswith(f"{ARRAYS}/"):
            references[key] = replace(references[key], folder="", entry="")  # of another review
    review = replace(
        reading.review, studies=studies, explanations=references, versions=package_versions()
    )
    text = json.dumps(
        {"format": _FORMAT, "version": _VERSION, "review": to_plain(review)},
        indent=2,
        ensure_ascii=False,
        allow_nan=False,
    )
    if len(text) > MOST_BYTES // 4:  # a character has at most four bytes
        parse_json(text.encode(), where=path, problem="the review is too large to be opened again",
                   remedy="Remove marks, or save it as two reviews")  # fmt: skip
    write_whole(path, text + "\n", overwrite=overwrite)
    _tidy(folder, references)
    return path


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
    """
    path = review_file(folder)
    review = read_review(path)
    studies = {
        key: _open(key, reference, (moved or {}).get(key))
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
    path = Path(folder)
    return path if path.name == REVIEW_FILE else path / REVIEW_FILE


def is_review(path: str | Path) -> bool:
    """Whether a path is a folder with a review, or its file."""
    place = Path(path)
    return place.name == REVIEW_FILE or is_regular(place / REVIEW_FILE)


def _saved_study(study: Study) -> StudyReference:
    reference = study_reference(study)
    if not reference.path or not all(v.sha256 for v in reference.volumes.values()):
        raise StudyError(
            "the study was made in memory, so a review cannot point to it",
            where=study.name,
            remedy="Save its volumes first (File, Save), and open them",
        )
    return reference


def _open(key: str, reference: StudyReference, moved: str | Path | None) -> Study:
    path = Path(reference.path if moved is None else moved)
    # A relative path would lie wherever the program was started; none was saved.
    if not _is_there(path) or (moved is None and not path.is_absolute()):
        moved_away = StudyMovedError(
            f"the study {reference.name!r} of this review is not there",
            where=path,
            remedy=f"Say where it is now: --study {key}=PATH on the command line, or choose it "
            "when the Review tab asks",
        )
        moved_away.key = key
        raise moved_away
    roles = {role: volume.file for role, volume in reference.volumes.items()}
    single = path.is_file()
    base = path.parent if single else path
    for role, volume in reference.volumes.items():
        if not _is_there(base / volume.file) and not single:
            raise StudyChangedError(
                f"{volume.file} ({role}) is missing, so this is not the study that was reviewed",
                where=path,
                remedy="Put the file back, or start a new review",
            )
    study = _open_with_roles(path, reference, {} if single else roles)
    here = study_reference(study).volumes
    for role, volume in reference.volumes.items():
        if role not in here or here[role].sha256 != volume.sha256:
            raise StudyChangedError(
                f"{volume.file} ({role}) is not the file that was reviewed (its checksum differs)",
                where=path,
                remedy="Put the reviewed file back, or start a new review of this one",
            )
    if study.reference != reference.reference:
        raise StudyChangedError(
            f"the study's grid is now that of {study.reference!r}, not {reference.reference!r}",
            where=path,
            remedy="Put the reviewed files back, or start a new review",
        )
    return study


def _open_with_roles(path: Path, reference: StudyReference, roles: dict[str, str]) -> Study:
    """The study as its names tell, and, only where that differs, with the roles of the review."""
    options = {"patient_axes": reference.patient_axes, "name": reference.name}
    study = open_study(path, **options)
    same = set(reference.volumes) <= {*study.images, *study.labels}
    if same and study.reference == reference.reference:
        return study
    if same:
        return open_study(path, reference=reference.reference, **options)
    return open_study(path, reference=reference.reference, roles=roles, **options)


def _array_place(explanation: Explanation) -> str:
    """Folder of the arrays within the review, named after the record of their run."""
    record = json.dumps(
        [to_plain(explanation.provenance), explanation.method, explanation.target,
         [m.name for m in explanation.maps], explanation.slices.start, explanation.slices.stop],
        sort_keys=True,
    )  # fmt: skip
    return f"{ARRAYS}/{explanation.method}-{hashlib.sha256(record.encode()).hexdigest()[:12]}"


def _save_arrays(explanation: Explanation, study: Study, folder: Path) -> None:
    """Write the arrays into the review's folder, once for one record."""
    final = folder / _array_place(explanation)
    if final.is_dir():
        return
    temporary = None
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=final.parent, prefix=".saving-"))
        save_explanation(explanation, study, temporary)
        os.chmod(temporary, 0o755)  # mkdtemp's 0700 would hide it from other users
        os.rename(temporary, final)
        temporary = None
    except OSError as error:
        raise SparseExplainError(
            f"the explanation cannot be saved ({error.strerror or error})",
            where=final,
            remedy="Choose a folder that you may write to, on a disk that has room",
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _tidy(folder: Path, references: Mapping[str, ExplanationReference]) -> None:
    """Take away arrays that this review no longer speaks of; only our own, after the save."""
    used = {reference.folder for reference in references.values()}
    for place in (folder / ARRAYS).glob("*-*"):
        if place.is_dir() and f"{ARRAYS}/{place.name}" not in used:
            shutil.rmtree(place, ignore_errors=True)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


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
