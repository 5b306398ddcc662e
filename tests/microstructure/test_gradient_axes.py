"""Gradients follow every reordering, tilt and resampling of the scan that they belong to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.microstructure.protocol.gradient_axes import nearest_rotation
from napari_sparseexplain.microstructure.protocol.of_volume import (
    gradient_table_in,
    gradient_table_of,
)
from napari_sparseexplain.microstructure.protocol.peaks import find_peaks
from napari_sparseexplain.microstructure.protocol.scan_signals import signals_of
from napari_sparseexplain.volumes.grid import Grid
from napari_sparseexplain.volumes.resampling import resample_to
from napari_sparseexplain.volumes.volume import Volume

from ..volumes.nifti_writing import all_orientations
from .diffusion_scans import (
    fibre_signals,
    fsl_vectors,
    gradients,
    rotation,
    spl,
    write_fsl,
    write_mrtrix,
    write_scan,
)

FIBRE = np.array([0.36, 0.48, -0.8])  # RAS, of length 1, with no two components alike
SHAPE = (3, 4, 5)
ORIENTATIONS = list(all_orientations())


def one_scan(folder: Path, affine: np.ndarray, *, mrtrix: bool = False) -> Path:
    """A block with the fibre everywhere, as a scanner with this affine would store it."""
    b, vectors = gradients()
    signals = fibre_signals(np.broadcast_to(FIBRE, (*SHAPE, 3)), b, vectors)
    path = write_scan(folder, signals, affine)
    if mrtrix:
        write_mrtrix(folder, b, vectors)
    else:
        write_fsl(folder, *fsl_of(affine))
    return path


def fsl_of(affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The gradients as FSL writes them."""
    b, vectors = gradients()
    return b, fsl_vectors(vectors, affine)


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> list[Volume]:
    """One scan in each orientation, with FSL's files beside it."""
    root = tmp_path_factory.mktemp("orientations")
    paths = [one_scan(root / str(n), affine) for n, affine in enumerate(ORIENTATIONS)]
    return [se.open_study(path)["dwi"] for path in paths]


def test_all_48_orientations_give_one_table_one_tensor_and_its_peaks(
    volumes: list[Volume],
) -> None:
    """FSL's convention for the file, S, P, L for what is shown."""
    tensor = pytest.importorskip("napari_sparseexplain.microstructure.protocol.tensor")
    pytest.importorskip("dipy")
    _, vectors = gradients()
    for volume, affine in zip(volumes, ORIENTATIONS, strict=True):
        table, _ = gradient_table_of(volume)
        assert np.allclose(table.directions, spl(vectors), atol=1e-6), affine
        maps = tensor.fit_tensor(table, signals_of(volume)[:2, :2, :2])
        assert np.allclose(abs(maps.principal @ spl(FIBRE)), 1, atol=1e-5), affine
        assert np.allclose(maps.colours[0, 0, 0] / maps.fa[0, 0, 0], abs(FIBRE), atol=1e-4)
        peaks = find_peaks(table, signals_of(volume)[:1, :2, :2])
        assert (peaks.count == 1).all()
        assert np.allclose(abs(peaks.directions[..., 0, :] @ spl(FIBRE)), 1, atol=2e-3), affine


def test_mrtrix_and_fsl_tell_the_same_in_all_48(volumes: list[Volume]) -> None:
    """A volume's gradients are read from their files whenever they are asked for."""
    for volume, affine in zip(volumes, ORIENTATIONS, strict=True):
        folder = volume.source.paths[0].parent
        one, said = gradient_table_of(volume)
        write_mrtrix(folder, *gradients())
        (both, again) = gradient_table_of(volume)
        assert [f.code for f in again] == [f.code for f in said], "they do not disagree"
        for ending in ("bval", "bvec"):
            (folder / f"scan_dwi.{ending}").unlink()
        other, _ = gradient_table_of(volume)
        (folder / "scan_dwi.b").unlink()
        write_fsl(folder, *fsl_of(affine))  # as another test finds them
        assert np.allclose(one.directions, other.directions, atol=1e-6)
        assert np.allclose(both.b, other.b)


