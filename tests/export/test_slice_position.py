"""The words for where a slice lies: millimetres, and the tilt of one that is oblique."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sparseexplain.export.pictures.plane_view import PlaneView
from napari_sparseexplain.volumes import Grid


def tilted(degrees: float) -> Grid:
    """Axial slices of 1 mm, turned about the left-right axis."""
    angle = np.radians(degrees)
    affine = np.eye(4)
    # Columns: where slices, rows and columns lead in RAS+.
    affine[:3, 0] = [0.0, -np.sin(angle), np.cos(angle)]
    affine[:3, 1] = [0.0, -np.cos(angle), -np.sin(angle)]
    affine[:3, 2] = [-1.0, 0.0, 0.0]
    return Grid((10, 20, 20), affine)


@pytest.mark.parametrize(("degrees", "said"), [(0.0, ""), (0.4, ""), (12.0, "12°"), (40.0, "40°")])
def test_the_tilt_of_an_oblique_slice_is_said(degrees: float, said: str) -> None:
    words = PlaneView(tilted(degrees), "axial", 4, (64, 64)).position()
    assert "mm" in words
    assert ("oblique" in words) == bool(said)
    assert words.endswith(said)


def test_a_plane_along_the_patients_axis_is_not_called_oblique_beside_tilted_ones() -> None:
    assert "oblique" not in PlaneView(tilted(20.0), "sagittal", 4, (64, 64)).position()
