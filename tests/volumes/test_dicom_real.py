"""Real DICOM: every file opens or is refused clearly, and volumes agree with other converters.

The NIfTI files beside the DICOM ones were made by dicom2nifti and dcm2niix, independently.
"""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import nibabel.orientations as nio
import numpy as np
import pytest
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import JPEGLosslessSV1

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.volumes.dicom.reader import looks_like_dicom, read_dicom
from napari_sparseexplain.volumes.grid import orientation_to_display

pytestmark = pytest.mark.realdata

_LOSSLESS_JPEG = pytest.mark.skipif(
    not get_decoder(JPEGLosslessSV1).is_available, reason="needs the extra jpeg or jpeg-gpl"
)

_CONVERTED = [
    "failing/slicecount/001",
    "generic/anatomical/001",
    "generic/anatomical/001_implicit",
    "generic/anatomical/002_non_isotropic",
    "generic/compressed/001",
    "generic/compressed_j2k/001",
    pytest.param("generic/compressed_jpeg/001", marks=_LOSSLESS_JPEG),
    "generic/compressed_jpegls/001",
    "generic/compressed_rle/001",
    "generic/rgb/001",
    "hitachi/anatomical/001",
    "hitachi/anatomical/001_implicit",
]

_MR_SMALL = ["RLE", "bigendian", "expb", "implicit", "jp2klossless", "jpeg_ls_lossless", "padded"]


def agree(folder: Path, converted: Path) -> None:
    """Our volume has the other converter's voxels at the other converter's places."""
    ((volume, _),) = read_dicom(folder)
    other = nib.load(converted)
    to_display = orientation_to_display(other.affine)
    values = np.asanyarray(other.dataobj)
    if values.dtype.names:
        values = np.stack([values[channel] for channel in "RGB"], axis=-1)
    affine = other.affine @ nio.inv_ornt_aff(to_display, values.shape[:3])
    values = nio.apply_orientation(values, to_display)
    if volume.leading:
        values = np.moveaxis(values, -1, 0)
    np.testing.assert_allclose(volume.grid.affine, affine, atol=1e-4)
    np.testing.assert_allclose(volume.data, values, rtol=1e-6)


@pytest.mark.parametrize("name", _CONVERTED)
@pytest.mark.parametrize("ending", ["ground_truth", "ground_truth_reoriented"])
def test_volumes_agree_with_dicom2nifti(shared_data: Path, name: str, ending: str) -> None:
    root = shared_data / "edge_cases" / "dicom2nifti"
    agree(root / name, root / f"{name}_{ending}.nii.gz")


def test_mosaic_agrees_with_dcm2niix(shared_data: Path) -> None:
    folder = shared_data / "edge_cases" / "siemens_mosaic" / "ax" / "axasc35"
    agree(folder, folder / "6_ax_asc_35sl.nii")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        pytest.param("axmb/AxAsc36mb2a", (2, 36, 86, 86), marks=_LOSSLESS_JPEG),
        ("cor/corasc35", (2, 64, 35, 64)),
    ],
)
def test_other_mosaics_open(shared_data: Path, name: str, shape: tuple[int, ...]) -> None:
    ((volume, _),) = read_dicom(shared_data / "edge_cases" / "siemens_mosaic" / name)
    assert (volume.data.shape, volume.leading) == (shape, ("time",))


def test_every_single_file_opens_or_is_refused(shared_data: Path) -> None:
    """Nothing but ReadError, and it names the file and a remedy."""
    root = shared_data / "edge_cases"
    opened, refused = 0, []
    for group in ("pydicom", "dicom2nifti", "enhanced_multiframe", "siemens_mosaic"):
        for path in sorted(p for p in (root / group).rglob("*") if p.is_file()):
            try:
                series = read_dicom(path)
            except ReadError as error:
                refused.append((path, error))
                continue
            opened += 1
            for volume, _ in series:
                assert volume.data.shape[len(volume.leading) :][:3] == volume.grid.shape
    assert all(str(path) in str(error) and error.remedy for path, error in refused)
    assert opened >= 105


@pytest.mark.parametrize("ending", _MR_SMALL)
def test_one_image_in_many_encodings_is_one_image(shared_data: Path, ending: str) -> None:
    folder = shared_data / "edge_cases" / "pydicom"
    ((plain, _),) = read_dicom(folder / "MR_small.dcm")
    ((other, _),) = read_dicom(folder / f"MR_small_{ending}.dcm")
    np.testing.assert_array_equal(other.data, plain.data)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("rtstruct.dcm", "RT Structure Set"),
        ("rtplan.dcm", "RT Plan"),
        ("test-SR.dcm", "Comprehensive SR"),
        ("reportsi.dcm", "Basic Text SR"),
        ("waveform_ecg.dcm", "ECG"),
        ("MR_truncated.dcm", "truncated"),
        ("badVR.dcm", "NumberOfFrames"),
    ],
)
def test_what_is_no_image_is_named(shared_data: Path, name: str, what: str) -> None:
    with pytest.raises(ReadError, match=what):
        read_dicom(shared_data / "edge_cases" / "pydicom" / name)


def test_missing_slices_and_mixed_orientations_are_said(shared_data: Path) -> None:
    failing = shared_data / "edge_cases" / "dicom2nifti" / "failing"
    for number in ("001", "002"):
        with pytest.raises(ReadError, match="1 slice is missing of 5"):
            read_dicom(failing / "sliceincrement" / number)
    series = read_dicom(failing / "sliceorientation" / "001")
    assert len(series) == 2
    assert [f.code for one in series for f in one.findings] == ["mixed-orientation"]


def test_enhanced_multi_frame(shared_data: Path) -> None:
    root = shared_data / "edge_cases" / "enhanced_multiframe"
    magnitude, field_map = read_dicom(root / "Philips" / "IM_0027_fMAP.dcm")
    assert magnitude.volume.data.shape == field_map.volume.data.shape == (32, 64, 64)
    assert field_map.volume.data.min() == pytest.approx(-495.6044)  # rescaled per frame
    ((volume, _),) = read_dicom(root / "Siemens" / "XA10")
    assert (volume.leading, volume.data.shape) == (("time",), (4, 6, 64, 64))
    assert volume.details["EchoTime"] == 30.0


def test_cine_is_one_volume_over_time(shared_data: Path) -> None:
    ((volume, findings),) = read_dicom(shared_data / "cardiac" / "bivme_cine_dicom")
    assert (volume.leading, volume.data.shape) == (("time",), (25, 5, 208, 256))
    assert volume.grid.spacing[1:] == pytest.approx((1.40625, 1.40625))
    assert [f.code for f in findings] == ["joined-series"]


def test_a_folder_with_everything_opens_what_it_can(shared_data: Path) -> None:
    series = read_dicom(shared_data / "edge_cases" / "pydicom")
    said = {f.code for f in series[0].findings}
    assert len(series) > 20
    assert {"no-pixels", "unreadable", "duplicate-files"} <= said


def test_recognition(shared_data: Path) -> None:
    root = shared_data / "edge_cases"
    yes = ["pydicom/CT_small.dcm", "pydicom/rtstruct.dcm", "pydicom/ExplVR_BigEndNoMeta.dcm"]
    no = ["pydicom/README.txt", "pydicom/crayons.icc", "pydicom/zipMR.gz", "nibabel/anatomical.nii"]
    assert all(looks_like_dicom(root / name) for name in yes)
    assert not any(looks_like_dicom(root / name) for name in no)
