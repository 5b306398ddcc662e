"""The brain in a scan, and the range that networks see: independent of unit and background."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.volumes.brain_mask import brain_mask, find_brain
from napari_sparseexplain.volumes.intensity.brain_range import brain_range, normalise


def _ball(radius: float = 9.0) -> np.ndarray:
    axes = np.indices((24, 26, 28)) - np.array([12, 13, 14])[:, None, None, None]
    return (axes**2).sum(axis=0) < radius**2


def _scan(background: float) -> tuple[np.ndarray, np.ndarray]:
    inside = _ball()
    rng = np.random.default_rng(0)
    return np.where(inside, rng.normal(0.0, 50.0, inside.shape), background), inside


@pytest.mark.parametrize("background", [0.0, -1024.0, 300.0])
def test_background_is_a_value_not_the_smallest_one(background: float) -> None:
    """A stripped scan may hold negative intensities around and inside the brain."""
    scan, inside = _scan(background)
    np.testing.assert_array_equal(brain_mask(scan), inside)


def test_holes_are_filled_and_crumbs_dropped() -> None:
    scan, inside = _scan(0.0)
    scan[12, 13, 14] = 0.0
    scan[2, 2, 2] = 500.0
    np.testing.assert_array_equal(brain_mask(scan), inside)


def test_nan_is_no_brain() -> None:
    scan, inside = _scan(0.0)
    scan[0] = np.nan
    np.testing.assert_array_equal(brain_mask(scan), inside)


@pytest.mark.parametrize("outside", [np.nan, np.inf])
@pytest.mark.parametrize("faces", [0, 1, 2])
def test_what_is_no_number_around_a_brain_is_its_background(outside: float, faces: int) -> None:
    """As float files come from packages that mask with NaN; some faces may hold 0 instead."""
    scan, inside = _scan(outside)
    scan[:faces] = 0.0
    found = find_brain(scan)
    np.testing.assert_array_equal(found.mask, inside)
    assert found.stripped


def test_single_voxels_that_are_no_number_strip_nothing() -> None:
    inside = _ball(12.5)
    rng = np.random.default_rng(0)
    scan = np.where(inside, rng.normal(100, 5, inside.shape), rng.normal(5, 2, inside.shape))
    scan[10:12, 12:14, 14] = np.nan
    assert not find_brain(scan).stripped


def test_one_slice_is_enough() -> None:
    scan, inside = _scan(0.0)
    np.testing.assert_array_equal(brain_mask(scan[12]), inside[12])


def test_head_with_air_is_separated_from_the_air() -> None:
    inside = _ball(12.5)
    rng = np.random.default_rng(1)
    scan = rng.rayleigh(5.0, inside.shape) + np.where(inside, 200.0, 0.0)
    assert (brain_mask(scan) == inside).mean() > 0.99


def test_constant_scan_has_no_brain_and_no_range() -> None:
    scan = np.full((4, 5, 6), 7)
    mask = brain_mask(scan)
    assert not mask.any()
    with pytest.raises(StudyError, match="no brain"):
        brain_range(scan, mask)


def test_mask_opened_as_image_has_no_range() -> None:
    inside = _ball()
    with pytest.raises(StudyError, match="one single intensity"):
        brain_range(inside.astype(np.uint8), inside)


def test_range_puts_the_median_at_a_third_and_follows_the_unit() -> None:
    scan, inside = _scan(0.0)
    low, high = brain_range(scan, inside)
    assert (np.median(scan[inside]) - low) / (high - low) == pytest.approx(1.0 / 3.0)
    assert brain_range(4.0 * scan + 9.0, inside) == pytest.approx((4.0 * low + 9, 4.0 * high + 9))


def test_normalised_scan_stays_in_the_unit_range_and_is_zero_outside() -> None:
    scan, inside = _scan(-77.0)
    image = normalise(scan, inside, *brain_range(scan, inside))
    assert image.dtype == np.float32
    assert image.min() >= 0
    assert image.max() <= 1
    assert not image[~inside].any()
