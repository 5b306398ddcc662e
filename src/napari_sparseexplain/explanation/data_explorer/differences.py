"""Patients whose matrix, pixel size, slice distance or orientation is not that of the rest."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .slice_record import SliceRecord
from .study_facts import StudyFacts

#: Share of the patients that must agree for the others to differ, and how many there must be.
_REST, _FEWEST = 0.75, 4

#: Patients that are named.
_NAMED = 6


@dataclass(frozen=True)
class Difference:
    """Patients that have another value than the rest.

    Attributes
    ----------
    what : str
        As ``"pixel size"``.
    value, rest : str
    patients : tuple of str
    """

    what: str
    value: str
    rest: str
    patients: tuple[str, ...]

    @property
    def words(self) -> str:
        """For a person."""
        named = ", ".join(self.patients[:_NAMED]) + (" …" if len(self.patients) > _NAMED else "")
        count = (
            "1 patient has" if len(self.patients) == 1 else f"{len(self.patients)} patients have"
        )
        return f"{count} another {self.what}, {self.value} and not {self.rest}: {named}"


def differences(records: Sequence[SliceRecord], studies: Sequence[StudyFacts]) -> list[Difference]:
    """What differs from nearly all others, by patient."""
    found = []
    told = [(r.item.patient, f"{r.shape[0]} × {r.shape[1]}") for r in records]
    found += _differing("matrix", told)
    sized = [(r.item.patient, spacing_text(r.spacing)) for r in records]
    found += _differing("pixel size", sized)
    if studies:
        apart = [(s.patient, "not told" if s.spacing is None else f"{s.spacing[0]:.3g} mm")
                 for s in studies]  # fmt: skip
        found += _differing("distance of slices", apart)
        stored = [(s.patient, s.orientation or "not told") for s in studies]
        found += _differing("orientation on file", stored)
        tilted = [(s.patient, "tilted slices" if s.tilt > 0.5 else "straight slices")
                  for s in studies]  # fmt: skip
        found += _differing("plane", tilted)
        found += _differing("scan", [(s.patient, s.scan) for s in studies])
    return found


def spacing_text(spacing: tuple[float, float] | None) -> str:
    """As ``"0.94 × 0.94 mm"``."""
    return "not told" if spacing is None else f"{spacing[0]:.3g} × {spacing[1]:.3g} mm"


def _differing(what: str, told: Iterable[tuple[str, str]]) -> list[Difference]:
    values: dict[str, Counter[str]] = defaultdict(Counter)
    for patient, value in told:
        values[patient][value] += 1
    if len(values) < _FEWEST:
        return []
    usual = Counter(counts.most_common(1)[0][0] for counts in values.values())
    rest, count = usual.most_common(1)[0]
    if count < _REST * len(values):
        return []
    others: dict[str, list[str]] = defaultdict(list)
    for patient, counts in values.items():
        for value in counts:
            if value != rest:
                others[value].append(patient)
    return [Difference(what, value, rest, tuple(names)) for value, names in others.items()]
