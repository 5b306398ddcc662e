"""Lesions over time points: matched by overlap, with numbers that persist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from ...errors import StudyError
from .components import Component, components_of


@dataclass(frozen=True)
class Followed:
    """The components of one time point, under numbers that persist.

    Attributes
    ----------
    components : tuple of Component
        The largest first.
    numbers : tuple of int
        The persistent number of each.
    changes : tuple of str
        What became of each since the time point before, in words; empty at the first.
    gone : tuple of int
        Numbers that the time point before had and this one has not.
    """

    components: tuple[Component, ...]
    numbers: tuple[int, ...]
    changes: tuple[str, ...]
    gone: tuple[int, ...] = ()


def follow_lesions(masks: Sequence[npt.NDArray[Any]]) -> tuple[Followed, ...]:
    """The components of masks of one grid, one a time point, under persistent numbers.

    Each component gets the number of the one that it shares voxels with, as last seen; where
    several overlap, those pairs whose shared voxels add up to most (an assignment). At the first
    time point the largest is 1; one that overlaps nothing gets a number that was never used. Masks
    must be registered: what moved by more than its size counts as gone and new.

    Parameters
    ----------
    masks : sequence of ndarray, shape (S, P, L)
        In the order of time.

    Raises
    ------
    StudyError
        Masks of unequal shape.
    SparseExplainError
        A mask falls into too many pieces.
    """
    arrays = [np.asarray(mask) for mask in masks]
    if len({array.shape for array in arrays}) > 1:
        raise StudyError(
            "the masks of the time points lie on unequal grids",
            remedy="Bring them to one grid first",
        )
    found: list[Followed] = []
    seen: npt.NDArray[np.int32] | None = None
    used, before = 0, ()
    for array in arrays:
        components = components_of(array)
        if seen is None:
            numbers = tuple(range(1, len(components) + 1))
            found.append(Followed(components, numbers, ("",) * len(components)))
            seen = np.zeros(array.shape, dtype=np.int32)
        else:
            shared = _overlaps(components, seen, used)
            numbers = _numbers(shared, used)
            changes = tuple(
                _change(number, row, shared, numbers, before)
                for number, row in zip(numbers, shared, strict=True)
            )
            gone = tuple(sorted(set(before) - set(numbers)))
            found.append(Followed(components, numbers, changes, gone))
        used = max((used, *numbers))
        before = numbers
        seen[np.isin(seen, numbers)] = 0
        for component, number in zip(components, numbers, strict=True):
            seen[component.box][component.inside] = number
    return tuple(found)


def _overlaps(
    components: Sequence[Component], seen: npt.NDArray[np.int32], used: int
) -> npt.NDArray[np.int64]:
    """Voxels that each component (row) shares with each number seen before (column, from 1)."""
    shared = np.zeros((len(components), used + 1), dtype=np.int64)
    for row, component in enumerate(components):
        shared[row] = np.bincount(seen[component.box][component.inside], minlength=used + 1)
    return shared[:, 1:]


def _numbers(shared: npt.NDArray[np.int64], used: int) -> tuple[int, ...]:
    rows, columns = linear_sum_assignment(shared, maximize=True)
    known = {
        int(row): int(column) + 1
        for row, column in zip(rows, columns, strict=True)
        if shared[row, column]
    }
    numbers = []
    for row in range(len(shared)):
        if row not in known:
            used += 1
            known[row] = used
        numbers.append(known[row])
    return tuple(numbers)


def _change(
    number: int,
    row: npt.NDArray[np.int64],
    shared: npt.NDArray[np.int64],
    numbers: Sequence[int],
    before: Sequence[int],
) -> str:
    """What became of one component, in words."""
    known = [int(column) + 1 for column in np.flatnonzero(row)]
    if not known:
        return "new"
    said = []
    if number not in before and number in known:
        said.append("back")
    if merged := [other for other in known if other != number and other not in numbers]:
        said.append(f"merged with {_listed(merged)}")
    if number not in known:
        # The number went to a larger part of what this one was.
        said.append(f"split from {_listed(known)}")
    elif parts := [
        other
        for other, voxels in zip(numbers, shared[:, number - 1], strict=True)
        if other != number and voxels and not _keeps_its_own(other, shared, numbers)
    ]:
        said.append(f"split, see {_listed(parts)}")
    return "; ".join(said) or "same"


def _keeps_its_own(number: int, shared: npt.NDArray[np.int64], numbers: Sequence[int]) -> bool:
    """Whether a component carries on one that was there, and is no part of another alone."""
    row = shared[list(numbers).index(number)]
    return number <= len(row) and bool(row[number - 1])


def _listed(numbers: Sequence[int]) -> str:
    *first, last = (str(number) for number in sorted(numbers))
    return f"{', '.join(first)} and {last}" if first else last
