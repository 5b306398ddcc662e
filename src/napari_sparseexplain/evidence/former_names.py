"""Names of maps and scores that were others in files of earlier versions."""

from __future__ import annotations

from collections.abc import Mapping

#: Present name of a map by its former one.
MAPS: Mapping[str, str] = {
    "mask-largest-piece": "mask-largest-component",
    "true-mask": "reference-segmentation",
}

#: Present words in the name of a score by the former ones.
_SCORES: Mapping[str, str] = {
    "completeness gap": "completeness error",
    "gap of the integrated gradients": "completeness error of the integrated gradients",
    "randomised ρ": "parameter randomisation",
    "largest piece": "largest connected component",
}


def other_map_name(name: str) -> str:
    """The other name of a map that was renamed, whichever is given; empty where it has one."""
    former = {present: name for name, present in MAPS.items()}
    return MAPS.get(name, former.get(name, ""))


def present_score_name(name: str) -> str:
    """What a score of an earlier version is called now."""
    for former, present in _SCORES.items():
        if former in name:
            return name.replace(former, present)
    return name
