"""Lesions of a mask: what hangs together, RANO's diameters against brute force, over time."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from napari_sparseexplain.errors import SparseExplainError, StudyError
from napari_sparseexplain.evidence.lesions import components_of, lesions_of
from napari_sparseexplain.evidence.lesions.components import MOST_COMPONENTS, without
from napari_sparseexplain.evidence.lesions.diameters import largest_diameters, plane_diameters
from napari_sparseexplain.evidence.lesions.over_time import follow_lesions
from napari_sparseexplain.evidence.lesions.study_lesions import study_lesions_work
from napari_sparseexplain.evidence.lesions.table import lesion_table, summary
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes import Grid
from napari_sparseexplain.volumes.opening.array_study import study_of_arrays

SHAPE = (6, 40, 40)


def grid(shape: tuple[int, int, int] = SHAPE, **said: Any) -> Grid:
    """Slices of 3 mm, upwards; rows backwards and columns to the left, 1 mm."""
    affine = np.array([[0, 0, -1.0, 20], [0, -1.0, 0, 20], [3.0, 0, 0, 0], [0, 0, 0, 1]])
    return Grid(shape, affine, **said)


def boxes(*places: tuple[int, int, int, int]) -> npt.NDArray[np.uint8]:
    """Squares (slice, row, column, side)."""
    mask = np.zeros(SHAPE, dtype=np.uint8)
    for s, row, column, side in places:
        mask[s, row : row + side, column : column + side] = 1
    return mask


def brute_force(plane: npt.NDArray[np.bool_], spacing: tuple[float, float]) -> tuple[float, Any]:
    """The largest distance between any corners of any pixels, and all corners in mm."""
    pixels = np.argwhere(plane)
    shifts = [(a, b) for a in (-0.5, 0.5) for b in (-0.5, 0.5)]
    corners = np.concatenate([pixels + shift for shift in shifts]) * spacing
    apart = corners[:, None] - corners
    return float(np.sqrt((apart**2).sum(axis=-1).max())), corners


@pytest.mark.parametrize("seed", range(12))
def test_the_longest_diameter_is_that_of_brute_force_on_unequal_pixels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plane, spacing = rng.random((8, 11)) < 0.25, tuple(rng.uniform(0.4, 2.0, 2))
    found = plane_diameters(plane, spacing)
    longest, corners = brute_force(plane, spacing)
    assert found.longest == pytest.approx(longest)
    a, b = (np.array(line) * spacing for line in (found.long_line, found.short_line))
    assert np.linalg.norm(a[1] - a[0]) == pytest.approx(found.longest)
    assert np.linalg.norm(b[1] - b[0]) == pytest.approx(found.perpendicular)
    assert np.dot(a[1] - a[0], b[1] - b[0]) == pytest.approx(0, abs=1e-9)
    # No chord is longer than what is marked is wide across the longest line.
    across = np.array([-(a[1] - a[0])[1], (a[1] - a[0])[0]]) / found.longest
    assert found.perpendicular <= np.ptp(corners @ across) + 1e-9


def test_one_voxel_has_its_edges() -> None:
    found = plane_diameters(np.ones((1, 1), dtype=bool), (3.0, 4.0))
    assert found.longest == pytest.approx(5)
    # At right angles to the diagonal of a rectangle: short side times diagonal over long side.
    assert found.perpendicular == pytest.approx(3 * 5 / 4)


@pytest.mark.parametrize("radius", [5.0, 11.0])
def test_a_disc_is_as_wide_as_long(radius: float) -> None:
    y, x = np.ogrid[-15:16, -15:16]
    found = plane_diameters(y**2 + x**2 <= radius**2, (1.0, 1.0))
    assert found.longest == pytest.approx(2 * radius + 1, abs=0.8)
    assert found.perpendicular == pytest.approx(found.longest, rel=0.06)


@pytest.mark.parametrize("degrees", [0, 27, 45, 80])
def test_an_ellipse_at_any_angle_has_its_axes(degrees: float) -> None:
    """To a pixel, on pixels of 0.5 × 1 mm."""
    spacing = (0.5, 1.0)
    y, x = np.meshgrid(np.arange(-50, 51) * 0.5, np.arange(-25, 26) * 1.0, indexing="ij")
    turn = np.deg2rad(degrees)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    found = plane_diameters((u / 20) ** 2 + (v / 9) ** 2 <= 1, spacing)
    assert found.longest == pytest.approx(40, abs=1.2)
    assert found.perpendicular == pytest.approx(18, abs=1.5)


def test_a_rectangle_at_an_angle_has_its_diagonal() -> None:
    y, x = np.mgrid[-40:41, -40:41]
    turn = np.deg2rad(30)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    found = plane_diameters((np.abs(u) <= 24) & (np.abs(v) <= 10), (1.0, 1.0))
    assert found.longest == pytest.approx(2 * np.hypot(24, 10), abs=1.5)


def test_the_slice_with_the_longest_diameter_is_measured() -> None:
    mask = boxes((1, 5, 5, 4), (2, 5, 5, 9), (3, 5, 5, 6)) != 0
    index, found = largest_diameters(mask, (1.0, 1.0))
    assert index == found.index == 2
    assert found.longest == pytest.approx(9 * np.sqrt(2))


def test_corners_that_touch_join_and_the_largest_is_number_one() -> None:
    mask = boxes((1, 2, 2, 3), (2, 5, 5, 3), (4, 20, 20, 8))
    first, second = components_of(mask)
    assert (first.number, first.voxels) == (1, 64)
    assert (second.number, second.voxels) == (2, 18)


def test_of_a_lesion_size_place_values_and_dice_are_told() -> None:
    mask = boxes((1, 10, 4, 12), (2, 10, 4, 12), (4, 30, 30, 2))
    scan = np.where(mask == 1, 7.0, 1.0)
    scan[1, 10, 4] = np.nan
    large, small = lesions_of(mask, grid(), {"flair": scan}, boxes((1, 10, 4, 12), (5, 2, 2, 3)))
    assert large.volume_ml == pytest.approx(2 * 144 * 3 / 1000)
    assert (large.slices, large.measurable, small.measurable) == (2, True, False)
    assert large.centroid_mm == pytest.approx((20 - 9.5, 20 - 15.5, 4.5))
    assert mask[large.place] == 1
    assert large.place[0] == large.diameters.index
    assert large.values == {"flair": 7.0}
    # Of the reference only the piece that it touches counts.
    assert large.dice == pytest.approx(2 * 144 / (288 + 144))
    assert small.dice == 0


def test_measurable_is_ten_by_ten() -> None:
    """A square of 9 mm has a diagonal of 12.7 mm both ways; a strip is not wide enough."""
    strip = np.zeros(SHAPE, dtype=np.uint8)
    strip[2, 5:30, 5:9] = 1
    (found,) = lesions_of(strip, grid())
    assert found.diameters.longest > 20
    assert not found.measurable


def test_without_millimetres_nothing_is_in_millilitres() -> None:
    (found,) = lesions_of(boxes((2, 3, 3, 12)), grid(calibrated=False))
    assert (found.volume_ml, found.measurable, found.centroid_mm) == (None, None, None)
    table = lesion_table([found], calibrated=False)
    titles = [column.title for column in table.columns]
    assert "Voxels" in titles
    assert "Longest (px)" in titles
    assert not [title for title in titles if "mm" in title]
    assert "no millimetres" in summary([found], calibrated=False)


def test_an_empty_mask_has_no_lesion_and_one_of_another_grid_is_refused() -> None:
    assert lesions_of(boxes(), grid()) == ()
    assert "empty" in summary(())
    with pytest.raises(StudyError, match="5 × 40 × 40 voxels, the study 6 × 40 × 40"):
        lesions_of(boxes()[:5], grid())
    with pytest.raises(StudyError, match="reference"):
        lesions_of(boxes((1, 2, 2, 2)), grid(), reference=boxes()[:5])


def test_noise_is_refused_in_words() -> None:
    mask = np.zeros((1, 2, 2 * MOST_COMPONENTS + 4), dtype=bool)
    mask[0, 0, ::2] = True
    with pytest.raises(SparseExplainError, match=f"{MOST_COMPONENTS + 2} pieces"):
        components_of(mask)


def test_what_is_switched_off_is_gone_from_a_copy() -> None:
    mask = boxes((1, 2, 2, 3), (4, 20, 20, 8))
    found = components_of(mask)
    edited = without(mask, found, [2])
    assert np.array_equal(edited, boxes((4, 20, 20, 8)))
    assert mask[1, 2, 2] == 1


def numbers(*masks: npt.NDArray[Any]) -> list[dict[int, str]]:
    found = follow_lesions(masks)
    return [dict(zip(f.numbers, f.changes, strict=True)) for f in found]


def test_numbers_persist_where_another_becomes_the_largest() -> None:
    first = boxes((1, 2, 2, 6), (4, 20, 20, 4))
    second = boxes((1, 3, 3, 3), (4, 19, 19, 9))
    assert numbers(first, second) == [{1: "", 2: ""}, {2: "same", 1: "same"}]


def test_new_gone_and_back_keep_their_numbers() -> None:
    one, both = boxes((1, 2, 2, 6)), boxes((1, 2, 2, 6), (4, 20, 20, 4))
    third = boxes((4, 20, 20, 4), (2, 33, 33, 3))
    found = follow_lesions([one, both, one, third])
    assert found[1].changes == ("same", "new")
    assert found[2].gone == (2,)
    assert (found[3].numbers, found[3].changes) == ((2, 3), ("back", "new"))
    assert found[3].gone == (1,)


def test_merged_and_split_are_told() -> None:
    apart, joined = boxes((1, 2, 2, 6), (1, 2, 10, 5)), boxes((1, 2, 2, 6), (1, 2, 8, 7))
    assert numbers(apart, joined)[1] == {1: "merged with 2"}
    assert numbers(joined, apart)[1] == {1: "split, see 2", 2: "split from 1"}


def test_time_points_of_unequal_grids_are_refused() -> None:
    with pytest.raises(StudyError, match="unequal grids"):
        follow_lesions([boxes(), boxes()[:3]])


def test_sixty_lesions_are_sixty_lines() -> None:
    mask = np.zeros((12, 120, 60), dtype=np.uint8)
    for number in range(60):
        s, row, column = number // 20 * 4, number % 20 * 6, number % 7 * 8
        mask[s, row : row + 2 + number % 3, column : column + 3] = 1
    found = lesions_of(mask, grid(mask.shape))
    assert [lesion.number for lesion in found] == list(range(1, 61))


def test_of_a_study_scans_reference_and_earlier_mask_are_told() -> None:
    scan = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
    study = study_of_arrays({"flair": scan, "t1": scan / 2})
    mask = boxes((1, 2, 2, 6), (4, 20, 20, 4))
    heat = np.where(mask == 1, 0.5, np.nan)
    found = drain(
        study_lesions_work(study, mask, maps={"Heat": heat}, reference=mask, earlier=[mask])
    )
    table = lesion_table(found.lesions, calibrated=study.grid.calibrated)
    titles = [column.title for column in table.columns]
    assert [t for t in ("T1", "FLAIR", "Heat", "Dice", "Change") if t not in titles] == []
    assert found.dice == 1.0
    assert found.dice_of(found.edited([2])) == pytest.approx(2 * 36 / (36 + 52))
    lines = list(csv.DictReader(io.StringIO(table.csv())))
    assert [line["Heat"] for line in lines] == ["0.5", "0.5"]
    assert [line["Change"] for line in lines] == ["same", "same"]
    assert table.tabbed().count("\n") == 3
