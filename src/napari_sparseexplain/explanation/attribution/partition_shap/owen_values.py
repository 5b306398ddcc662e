"""Owen values: each region's share of a change of score, from scores of images partly hidden.

Shapley values for players who come in nested unions: G. Owen, *Values of games with a priori
unions*, 1977. Between the two halves of a region the change is shared by their Shapley value of
two, in every case of what is shown around; an exact answer asks for four times as many scores with
every level. As in the Partition explainer of Lundberg's package `shap`, regions are therefore cut
in the order of how much is at stake, until the scores are used up, and what is not cut any more is
spread evenly over its pixels. Every cut shares out exactly what was there: the values add up to the
change of score after any number of scores.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ....progress import Progress, Work
from .region_tree import RegionTree

#: Leaves shown (B, count) to scores (B,).
Value = Callable[[npt.NDArray[np.bool_]], npt.NDArray[np.float64]]

#: Cuts that are asked about at once, whatever the device: the order of cuts, and so the values,
#: do not depend on it.
TOGETHER = 8


@dataclass(frozen=True, eq=False)
class OwenValues:
    """What was found.

    Attributes
    ----------
    leaves : ndarray, shape (count,)
        Share of each leaf, all its pixels together.
    change : float
        Score with everything shown less that with all hidden; the sum of ``leaves``.
    evaluations : int
        Scores that were asked for.
    """

    leaves: npt.NDArray[np.float64]
    change: float
    evaluations: int


@dataclass(frozen=True, eq=False)
class _Case:
    """A region with what is shown around it, as bits of the leaves outside."""

    start: int
    stop: int
    around: npt.NDArray[np.uint8]
    without: float
    shown: float
    weight: float

    @property
    def share(self) -> float:
        return self.weight * (self.shown - self.without)


def owen_values(value: Value, tree: RegionTree, *, evaluations: int) -> Work[OwenValues]:
    """Owen values of a tree's leaves, exact where the scores suffice for all cuts.

    Parameters
    ----------
    value : callable
        Score with some leaves shown and the others hidden.
    evaluations : int
        Scores to ask for, at most; at least 2.
    """
    count, sizes = tree.count, tree.sizes
    leaves = np.zeros(count)
    if count == 0:
        return OwenValues(leaves, 0.0, 0)
    bare, whole = value(np.array([[False] * count, [True] * count])).tolist()
    done = 2
    yield Progress(done, evaluations, f"Score {done} of {evaluations}")
    queue: list[tuple[float, int, _Case]] = []
    pushed = 0

    def keep(case: _Case) -> None:
        nonlocal pushed
        if case.stop - case.start == 1:
            leaves[case.start] += case.share
            return
        # Of equal ones the first: the number also keeps cases from being compared.
        heapq.heappush(queue, (-abs(case.share), pushed, case))
        pushed += 1

    keep(_Case(0, count, np.packbits(np.zeros(count, dtype=bool)), bare, whole, 1.0))
    while queue and done + 2 <= evaluations:
        most = min(TOGETHER, (evaluations - done) // 2, len(queue))
        cases = [heapq.heappop(queue)[2] for _ in range(most)]
        asked = np.stack([shown for case in cases for shown in _halves(case, tree)])
        found = value(asked).reshape(-1, 2)
        done += 2 * most
        for case, (shown_left, shown_right), (left, right) in zip(
            cases, asked.reshape(most, 2, count), found.tolist(), strict=True
        ):
            middle = tree.middles[case.start, case.stop]
            beside_left, beside_right = np.packbits(shown_left), np.packbits(shown_right)
            half = case.weight / 2
            keep(_Case(case.start, middle, case.around, case.without, left, half))
            keep(_Case(case.start, middle, beside_right, right, case.shown, half))
            keep(_Case(middle, case.stop, case.around, case.without, right, half))
            keep(_Case(middle, case.stop, beside_left, left, case.shown, half))
        yield Progress(done, evaluations, f"Score {done} of {evaluations}")
    for *_, case in queue:
        part = slice(case.start, case.stop)
        leaves[part] += case.share * sizes[part] / sizes[part].sum()
    return OwenValues(leaves, whole - bare, done)


def _halves(case: _Case, tree: RegionTree) -> list[npt.NDArray[np.bool_]]:
    """What is shown around a region, with its left half and with its right one."""
    middle = tree.middles[case.start, case.stop]
    found = []
    for start, stop in ((case.start, middle), (middle, case.stop)):
        shown = np.unpackbits(case.around, count=tree.count).astype(bool)
        shown[start:stop] = True
        found.append(shown)
    return found
