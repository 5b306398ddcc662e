"""Scores: agreement with an independent implementation, and absence where they do not apply."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.evidence.scores import (
    Counts,
    dice,
    iou,
    mean_with_interval,
    segmentation_scores,
    slice_dice,
    union,
)


@pytest.fixture
def masks() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    true = rng.random((6, 20, 24)) < 0.2
    true[4:] = False
    return rng.random((6, 20, 24)) < 0.3, true


def test_dice_and_iou_agree_with_monai(masks) -> None:
    torch = pytest.importorskip("torch")
    from monai.metrics import compute_dice, compute_iou

    predicted, true = (torch.from_numpy(m[None, None].astype(np.float32)) for m in masks)
    assert dice(*masks) == pytest.approx(float(compute_dice(predicted, true)), abs=1e-6)
    assert iou(*masks) == pytest.approx(float(compute_iou(predicted, true)), abs=1e-6)


def test_dice_follows_from_iou(masks) -> None:
    """D = 2 J / (1 + J) for any pair of masks."""
    j = iou(*masks)
    assert dice(*masks) == pytest.approx(2 * j / (1 + j), abs=1e-12)


def test_micro_average_is_the_score_of_all_pixels_together(masks) -> None:
    predicted, true = masks
    total = sum((Counts.of(p, t) for p, t in zip(predicted, true, strict=True)), Counts())
    assert total.dice == dice(predicted, true)


def test_two_empty_masks_have_no_dice() -> None:
    empty = np.zeros((2, 3, 3), bool)
    assert dice(empty, empty) is None
    assert iou(empty, empty) is None
    scores = segmentation_scores(empty, empty, 0.001)
    assert scores["slice dice"] is None
    assert scores["false-positive ml"] == 0.0


def test_slices_without_lesion_have_no_dice_and_are_left_out(masks) -> None:
    scores, index = slice_dice(*masks)
    assert index.tolist() == [0, 1, 2, 3]
    for score, place in zip(scores, index, strict=True):
        assert score == dice(masks[0][place], masks[1][place])


def test_false_positive_volume_is_in_millilitres() -> None:
    true = np.zeros((10, 10, 10), bool)
    predicted = true.copy()
    predicted[:5] = True  # 500 voxels of 2 mm: 4 ml
    assert segmentation_scores(predicted, true, 8 / 1000)["false-positive ml"] == pytest.approx(4.0)
    assert segmentation_scores(predicted, true, None)["false-positive ml"] is None


def test_unions_are_the_same_in_both_brats_numberings() -> None:
    old = np.array([0, 1, 2, 4])
    new = np.array([0, 1, 2, 3])
    for name in ("WT", "TC", "ET"):
        assert (union(old, name) == union(new, name)).all()
    assert union(new, "WT").tolist() == [False, True, True, True]
    assert union(new, "TC").tolist() == [False, True, False, True]
    assert union(new, "ET").tolist() == [False, False, False, True]


def test_labels_that_are_not_brats_are_refused() -> None:
    with pytest.raises(SparseExplainError, match="both labels 3 and 4"):
        union(np.array([3, 4]), "WT")
    with pytest.raises(SparseExplainError, match="WT, TC, ET"):
        union(np.array([1]), "tumour")


def test_interval_is_near_the_normal_one_and_repeats() -> None:
    """For many independent values the bootstrap interval is mean ± 1.96 standard errors."""
    values = np.random.default_rng(0).normal(0.7, 0.1, 400)
    mean = mean_with_interval(values)
    error = 1.96 * values.std() / np.sqrt(values.size)
    assert mean.low == pytest.approx(values.mean() - error, abs=0.003)
    assert mean.high == pytest.approx(values.mean() + error, abs=0.003)
    assert mean == mean_with_interval(values)


def test_interval_over_patients_is_wider_than_over_their_like_slices() -> None:
    rng = np.random.default_rng(1)
    patients = np.repeat(np.arange(8), 25)
    values = rng.normal(0.7, 0.1, 8)[patients] + rng.normal(0, 0.01, patients.size)
    slices = mean_with_interval(values)
    people = mean_with_interval(values, groups=patients)
    assert people.value == slices.value
    assert people.high - people.low > 2 * (slices.high - slices.low)


def test_one_value_has_no_interval() -> None:
    mean = mean_with_interval([0.5])
    assert np.isnan(mean.low)
    assert str(mean) == "0.500 (n = 1)"
    assert mean_with_interval([]) is None
