"""What the numbers of a tumour mask stand for: one challenge's 4 is another's cavity.

The values that occur decide nothing: {1, 2, 3, 4} is necrosis, oedema, non-enhancing and enhancing
tumour until 2016, and non-enhancing core, oedema, enhancing tumour and *resection cavity* after
treatment since 2024. The naming of the files tells it, or the data set's own list of names, or the
person (`Study.with_label_numbering`); where nothing does, the classes are not scored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...arguments import shown
from ...errors import StudyError
from ..volume import Volume
from .tumour import PARTS, part_of_name

#: ``details`` of a label volume whose numbering a person told.
TOLD = "label_numbering"


@dataclass(frozen=True)
class Numbering:
    """The parts of a tumour by label value.

    Attributes
    ----------
    name : str
        For a script (``"brats-2021"``).
    title : str
        For a person.
    parts : mapping of int to str
        Key of `PARTS` by label value.
    names : mapping of int to str
        What a person reads of each label.
    """

    name: str
    title: str
    parts: Mapping[int, str]

    @property
    def names(self) -> dict[int, str]:
        """What a person reads of each label."""
        first = {1: "non-enhancing tumour core"} if self.name == "brats-2024" else {}
        return {v: first.get(v, PARTS[p]) for v, p in self.parts.items()}

    def labels(self, parts: Iterable[str]) -> tuple[int, ...]:
        """Label values of some parts."""
        wanted = set(parts)
        return tuple(value for value, part in self.parts.items() if part in wanted)


def _numbering(name: str, title: str, *parts: str) -> Numbering:
    return Numbering(name, title, {n: p for n, p in enumerate(parts, 1) if p})


#: Those that a person can choose from.
NUMBERINGS: Mapping[str, Numbering] = {
    numbering.name: numbering
    for numbering in (
        _numbering("brats-2015", "BraTS 2012-2016: 1 to 4", "NCR", "ED", "NET", "ET"),
        _numbering("brats-2021", "BraTS 2017-2022: 1, 2, 4", "NCR", "ED", "", "ET"),
        _numbering("brats-2023", "BraTS 2023: 1, 2, 3", "NCR", "ED", "ET"),
        _numbering(
            "brats-2024", "BraTS 2024 after treatment: 4 is the cavity", "NCR", "ED", "ET", "RC"
        ),
        _numbering("brats-2024-ped", "BraTS 2024 children: 1 enhances", "ET", "NET", "CC", "ED"),
        _numbering("decathlon", "Medical Decathlon: 1 oedema, 3 enhances", "ED", "NET", "ET"),
    )
}

#: The numbering that this program's own networks and phantoms use.
OWN = NUMBERINGS["brats-2021"]

_NAME_BEFORE = r"(?:^|[^a-z0-9])"

#: The first pattern that a name matches decides; None: told to be of a set whose numbers changed
#: from year to year under one name.
_NAMES: tuple[tuple[re.Pattern[str], str | None], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (r"brats[-_]?(?:20\d\d[-_]?)?peds?(?![a-z])", None),
        (r"brats[-_]?men[-_]?rt", None),
        # Time points from 100 on are those after treatment.
        (r"brats[-_]gli[-_]\d+[-_][1-9]\d\d(?!\d)", "brats-2024"),
        (r"brats[-_](?:gli|ssa|africa|met|men|goat)[-_]\d", "brats-2023"),
        (_NAME_BEFORE + r"brats[-_]?(?:20)?1[2-6](?!\d)", "brats-2015"),
        (_NAME_BEFORE + r"brats[-_]?(?:20)?(?:1[7-9]|2[0-2])(?!\d)", "brats-2021"),
        (_NAME_BEFORE + r"brats[-_]?(?:20)?23(?!\d)", "brats-2023"),
        (_NAME_BEFORE + r"brats[-_]?(?:20)?24(?!\d)", "brats-2024"),
        (r"vsd\.brain[-_.]?\d*more", "brats-2015"),
        (r"upenn-gbm-\d|ucsf-pdgm-\d|glistrboost", "brats-2021"),
        (r"^phantom-\d+_seg", "brats-2021"),
    )
)


def numbering_called(name: str) -> Numbering:
    """The numbering of a name.

    Raises
    ------
    StudyError
        There is none; lists those there are.
    """
    if not isinstance(name, str) or name not in NUMBERINGS:
        raise StudyError(
            f"there is no numbering of labels {shown(name)}",
            remedy="Choose one of: "
            + "; ".join(f"{n.name} ({n.title})" for n in NUMBERINGS.values()),
        )
    return NUMBERINGS[name]


def told_numbering(labels: Mapping[str, Volume]) -> str:
    """What a person said of a study's label volumes; empty where nobody did."""
    told = (volume.details.get(TOLD) for volume in labels.values())
    return next((name for name in told if isinstance(name, str)), "")


def numbering_of_names(names: Iterable[str]) -> Numbering | None:
    """What the first of some names that tells it tells; None where none does, or not surely."""
    for name in names:
        for pattern, found in _NAMES:
            if pattern.search(name):
                return NUMBERINGS[found] if found else None
    return None


def numbering_of_classes(classes: Mapping[int, str]) -> Numbering | None:
    """A numbering from the names that a file or data set gives its labels itself.

    None where they are not those of a tumour's parts.
    """
    parts = {value: part_of_name(name) for value, name in classes.items() if value != 0}
    known = {value: part for value, part in parts.items() if part in PARTS}
    if not known or len(known) < len(parts):
        return None
    return Numbering("named", "as the file names them", known)
