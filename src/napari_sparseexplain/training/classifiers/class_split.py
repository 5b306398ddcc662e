"""Which pictures are trained on, chosen by, and judged on: patients apart as far as is told."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ...volumes.labelled.class_image import ClassImage

#: Pictures on either side of a cut through a run that are left out: a patient's slices follow one
#: another, and the patient at the cut would stand on both sides.
MARGIN = 3

#: Shares of the pictures that settings are chosen by, and that are judged on.
CHOOSING, JUDGING = 0.16, 0.2

#: Share that the paper judges on, of slices drawn at random.
JUDGING_AT_RANDOM = 0.3

#: Folders that are sides of a split.
_TEST, _VALIDATION, _FOLD = (re.compile(p) for p in ("test|holdout", "val", "fold"))


@dataclass(frozen=True, eq=False)
class ClassSplit:
    """Rows of three disjoint parts.

    Attributes
    ----------
    training, choosing, judging : ndarray of int
        Choosing is for settings, judging for the figures that are told.
    how : str
        In words: by what the parts were divided.
    at_random : bool
        Whether slices were drawn at random, so that patients stand on both sides.
    """

    training: npt.NDArray[np.intp]
    choosing: npt.NDArray[np.intp]
    judging: npt.NDArray[np.intp]
    how: str
    at_random: bool = False


def split_classes(
    images: Sequence[ClassImage],
    *,
    choosing: float = CHOOSING,
    judging: float | None = None,
    margin: int = MARGIN,
    at_random: bool = False,
    seed: int = 0,
) -> ClassSplit:
    """Divide pictures by their folders, by patient, or by the order of their numbers.

    Where folders say what trains and what tests, they are the split. Where patients are told,
    these stay together; the other pictures are cut by their numbers. Numbers that run by patient
    within every run of one class and view are cut at the same relative place in each: so all views
    stand in every part, and a patient, whose place in each run is about the same, on one side. A
    plain range of numbers would do neither.

    What judges is found first and is the same whatever is wanted to choose by.

    Parameters
    ----------
    choosing, judging : float
        Shares of the pictures; those to judge are the ends of the runs. `JUDGING` when not given,
        and `JUDGING_AT_RANDOM` at random.
    margin : int
        Pictures left out on both sides of a cut.
    at_random : bool
        Slices at random, as the paper does: patients stand on both sides.
    seed : int
        Of the order of pictures at random, and of patients.
    """
    count = len(images)
    share = judging or (JUDGING_AT_RANDOM if at_random else JUDGING)
    if at_random:
        order = np.random.default_rng(seed).permutation(count)
        one, two = round(count * (1 - choosing - share)), round(count * (1 - share))
        how = "slices at random; patients stand on both sides"
        parts = _split(order[:one], order[one:two], order[two:], how)
        return replace(parts, at_random=True)
    if given := _sides_by_folder(images):
        return _by_folder(images, given, choosing, margin, seed)
    return _without_folders(images, range(count), choosing, share, margin, seed)


def _without_folders(
    images: Sequence[ClassImage],
    rows: Iterable[int],
    choosing: float,
    judging: float,
    margin: int,
    seed: int,
) -> ClassSplit:
    """Those with a patient by patient, the others by their numbers."""
    rows = list(rows)
    told = [i for i in rows if images[i].patient]
    counting = [i for i in rows if not images[i].patient]
    splits = []
    if told:
        splits.append(_by_patient(images, told, choosing, judging, seed))
    if counting or not told:
        splits.append(_by_runs(images, counting, choosing, judging, margin))
    if len(splits) == 1:
        return splits[0]
    how = (
        f"{len(told)} pictures {splits[0].how}; {len(counting)} whose names tell no patient: "
        f"{splits[1].how}"
    )
    return _split(
        [*splits[0].training, *splits[1].training],
        [*splits[0].choosing, *splits[1].choosing],
        [*splits[0].judging, *splits[1].judging],
        how,
    )


def _by_runs(
    images: Sequence[ClassImage],
    chosen: Iterable[int],
    choosing: float,
    judging: float,
    margin: int,
) -> ClassSplit:
    """Every run of one class and view cut at the same relative place."""
    runs: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index in chosen:
        runs[images[index].run].append(index)
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    narrow = 0
    for rows in runs.values():
        rows.sort(key=lambda i: (images[i].number is None, images[i].number or 0, images[i].name))
        one, two = (round(len(rows) * cut) for cut in (1 - choosing - judging, 1 - judging))
        gap = margin if len(rows) > 10 * margin else 0
        # Of a short run the part to choose by would be all margin: its first cut has less.
        first = gap if one == two else min(gap, max(0, (two - gap - one - 1)))
        narrow += min(gap, first) < margin
        parts[0].extend(rows[: max(one - first, 1)])
        if two - gap > one + first:
            parts[1].extend(rows[one + first : two - gap])
        parts[2].extend(rows[two + gap :])
    how = "every run of one class and view cut at the same relative place of its numbers, "
    if not margin:
        how += "no picture left out at the cuts: a patient may stand on both sides"
    elif narrow == len(runs):
        how += (
            f"fewer than {margin} pictures left out on both sides of a cut, as the runs are short: "
            "a patient may stand on both sides"
        )
    else:
        how += f"{margin} pictures left out on both sides of each cut"
        if narrow:
            how += f" ({narrow} of the {len(runs)} runs are short, and have fewer left out or none)"
    return _split(*parts, how)


def _sides_by_folder(images: Sequence[ClassImage]) -> tuple[str, ...]:
    """Folders whose pictures judge; none where folders say no split.

    ``test/`` where there is one; else ``val/``, beside others; else the last of several folds.
    """
    sides = {image.split for image in images}
    for kind in (_TEST, _VALIDATION, _FOLD):
        found = sorted(side for side in sides if kind.match(side))
        if kind is _FOLD:
            found = sorted(found, key=lambda side: int(re.sub(r"\D", "", side)))[-1:]
        if found and sides != set(found):
            return tuple(found)
    return ()


def _by_folder(
    images: Sequence[ClassImage],
    judged: Sequence[str],
    choosing: float,
    margin: int,
    seed: int,
) -> ClassSplit:
    """What the folders' own split says; of a patient who judges no picture is trained on."""
    judging = [i for i, image in enumerate(images) if image.split in judged]
    known = {images[i].patient for i in judging} - {""}
    others = [i for i, image in enumerate(images) if image.split not in judged]
    rest = [i for i in others if images[i].patient not in known]
    how = f"by the folders: {' and '.join(judged)} judges"
    if len(rest) < len(others):
        how += f"; {len(others) - len(rest)} pictures of its patients are not trained on"
    if not choosing:
        return _split(rest, [], judging, how)
    held = [i for i in rest if _VALIDATION.match(images[i].split)]
    if held:
        training = sorted(set(rest) - set(held))
        return _split(training, held, judging, f"{how}, {images[held[0]].split} is to choose by")
    cut = _without_folders(images, rest, 0.0, choosing / (1 - JUDGING), margin, seed)
    return _split(cut.training, cut.judging, judging, f"{how}; to choose by: {cut.how}")


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
    images: Sequence[ClassImage],
    chosen: Iterable[int],
    choosing: float,
    judging: float,
    seed: int,
) -> ClassSplit:
    """Whole patients, class by class in about the shares that are wanted.

    Who judges is settled first: the others are then shared out, and nobody changes sides with
    the share to choose by.
    """
    rows: dict[str, list[int]] = defaultdict(list)
    for index in chosen:
        rows[images[index].patient].append(index)
    patients = [str(p) for p in np.random.default_rng(seed).permutation(sorted(rows))]
    rest, judged = _shared_out(images, rows, patients, judging)
    training, held = rest, []
    if choosing:
        training, held = _shared_out(images, rows, rest, choosing / (1 - judging))
    one, two, three = (
        [i for patient in part for i in rows[patient]] for part in (training, held, judged)
    )
    return _split(one, two, three, "by patient, as the names tell")


def _shared_out(
    images: Sequence[ClassImage],
    rows: Mapping[str, Sequence[int]],
    patients: Iterable[str],
    share: float,
) -> tuple[list[str], list[str]]:
    """Patients in two parts, of which the second has about a share of each class's pictures."""
    of_class: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    parts: tuple[list[str], list[str]] = ([], [])
    for patient in patients:
        have = of_class[images[rows[patient][0]].label]
        # To where most is missing of the share.
        total = sum(have) + len(rows[patient])
        to = int(share * total - have[1] > (1 - share) * total - have[0])
        parts[to].append(patient)
        have[to] += len(rows[patient])
    return parts
