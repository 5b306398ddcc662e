"""Patients whose slices are turned or mirrored against the rest of a set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...progress import Progress, Work
from .slice_record import SMALL, SliceRecord

#: By how much another orientation must agree better with the rest.
_BETTER = 0.15

#: The same of that part of an image which a turn changes.
_BETTER_CHANGED = 0.45

#: What that part must come to: pictures that have nothing in common agree by chance.
_FITS = 0.3

#: Share of the others that must agree with each other for that part to tell anything, and of how
#: many patients in all.
_AGREE, _FEWEST = 0.75, 5

#: Patients that are asked so, those that gain most.
_ASKED = 50

#: By how much a mirror must be better to be told beside a turn: heads are alike when mirrored.
_MIRRORED = 0.1

#: … and how well at least: pictures of noise agree with nothing in any orientation.
_LEAST = 0.4

#: Patients between two steps of progress.
_STEP = 200

#: What has to be done to a patient's slices, by quarter turns counter-clockwise.
_TURNS = {1: "turned 90° counter-clockwise", 2: "turned by 180°", 3: "turned 90° clockwise"}

#: The eight orientations of a square, as quarter turns and a mirror.
ORIENTATIONS = tuple((turns, mirror) for mirror in (False, True) for turns in range(4))

Image = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TurnedPatient:
    """A patient whose mean slice agrees better with the rest when it is turned.

    Attributes
    ----------
    turns : int
        Quarter turns counter-clockwise, after the mirror.
    mirror : bool
        Left and right exchanged first.
    correlation, turned : float
        With the mean of all other patients, as it is and turned.
    of : str
        What was correlated.
    """

    patient: str
    turns: int
    mirror: bool
    correlation: float
    turned: float
    of: str = "its mean slice"

    @property
    def words(self) -> str:
        """For a person."""
        ways = ["mirrored left to right"] if self.mirror else []
        ways += [_TURNS[self.turns]] if self.turns else []
        return (
            f"{self.patient} fits the rest when {' and then '.join(ways)}: the correlation of "
            f"{self.of} rises from {self.correlation:.2f} to {self.turned:.2f}"
        )


def turned_work(records: Sequence[SliceRecord]) -> Work[list[TurnedPatient]]:
    """Patients that agree better with the rest in another orientation, the clearest first.

    Asked of the mean slices as they are, and, for turns, of that part of them which a turn changes:
    a head is nearly round, so that its outline alone agrees in any orientation. A hint, not a
    verdict: bodies differ.
    """
    whose: dict[str, list[int]] = defaultdict(list)
    for index, record in enumerate(records):
        whose[record.item.patient].append(index)
    if len(whose) < 4:
        return []  # of so few there is no rest
    total, total_changed = np.zeros((SMALL, SMALL)), np.zeros((SMALL, SMALL))
    for indices in whose.values():
        mean = _mean(records, indices)
        total += mean
        total_changed += changed_by_turns(mean)
    found: list[TurnedPatient] = []
    asked: list[TurnedPatient] = []
    for number, (name, indices) in enumerate(whose.items()):
        if number % _STEP == 0:
            yield Progress(number, len(whose), "Comparing orientations")
        mean = _mean(records, indices)
        rest = (total - mean) / (len(whose) - 1)
        agreement = _agreements(mean, rest)
        best = max(agreement, key=lambda way: agreement[way])
        better = agreement[best] - agreement[0, False] > _BETTER
        if better and agreement[best] >= _LEAST:
            found.append(TurnedPatient(name, *best, agreement[0, False], agreement[best]))
        elif len(whose) >= _FEWEST:
            part = changed_by_turns(mean)
            agreement = _agreements(part, (total_changed - part) / (len(whose) - 1))
            if (turned := _turned(name, agreement)) is not None:
                asked.append(turned)
    asked = sorted(asked, key=lambda t: t.correlation - t.turned)[:_ASKED]
    for number, one in enumerate(asked):
        yield Progress(number, len(asked), "Comparing orientations")
        own = changed_by_turns(_mean(records, whose[one.patient]))
        others = [_mean(records, i) for name, i in whose.items() if name != one.patient]
        if _share_that_agrees(others, total_changed - own) >= _AGREE:
            found.append(one)
    return sorted(found, key=lambda t: t.correlation - t.turned)


def changed_by_turns(image: Image) -> Image:
    """A square less its mean over the eight orientations, its length 1: what a turn changes of it.

    All 0 of what is the same in every orientation.
    """
    part = image - np.mean([oriented(image, *way) for way in ORIENTATIONS], axis=0)
    length = float(np.linalg.norm(part))
    return part / length if length > 1e-9 * max(1.0, float(np.abs(image).max())) else 0 * part


def _agreements(image: Image, rest: Image) -> dict[tuple[int, bool], float]:
    return {way: _correlation(oriented(image, *way), rest) for way in ORIENTATIONS}


def _turned(name: str, agreement: dict[tuple[int, bool], float]) -> TurnedPatient | None:
    """A turn that agrees clearly better than none; the mirror alone is not asked."""
    unturned = max(agreement[0, False], agreement[0, True])
    plain, mirrored = (
        max(((turns, mirror) for turns in (1, 2, 3)), key=lambda way: agreement[way])
        for mirror in (False, True)
    )
    best = mirrored if agreement[mirrored] > agreement[plain] + _MIRRORED else plain
    top = agreement[best]
    if top < _FITS or top - unturned < _BETTER_CHANGED:
        return None
    return TurnedPatient(
        name, *best, agreement[0, False], top, "what a turn changes of its mean slice"
    )


def _share_that_agrees(others: Sequence[Image], total: Image) -> float:
    """Share of some patients that agree better with the rest of these as they are than turned."""
    count = 0
    for mean in others:
        part = changed_by_turns(mean)
        agreement = _agreements(part, total - part)
        turned = max(value for (turns, _), value in agreement.items() if turns)
        count += agreement[0, False] > turned
    return count / len(others)


def _mean(records: Sequence[SliceRecord], indices: Sequence[int]) -> npt.NDArray[np.float64]:
    total = np.zeros((SMALL, SMALL))
    for index in indices:
        total += records[index].small
    return total / len(indices)


def oriented(image: npt.NDArray[np.floating], turns: int, mirror: bool) -> npt.NDArray[np.floating]:
    """An image mirrored, then turned."""
    return np.rot90(image[:, ::-1] if mirror else image, turns)


def _correlation(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    a, b = a - a.mean(), b - b.mean()
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / lengths if lengths > 0 else 0.0
