"""Where a prior is laid, what is said of it, and transforms that cannot be right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_heads import head_study, lying_elsewhere

from napari_sparseexplain.errors import ReadError, StudyError
from napari_sparseexplain.volumes import Grid
from napari_sparseexplain.volumes.registration.placement import (
    Placement,
    on_current_grid,
    placed_by_file,
    placed_by_files,
)
from napari_sparseexplain.volumes.registration.rigid_motion import itk_text, rigid_motion

CURRENT = head_study()
GRID = CURRENT.grid
FAR = Grid(GRID.shape, rigid_motion((0, 0, 0), (400, 0, 0)) @ GRID.affine)


def test_a_prior_lies_as_its_file_says_and_that_is_called_not_registered() -> None:
    placed = placed_by_files(GRID, GRID)
    assert placed.caption() == "NOT REGISTERED: placed as its files say"
    laid = on_current_grid(CURRENT, ("flair", "seg"), GRID, placed)
    assert laid.unregistered == ("flair", "seg")
    assert np.array_equal(laid["flair"].spatial(), CURRENT["flair"].spatial())


def test_a_prior_that_its_file_places_beside_gets_its_middle_over_the_current_one() -> None:
    placed = placed_by_files(GRID, FAR)
    assert placed.how == "middles"
    assert placed.whole @ FAR.affine == pytest.approx(GRID.affine)
    assert "middles laid together" in placed.caption()
    with pytest.raises(StudyError, match="millimetres"):
        placed_by_files(GRID, Grid(GRID.shape, GRID.affine, calibrated=False))


def test_a_shift_by_hand_moves_the_prior_along_the_patients_axes_and_is_said() -> None:
    placed = placed_by_files(GRID, GRID).moved_by_hand((0.0, -4.0, 8.0))
    laid = on_current_grid(CURRENT, ("flair",), GRID, placed)["flair"].spatial()
    # 8 mm to the head are two slices up; 4 mm to the back one row.
    assert np.array_equal(laid[2:, 1:], CURRENT["flair"].spatial()[:-2, :-1])
    assert placed.caption().endswith("moved by hand P 4 S 8 mm")


def test_a_registered_prior_is_resampled_once_with_its_mask_by_nearest_neighbour() -> None:
    true = rigid_motion((3, -4, 9), (8, -6, 10))
    earlier = lying_elsewhere(CURRENT, true)
    placed = Placement(true, "rigid", "both ways agree to 0.2 mm")
    laid = on_current_grid(earlier, ("flair", "seg"), GRID, placed)
    assert laid.unregistered == ()
    there = laid["seg"].spatial() > 0
    truth = CURRENT["seg"].spatial() > 0
    assert set(np.unique(laid["seg"].spatial())) == {0, 1}
    assert 2 * (there & truth).sum() / (there.sum() + truth.sum()) > 0.8
    assert placed.caption() == "registered rigidly, both ways agree to 0.2 mm"


def test_the_transform_of_a_file_is_taken_from_prior_to_current(tmp_path: Path) -> None:
    path = tmp_path / "prior_to_current.tfm"
    motion = rigid_motion((0, 0, 10), (5, 6, 7))
    path.write_text(itk_text(motion))
    placed, notes = placed_by_file(path, CURRENT["flair"], CURRENT["flair"])
    assert placed.matrix == pytest.approx(motion)
    assert placed.registered
    assert notes == ()


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        (np.diag([-1.0, 1, 1, 1]), "mirrors the patient"),
        (rigid_motion((0, 0, 0), (0, 900, 0)), "beside the current scan"),
    ],
)
def test_a_transform_that_mirrors_or_misses_is_refused(tmp_path: Path, matrix, says) -> None:
    path = tmp_path / "wrong.tfm"
    path.write_text(itk_text(matrix))
    with pytest.raises(StudyError, match=says):
        placed_by_file(path, CURRENT["flair"], CURRENT["flair"])


def test_a_transform_of_the_other_direction_misses_where_the_scans_lie_apart(
    tmp_path: Path,
) -> None:
    far = replace(CURRENT["flair"], grid=FAR)
    right = np.linalg.inv(rigid_motion((0, 0, 0), (400, 0, 0)))
    path = tmp_path / "t.tfm"
    path.write_text(itk_text(right))
    assert placed_by_file(path, CURRENT["flair"], far)[0].matrix == pytest.approx(right)
    path.write_text(itk_text(np.linalg.inv(right)))
    with pytest.raises(StudyError, match="lead the other way"):
        placed_by_file(path, CURRENT["flair"], far)


def test_an_affine_that_stretches_is_used_and_said_and_a_broken_file_is_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "affine.tfm"
    path.write_text(itk_text(np.diag([1.0, 1.05, 1, 1])))
    placed, notes = placed_by_file(path, CURRENT["flair"], CURRENT["flair"])
    assert placed.registered
    assert "stretches the patient" in notes[0]
    path.write_text("#Insight Transform File V1.0\nnonsense")
    with pytest.raises(ReadError, match="damaged"):
        placed_by_file(path, CURRENT["flair"], CURRENT["flair"])
