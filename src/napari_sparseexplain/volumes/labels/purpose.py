"""What a label volume can be for: a lesion that is scored against, the brain, a result of ours."""

from __future__ import annotations

from dataclasses import replace

from ..roles.roles import is_tissue_mask
from ..volume import Volume

#: Roles that scores are against, in this order; others only where they are the only mask.
LESIONS, BRAIN = "seg", "brain_mask"

#: What ``details`` holds for a map that this program, or a copy of it, wrote.
OWN_OUTPUT = "own_output"

#: What ``details`` holds for a mask of (nearly) the whole brain, whatever it is called.
COVERS_BRAIN = "covers_brain"


def is_brain_mask(role: str) -> bool:
    """Whether a role (also ``"brain_mask (2)"``) is that of a brain mask."""
    base = role.partition(" (")[0].casefold()
    return base.replace("-", "_").replace(" ", "_") in (BRAIN, "brainmask", "head_mask", "brain")


def as_given(volume: Volume) -> Volume:
    """A volume under a role that a person gave it: their word goes before the file's own."""
    details = {k: v for k, v in volume.details.items() if k not in (OWN_OUTPUT, COVERS_BRAIN)}
    return volume if len(details) == len(volume.details) else replace(volume, details=details)


def can_be_truth(role: str, volume: Volume) -> bool:
    """Whether a label volume may be scored against."""
    marked = volume.details.get(OWN_OUTPUT) or volume.details.get(COVERS_BRAIN)
    return not marked and not is_brain_mask(role) and not is_tissue_mask(role.partition(" (")[0])
