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
from ..evidence.provenance import package_versions
from ..evidence.store import load_explanation, save_explanation
from ..json_file import read_own_json
from ..networks.catalogue import models
from ..volumes import Finding, Study, open_study
from ..whole_file import write_whole
from ..plain_data import from_plain, to_plain
from .reading import Reading
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
    write_whole(path, text + "\n", overwrite=overwrite)
    _tidy(folder, references)
    return path


def restore_review(folder: str | Path, *, moved: Mapping[str, str | Path] | None = None) -> Reading:
    """Read what `save_review` wrote, with the studies and explanations that it speaks of.

    Parameters
    ----------
    folder : str or Path
        The folder, or its ``review.json``.
    moved : mapping, optional
        New place of a study by its key, where it is no longer where it was.

    Returns
    -------
    Reading
        Its findings say what a person must know: another version of the program or of a model, an
        explanation that must be run again.

    Raises
    ------
    StudyMovedError
        A study is not there; says how to point to it.
    StudyChangedError
        A file of a study is not the one that was reviewed.
    ReadError
        Not a review, or a damaged one.
    """
    path = Path(folder)
    path = path if path.name == REVIEW_FILE else path / REVIEW_FILE
    review = read_review(path)
    studies = {
        key: _open(key, reference, (moved or {}).get(key))
        for key, reference in review.studies.items()
    }
    findings = _version_findings(review)
    explanations: dict[str, Explanation] = {}
    for key, reference in review.explanations.items():
        found, said = _explanation(key, reference, path.parent)
        findings += said
        if found is not None:
            explanations[key] = found
    references = {key: study_reference(study) for key, study in studies.items()}
    return Reading(replace(review, studies=references), studies, explanations, tuple(findings))


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
    return from_plain(Review, values.get("review"), str(path))


def is_review(path: str | Path) -> bool:
    """Whether a path is a folder with a review, or its file."""
    place = Path(path)
    return place.name == REVIEW_FILE or (place / REVIEW_FILE).is_file()


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
    if not path.exists():
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
        if not (base / volume.file).exists() and not single:
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


def _explanation(
    key: str, reference: ExplanationReference, root: Path
) -> tuple[Explanation | None, list[Finding]]:
    """The explanation with its arrays, if they are still somewhere, and what to say of it."""
    findings = _model_findings(reference)
    title = " ".join(part for part in (reference.method, reference.target) if part)
    lost = Finding(
        "warning",
        "explanation-missing",
        f"the maps of {title} were not saved with the review and are not where they were; run it "
        "again with the parameters that the review holds",
        key,
    )
    if not reference.folder:
        return None, [*findings, lost]
    try:
        found = load_explanation(root / reference.folder, reference.entry or None)
    except ReadError:
        return None, [*findings, lost]
    if to_plain(found.provenance) != to_plain(reference.provenance):
        replaced = Finding(
            "warning",
            "explanation-replaced",
            f"the maps of {title} come from a later run than the one that was reviewed",
            key,
        )
        findings.append(replaced)
    return found, findings


def _model_findings(reference: ExplanationReference) -> list[Finding]:
    name = reference.provenance.get("model", "")
    sha = reference.provenance.get("weights_sha256", "")
    card = models().get(name)
    if card is None or not sha or card.weights_sha256 == sha:
        return []
    return [
        Finding(
            "warning",
            "model-differs",
            f"{name} has other weights now ({card.weights_sha256[:12]}) than when the review was "
            f"saved ({sha[:12]}); results run again will differ",
            name,
        )
    ]


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
