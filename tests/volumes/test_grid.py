"""Grid: where voxels lie. Display order is defined by nibabel's axis codes, used as the judge."""

from __future__ import annotations

import nibabel as nib
import nibabel.orientations as nio
import numpy as np
import pytest
from nifti_writing import all_orientations, tilted

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.volumes import Grid, patient_axes_grid
from napari_sparseexplain.volumes.grid import orientation_to_display

RADIOLOGICAL = np.array([[0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], dtype=float)


@pytest.mark.parametrize("affine", list(all_orientations()))
def test_every_orientation_is_brought_to_superior_posterior_left(affine: np.ndarray) -> None:
    shape = (3, 4, 5)
    turn = orientation_to_display(affine)
    displayed = affine @ nio.inv_ornt_aff(turn, shape)
    assert nib.aff2axcodes(displayed) == ("S", "P", "L")


def test_world_and_index_are_inverse() -> None:
    grid = Grid((4, 5, 6), tilted(20.0))
    index = np.array([[0, 0, 0], [3, 4, 5], [1.5, 2.25, 0.5]])
    np.testing.assert_allclose(grid.index(grid.world(index)), index, atol=1e-12)


def test_spacing_is_the_length_of_an_index_step() -> None:
    grid = Grid((4, 5, 6), tilted(33.0, (0.7, 0.9, 5.5)))
    origin = grid.world([0, 0, 0])
    steps = [np.linalg.norm(grid.world(step) - origin) for step in np.eye(3)]
    np.testing.assert_allclose(grid.spacing, steps)
    np.testing.assert_allclose(np.diag(grid.display_affine)[:3], grid.spacing)


@pytest.mark.parametrize("degrees", [0.0, 3.0, 20.0, 44.0])
def test_obliquity_is_the_angle_of_the_tilt(degrees: float) -> None:
    grid = Grid((4, 5, 6), tilted(degrees))
    assert grid.obliquity_degrees == pytest.approx(degrees, abs=1e-6)
    assert grid.is_oblique == (degrees > 0.5)


def test_a_grid_without_orientation_is_never_oblique() -> None:
    assert not Grid((4, 5, 6), tilted(20.0), oriented=False).is_oblique


def test_grids_match_by_place_and_not_by_numbers() -> None:
    grid = Grid((10, 20, 30), RADIOLOGICAL)
    near, far = RADIOLOGICAL.copy(), RADIOLOGICAL.copy()
    near[0, 3] += 1e-3
    far[:3, :3] *= 1.001  # 0.03 mm at the far corner
    assert grid.matches(Grid((10, 20, 30), near))
    assert not grid.matches(Grid((10, 20, 30), far))
    assert not grid.matches(Grid((10, 20, 31), RADIOLOGICAL))


@pytest.mark.parametrize(
    "affine",
    [
        np.zeros((4, 4)),
        np.full((4, 4), np.nan),
        np.diag([1.0, 1.0, 0.0, 1.0]),
        np.array([[1, 2, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=float),
    ],
    ids=["zero", "nan", "flat", "two axes parallel"],
)
def test_an_affine_that_places_nothing_is_refused(affine: np.ndarray) -> None:
    with pytest.raises(ReadError, match=r"scan\.nii") as caught:
        orientation_to_display(affine, where="scan.nii")
    assert caught.value.remedy


def test_a_grid_cannot_be_changed_from_outside() -> None:
    affine = RADIOLOGICAL.copy()
    grid = Grid((1, 2, 3), affine)
    affine[0, 3] = 99.0
    assert grid.affine[0, 3] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 0] = 2.0


@pytest.mark.parametrize("degrees", [5.0, 17.0, 40.0])
def test_patient_axes_grid_covers_every_voxel_of_the_oblique_one(degrees: float) -> None:
    """Every corner of the old volume lies within the new one's outer edges, axes are exact."""
    grid = Grid((6, 30, 20), tilted(degrees)[:, [2, 1, 0, 3]])
    straight = patient_axes_grid(grid)
    assert nib.aff2axcodes(straight.affine) == ("S", "P", "L")
    assert straight.obliquity_degrees == pytest.approx(0.0, abs=1e-6)
    np.testing.assert_allclose(straight.spacing, grid.spacing)
    edges = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in grid.shape])).reshape(3, -1).T
    index = straight.index(grid.world(edges))
    assert (index >= -0.5 - 1e-9).all()
    assert (index <= np.array(straight.shape) - 0.5 + 1e-9).all()
