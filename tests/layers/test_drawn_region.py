"""What was drawn lies on the study's grid where it was seen."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels, Shapes

from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.layers.drawn_region import drawn_region
from napari_sparseexplain.volumes import Grid

GRID = Grid((6, 20, 24), np.diag([3.0, 2.0, 1.0, 1.0])[[2, 1, 0, 3]])


def test_the_grid_of_these_tests_has_three_different_spacings() -> None:
    assert len(set(GRID.spacing)) == 3


def test_labels_of_some_slices_lie_at_their_place() -> None:
    data = np.zeros((2, 20, 24), dtype=int)
    data[1, 4:6, 7] = 3
    s = GRID.spacing
    layer = Labels(data, scale=s, translate=(2 * s[0], 0, 0))
    mask = drawn_region(layer, GRID)
    assert np.argwhere(mask).tolist() == [[3, 4, 7], [3, 5, 7]]


@pytest.mark.parametrize("flat", [0, 1, 2])
def test_a_rectangle_fills_its_inside_on_its_slice(flat: int) -> None:
    low, high = [1, 3, 5], [4, 9, 11]
    first, second = (axis for axis in range(3) if axis != flat)
    corners = np.array([[low[a] for a in range(3)]] * 4, dtype=float)
    corners[1, first] = corners[2, first] = high[first]
    corners[2, second] = corners[3, second] = high[second]
    # A slider need not rest on a whole voxel.
    corners[:, flat] = 2.2
    layer = Shapes([corners], shape_type="rectangle", scale=GRID.spacing)
    mask = drawn_region(layer, GRID)
    places = np.argwhere(mask)
    assert set(places[:, flat]) == {2}
    for axis in (first, second):
        assert abs(places[:, axis].min() - low[axis]) <= 1
        assert abs(places[:, axis].max() - high[axis]) <= 1
    sides = [high[axis] - low[axis] for axis in (first, second)]
    assert mask.sum() >= sides[0] * sides[1]


def test_shapes_drawn_on_another_scale_are_placed_by_millimetres() -> None:
    corners = np.array([[2, 4, 6], [2, 4, 10], [2, 8, 10], [2, 8, 6]], dtype=float)
    plain = drawn_region(Shapes([corners], shape_type="polygon", scale=GRID.spacing), GRID)
    millimetres = Shapes([corners * np.array(GRID.spacing)], shape_type="polygon")
    assert plain.any()
    np.testing.assert_array_equal(drawn_region(millimetres, GRID), plain)


def test_what_is_no_drawing_is_refused() -> None:
    with pytest.raises(StudyError, match="is empty"):
        drawn_region(Labels(np.zeros(GRID.shape, int), scale=GRID.spacing), GRID)
    with pytest.raises(StudyError, match="voxels are not those of the study"):
        drawn_region(Labels(np.ones((6, 10, 24), int), scale=(1, 4, 3)), GRID)
    with pytest.raises(StudyError, match="a Labels or a Shapes layer"):
        drawn_region(Image(np.ones(GRID.shape)), GRID)
    flat = Shapes([np.array([[1, 1], [1, 5], [5, 5]])], shape_type="polygon")
    with pytest.raises(StudyError, match="which slice"):
        drawn_region(flat, GRID)
