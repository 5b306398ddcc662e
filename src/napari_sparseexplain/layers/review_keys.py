"""The keys by which a review names the studies and explanations of the viewer's layers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ..evidence import Explanation
from ..volumes import Study


@dataclass
class ReviewKeys:
    """Studies and explanations met so far, by key; the same layers in one order give the same keys.

    Attributes
    ----------
    studies, explanations : dict
    study_of : dict
        Key of the study of every explanation.
    notes : list of str
        What is in the picture and cannot be in a review, in sentences for a person.
    """

    studies: dict[str, Study] = field(default_factory=dict)
    explanations: dict[str, Explanation] = field(default_factory=dict)
    study_of: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def study(self, study: Study) -> str:
        """Key of a study: ``study``, ``study-2`` …"""
        for key, known in self.studies.items():
            if known is study:
                return key
        return _put(self.studies, "study", study)

    def explanation(self, explanation: Explanation, study: Study) -> str:
        """Key of an explanation, from its method and target."""
        for key, known in self.explanations.items():
            if known is explanation:
                return key
        words = f"{explanation.method} {explanation.target}".lower()
        name = re.sub(r"[^a-z0-9]+", "-", words).strip("-") or "explanation"
        key = _put(self.explanations, name, explanation)
        self.study_of[key] = self.study(study)
        return key

    def note(self, *sentences: str) -> None:
        """Say something once."""
        self.notes += [s for s in dict.fromkeys(sentences) if s not in self.notes]


def _put(shelf: dict[str, Any], name: str, item: Any) -> str:
    key, number = name, 2
    while key in shelf:
        key, number = f"{name}-{number}", number + 1
    shelf[key] = item
    return key
