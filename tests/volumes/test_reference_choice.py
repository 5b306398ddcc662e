"""Which scan gives the study its grid: never a scout where there is a stack."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from dicom_writing import SAGITTAL, noise, slices, write

from napari_sparseexplain.volumes import open_study


def nifti(path: Path, shape: tuple[int, ...], spacing: tuple[float, ...], x: float = 0.0) -> None:
    """A scan of noise with its first voxel at ``(x, 0, 0)`` mm."""
    affine = np.diag([*spacing, 1.0])
    affine[0, 3] = x
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(noise(*shape, dtype="int16"), affine), path)  # type: ignore[attr-defined]


def test_a_scout_of_finer_voxels_is_set_aside_and_that_is_said(tmp_path: Path) -> None:
    nifti(tmp_path / "flair.nii.gz", (24, 24, 31), (8.0, 8.0, 5.0))
    nifti(tmp_path / "t1.nii.gz", (1, 24, 31), (0.5, 8.0, 5.0), x=95.0)
    study = open_study(tmp_path)
    assert study.reference == "flair"
    assert study.grid.shape[0] == 31
    (said,) = [f for f in study.findings if f.code == "scout-set-aside"]
    assert "'flair', 31 slices" in said.message
    assert "'t1' (it has only 1 slice)" in said.message


def test_a_ct_localizer_takes_neither_grid_nor_role(tmp_path: Path) -> None:
    from pydicom.uid import CTImageStorage

    scan = slices(
        noise(12, 16, 16, dtype="int16"), sop_class=CTImageStorage, SeriesDescription="STEREOTAXIS"
    )
    scout = slices(
        noise(1, 32, 32, dtype="int16"),
        sop_class=CTImageStorage,
        series="1.2.826.0.1.3680043.8.498.9",
        orientation=SAGITTAL,
        SeriesDescription="head",
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
        PixelSpacing=[0.5, 0.5],
        SeriesNumber=1,
    )
    write(tmp_path, scan)
    write(tmp_path, scout, prefix="scout")
    study = open_study(tmp_path)
    assert study.reference == "ct"
    assert study.grid.shape[0] == 12
    assert study["ct"].source.description == "STEREOTAXIS"


def test_a_scout_alone_opens(tmp_path: Path) -> None:
    nifti(tmp_path / "localizer.nii.gz", (24, 24, 3), (2.0, 2.0, 20.0))
    study = open_study(tmp_path)
    assert study.grid.shape == (3, 24, 24)
    assert not [f for f in study.findings if f.code == "scout-set-aside"]


def test_two_series_of_few_slices_take_no_grid_from_a_scan_of_many(tmp_path: Path) -> None:
    """However many share it: sagittal and coronal looks of one survey, without a telling name."""
    for name in ("series1", "series2"):
        nifti(tmp_path / f"{name}.nii.gz", (24, 24, 8), (8.0, 8.0, 18.0))
    nifti(tmp_path / "flair.nii.gz", (24, 24, 30), (9.0, 9.0, 5.0))
    assert open_study(tmp_path).reference == "flair"


def test_a_named_scan_with_wide_gaps_is_no_scout(tmp_path: Path) -> None:
    nifti(tmp_path / "flair.nii.gz", (64, 64, 12), (1.2, 1.2, 12.0))
    nifti(tmp_path / "t1.nii.gz", (64, 64, 20), (1.2, 1.2, 7.0))
    assert "scout-set-aside" not in [f.code for f in open_study(tmp_path).findings]


def test_a_small_piece_is_not_the_reference_and_a_crop_is_said(tmp_path: Path) -> None:
    """A hippocampal slab has the finest voxels of all; the head would shrink to it."""
    nifti(tmp_path / "t1.nii.gz", (20, 24, 22), (8.0, 8.0, 8.0))
    nifti(tmp_path / "t2.nii.gz", (40, 40, 8), (1.0, 1.0, 2.0))
    assert open_study(tmp_path).reference == "t1"
    cropped = open_study(tmp_path, reference="t2")
    (said,) = [f for f in cropped.findings if f.code == "little-covered"]
    assert said.where == "t1"
    assert said.level == "warning"
