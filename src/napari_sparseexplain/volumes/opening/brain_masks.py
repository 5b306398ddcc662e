"""A mask that covers the brain, whatever it is called: the study's brain mask, and no truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..brain_mask import FoundBrain
from ..finding import Finding
from ..labels.purpose import BRAIN, COVERS_BRAIN
from ..labels.values import labels_of
from ..volume import Volume

#: Share of a stripped brain that no lesion takes.
_MOST_OF_BRAIN = 0.6

#: Millilitres of a brain in a head, which no lesion reaches, and its least share of the head.
_BRAIN_IN_HEAD_ML, _BRAIN_OF_HEAD = (600.0, 2300.0), 0.2

#: A brain that is smaller is no whole human one.
_SMALLEST_BRAIN_ML = 200.0


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
