"""A mask against its reference: each voxel counted once, by what the two say."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.evidence.lesions.mask_difference import (
    AGREED,
    FALSE,
    MISSED,
    mask_difference,
)
from napari_sparseexplain.volumes import Grid


def test_voxels_are_agreed_missed_or_false() -> None:
    grid = Grid((2, 3, 4), np.diag([1.0, 2.0, 5.0, 1.0]))
    mask, reference = np.zeros((2, 2, 3, 4), np.uint8)
    mask[0, 0, :3], reference[0, 0, 1:] = 2, 1
    reference[1] = 3
    found = mask_difference(mask, reference, grid)
    assert found.data[0, 0].tolist() == [FALSE, AGREED, AGREED, MISSED]
    assert (found.data[1] == MISSED).all()
    assert found.counts == {AGREED: 2, MISSED: 13, FALSE: 1}
    assert found.words == "agreed 0.02 ml · missed 0.13 ml · false 0.01 ml"


def test_without_millimetres_voxels_are_counted() -> None:
    grid = Grid((1, 2, 2), np.eye(4), calibrated=False)
    ones = np.ones((1, 2, 2), np.uint8)
    assert mask_difference(ones, ones, grid).size(AGREED) == "4 voxels"


def test_a_mask_of_another_grid_is_refused_in_words() -> None:
    grid = Grid((2, 3, 4), np.eye(4))
    with pytest.raises(StudyError, match="the reference has"):
        mask_difference(np.zeros((2, 3, 4)), np.zeros((2, 3, 5)), grid)
