"""Sparse membership of pixels in overlapping segments, against boolean masks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.morphology import disk

from napari_sparseexplain.explanation.attribution.xrai.segment_membership import (
    SegmentMembership,
    ball_offsets,
)

from .segmented_images import masks_of, patches


def test_the_offsets_of_radius_5_are_the_disk_of_the_paper() -> None:
    image = np.zeros((11, 11), dtype=bool)
    image[tuple((ball_offsets(5, (1, 1)) + 5).T)] = True
    assert np.array_equal(image, disk(5).astype(bool))


def test_a_ball_in_millimetres_is_flat_where_slices_are_thick() -> None:
    offsets = ball_offsets(2.0, (3.0, 1.0, 0.5))
    assert np.abs(offsets).max(axis=0).tolist() == [0, 2, 4]


@pytest.mark.parametrize("shape", [(30, 47), (9, 14, 11)])
def test_labels_become_their_masks_scale_by_scale(shape: tuple[int, ...]) -> None:
    scales = [patches(shape, 9, 0), patches(shape, 4, 1)]
    found = masks_of(SegmentMembership.of_labels(scales))
    expected = [labels == n for labels in scales for n in np.unique(labels)]
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("shape", "radius", "spacing"),
    [((30, 47), 5, (1, 1)), ((4, 60), 5, (1, 1)), ((9, 14, 11), 2.5, (2.0, 1.0, 0.8))],
)
def test_stamping_the_border_dilates_as_a_full_dilation_does(
    shape: tuple[int, ...], radius: float, spacing: tuple[float, ...]
) -> None:
    labels = patches(shape, 12, 3)
    offsets = ball_offsets(radius, spacing)
    reach = np.abs(offsets).max(axis=0)
    footprint = np.zeros(2 * reach + 1, dtype=bool)
    footprint[tuple((offsets + reach).T)] = True
    found = masks_of(SegmentMembership.of_labels([labels], offsets))
    expected = [
        ndimage.binary_dilation(labels == n, structure=footprint) for n in np.unique(labels)
    ]
    assert np.array_equal(found, expected)


def test_numbers_that_no_pixel_has_make_no_segment() -> None:
    labels = np.array([[2, 2, 7], [2, 7, 7]])
    for offsets in (None, ball_offsets(1, (1, 1))):
        assert len(SegmentMembership.of_labels([labels], offsets)) == 2


def test_pixels_name_their_segments() -> None:
    membership = SegmentMembership.of_labels([patches((20, 20), 8, 5)], ball_offsets(3, (1, 1)))
    starts, owners = membership.by_pixel
    masks = masks_of(membership)
    for pixel in range(0, 400, 7):
        owning = [k for k, mask in enumerate(masks) if mask.ravel()[pixel]]
        assert sorted(owners[starts[pixel] : starts[pixel + 1]].tolist()) == owning
