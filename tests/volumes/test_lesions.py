"""Lesions of a label map: which is the largest, and a voxel that lies in it."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.volumes.labels.lesions import Lesion, lesions


def two_lesions() -> np.ndarray:
    """A ball of two labels, a smaller bar, and one lone voxel."""
    labels = np.zeros((12, 30, 30), dtype=np.uint8)
    s, p, l = np.indices(labels.shape)  # noqa: E741
    ball = (s - 7) ** 2 + (p - 20) ** 2 + (l - 8) ** 2
    labels[ball <= 16] = 2
    labels[ball <= 4] = 1
    labels[2, 3:9, 25] = 4
    labels[11, 29, 29] = 1
    return labels


def test_largest_first_labels_that_touch_are_one_and_a_lone_voxel_is_noise() -> None:
    labels = two_lesions()
    found = lesions(labels)
    assert [lesion.voxels for lesion in found] == [int((labels[3:12, 15:] > 0).sum()) - 1, 6]
    assert found[0].place == (7, 20, 8), "the middle of its largest slice"
    assert found[1].place in [(2, 5, 25), (2, 6, 25)]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_place_lies_in_the_piece_on_its_largest_slice(axis: int) -> None:
    """A hollow ring has its middle outside itself: the voxel is still one of the ring."""
    labels = np.zeros((9, 40, 40), dtype=bool)
    p, l = np.indices((40, 40))  # noqa: E741
    ring = np.abs(np.hypot(p - 20, l - 15) - 10) < 1.5
    labels[4] = ring
    labels[5] = ring & (p < 20)
    (lesion,) = lesions(labels, axis)
    assert labels[lesion.place]
    area = labels.sum(axis=tuple(a for a in range(3) if a != axis))
    assert area[lesion.place[axis]] == area.max()


def test_pieces_that_touch_at_a_corner_are_one() -> None:
    labels = np.zeros((4, 4, 4), dtype=int)
    for n in range(4):
        labels[n, n, n] = 1
    assert [lesion.voxels for lesion in lesions(labels)] == [4]


def test_nothing_and_next_to_nothing() -> None:
    labels = np.zeros((3, 3, 3), dtype=np.uint8)
    assert lesions(labels) == []
    labels[1, 2, 0] = 7
    assert lesions(labels) == [Lesion(1, (1, 2, 0))], "noise, where there is nothing else"
    assert len(lesions(two_lesions(), most=1)) == 1
