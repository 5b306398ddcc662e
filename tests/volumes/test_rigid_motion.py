"""Rigid motions, their files, and what a matrix of a file may not be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.volumes.registration.registration_error import (
    both_ways_error,
    edges_met,
    target_registration_error,
)
from napari_sparseexplain.volumes.registration.rigid_motion import (
    RAS_LPS,
    itk_text,
    mean_distance,
    moved,
    rigid_motion,
    rigidity_fault,
    turn_degrees,
)
from napari_sparseexplain.volumes.registration.transform_files import read_transform

MOTION = rigid_motion((5, -4, 12), (3, -7, 9), (10, 20, 30))
POINTS = np.random.default_rng(0).uniform(-80, 80, (50, 3))


def test_a_turn_about_a_point_leaves_it_in_place_but_for_the_shift() -> None:
    assert moved(np.array([[10.0, 20, 30]]), MOTION)[0] == pytest.approx([13, 13, 39])
    assert turn_degrees(rigid_motion((0, 0, 25), (1, 2, 3))) == pytest.approx(25)
    assert mean_distance(rigid_motion((0, 0, 0), (3, 0, 4)), POINTS) == pytest.approx(5)


def test_a_written_itk_file_is_read_back_as_the_same_motion(tmp_path: Path) -> None:
    path = tmp_path / "prior_to_current.tfm"
    path.write_text(itk_text(MOTION))
    # ITK's files lead from the fixed (current) to the moving (prior) image: the inverse.
    assert read_transform(path).matrix == pytest.approx(np.linalg.inv(MOTION))


def test_simpleitk_takes_a_current_point_to_the_prior_by_our_file(tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    path = tmp_path / "prior_to_current.tfm"
    path.write_text(itk_text(MOTION))
    transform = sitk.ReadTransform(str(path))
    prior = np.array([12.0, -30.0, 44.0])
    current = moved(prior[None], MOTION)[0]
    lps = transform.TransformPoint([float(v) for v in (RAS_LPS[:3, :3] @ current)])
    assert RAS_LPS[:3, :3] @ np.array(lps) == pytest.approx(prior)


def test_a_matrix_that_mirrors_stretches_or_flattens_is_told() -> None:
    assert rigidity_fault(MOTION) == ""
    assert rigidity_fault(np.diag([-1.0, 1, 1, 1])) == "mirrors the patient"
    assert "stretches the patient (+0.0 % to +10.0 %)" in rigidity_fault(np.diag([1.0, 1.1, 1, 1]))
    assert rigidity_fault(np.diag([1.0, 0, 1, 1])) == "cannot be undone"


def test_the_target_error_is_the_distance_between_two_places_of_a_point() -> None:
    off = rigid_motion((0, 0, 0), (0, 3, 4)) @ MOTION
    assert target_registration_error(off, MOTION, POINTS) == pytest.approx(5)
    assert both_ways_error(MOTION, np.linalg.inv(MOTION), POINTS) == pytest.approx(0, abs=1e-9)
    # Both ways err alike: what only compares them does not see it.
    assert both_ways_error(off, np.linalg.inv(off), POINTS) == pytest.approx(0, abs=1e-9)


def test_edges_meet_within_two_millimetres_and_none_meet_nothing() -> None:
    one, other = np.zeros((3, 8, 8), bool), np.zeros((3, 8, 8), bool)
    one[1, 2], other[1, 4] = True, True
    assert edges_met(one, other, (1.0, 1.0, 1.0)) == 1.0
    assert edges_met(one, other, (1.0, 1.5, 1.0)) == 0.0
    assert edges_met(one, np.zeros_like(one), (1.0, 1.0, 1.0)) is None


def lta(kind: int, matrix: np.ndarray) -> str:
    """As FreeSurfer writes one, between two volumes of unequal voxels and directions."""
    rows = "\n".join(" ".join(f"{v:.12f}" for v in row) for row in matrix)
    return (
        f"# transform file prior.lta\ntype      = {kind}\nnxforms   = 1\n"
        f"mean      = 0.0 0.0 0.0\nsigma     = 1.0\n1 4 4\n{rows}\n"
        "src volume info\nvalid = 1  # volume info valid\nfilename = prior.mgz\n"
        "volume = 20 30 10\nvoxelsize = 2.0 1.0 3.0\n"
        "xras   = -1.0 0.0 0.0\nyras   = 0.0 0.0 -1.0\nzras   = 0.0 1.0 0.0\n"
        "cras   = 5.0 -3.0 2.0\n"
        "dst volume info\nvalid = 1\nfilename = current.mgz\nvolume = 16 16 16\n"
        "voxelsize = 1.0 1.0 1.0\nxras   = 1.0 0.0 0.0\nyras   = 0.0 1.0 0.0\n"
        "zras   = 0.0 0.0 1.0\ncras   = 0.0 0.0 0.0\n"
    )


def test_freesurfer_s_transform_is_read_in_millimetres_and_in_voxels(tmp_path: Path) -> None:
    path = tmp_path / "prior_to_current.lta"
    path.write_text(lta(1, MOTION))
    assert np.linalg.inv(read_transform(path).matrix) == pytest.approx(MOTION, abs=1e-9)
    # From the geometry above: index to RAS of both, the middle of the volume at cras.
    prior = np.array([[-2.0, 0, 0, 25], [0, 0, 3, -18], [0, -1, 0, 17], [0, 0, 0, 1]])
    current = np.eye(4)
    current[:3, 3] = -8
    path.write_text(lta(0, np.linalg.inv(current) @ MOTION @ prior))
    assert np.linalg.inv(read_transform(path).matrix) == pytest.approx(MOTION, abs=1e-6)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("nxforms   = 1", "nxforms   = 2"),
        ("type      = 0", "type      = 14"),
        ("valid = 1", "valid = 0"),
        ("cras   = 5.0", "cras   = x"),
        ("volume = 20 30 10\n", ""),
        ("1 4 4\n1.000000000000", "1 4 4\nnan"),
        ("1 4 4\n1.000000000000", "1 4 4\n0.0"),
    ],
)
def test_a_damaged_lta_is_refused(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "t.lta"
    text = lta(0, np.eye(4))
    assert old in text
    path.write_text(text)
    assert np.isfinite(read_transform(path).matrix).all()
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ReadError):
        read_transform(path)
