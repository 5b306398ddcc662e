"""Several visits in one study: each as a study of its own, and scans of a kind found in another."""

from __future__ import annotations

from dataclasses import replace

from .reading_order import first_shown
from .roles.roles import read_name
from .study import Study
from .time_points import points_of_study


def visits_of(study: Study) -> dict[str, Study]:
    """The visits of a study that holds several, by the word that tells them; else none.

    What no name or header tells the visit of (a mask without one) belongs to none.
    """
    found = {}
    for point, roles in points_of_study(study).items():
        images = {r: v for r, v in study.images.items() if r in roles}
        if not point or not images:
            continue
        found[point] = replace(
            study,
            name=point,
            images=images,
            labels={r: v for r, v in study.labels.items() if r in roles},
            reference=study.reference if study.reference in images else next(iter(images)),
            originals={r: v for r, v in study.originals.items() if r in roles},
            findings=tuple(f for f in study.findings if f.where in roles),
        )
    return found


def same_kind(role: str, other: Study) -> str:
    """The scan of another study that is of the same kind as ``role``; else that it opens with."""
    if role in other.images:
        return role
    wanted = read_name(role).role
    for candidate in other.images:
        if wanted is not None and read_name(candidate).role == wanted:
            return candidate
    return first_shown(other)


def of_one_kind(role: str, other: str) -> bool:
    """Whether two roles are of scans of one kind, whatever their visits; unknown ones count so."""
    kinds = [read_name(name).role for name in (role, other)]
    return None in kinds or kinds[0] == kinds[1]
