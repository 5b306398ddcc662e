"""The highest share of a finished map: Kapishnikov et al.'s percentile, whole regions."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.evidence.heat_threshold import above, shown_part, top_share
from napari_sparseexplain.export.pictures.burned_in import part_text
from napari_sparseexplain.volumes.head_mask import head_in_slices
from napari_sparseexplain.volumes.opening.array_study import study_of_arrays


def test_the_share_is_that_above_the_percentile_of_each_slice() -> None:
    heat = np.random.default_rng(0).random((3, 20, 20)) * np.array([1, 10, 100])[:, None, None]
    mask = top_share(heat, 0.3)
    expected = [part > np.percentile(part, 70) for part in heat]
    assert np.array_equal(mask, expected)
    assert mask.mean(axis=(1, 2)) == pytest.approx(0.3)


def test_the_share_is_one_of_the_head_or_of_all_voxels_and_the_words_say_so() -> None:
    heat = np.zeros((1, 10, 10))
    heat[0, 3:7, 3:7] = 1 + np.arange(16.0).reshape(4, 4)  # a head that fills 16 % of the slice
    assert top_share(heat, 0.16).sum() == 16
    assert top_share(heat, 0.25, counted=heat > 0).sum() == 4
    assert part_text(0.16, 0.0, "all") == "highest 16 % of all voxels"
    assert part_text(0.3, 0.05) == "highest 30 % of the head, from 5 % of the peak"
    assert part_text(1.0, 0.0) == ""


@pytest.mark.parametrize("air", [0, 10, 300])
def test_air_about_the_head_changes_nothing_of_what_is_shown(air: int) -> None:
    head = np.random.default_rng(1).random((2, 20, 20)) + 1
    heat = np.pad(head, [(0, 0), (air, air), (air, air)])
    shown = shown_part(heat, 0.1, 0.0, signed=False, counted=heat > 0)
    assert shown.sum(axis=(1, 2)).tolist() == [40, 40]


def test_what_is_high_in_the_air_is_shown_there() -> None:
    heat, head = np.ones((1, 20, 20)), np.zeros((1, 20, 20), bool)
    head[0, 5:15, 5:15] = True
    heat[0, 0, :10] = np.arange(10) + 2
    shown = top_share(heat, 0.1, counted=head)
    assert shown.sum() == 10
    assert not (shown & head).any()
    assert not top_share(heat, 0.1, counted=np.zeros_like(head)).any()


def test_the_head_of_a_slice_is_its_own_in_any_span() -> None:
    rng = np.random.default_rng(2)
    scan = rng.random((6, 40, 40)) * 5
    scan[1:5, 10:30, 8:32] += 100 * np.arange(1, 5)[:, None, None]
    scan[2, 15:20, 15:20] = 0  # a ventricle is inside the head
    study = study_of_arrays({"flair": scan}, spacing=(1.0, 1.0, 1.0))
    whole = head_in_slices(study, slice(0, 6))
    assert np.array_equal(whole[2:3], head_in_slices(study, slice(2, 3)))
    assert whole[1:5, 10:30, 8:32].all()
    assert whole[1:5].sum() == 4 * 20 * 24


def test_over_the_volume_a_brighter_slice_gets_more() -> None:
    heat = np.stack([np.arange(100.0).reshape(10, 10), 200 + np.arange(100.0).reshape(10, 10)])
    assert top_share(heat, 0.5, per_slice=False).sum(axis=(1, 2)).tolist() == [0, 100]


def test_regions_are_kept_whole_within_the_share() -> None:
    heat = np.repeat([4.0, 3.0, 2.0, 1.0], [20, 20, 30, 30]).reshape(1, 10, 10)
    assert np.array_equal(top_share(heat, 0.3), heat == 4.0)
    assert np.array_equal(top_share(heat, 0.45), heat >= 3.0)


def test_the_best_region_is_kept_even_when_it_is_larger_than_the_share() -> None:
    heat = np.repeat([4.0, 1.0], [60, 40]).reshape(1, 10, 10)
    assert np.array_equal(top_share(heat, 0.3), heat == 4.0)


def test_a_constant_slice_has_no_highest_part() -> None:
    assert not top_share(np.zeros((2, 5, 5)), 0.3).any()


def test_all_is_all() -> None:
    assert top_share(np.arange(25.0).reshape(1, 5, 5), 1.0).all()


@pytest.mark.parametrize("share", [0.0, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        top_share(np.zeros((1, 2, 2)), share)


def test_a_threshold_is_inclusive() -> None:
    assert above(np.array([1.0, 2.0, 3.0]), 2.0).tolist() == [False, True, True]


def test_two_sliders_leave_what_both_of_them_leave() -> None:
    heat = np.zeros((1, 10, 10))
    heat[0, 0, :4] = [4.0, -3.0, 1.0, 0.5]
    both = shown_part(heat, 1.0, 0.0, signed=True)
    np.testing.assert_array_equal(both, heat != 0)
    assert shown_part(heat, 0.02, 0.0, signed=True)[0, 0, :4].tolist() == [True, True, False, False]
    # Gains rank from the largest to the most negative one.
    gains = shown_part(heat, 0.02, 0.0, signed=False)
    assert gains[0, 0, :4].tolist() == [True, False, True, False]
    strong = shown_part(heat, 1.0, 0.5, signed=True)
    assert strong[0, 0, :4].tolist() == [True, True, False, False]
    assert not shown_part(np.zeros((1, 3, 3)), 0.5, 0.5, signed=True).any()
