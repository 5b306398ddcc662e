"""What a label volume is for: the lesions that results are scored against, or the brain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..labels.values import labels_of
from ..study import Finding, Study
from ..volume import Volume
from .roles import is_tissue_mask

if TYPE_CHECKING:
    from ..brain_mask import FoundBrain
    from ..opening.study_files import StudyFiles
    from .assignment import Opened

#: Roles that scores are against, in this order; others only where they are the only mask.
LESIONS, BRAIN = "seg", "brain_mask"

#: What ``details`` holds for a map that this program, or a copy of it, wrote.
OWN_OUTPUT = "own_output"

#: What ``details`` holds for a mask of (nearly) the whole brain, whatever it is called.
COVERS_BRAIN = "covers_brain"

#: Share of a stripped brain that no lesion takes.
_MOST_OF_BRAIN = 0.6

#: Millilitres of a brain in a head, which no lesion reaches, and its least share of the head.
_BRAIN_IN_HEAD_ML, _BRAIN_OF_HEAD = (600.0, 2300.0), 0.2

#: A brain that is smaller is no whole human one.
_SMALLEST_BRAIN_ML = 200.0


def is_brain_mask(role: str) -> bool:
    """Whether a role (also ``"brain_mask (2)"``) is that of a brain mask."""
    base = role.partition(" (")[0].casefold()
    return base.replace("-", "_").replace(" ", "_") in (BRAIN, "brainmask", "head_mask", "brain")


def brain_mask_role(study: Study) -> str:
    """Role of the study's own brain mask; empty where it has none."""
    if BRAIN in study.labels:
        return BRAIN
    return next((role for role in study.labels if is_brain_mask(role)), "")


def lesion_role(study: Study) -> str:
    """Role of the mask that results are scored against; empty where there is none.

    The label volume ``seg`` where there is one, else the only one there is. A brain mask is no
    truth about a lesion, and neither is what this program found itself; of several others none is
    guessed.
    """
    able = [role for role, volume in study.labels.items() if can_be_truth(role, volume)]
    if LESIONS in able:
        return LESIONS
    return able[0] if len(able) == 1 else ""


def as_given(volume: Volume) -> Volume:
    """A volume under a role that a person gave it: their word goes before the file's own."""
    details = {k: v for k, v in volume.details.items() if k not in (OWN_OUTPUT, COVERS_BRAIN)}
    return volume if len(details) == len(volume.details) else replace(volume, details=details)


def brain_share(mask: Volume, scan: Volume, brain: FoundBrain) -> float:
    """Share of the brain that a mask covers, where that is more than any lesion does; else 0.

    Of a scan with its skull, where only the head was found, the mask's own volume decides.
    """
    ml, whole = (
        np.count_nonzero(array) * float(np.prod(grid.spacing)) / 1000
        for array, grid in ((mask.spatial(), mask.grid), (brain.mask, scan.grid))
    )
    if scan.grid.shape[0] == 1:  # of one slice there is no volume to judge by
        return ml / whole if whole and ml / whole >= _MOST_OF_BRAIN else 0.0
    if whole < _SMALLEST_BRAIN_ML:  # an animal's, a part of one, or none: nothing to compare with
        return 0.0
    share = ml / whole
    if brain.stripped:
        return share if share >= _MOST_OF_BRAIN else 0.0
    # Of a head with its skull, not of a body in whose pictures a liver is as large as a brain.
    low, high = _BRAIN_IN_HEAD_ML
    is_brain = low <= ml <= high and share >= _BRAIN_OF_HEAD and scan.role != "ct"
    return share if is_brain else 0.0


def as_brain(volumes: dict[str, Volume], role: str) -> tuple[dict[str, Volume], Finding]:
    """The volumes with a mask of the whole brain as what it is, and what to say about it."""
    mask = volumes[role]
    where = mask.source.description
    marked = replace(mask, details={**mask.details, COVERS_BRAIN: "yes"})
    if len(labels_of(mask)) > 1 or BRAIN in volumes:
        said = f"the mask {role!r} covers the brain: nothing is scored against it"
        found = Finding("info", "covers-brain", said, where)
        return {r: marked if r == role else v for r, v in volumes.items()}, found
    said = (
        f"the mask {role!r} covers the brain, so it is the study's brain mask and nothing is "
        "scored against it; if it is a lesion, give it the role seg"
    )
    renamed = {
        (BRAIN if r == role else r): (marked.with_role(BRAIN) if r == role else v)
        for r, v in volumes.items()
    }
    return renamed, Finding("info", "covers-brain", said, where)


def own_findings(files: StudyFiles, opened: Sequence[Opened]) -> list[Finding]:
    """What to say of this program's own results among the files of a study."""
    found = []
    if files.results:
        several = len(files.results) > 1
        found.append(
            Finding(
                "info",
                "own-results",
                f"{len(files.results)} file{'s' if several else ''} that this program wrote "
                f"{'were' if several else 'was'} passed over: results are no scans and no truth",
                files.place(files.results[0]),
            )
        )
    found += [
        Finding(
            "info",
            "own-output",
            f"{item.place} was written by this program: it is shown, and nothing is scored "
            "against it",
            item.place,
        )
        for item in opened
        if item.volume.details.get(OWN_OUTPUT)
    ]
    return found


def can_be_truth(role: str, volume: Volume) -> bool:
    """Whether a label volume may be scored against."""
    marked = volume.details.get(OWN_OUTPUT) or volume.details.get(COVERS_BRAIN)
    return not marked and not is_brain_mask(role) and not is_tissue_mask(role.partition(" (")[0])
