"""Splits in which no patient stands on both sides, and the paper's own, in which they do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ...volumes.labelled.slice_name import group_of
from .short_axis_slices import ShortAxisSlices


def patient_folds(patients: Sequence[str], folds: int = 5, seed: int = 0) -> list[list[str]]:
    """Patients in ``folds`` parts, every group spread over all of them.

    Parameters
    ----------
    patients : sequence of str
        In any order, once or several times.

    Raises
    ------
    ParameterError
        Fewer patients than folds.
    """
    known = sorted(set(patients))
    if len(known) < 2:
        raise ParameterError(
            f"a fold needs at least 2 patients, and there is {len(known) or 'none'}",
            remedy="Leave out --fold, or give slices of more patients",
        )
    if not 2 <= folds <= len(known):
        raise ParameterError(
            f"{len(known)} patients do not make {folds} folds",
            remedy=f"Choose 2 to {len(known)} folds",
        )
    by_group: dict[str, list[str]] = defaultdict(list)
    for patient in known:
        by_group[group_of(patient)].append(patient)
    rng = np.random.default_rng(seed)
    parts: list[list[str]] = [[] for _ in range(folds)]
    place = 0
    for group in sorted(by_group):
        for index in rng.permutation(len(by_group[group])):
            parts[place % folds].append(by_group[group][index])
            place += 1
    return [sorted(part) for part in parts]


def refuse_shared(training: Sequence[str], judged: Sequence[str]) -> None:
    """Refuse a patient who is trained on and judged.

    Raises
    ------
    ParameterError
        Names them.
    """
    both = sorted(set(training) & set(judged))
    if both:
        shown = ", ".join(both[:5]) + (" …" if len(both) > 5 else "")
        raise ParameterError(
            f"{len(both)} patients are in both parts of the split ({shown})",
            remedy="Give each patient to one part; a score of seen patients says nothing",
        )


def leaking_split(
    slices: ShortAxisSlices, judged: int, seed: int = 0
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows to train on and to judge, slices drawn at random as in the paper: patients leak.

    It serves only to measure how much better that looks.
    """
    order = np.random.default_rng(seed).permutation(len(slices))
    return np.sort(order[judged:]), np.sort(order[:judged])
