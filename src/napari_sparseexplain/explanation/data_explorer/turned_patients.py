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

#: … and how well at least: pictures of noise agree with nothing in any orientation.
_LEAST = 0.4

#: Patients between two steps of progress.
_STEP = 200

#: What has to be done to a patient's slices, by quarter turns counter-clockwise.
_TURNS = {1: "turned 90° counter-clockwise", 2: "turned by 180°", 3: "turned 90° clockwise"}

#: The eight orientations of a square, as quarter turns and a mirror.
ORIENTATIONS = tuple((turns, mirror) for mirror in (False, True) for turns in range(4))


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
    """

    patient: str
    turns: int
    mirror: bool
    correlation: float
    turned: float

    @property
    def words(self) -> str:
        """For a person."""
        ways = ["mirrored left to right"] if self.mirror else []
        ways += [_TURNS[self.turns]] if self.turns else []
        return (
            f"{self.patient} fits the rest when {' and then '.join(ways)}: the correlation of its "
            f"mean slice rises from {self.correlation:.2f} to {self.turned:.2f}"
        )


def turned_work(records: Sequence[SliceRecord]) -> Work[list[TurnedPatient]]:
    """Patients that agree better with the rest in another orientation, the clearest first.

    A hint, not a verdict: bodies differ.
    """
    whose: dict[str, list[int]] = defaultdict(list)
    for index, record in enumerate(records):
        whose[record.item.patient].append(index)
    if len(whose) < 4:
        return []  # of so few there is no rest
    total = np.zeros((SMALL, SMALL))
    for indices in whose.values():
        total += _mean(records, indices)
    found = []
    for number, (name, indices) in enumerate(whose.items()):
        if number % _STEP == 0:
            yield Progress(number, len(whose), "Comparing orientations")
        mean = _mean(records, indices)
        rest = (total - mean) / (len(whose) - 1)
        agreement = {way: _correlation(oriented(mean, *way), rest) for way in ORIENTATIONS}
        best = max(agreement, key=lambda way: agreement[way])
        better = agreement[best] - agreement[0, False] > _BETTER
        if better and agreement[best] >= _LEAST:
            found.append(TurnedPatient(name, *best, agreement[0, False], agreement[best]))
    return sorted(found, key=lambda t: t.correlation - t.turned)


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
