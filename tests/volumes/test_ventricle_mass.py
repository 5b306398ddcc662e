"""The wall between inner and outer contours weighs what it must."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_writing import image
from typer.testing import CliRunner

from napari_sparseexplain.cli import app
from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.left_ventricle.ventricle_mass import (
    DENSITY,
    mass_text,
    ventricle_masses,
)


def circle(radius: float) -> str:
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    points = np.stack([30 + radius * np.cos(angle), 30 + radius * np.sin(angle)], axis=1)
    return "\n".join(f"{x:.3f} {y:.3f}" for x, y in points)


@pytest.fixture
def contours(tmp_path: Path) -> Path:
    """Three slices 9 mm apart, each at two times: the outer contour is drawn at both in one."""
    folder = tmp_path / "SC-N-01"
    folder.mkdir()
    for place in range(3):
        for time in range(2):
            number = 2 * place + time + 1
            dataset = image(
                np.full((60, 60), 100, np.uint16),
                PixelSpacing=[1.5, 1.5],
                ImageOrientationPatient=[1.0, 0, 0, 0, 1.0, 0],
                ImagePositionPatient=[0.0, 0.0, 9.0 * place],
                SliceThickness=8.0,
                InstanceNumber=number,
            )
            dataset.save_as(folder / f"IM-0001-{number:04d}.dcm", enforce_file_format=True)
            inner, outer = (10, 15) if time == 0 else (6, 14)
            name = f"IM-0001-{number:04d}-{{}}contour-manual.txt"
            (folder / name.format("i")).write_text(circle(inner))
            if time == 0 or place == 1:
                (folder / name.format("o")).write_text(circle(outer))
    return tmp_path


def test_the_wall_between_the_contours_weighs_its_volume(contours: Path) -> None:
    """At end-diastole, where the cavity is largest; areas of rings are known."""
    (found,) = drain(ventricle_masses(contours))
    ring = np.pi * (15**2 - 10**2) * 1.5**2
    assert found.volume == pytest.approx(3 * ring * 9.0 / 1000, rel=0.02)
    assert found.mass == pytest.approx(DENSITY * found.volume)
    assert (found.patient, found.slices, found.labelled, found.distance) == ("SC-N-01", 3, 3, 9.0)
    for path in contours.glob("*/IM-0001-0001-ocontour*"):
        path.unlink()
    (found,) = drain(ventricle_masses(contours))
    assert (found.slices, found.labelled) == (2, 3)
    assert "1 of 3 places have no outer contour" in mass_text([found])
    told = CliRunner().invoke(app, ["left-ventricle-mass", "--data", str(contours)])
    assert told.exit_code == 0, told.output
    assert "2 of 3" in told.output


def test_without_outer_contours_there_is_no_mass(contours: Path) -> None:
    for path in contours.glob("*/*ocontour*"):
        path.unlink()
    with pytest.raises(ReadError, match="no mass"):
        drain(ventricle_masses(contours))
