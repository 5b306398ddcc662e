"""What the folders of a labelled slice tell: whether it is a mask, and where it lies without that.

Names of files alone do not: ``pat1/images/1.png`` and ``pat2/images/1.png`` are of two people.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..pictures.reader import is_mask_file

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
