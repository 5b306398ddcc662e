"""XRAI's growth against the plain algorithm on boolean masks, and against its authors' package."""

from __future__ import annotations

import numpy as np
import pytest
from saliency.core.xrai import XRAI, XRAIParameters
from scipy.ndimage import gaussian_filter

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.explanation.attribution.xrai.segment_growth import Growth, grow
from napari_sparseexplain.explanation.attribution.xrai.segment_membership import (
    SegmentMembership,
    ball_offsets,
)

from .segmented_images import masks_of, patches


def problem(shape: tuple[int, ...], seed: int) -> tuple[np.ndarray, SegmentMembership]:
    """An attribution and overlapping segments at three scales, some of which occur twice."""
    rng = np.random.default_rng(seed)
    attribution = gaussian_filter(rng.standard_normal(shape), 2)
    fine = patches(shape, 24, seed)
    scales = [fine, np.where(fine < 12, fine, 12), patches(shape, 6, seed + 1)]
    return attribution, SegmentMembership.of_labels(scales, ball_offsets(3, (1,) * len(shape)))


def plain(attribution: np.ndarray, masks: list[np.ndarray], least: int) -> np.ndarray:
    """Algorithm 1 as it stands in the paper, any number of axes: the map of gains."""
    covered = np.zeros(attribution.shape, dtype=bool)
    gains = np.zeros(attribution.shape)
    left = dict(enumerate(masks))
    while left := {k: m for k, m in left.items() if np.sum(m & ~covered) >= least}:
        # max takes the first of equals.
        best = max(left, key=lambda k: attribution[left[k] & ~covered].mean())
        new = left.pop(best) & ~covered
        gains[new] = attribution[new].mean()
        covered |= new
    if not covered.all():
        gains[~covered] = attribution[~covered].mean()
    return gains


def peer(attribution: np.ndarray, masks: list[np.ndarray], mode: str) -> tuple[np.ndarray, ...]:
    """Map and ranks of PyPI ``saliency`` on the same segments."""
    options = XRAIParameters(return_xrai_segments=True, algorithm=mode)
    found = XRAI().GetMaskWithDetails(
        attribution, None, segments=masks, base_attribution=attribution, extra_parameters=options
    )
    return found.attribution_mask, np.asarray(found.segments)


@pytest.mark.parametrize("shape", [(32, 32), (53, 41), (64, 64)])
@pytest.mark.parametrize("seed", range(20))
def test_map_and_ranks_are_bitwise_those_of_the_authors_package(
    seed: int, shape: tuple[int, int]
) -> None:
    attribution, membership = problem(shape, seed)
    masks = masks_of(membership)
    gains, ranks = peer(attribution, masks, "full")
    exact = grow(attribution, membership, exact=True)
    assert np.array_equal(exact.gains, gains)
    assert np.array_equal(exact.ranks, ranks)
    assert np.array_equal(grow(attribution, membership, exact=False).ranks, ranks)
    gains, ranks = peer(attribution, masks, "fast")
    fast = grow(attribution, membership, mode="fast")
    assert np.array_equal(fast.gains, gains)
    assert np.array_equal(fast.ranks, ranks)


@pytest.mark.parametrize("seed", range(4))
def test_a_volume_grows_as_the_plain_algorithm_says(seed: int) -> None:
    attribution, membership = problem((12, 17, 14), seed)
    expected = plain(attribution, masks_of(membership), 50)
    assert np.array_equal(grow(attribution, membership).gains, expected)


@pytest.mark.parametrize("seed", range(10))
def test_exact_chooses_right_where_subtraction_has_lost_every_digit(seed: int) -> None:
    """Values over 30 decades: a kept sum is all rounding once its large pixels are covered."""
    rng = np.random.default_rng(seed)
    attribution = rng.standard_normal((30, 30)) * 10.0 ** rng.integers(-15, 16, (30, 30))
    membership = SegmentMembership.of_labels(
        [patches((30, 30), n, seed) for n in (20, 9)], ball_offsets(4, (1, 1))
    )
    expected = plain(attribution, masks_of(membership), 5)
    assert np.array_equal(grow(attribution, membership, min_size=5).gains, expected)


