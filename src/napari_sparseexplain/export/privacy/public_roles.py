"""Names of scans and masks that may leave: known roles, and numbers in place of all others."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...volumes import Study
from ...volumes.roles.roles import LABEL_ROLES, ROLES
from .letters import plain_words
from .vocabulary import SHORTEST, harmless_words

_KNOWN_ROLE = re.compile(rf"(?:{'|'.join(map(re.escape, (*ROLES, *LABEL_ROLES)))})(?: \([0-9]+\))?")


def is_known_role(role: str) -> bool:
    """Whether a role is one of this program's own, with a number perhaps."""
    return bool(_KNOWN_ROLE.fullmatch(role))


def public_roles(study: Study) -> dict[str, str]:
    """Public role by role; unknown ones are numbered in the study's order."""
    public: dict[str, str] = {}
    for shelf, word in ((study.images, "scan"), (study.labels, "mask")):
        number = 0
        for role in shelf:
            if is_known_role(role):
                public[role] = role
                continue
            number += 1
            while f"{word} {number}" in study and f"{word} {number}" != role:
                number += 1
            public[role] = f"{word} {number}"
    return public


def with_public_roles(said: str, roles: Mapping[str, str]) -> str:
    """Words in which a scan is called by its file: what stands for it takes its place."""
    for old, new in sorted(roles.items(), key=lambda pair: -len(pair[0])):
        if old != new and _is_telling(old):
            said = re.sub(rf"(?<![^\W_]){re.escape(old)}(?![^\W_])", new, said)
    return said


def _is_telling(role: str) -> bool:
    """Whether a name of a scan can name somebody: "12" and "a" stand in words of any kind."""
    words = plain_words(role)
    return any(len(w) >= SHORTEST and not w.isdigit() and w not in harmless_words() for w in words)
