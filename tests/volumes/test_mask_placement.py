"""A mask in the wrong place is noticed; one in the right place is left in peace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nifti_writing import write

from napari_sparseexplain.volumes import open_study, read_nifti
from napari_sparseexplain.volumes.brain_mask import brain_mask
from napari_sparseexplain.volumes.opening.mask_placement import mask_placement

SHAPE = (40, 48, 30)


def ball(centre: tuple[int, int, int], radius: float, shape=SHAPE) -> np.ndarray:
    index = np.stack(np.indices(shape), axis=-1)
    return ((index - np.asarray(centre)) ** 2).sum(axis=-1) < radius**2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A stripped head off the centre of its volume, LPS."""
    scan = np.where(ball((22, 26, 15), 12), 100, 0).astype("i2")
    scan += np.where(ball((22, 26, 15), 6), 40, 0).astype("i2")
    write(tmp_path / "flair.nii.gz", scan)
    return tmp_path


def codes(folder: Path) -> list[str]:
    return [f.code for f in open_study(folder).findings]


def test_a_lesion_in_the_brain_is_not_reported(folder: Path) -> None:
    write(folder / "seg.nii.gz", ball((26, 28, 15), 4).astype("u1"))
    assert codes(folder) == []


def test_a_mask_that_lost_its_orientation_is_reported_with_the_remedy(folder: Path) -> None:
    """The array is right and the affine is the identity: it lands flipped, outside the scan."""
    write(folder / "seg.nii.gz", ball((26, 28, 15), 4).astype("u1"), np.eye(4), sform=2)
    (finding,) = [f for f in open_study(folder).findings if f.code == "mask-outside-brain"]
    assert finding.level == "warning"
    assert "only 0%" in finding.message
    assert "it would be 100%" in finding.message


def test_a_mask_of_another_patient_is_reported(folder: Path) -> None:
    write(folder / "seg.nii.gz", ball((5, 5, 5), 4).astype("u1"))
    (finding,) = [f for f in open_study(folder).findings if f.code == "mask-outside-brain"]
    assert "belongs to this scan" in finding.message


def test_a_small_shift_of_the_affine_does_not_count(folder: Path) -> None:
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    affine[0, 3] = 2.0
    write(folder / "seg.nii.gz", ball((26, 28, 15), 4).astype("u1"), affine)
    assert "mask-outside-brain" not in codes(folder)


def test_a_lesion_in_a_lung_is_not_reported(tmp_path: Path) -> None:
    """Air that is open at the first and last slice is not enclosed in 3-D, but is in the body."""
    index = np.indices(SHAPE)[:2] - np.array([20, 24])[:, None, None, None]
    radius = np.hypot(*index)
    body = np.where((radius < 18) & (radius > 9), 100, 0).astype("i2")
    body += np.random.default_rng(0).integers(0, 9, SHAPE).astype("i2")  # not stripped
    write(tmp_path / "ct.nii.gz", body)
    write(tmp_path / "seg.nii.gz", ball((20, 24, 15), 4).astype("u1"))
    assert codes(tmp_path) == []


def test_an_empty_mask_says_nothing_about_its_place(folder: Path) -> None:
    write(folder / "seg.nii.gz", np.zeros(SHAPE, "u1"))
    assert codes(folder) == []


def test_the_share_counts_voxels_beyond_the_scan_too(folder: Path) -> None:
    """Half of a mask sticks out of the volume: resampling would hide that, the share does not."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    write(folder / "seg.nii.gz", np.ones((4, 4, 60), "u1"), affine)
    scan, mask = read_nifti(folder / "flair.nii.gz"), read_nifti(folder / "seg.nii.gz")
    everywhere = np.ones(scan.grid.shape, dtype=bool)
    placed = mask_placement(mask, scan, everywhere)
    assert placed is not None
    assert placed.share == pytest.approx(0.5)
    assert brain_mask(scan.data).any()


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("place", "misplaced"),
    [
        ("brain_tumour/brats_gli_00000", []),
        ("brain_tumour/captk_small", []),
        ("brain_tumour/tcga_fg_6692", []),
        ("brain_tumour/gli_00001_misplaced_mask", ["seg-BraTS23_1_mapped.nii.gz"]),
        ("brain_lesion_ms/patient07", []),
        ("brain_lesion_ms/patient01_native_grids", []),
    ],
)
def test_real_masks(shared_data: Path, place: str, misplaced: list[str]) -> None:
    findings = open_study(shared_data / place).findings
    assert [f.where for f in findings if f.code == "mask-outside-brain"] == misplaced
