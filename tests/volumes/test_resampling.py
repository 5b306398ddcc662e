"""Resampling. A linear ramp in millimetres is reproduced exactly by linear interpolation."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nifti_writing import all_orientations, tilted, write

from napari_sparseexplain.volumes import (
    Grid,
    Source,
    Volume,
    patient_axes_grid,
    read_nifti,
    resample_to,
    write_nifti,
)
from napari_sparseexplain.volumes.opening.common_grid import bring_to_grid
from napari_sparseexplain.volumes.opening.open_study import open_study

SPL = np.array([[0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], dtype=float)


def grid(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], origin=(0, 0, 0)
) -> Grid:
    affine = SPL @ np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    return Grid(shape, affine)


def volume(data: np.ndarray, where: Grid, kind: str = "image", **more: object) -> Volume:
    source = Source((), "memory", where.shape, where.affine, data.dtype, np.eye(3, 2))
    return Volume(data, where, "t1", kind, source, **more)  # type: ignore[arg-type]


def ramp(where: Grid, slope=(0.3, -0.2, 0.7), start: float = 5.0) -> np.ndarray:
    """A function that is linear in the patient's space, sampled on a grid."""
    index = np.stack(np.indices(where.shape), axis=-1)
    return (where.world(index) @ np.asarray(slope) + start).astype(np.float32)


def interior(old: Grid, new: Grid) -> np.ndarray:
    """New voxels whose centre lies between centres of old ones."""
    index = old.index(new.world(np.stack(np.indices(new.shape), axis=-1)))
    return ((index >= 0) & (index <= np.array(old.shape) - 1)).all(axis=-1)


@pytest.mark.parametrize(
    "target",
    [
        grid((9, 20, 30), (2.0, 1.0, 1.0), (-1.0, -2.0, 1.5)),
        grid((30, 40, 20), (0.4, 0.6, 0.7), (-3.0, -1.0, 2.0)),
        Grid((8, 20, 20), tilted(17.0)[:, [2, 1, 0, 3]]),
    ],
    ids=["shifted", "finer", "tilted"],
)
def test_a_linear_ramp_is_reproduced(target: Grid) -> None:
    old = grid((12, 30, 40), (2.0, 1.0, 1.0))
    result = resample_to(volume(ramp(old), old), target)
    inside = interior(old, target)
    assert inside.sum() > 50
    np.testing.assert_allclose(result.data[inside], ramp(target)[inside], atol=1e-3)
    assert result.grid is target


def test_the_same_grid_gives_the_same_values() -> None:
    where = grid((5, 6, 7), (2.0, 1.0, 1.0))
    data = np.random.default_rng(0).normal(size=where.shape).astype(np.float32)
    np.testing.assert_allclose(resample_to(volume(data, where), where).data, data, atol=1e-6)


def test_slabs_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    old, target = (
        grid((12, 30, 40), (2.0, 1.0, 1.0)),
        Grid((9, 20, 20), tilted(9.0)[:, [2, 1, 0, 3]]),
    )
    whole = resample_to(volume(ramp(old), old), target).data
    monkeypatch.setattr("napari_sparseexplain.volumes.resampling.SLAB_VOXELS", 1)
    np.testing.assert_array_equal(resample_to(volume(ramp(old), old), target).data, whole)


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4"])
def test_labels_are_never_mixed(dtype: str) -> None:
    old = grid((6, 16, 16), (3.0, 1.0, 1.0))
    labels = np.zeros(old.shape, dtype=dtype)
    labels[2:4, 4:10, 5:12] = 4
    target = grid((20, 40, 40), (0.9, 0.4, 0.4), (-0.3, -0.1, 0.2))
    result = resample_to(volume(labels, old, "label"), target)
    assert result.data.dtype == labels.dtype
    assert set(np.unique(result.data)) == {0, 4}
    volume_ratio = np.prod(old.spacing) / np.prod(target.spacing)
    assert np.count_nonzero(result.data) == pytest.approx(
        (labels > 0).sum() * volume_ratio, rel=0.1
    )


def test_values_reach_to_the_outer_edges_of_the_voxels_and_no_further() -> None:
    """A voxel of 6 mm covers 3 mm to either side of its centre; beyond is background."""
    old = grid((3, 4, 4), (6.0, 1.0, 1.0))
    target = grid((25, 4, 4), (1.0, 1.0, 1.0), (0.0, 0.0, -6.25))
    data = np.full(old.shape, 3.0, dtype=np.float32)
    data[:, 1:3, 1:3] = 8.0
    labels = np.ones(old.shape, dtype=np.uint8)
    seen = resample_to(volume(labels, old, "label"), target).data[:, 2, 2]
    place = target.world(np.stack([np.arange(25), np.full(25, 2), np.full(25, 2)], axis=-1))[:, 2]
    np.testing.assert_array_equal(seen, ((place >= -3) & (place <= 15)).astype(np.uint8))
    scan = resample_to(volume(data, old), target).data[:, 2, 2]
    assert set(scan[seen == 0]) == {3.0}
    assert set(scan[seen == 1]) == {8.0}


def test_outside_takes_the_background_of_a_scan_with_negative_values() -> None:
    """A stripped scan with negative brain: outside must not look like brain."""
    old = grid((6, 10, 10), (1.0, 1.0, 1.0))
    data = np.zeros(old.shape, dtype=np.int16)
    data[2:4, 3:7, 3:7] = -200
    result = resample_to(volume(data, old), grid((14, 10, 10), (1.0, 1.0, 1.0), (0, 0, -4))).data
    assert result[0].max() == result[0].min() == 0.0


