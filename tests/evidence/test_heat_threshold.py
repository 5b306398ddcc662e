"""The highest share of a finished map: Kapishnikov et al.'s percentile, whole regions."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.evidence.heat_threshold import above, shown_part, top_share
from napari_sparseexplain.export.burned_in import part_text


def test_the_share_is_that_above_the_percentile_of_each_slice() -> None:
    heat = np.random.default_rng(0).random((3, 20, 20)) * np.array([1, 10, 100])[:, None, None]
    mask = top_share(heat, 0.3)
    expected = [part > np.percentile(part, 70) for part in heat]
    assert np.array_equal(mask, expected)
    assert mask.mean(axis=(1, 2)) == pytest.approx(0.3)


def test_the_share_is_one_of_all_voxels_and_the_words_say_so() -> None:
    heat = np.zeros((1, 10, 10))
    heat[0, 3:7, 3:7] = 1 + np.arange(16.0).reshape(4, 4)  # a head that fills 16 % of the slice
    assert top_share(heat, 0.16).sum() == 16
    assert part_text(0.16, 0.0) == "highest 16 % of all voxels"
    assert part_text(0.3, 0.05) == "highest 30 % of all voxels, from 5 % of the peak"
    assert part_text(1.0, 0.0) == ""


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
