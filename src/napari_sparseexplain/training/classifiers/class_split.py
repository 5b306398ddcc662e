"""Which pictures are trained on, chosen by, and judged on: patients apart as far as is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...volumes.labelled.class_image import ClassImage

#: Pictures on either side of a cut through a run that are left out: a patient's slices follow one
#: another, and the patient at the cut would stand on both sides.
MARGIN = 3

#: Shares of the pictures that settings are chosen by, and that are judged on.
CHOOSING, JUDGING = 0.16, 0.2


@dataclass(frozen=True, eq=False)
class ClassSplit:
    """Rows of three disjoint parts.

    Attributes
    ----------
    training, choosing, judging : ndarray of int
        Choosing is for settings, judging for the figures that are told.
    how : str
        In words: by what the parts were divided.
    """

    training: npt.NDArray[np.intp]
    choosing: npt.NDArray[np.intp]
    judging: npt.NDArray[np.intp]
    how: str


def split_classes(
    images: Sequence[ClassImage],
    *,
    choosing: float = CHOOSING,
    judging: float = JUDGING,
    margin: int = MARGIN,
    at_random: bool = False,
    seed: int = 0,
) -> ClassSplit:
    """Divide pictures by patient, where there is one, or by the order of their numbers.

    Numbers that run by patient within every run of one class and view are cut at the same relative
    place in each: so all views stand in every part, and a patient, whose place in each run is about
    the same, on one side. A plain range of numbers would do neither.

    Parameters
    ----------
    choosing, judging : float
        Shares of the pictures; those to judge are the ends of the runs.
    margin : int
        Pictures left out on both sides of a cut.
    at_random : bool
        Slices at random, as the paper does: patients stand on both sides.
    """
    count = len(images)
    if at_random:
        order = np.random.default_rng(seed).permutation(count)
        one, two = round(count * (1 - choosing - judging)), round(count * (1 - judging))
        how = "slices at random; patients stand on both sides"
        return _split(order[:one], order[one:two], order[two:], how)
    if sum(bool(image.patient) for image in images) > count / 2:
        return _by_patient(images, choosing, judging, seed)
    runs: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, image in enumerate(images):
        runs[image.run].append(index)
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for rows in runs.values():
        rows.sort(key=lambda i: (images[i].number is None, images[i].number or 0, images[i].name))
        one, two = (round(len(rows) * cut) for cut in (1 - choosing - judging, 1 - judging))
        gap = margin if len(rows) > 10 * margin else 0
        parts[0].extend(rows[: max(one - gap, 1)])
        if two - gap > one + gap:
            parts[1].extend(rows[one + gap : two - gap])
        parts[2].extend(rows[two + gap :])
    how = (
        "every run of one class and view cut at the same relative place of its numbers, "
        f"{margin} pictures left out on both sides of each cut"
    )
    return _split(*parts, how)


def _split(
    training: Iterable[int], choosing: Iterable[int], judging: Iterable[int], how: str
) -> ClassSplit:
    one, two, three = (
        np.asarray(sorted(int(i) for i in part), dtype=np.intp)
        for part in (training, choosing, judging)
    )
    return ClassSplit(one, two, three, how)


def sides_of(split: ClassSplit, count: int) -> tuple[str, ...]:
    """The part that each picture is in; empty where it was left out at a cut."""
    sides = [""] * count
    for name, rows in (
        ("training", split.training),
        ("choosing", split.choosing),
        ("judging", split.judging),
    ):
        for row in rows:
            sides[int(row)] = name
    return tuple(sides)


def _by_patient(
    images: Sequence[ClassImage], choosing: float, judging: float, seed: int
) -> ClassSplit:
    """Whole patients, class by class in about the shares that are wanted."""
    rows: dict[str, list[int]] = defaultdict(list)
    for index, image in enumerate(images):
        rows[image.patient or f"?{image.name}"].append(index)
    patients = np.random.default_rng(seed).permutation(sorted(rows))
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    wanted = (1 - choosing - judging, choosing, judging)
    of_class: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for patient in patients:
        label = images[rows[patient][0]].label
        have = of_class[label]
        # To where most is missing of the share.
        total = sum(have) + len(rows[patient])
        to = int(np.argmax([share * total - got for share, got in zip(wanted, have, strict=True)]))
        parts[to].extend(rows[patient])
        have[to] += len(rows[patient])
    return _split(*parts, "by patient, as the names tell")
