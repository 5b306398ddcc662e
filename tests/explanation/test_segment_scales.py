"""Segments of slices and volumes: the authors' masks, kept by image, sized in millimetres."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from saliency.core.xrai import _get_segments_felzenszwalb
from scipy.ndimage import gaussian_filter

from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.explanation.attribution.xrai.segment_membership import (
    SegmentMembership,
    ball_offsets,
)
from napari_sparseexplain.explanation.attribution.xrai.segment_scales import (
    DISK,
    slice_scales,
    volume_scales_work,
)
from napari_sparseexplain.progress import drain

from .segmented_images import masks_of


def texture(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return gaussian_filter(np.random.default_rng(seed).random(shape), (0, *(2,) * (len(shape) - 1)))


@pytest.mark.parametrize("channels", [1, 2])
def test_dilated_segments_of_a_slice_are_the_masks_of_the_authors(channels: int) -> None:
    image = texture((channels, 60, 52))
    found = SegmentMembership.of_labels(slice_scales(image), ball_offsets(DISK, (1, 1)))
    expected = _get_segments_felzenszwalb(np.moveaxis(image, 0, -1))
    expected = [mask for mask in expected if mask.any()]
    assert np.array_equal(masks_of(found), expected)


def test_an_image_is_segmented_once_and_another_is_another() -> None:
    image = texture((1, 40, 40), 1)
    first = slice_scales(image)
    assert slice_scales(image.copy()) is first
    assert slice_scales(image.T) is not first
    with pytest.raises(ValueError, match="read-only"):
        first[0][0, 0] = 1


def test_modalities_are_no_colours() -> None:
    """Three channels are not converted from RGB, and more than three are not warned about."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        slice_scales(texture((4, 40, 40), 2))
    three = texture((3, 12, 30, 30), 2)
    turned = drain(volume_scales_work(three[::-1].copy(), (1, 1, 1), (10.0,)))
    assert np.array_equal(drain(volume_scales_work(three, (1, 1, 1), (10.0,))), turned)


@pytest.mark.parametrize("bad", ["constant", "nan"])
def test_an_image_that_cannot_be_cut_is_refused(bad: str) -> None:
    image = np.full((1, 20, 20), 0.5) if bad == "constant" else texture((1, 20, 20))
    if bad == "nan":
        image[0, 3, 3] = np.nan
    with pytest.raises(StudyError, match="constant" if bad == "constant" else "NaN"):
        slice_scales(image)


def test_supervoxels_are_as_wide_in_millimetres_through_the_slices_as_in_them() -> None:
    volume = np.random.default_rng(3).random((1, 12, 48, 48)) * 0.02 + 0.5
    spacing = np.array((4.0, 1.0, 1.0))
    (labels,) = drain(volume_scales_work(volume, spacing, (12.0,)))
    names, counts = np.unique(labels, return_counts=True)
    assert counts.mean() * spacing.prod() == pytest.approx(12.0**3, rel=0.5)
    widths = np.array([np.ptp(np.argwhere(labels == n), axis=0) + 1 for n in names]) * spacing
    assert widths[:, 0].mean() == pytest.approx(widths[:, 1:].mean(), rel=0.5)


def test_what_is_black_about_the_volume_is_one_segment() -> None:
    volume = np.zeros((1, 14, 40, 40))
    volume[:, 4:10, 10:30, 8:28] = texture((1, 6, 20, 20)) + 0.1
    for labels in drain(volume_scales_work(volume, (2, 1, 1), (12.0, 8.0))):
        assert np.all((labels == 0) == (volume[0] == 0))


def test_a_volume_is_segmented_once() -> None:
    volume = texture((1, 6, 24, 24), 4)
    first = drain(volume_scales_work(volume, (2, 1, 1), (10.0,)))
    assert drain(volume_scales_work(volume.copy(), (2, 1, 1), (10.0,))) is first
    assert drain(volume_scales_work(volume, (3, 1, 1), (10.0,))) is not first


def test_a_single_slice_has_no_supervoxels() -> None:
    with pytest.raises(StudyError, match="single slice"):
        drain(volume_scales_work(texture((1, 1, 20, 20)), (1, 1, 1)))