@pytest.mark.parametrize("number", [0, 13, 29, 47])
def test_oblique_directions_are_those_of_the_grid(tmp_path: Path, number: int) -> None:
    turn = rotation((1, 2, 3), 21.0)
    affine = ORIENTATIONS[number].copy()
    affine[:3, :3] = turn @ affine[:3, :3]
    path = one_scan(tmp_path, affine)
    volume = se.open_study(path)["dwi"]
    table, _ = gradient_table_of(volume)
    axes = volume.grid.affine[:3, :3] / np.array(volume.grid.spacing)
    assert np.allclose(table.directions, gradients()[1] @ axes, atol=1e-6)
    shown = se.open_study(path, patient_axes=True)["dwi"]
    assert shown.source.header is None, "it was resampled"
    assert np.allclose(gradient_table_of(shown)[0].directions, spl(gradients()[1]), atol=1e-6)


def test_a_scan_on_anothers_grid_has_its_directions_along_that(tmp_path: Path) -> None:
    affine = ORIENTATIONS[5].copy()
    affine[:3, :3] = rotation((0, 1, 1), 15.0) @ affine[:3, :3]
    volume = se.open_study(one_scan(tmp_path, affine))["dwi"]
    linear = rotation((1, 0, 2), -30.0) @ np.diag([1.5, 2.0, 2.5])
    grid = Grid(
        (4, 4, 4), np.block([[linear, np.zeros((3, 1))], [np.zeros((1, 3)), np.ones((1, 1))]])
    )
    table, _ = gradient_table_of(resample_to(volume, grid))
    assert np.allclose(table.directions, gradients()[1] @ rotation((1, 0, 2), -30.0), atol=1e-6)


def test_a_scan_placed_by_a_transform_turns_its_gradients(tmp_path: Path) -> None:
    """FSL's are along its voxels, which turn with it; so are MRtrix's, from the scanner's."""
    turn = rotation((3, 1, 2), 35.0)
    for mrtrix in (False, True):
        path = one_scan(tmp_path / str(mrtrix), ORIENTATIONS[7], mrtrix=mrtrix)
        volume = se.open_study(path)["dwi"]
        affine = volume.grid.affine.copy()
        affine[:3] = turn @ affine[:3]
        placed = replace(volume, grid=Grid(volume.grid.shape, affine))
        same, _ = gradient_table_of(placed)
        assert np.allclose(same.directions, spl(gradients()[1]), atol=1e-6)
        upright = resample_to(placed, volume.grid)
        turned, _ = gradient_table_of(upright, original=placed)
        assert np.allclose(turned.directions, spl(gradients()[1] @ turn.T), atol=1e-6)


def test_a_study_knows_what_was_resampled(tmp_path: Path) -> None:
    affine = ORIENTATIONS[0].copy()
    affine[:3, :3] = rotation((1, 0, 0), 20.0) @ affine[:3, :3]
    study = se.open_study(one_scan(tmp_path, affine), patient_axes=True)
    table, _ = gradient_table_in(study, "dwi")
    assert np.allclose(table.directions, spl(gradients()[1]), atol=1e-6)


def test_axes_at_right_angles_are_their_own_rotation() -> None:
    for affine in ORIENTATIONS:
        axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
        assert np.allclose(nearest_rotation(affine), axes)
    sheared = np.array([[1.0, 0.2, 0], [0, 1, 0], [0, 0, 1]])
    matrix = nearest_rotation(sheared)
    assert np.allclose(matrix @ matrix.T, np.eye(3))


def test_a_fibre_along_the_columns_is_001(tmp_path: Path) -> None:
    """The last component is that of the array's last axis."""
    affine = ORIENTATIONS[20]
    b, _ = gradients()
    path = one_scan(tmp_path, affine)
    volume = se.open_study(path)["dwi"]
    along = volume.grid.affine[:3, 2] / volume.grid.spacing[2]
    vectors = np.tile(along, (len(b), 1)) * (b > 0)[:, None]
    write_fsl(tmp_path, b, fsl_vectors(vectors, affine))
    table, _ = gradient_table_of(volume)
    assert np.allclose(table.directions[b > 0], [0, 0, 1], atol=1e-6)
