"""What the folders of a labelled slice tell: whether it is a mask, and whose it is.

Names of files alone do not: ``pat1/images/1.png`` and ``pat2/images/1.png`` are of two people.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..pictures.reader import is_mask_file
from ..roles.roles import stem_of
from .labelled_slice import only_counts, patient_of

_IMAGE_FOLDER = re.compile(r"(?i)(images?|imgs?|pictures?|slices?|scans?|data|x|png|jpe?g|tiff?)")
_MASK_FOLDER = re.compile(
    r"(?i)(masks?|labels?|gt|ground[-_ ]?truth|seg(?:mentation)?s?|annotations?|y)"
)

#: A folder of this name is one side of a split.
SPLIT_FOLDER = re.compile(
    r"(?i)^(train(?:ing)?|val(?:id(?:ation)?)?|test(?:ing)?|holdout|fold[-_ ]?\d+)$"
)


def is_mask(path: Path, root: Path) -> bool:
    """Whether a picture is a mask: by its name, or the nearest folder that says what it holds."""
    if is_mask_file(path):
        return True
    for part in reversed(path.parent.relative_to(root).parts):
        if _IMAGE_FOLDER.fullmatch(part):
            return False
        if _MASK_FOLDER.fullmatch(part):
            return True
    return False


def place_of(path: Path, root: Path) -> tuple[str, ...]:
    """The folders of a file without those that only tell images from masks."""
    above = path.parent.relative_to(root).parts
    return tuple(
        part
        for part in above
        if not (
            _IMAGE_FOLDER.fullmatch(part)
            or _MASK_FOLDER.fullmatch(part)
            or is_mask_file(Path(part) / "1.png")
        )
    )


def patient_in(path: Path, root: Path) -> str:
    """Whose slice a file is, by its name or, where that has no patient's code, by its folder.

    A name that only counts (``0012``, ``IM-0001-0048``) tells nobody where there are folders above,
    and one without a digit (``scan``, of ``scan_3``) is a word that every patient's files can have.
    """
    stem = stem_of(path.name)
    named = patient_of(stem)
    places = place_of(path, root)
    folders = [part for part in places if not SPLIT_FOLDER.match(part)]
    if only_counts(stem):
        if folders:
            return "/".join(folders)
        # ``012_3`` is slice 3 of patient 012; ``12`` alone is one of its side of a split.
        return named if named != stem else "/".join((*places, stem))
    if folders and not re.search(r"\d", named):
        return "/".join((*folders, named))
    return named