def test_a_gain_that_rises_is_seen() -> None:
    """What is poor in B is covered by A first; then B is the best, above C that was before it."""
    attribution = np.array([[4.0, 4.0, -4.0, 3.0, 2.0, 2.0]])
    a, b, c = ([0, 1, 2], [2, 3], [4, 5])
    membership = SegmentMembership.of_lists([np.array(k) for k in (a, b, c)], (1, 6))
    attribution[0, 2] = 1.0
    growth = grow(attribution, membership, min_size=1)
    assert growth.gains.tolist() == [[3.0, 3.0, 3.0, 3.0, 2.0, 2.0]]
    attribution[0, 2] = -1.0  # A: 7/3, B: 1 and C: 2 at first; then B alone is 3
    growth = grow(attribution, membership, min_size=1)
    assert growth.gains[0, 3:].tolist() == [3.0, 2.0, 2.0]
    assert growth.ranks[0].tolist() == [2, 2, 2, 1, 3, 3]


def test_ties_go_to_the_first_segment() -> None:
    membership = SegmentMembership.of_lists([np.array([2, 3]), np.array([0, 1, 2])], (1, 4))
    growth = grow(np.ones((1, 4)), membership, min_size=1)
    assert [region.segment for region in growth.regions] == [0, 1]
    assert [region.pixels for region in growth.regions] == [2, 2]


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_every_pixel_shows_the_gain_of_the_region_whose_rank_it_has(mode: str) -> None:
    attribution, membership = problem((50, 64), 7)
    growth: Growth = grow(attribution, membership, mode=mode)  # pyright: ignore[reportArgumentType]
    assert growth.ranks.min() == 1
    for region in growth.regions:
        here = growth.ranks == region.rank
        assert here.sum() == region.pixels
        assert np.all(growth.gains[here] == region.gain)
    named = [region.gain for region in growth.regions if region.segment is not None]
    assert named == sorted(named, reverse=True)
    # Each region has its own mean, so the map has the attribution's sum: nothing is lost.
    assert growth.gains.sum() == pytest.approx(attribution.sum(), rel=1e-9)


def test_what_no_segment_claims_has_its_own_mean_and_the_last_rank() -> None:
    membership = SegmentMembership.of_lists([np.arange(60)], (10, 10))
    attribution = np.arange(100.0).reshape(10, 10)
    growth = grow(attribution, membership)
    assert growth.regions[-1].segment is None
    assert growth.regions[-1].pixels == 40
    assert np.all(growth.gains.ravel()[60:] == attribution.ravel()[60:].mean())


def test_a_constant_attribution_gives_a_constant_map() -> None:
    _, membership = problem((40, 40), 0)
    assert np.ptp(grow(np.full((40, 40), 0.25), membership).gains) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_attribution_that_is_not_finite_is_refused(bad: float) -> None:
    attribution, membership = problem((40, 40), 0)
    attribution[3, 4] = bad
    with pytest.raises(SparseExplainError, match="NaN or infinite at 1 of 1600 pixels"):
        grow(attribution, membership)


def test_no_segments_and_another_shape_are_refused() -> None:
    attribution, membership = problem((40, 40), 0)
    with pytest.raises(SparseExplainError, match="no segments"):
        grow(attribution, SegmentMembership.of_lists([], (40, 40)))
    with pytest.raises(SparseExplainError, match="segmented image"):
        grow(attribution[:-1], membership)


def test_segments_that_are_all_too_small_leave_one_region() -> None:
    membership = SegmentMembership.of_lists([np.arange(10), np.arange(5, 20)], (10, 10))
    growth = grow(np.ones((10, 10)), membership)
    assert [region.segment for region in growth.regions] == [None]
