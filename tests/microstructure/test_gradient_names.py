"""Volumes of a diffusion scan are named by b-value and direction, along the patient's axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.frames import frame_name, frame_of
from napari_sparseexplain.review.gradient_names import gradient_name, opening_frame

from .diffusion_scans import (
    fsl_vectors,
    rotation,
    write_fsl,
    write_mrtrix,
    write_scan,
)

AFFINE = np.eye(4)
AFFINE[:3, :3] = rotation((1, 1, 0), 20.0) @ np.array([[0, -2.0, 0], [0, 0, 3.0], [2.5, 0, 0]])
B = np.array([1000.0, 0.0, 1000.0, 2000.0])
VECTORS = np.array([[0, 0.6, 0.8], [0, 0, 0], [1.0, 0, 0], [-0.6, 0.8, 0]])


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    signals = np.random.default_rng(0).uniform(10, 90, (4, 5, 6, len(B)))
    return write_scan(tmp_path, signals, AFFINE)


def test_a_direction_is_told_towards_the_patients_sides(scan: Path) -> None:
    """On a tilted grid whose axes are in another order; also resampled to the patient's axes."""
    write_fsl(scan.parent, B, fsl_vectors(VECTORS, AFFINE))
    for patient_axes in (False, True):
        volume = se.open_study(scan, patient_axes=patient_axes)["dwi"]
        assert gradient_name(volume, (0,)) == "b = 1000 s/mm², (0.00, 0.60, 0.80)"
        assert gradient_name(volume, (1,)) == "b = 0"
        assert gradient_name(volume, (3,)) == "b = 2000 s/mm², (-0.60, 0.80, 0.00)"
        assert frame_name(volume, (1,)) == "direction 2/4, b = 0"
        assert opening_frame(volume) == (1,)


def test_a_scan_with_gradients_of_any_kind_is_not_over_time(scan: Path) -> None:
    assert se.open_study(scan)["dwi"].leading == ("time",)
    write_mrtrix(scan.parent, B, VECTORS)
    volume = se.open_study(scan)["dwi"]
    assert volume.leading == ("direction",)
    assert gradient_name(volume, (2,)) == "b = 1000 s/mm², (1.00, 0.00, 0.00)"


def test_the_picture_of_a_review_names_it(scan: Path) -> None:
    write_fsl(scan.parent, B, fsl_vectors(VECTORS, AFFINE))
    reading = default_reading(se.open_study(scan))
    _, words = frame_of(reading, reading.review.panels[0])
    assert words == "direction 1/4, b = 1000 s/mm², (0.00, 0.60, 0.80)"


def test_what_tells_no_gradients_keeps_its_number(scan: Path, tmp_path: Path) -> None:
    write_fsl(scan.parent, B[:3], VECTORS[:3])  # of another scan
    volume = se.open_study(scan)["dwi"]
    assert frame_name(volume, (2,)) == "direction 3/4"
    assert opening_frame(volume) == ()
    alone = write_scan(tmp_path / "alone", np.ones((4, 5, 6)), AFFINE, name="flair")
    assert gradient_name(se.open_study(alone)["flair"], ()) == ""