def test_strong_downsampling_averages() -> None:
    """Stripes finer than the new voxels become their mean, not one of the two (no aliasing)."""
    old = grid((8, 64, 64), (1.0, 1.0, 1.0))
    stripes = np.zeros(old.shape, dtype=np.float32)
    stripes[:, :, ::2] = 100.0
    target = grid((8, 64, 16), (1.0, 1.0, 4.0), (-6.0, 0.0, 0.0))
    result = resample_to(volume(stripes, old), target).data[:, :, 2:-2]
    np.testing.assert_allclose(result, 50.0, atol=5.0)


def test_leading_axes_are_sampled_one_by_one_when_looked_at() -> None:
    old, target = grid((6, 12, 14), (2.0, 1.0, 1.0)), grid((5, 8, 9), (2.0, 1.2, 1.1), (-2, -1, 1))
    data = np.stack([ramp(old, start=float(n)) for n in range(3)])
    result = resample_to(volume(data, old, leading=("time",)), target)
    assert result.data.shape == (3, *target.shape)
    assert not isinstance(result.data, np.ndarray)
    inside = interior(old, target)
    for n in range(3):
        seen = np.asarray(result.data[n])
        np.testing.assert_allclose(seen[inside], ramp(target, start=float(n))[inside], atol=1e-3)


def test_colours_are_sampled_one_by_one() -> None:
    old, target = grid((4, 8, 8), (1.0, 1.0, 1.0)), grid((4, 8, 8), (1.0, 1.0, 1.0), (-1, 0, 0))
    data = np.random.default_rng(1).integers(0, 255, (*old.shape, 3)).astype(np.uint8)
    result = resample_to(volume(data, old, colour=True), target)
    np.testing.assert_array_equal(result.data[:, :, :-1], data[:, :, 1:])


def test_an_oblique_scan_comes_out_straight() -> None:
    old = Grid((10, 40, 40), tilted(12.0)[:, [2, 1, 0, 3]])
    straight = patient_axes_grid(old)
    result = resample_to(volume(ramp(old), old), straight)
    inside = interior(old, straight)
    assert inside.mean() > 0.4
    np.testing.assert_allclose(result.data[inside], ramp(straight)[inside], atol=1e-3)


def test_a_resampled_volume_is_saved_where_it_lies_now(tmp_path: Path) -> None:
    """Its file's header no longer fits; the new grid's affine is written instead."""
    path = write(tmp_path / "a.nii", np.arange(24, dtype="i2").reshape(4, 3, 2), tilted(12.0))
    old = read_nifti(path)
    straight = resample_to(old, patient_axes_grid(old.grid))
    again = read_nifti(write_nifti(tmp_path / "b.nii.gz", straight.data, straight))
    assert again.grid.matches(straight.grid)
    np.testing.assert_array_equal(again.data, straight.data)


@pytest.mark.parametrize("kind", ["t2", "seg"])
@pytest.mark.parametrize("affine", all_orientations())
def test_what_was_resampled_to_the_reference_overlays_its_file_voxel_by_voxel(
    tmp_path: Path, affine: np.ndarray, kind: str
) -> None:
    """Whatever the axis order and flips of the reference's file: same shape, same affine."""
    shape = (9, 7, 5)
    reference = write(tmp_path / "t1.nii", np.ones(shape, "i2"), affine, sform=2, version=2)
    index = np.moveaxis(np.indices(shape), 0, -1)
    # One voxel of the other file lies exactly on the place of this voxel of the reference's.
    marked = (6, 2, 3)
    place = nib.affines.apply_affine(affine, marked)
    there = np.diag([-0.5, -0.5, 0.5, 1.0])
    there[:3, 3] = place - there[:3, :3] @ (30, 30, 30)
    other = np.zeros((61, 61, 61), "u1")
    other[26:35, 26:35, 26:35] = 3
    write(tmp_path / f"{kind}.nii", other, there)
    volumes = {"t1": read_nifti(reference), kind: read_nifti(tmp_path / f"{kind}.nii")}
    brought = bring_to_grid(volumes, volumes["t1"].grid, "t1")
    assert kind in brought.resamplings
    found = brought.volumes[kind]
    saved = nib.load(write_nifti(tmp_path / "out.nii.gz", found.data, found))
    file = nib.load(reference)
    np.testing.assert_array_equal(saved.affine, file.affine)
    assert saved.shape == file.shape
    assert int(saved.header["sform_code"]) == 2
    assert type(saved) is type(file)
    values = np.asarray(saved.dataobj)
    assert values[marked] > 0
    assert tuple(index[values == values.max()].mean(axis=0).round()) == marked
    np.testing.assert_array_equal(read_nifti(tmp_path / "out.nii.gz").data, found.data)


def test_voxels_that_are_said_to_be_next_to_nothing_are_no_traceback(tmp_path: Path) -> None:
    """Found by damaged headers: a size of 1e-45 mm asked for a kernel of any length."""
    affine = np.diag([1.0, 1e-45, 1.0, 1.0])
    nib.save(nib.Nifti1Image(np.ones((6, 7, 5), np.float32), np.eye(4)), tmp_path / "a_t1.nii.gz")
    image = nib.Nifti1Image(np.ones((6, 7, 5), np.float32), None)
    image.header.set_sform(affine, code=1)
    nib.save(image, tmp_path / "a_t2.nii.gz")
    study = open_study(tmp_path)
    assert all(
        np.asarray(volume.data).shape == study.grid.shape for volume in study.images.values()
    )
