"""The split: by the folders, by patient, by runs; the same judges whatever is chosen by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_sparseexplain.training.classifiers.class_split import (
    ClassSplit,
    sides_of,
    split_classes,
)
from napari_sparseexplain.volumes.labelled.class_image import ClassImage


def run_of(label: str, count: int, patients: int = 0, split: str = "") -> list[ClassImage]:
    """Numbered pictures of a class; so many of each patient, where there are patients."""
    return [
        ClassImage(
            f"{split}{i}", label, Path(f"{label}/{split}{i}.png"), i, "",
            f"{label}{i // patients}" if patients else "", split,
        )
        for i in range(count)
    ]  # fmt: skip


def numbered(label: str, view: str, count: int, first: int) -> list[ClassImage]:
    return [
        ClassImage(str(first + i), label, Path(f"{first + i}.png"), first + i, view)
        for i in range(count)
    ]


def patients_in(images: Sequence[ClassImage], rows: np.ndarray) -> set[str]:
    return {images[i].patient for i in rows} - {""}


def check(images: Sequence[ClassImage], split: ClassSplit) -> None:
    """No picture and no patient is in two parts."""
    parts = (split.training, split.choosing, split.judging)
    rows = np.concatenate(parts)
    assert len(set(rows)) == len(rows)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not patients_in(images, parts[one]) & patients_in(images, parts[other])


def test_every_run_is_cut_at_the_same_place_and_its_end_judges() -> None:
    images = [
        *numbered("a", "axial", 100, 1), *numbered("a", "coronal", 50, 101),
        *numbered("b", "axial", 60, 151),
    ]  # fmt: skip
    split = split_classes(images)
    for label, view, count, first in (
        ("a", "axial", 100, 1), ("a", "coronal", 50, 101), ("b", "axial", 60, 151),
    ):  # fmt: skip
        of = {
            name: [images[i].number - first for i in rows if images[i].run == (label, view)]
            for name, rows in (
                ("training", split.training), ("choosing", split.choosing),
                ("judging", split.judging),
            )
        }  # fmt: skip
        cuts = round(0.64 * count), round(0.8 * count)
        assert of["training"] == list(range(cuts[0] - 3))
        assert of["choosing"] == list(range(cuts[0] + 3, cuts[1] - 3))
        assert of["judging"] == list(range(cuts[1] + 3, count)), "a patient at the cut is in none"
    again = split_classes(images, choosing=0.0)
    assert set(again.judging) == set(split.judging), "the same whether settings are chosen or not"
    assert set(split.training) < set(again.training)
    assert Counter(sides_of(split, len(images)))["judging"] == len(split.judging)


@pytest.mark.parametrize("patients", [0, 5])
@pytest.mark.parametrize("seed", range(3))
def test_who_judges_is_the_same_whether_settings_are_chosen_or_not(
    patients: int, seed: int
) -> None:
    images = [*run_of("a", 103, patients), *run_of("b", 61, patients)]
    chosen, whole = split_classes(images, seed=seed), split_classes(images, choosing=0, seed=seed)
    for split in (chosen, whole):
        check(images, split)
        assert {images[i].label for i in split.judging} == {"a", "b"}
    assert set(chosen.judging) == set(whole.judging)
    assert set(chosen.training) < set(whole.training)
    assert len(chosen.choosing) > 10
    assert not len(whole.choosing)


@pytest.mark.parametrize("choosing", [0.0, 0.16])
def test_at_random_the_papers_share_judges_and_patients_leak(choosing: float) -> None:
    """The paper trains on 70 % and judges on 30 %."""
    images = [*run_of("a", 100, 5), *run_of("b", 100, 5)]
    split = split_classes(images, at_random=True, choosing=choosing)
    assert len(split.judging) == 60
    assert len(split.training) == round(200 * (0.7 - choosing))
    assert patients_in(images, split.training) & patients_in(images, split.judging)
    assert "both sides" in split.how


def test_pictures_without_a_patient_do_not_break_up_those_with_one() -> None:
    images = [*run_of("a", 60, 5), *run_of("b", 40), *run_of("b", 100, 4)]
    split = split_classes(images)
    check(images, split)
    counting = [i for i in split.judging if not images[i].patient]
    assert [images[i].number for i in counting] == list(range(35, 40)), "the end of their run"
    assert "160 pictures by patient" in split.how
    assert "40 whose names tell no patient" in split.how
    few = [*run_of("a", 20, 5), *run_of("a", 60)]
    check(few, split_classes(few))


@pytest.mark.parametrize("count", range(5, 60))
def test_a_short_run_has_pictures_to_choose_by_and_says_what_is_left_out(count: int) -> None:
    images = run_of("a", count)
    split, whole = split_classes(images), split_classes(images, choosing=0)
    check(images, split)
    assert len(split.choosing) >= 1
    assert set(split.judging) == set(whole.judging)
    gaps = (
        min(split.choosing) - max(split.training) - 1, min(split.judging) - max(split.choosing) - 1,
    )  # fmt: skip
    left_out = "3 pictures left out on both sides of each cut" in split.how
    assert left_out == (min(gaps) >= 6)
    assert left_out or "a patient may stand on both sides" in split.how
    both = split_classes([*images, *run_of("b", 200)]).how
    assert ("1 of the 2 runs are short" in both) == (not left_out)


@pytest.mark.parametrize(
    ("sides", "judge"),
    [(("train", "test"), "test"), (("training", "testing"), "testing"), (("train", "val"), "val"),
     (("train", "valid", "test"), "test"), (("fold-2", "fold-10", "fold-1"), "fold-10"),
     (("", "test"), "test")],
)  # fmt: skip
def test_a_split_by_folders_is_the_split(sides: tuple[str, ...], judge: str) -> None:
    """Numbers begin anew on each side: cut by these, its pictures would be mixed."""
    images = [i for side in sides for label in "ab" for i in run_of(label, 50, 0, side)]
    whole, split = split_classes(images, choosing=0), split_classes(images)
    for found in (whole, split):
        check(images, found)
        assert {images[i].split for i in found.judging} == {judge}
        assert len(found.judging) == 100
        assert len(found.choosing) == 0 or judge not in {images[i].split for i in found.choosing}
        assert f"by the folders: {judge} judges" in found.how
    assert len(whole.training) == 100 * (len(sides) - 1)
    assert len(split.choosing) > 10
    if "valid" in sides:
        assert {images[i].split for i in split.choosing} == {"valid"}
    alone = [replace(image, split="train") for image in images]
    assert "folders" not in split_classes(alone).how, "one side is no split"


def test_a_patient_on_both_sides_of_the_folders_judges_alone() -> None:
    images = [*run_of("a", 50, 5, "train"), *run_of("a", 20, 5, "test")]
    split = split_classes(images, choosing=0)
    check(images, split)
    assert len(split.judging) == 20
    assert len(split.training) == 30
    assert "20 pictures of its patients are not trained on" in split.how
