"""Siemens mosaics: tiles placed in the patient, from the private number or the CSA header."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_writing import AXIAL, csa, image, noise, tiled, write
from pydicom.dataset import FileDataset

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.volumes.dicom.mosaic import csa_header
from napari_sparseexplain.volumes.dicom.reader import read_dicom

SCAN = noise(7, 4, 6)  # seven tiles on a 3 x 3 square


def mosaic(scan: np.ndarray, header: bytes | None, *, number: bool = True) -> FileDataset:
    dataset = image(
        tiled(scan),
        ImageOrientationPatient=AXIAL,
        ImagePositionPatient=[-36.0, -24.0, 12.0],
        PixelSpacing=[2.0, 2.0],
        SpacingBetweenSlices=3.5,
        AcquisitionNumber=1,
        ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"],
    )
    if number:
        block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        block.add_new(0x0A, "US", len(scan))
    if header is not None:
        block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x10, "OB", header)
    return dataset


def test_tiles_become_slices_at_the_corrected_position(tmp_path: Path) -> None:
    ((volume, findings),) = read_dicom(write(tmp_path, [mosaic(SCAN, None)]))
    np.testing.assert_array_equal(volume.data, SCAN)
    assert volume.grid.spacing == pytest.approx((3.5, 2.0, 2.0))
    # A third of the mosaic's 18 columns and 12 rows is one slice: the corner moves in by
    # (18 - 6) / 2 and (12 - 4) / 2 pixels of 2 mm (LPS), so x = -24 and y = -16.
    np.testing.assert_allclose(volume.grid.world((0, 0, 0)), (24.0, 16.0, 12.0))
    assert findings == ()


@pytest.mark.parametrize("version", [1, 2])
def test_number_and_direction_come_from_the_csa_header(tmp_path: Path, version: int) -> None:
    header = csa(
        {
            "NumberOfImagesInMosaic": ["7"],
            "SliceNormalVector": ["0.0", "0.0", "-1.0"],
        },
        version=version,
    )
    ((volume, _),) = read_dicom(write(tmp_path, [mosaic(SCAN, header, number=False)]))
    # Stacked downwards: the last tile is the lowest slice.
    np.testing.assert_array_equal(volume.data, SCAN[::-1])
    assert volume.grid.world((0, 0, 0))[2] == pytest.approx(12.0 - 6 * 3.5)


def test_mosaics_over_time_make_a_leading_axis(tmp_path: Path) -> None:
    first, second = mosaic(SCAN, None), mosaic(SCAN + 1, None)
    second.AcquisitionNumber = 2
    ((volume, _),) = read_dicom(write(tmp_path, [second, first]))
    assert volume.leading == ("time",)
    np.testing.assert_array_equal(volume.data, [SCAN, SCAN + 1])


def test_a_mosaic_without_its_private_elements_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"mosaic.*how many slices"):
        read_dicom(write(tmp_path, [mosaic(SCAN, None, number=False)]))


def test_a_damaged_csa_header_is_no_header(tmp_path: Path) -> None:
    good = csa({"NumberOfImagesInMosaic": ["7"]})
    for damaged in (good[:90], b"", b"SV10", good[:8] + b"\xff" * 40):
        assert csa_header(mosaic(SCAN, damaged, number=False)) == {}


def test_tiles_that_do_not_divide_the_image_are_refused(tmp_path: Path) -> None:
    dataset = mosaic(SCAN, None)
    dataset.private_block(0x0019, "SIEMENS MR HEADER")[0x0A].value = 20
    with pytest.raises(ReadError, match="does not divide"):
        read_dicom(write(tmp_path, [dataset]))
