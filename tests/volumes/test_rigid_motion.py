"""Rigid motions, their files, and what a matrix of a file may not be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

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
