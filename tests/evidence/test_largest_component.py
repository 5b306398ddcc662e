"""The largest connected component of a mask."""

from __future__ import annotations

import numpy as np

from napari_sparseexplain.evidence.largest_component import in_largest_component, largest_component


def test_pieces_that_touch_by_an_edge_alone_are_two() -> None:
    mask = np.zeros((3, 4, 4), dtype=np.bool_)
    mask[0, 0, :3] = True
    mask[1, 1, :2] = True  # touches the first by edges
    mask[2, 1, :3] = True  # and this one by faces
    found = largest_component(mask)
    assert found.sum() == 5
    assert not found[0].any()


def test_all_classes_are_one_piece_and_nothing_stays_nothing() -> None:
    labels = np.zeros((1, 6, 6), dtype=np.uint8)
    labels[0, 0, :3] = (2, 4, 1)
    labels[0, 4, 4:] = 2
    kept = in_largest_component(labels)
    assert kept.dtype == np.uint8
    assert kept[0, 0, :3].tolist() == [2, 4, 1]
    assert kept.sum() == 7
    assert not in_largest_component(np.zeros_like(labels)).any()
