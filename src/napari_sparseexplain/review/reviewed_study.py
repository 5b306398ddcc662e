"""The study that a review speaks of, opened again: the same files, byte for byte, or not at all."""

from __future__ import annotations

from pathlib import Path

from ..errors import ReadError
from ..volumes import Study, open_study
from ..volumes.volume import is_locator
from .review import StudyReference
from .study_reference import study_reference


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


def open_reviewed(key: str, reference: StudyReference, moved: str | Path | None) -> Study:
    """The study of a review, once its files are those that were reviewed.

    Parameters
    ----------
    key : str
        Its key in the review.
    reference : StudyReference
    moved : str or Path, optional
        Where it is now, where it is no longer where it was.

    Raises
    ------
    StudyMovedError
        It is not there; says how to point to it.
    StudyChangedError
        A file is missing, or not the one that was reviewed.
    """
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
        if not (single or is_locator(volume.file) or _is_there(base / volume.file)):
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
    options = {
        "patient_axes": reference.patient_axes,
        "apply_transforms": reference.apply_transforms,
        "name": reference.name,
    }
    study = open_study(path, **options)
    same = set(reference.volumes) <= {*study.images, *study.labels}
    if same and study.reference == reference.reference:
        return study
    if same:
        return open_study(path, reference=reference.reference, **options)
    return open_study(path, reference=reference.reference, roles=roles, **options)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False
