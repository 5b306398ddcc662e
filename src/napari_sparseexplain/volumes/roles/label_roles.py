"""Which of a study's label volumes is its brain mask, and which one results are scored against."""

from __future__ import annotations

from ..labels.purpose import BRAIN, LESIONS, can_be_truth, is_brain_mask
from ..study import Study


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
