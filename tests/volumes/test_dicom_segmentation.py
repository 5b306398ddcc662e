"""DICOM Segmentation objects become label volumes on a regular grid (PS3.3 C.8.20)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_writing import enhanced, frame, item, save
from pydicom.pixels.utils import pack_bits
from pydicom.sequence import Sequence
from pydicom.uid import SegmentationStorage

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.volumes.dicom.reader import read_dicom


def masks(count: int) -> np.ndarray:
    return np.random.default_rng(3).random((count, 8, 8)) > 0.6


def segmentation(path: Path, planes: np.ndarray, where: list[tuple[int, float]], **more) -> Path:
    """Frames ``planes`` of (segment number, height)."""
    groups = [
        frame(z, SegmentIdentificationSequence=item(ReferencedSegmentNumber=number))
        for number, z in where
    ]
    dataset = enhanced(
        planes.astype(np.uint8),
        groups,
        sop_class=SegmentationStorage,
        Modality="SEG",
        SegmentSequence=Sequence([item(SegmentNumber=n, SegmentLabel=f"part {n}") for n in (1, 2)]),
        **{"SegmentationType": "BINARY", **more},
    )
    if dataset.SegmentationType == "BINARY":
        dataset.BitsAllocated = dataset.BitsStored = 1
        dataset.HighBit = 0
        dataset.PixelData = pack_bits(planes.astype(np.uint8))
    return save(dataset, path)


def test_left_out_slices_are_background_and_segments_keep_their_numbers(tmp_path: Path) -> None:
    planes = masks(4)
    where = [(1, 0.0), (1, 3.0), (2, 9.0), (2, 12.0)]  # nothing at 6 mm
    ((volume, findings),) = read_dicom(segmentation(tmp_path / "s.dcm", planes, where))
    assert volume.kind == "label"
    assert volume.data.shape == (5, 8, 8)
    assert not volume.data[2].any()
    for index, (k, number) in zip((0, 1, 3, 4), enumerate((1, 1, 2, 2)), strict=True):
        np.testing.assert_array_equal(volume.data[index], planes[k] * number)
    assert volume.details["segments"] == {1: "part 1", 2: "part 2"}
    assert findings == ()
    np.testing.assert_array_equal(
        volume.source.restore(volume.data).transpose(2, 1, 0), volume.data
    )


def test_overlaps_are_said(tmp_path: Path) -> None:
    planes = np.ones((2, 8, 8), dtype=bool)
    ((volume, findings),) = read_dicom(
        segmentation(tmp_path / "s.dcm", planes, [(2, 0.0), (1, 0.0)])
    )
    assert [f.code for f in findings] == ["overlapping-segments"]
    assert (volume.data == 2).all()


def test_fractional_segments_are_cut_at_half(tmp_path: Path) -> None:
    planes = np.arange(64).reshape(1, 8, 8) * 4
    ((volume, findings),) = read_dicom(
        segmentation(
            tmp_path / "s.dcm",
            planes,
            [(1, 0.0)],
            SegmentationType="FRACTIONAL",
            MaximumFractionalValue=252,
        )
    )
    np.testing.assert_array_equal(volume.data[0], planes[0] > 126)
    assert [f.code for f in findings] == ["fractional-segments"]


def test_frames_off_any_regular_grid_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="unevenly spaced"):
        read_dicom(
            segmentation(tmp_path / "s.dcm", masks(4), [(1, z) for z in (0.0, 3.0, 7.3, 10.3)])
        )
