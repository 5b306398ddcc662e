"""The review that a new one would replace: whose it is, and which arrays in its folder are its own.

A saved review is hours of a person's work, so what is replaced and what is removed is decided here,
below every window and command.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from ..errors import ReadError, SparseExplainError
from ..evidence.explanation_files import files_of
from ..evidence.store import RECORD_FILE, recorded_entries
from .review import Review, StudyReference

#: Folder of the arrays within a review's folder.
ARRAYS = "explanations"

_OWN_PLACE = re.compile(rf"{ARRAYS}/[A-Za-z0-9._+-]+-[0-9a-f]{{12}}")


class ReviewThereError(SparseExplainError):
    """The folder holds a review that is not replaced, or not without being asked.

    Attributes
    ----------
    same_study : bool
        Whether it is one of the same study, which may be replaced once a person says so.
    """

    same_study = False


def check_replaceable(former: Review, review: Review, path: Path, *, overwrite: bool) -> None:
    """Refuse to replace the review of another study, and one of the same study unless asked to.

    Raises
    ------
    ReviewThereError
        Says whose review is there.
    """
    if not same_study(former, review):
        names = ", ".join(dict.fromkeys(s.name for s in former.studies.values() if s.name))
        raise ReviewThereError(
            f"the folder holds the review of another study ({names or 'without a name'}), which "
            "is never replaced",
            where=path.parent,
            remedy="Choose another folder",
        )
    if not overwrite:
        there = ReviewThereError(
            "the folder holds a review of this study already, which was left as it is",
            where=path.parent,
            remedy="Choose another folder, or allow overwriting",
        )
        there.same_study = True
        raise there


def same_study(one: Review, other: Review) -> bool:
    """Whether all that was marked or shown first in one review is of studies of the other's.

    A study is known by its files' checksums, wherever it lies now, whatever its scans are called
    and whichever of them are open. A study that only stands beside is not what a review is of.
    """
    others = _reviewed(other)
    return all(any(_alike(study, there) for there in others) for study in _reviewed(one))


def own_positions(review: Review) -> set[str]:
    """Folders of arrays, within the review's own, that it names and that have our form of name."""
    named = {reference.folder for reference in review.explanations.values()}
    return {place for place in named if _OWN_PLACE.fullmatch(place)}


def remove_arrays(folder: Path, places: Iterable[str]) -> None:
    """Take away arrays that a review which is no longer there had put into its folder.

    Only files that our record in such a folder names, and the record; what a person put beside
    them stays, and nothing is reached through a link.
    """
    for place in places:
        root = folder / place
        if root.is_symlink() or root.parent.is_symlink() or not root.is_dir():
            continue
        try:
            entries = recorded_entries(root)
        except ReadError:
            continue
        if not entries:
            continue  # no record of ours: not our folder
        names = {name for entry in entries.values() for name in files_of(entry)}
        _remove_files(root, names)


def _remove_files(root: Path, names: Collection[str]) -> None:
    for name in (*sorted(names), RECORD_FILE):
        path = root / name
        if path.is_file() and not path.is_symlink():
            with suppress(OSError):
                path.unlink()
    with suppress(OSError):  # something of another's is in it
        root.rmdir()


def _reviewed(review: Review) -> list[StudyReference]:
    keys = [item.study for item in (*review.annotations, *review.key_slices)]
    keys += [panel.study for panel in review.panels[:1]]
    found = [review.studies[key] for key in dict.fromkeys(keys) if key in review.studies]
    return found or list(review.studies.values())


def _alike(one: StudyReference, other: StudyReference) -> bool:
    first, second = ({v.sha256 for v in s.volumes.values()} for s in (one, other))
    return bool(first and second) and (first <= second or second <= first)
