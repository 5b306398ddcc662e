"""Classic DICOM: slices by position, series and kinds told apart, gaps and copies said.

Source of the geometry: DICOM PS3.3 C.7.6.2.1.1 (image plane), LPS; nibabel's RAS convention.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dicom_writing import AXIAL, SAGITTAL, image, noise, save, slices, write
from pydicom.fileset import FileSet
from pydicom.uid import CTImageStorage, ImplicitVRLittleEndian, generate_uid

from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes.dicom.reader import looks_like_dicom, read_dicom, read_dicom_work

ANATOMY = noise(5, 6, 4)


def codes(series) -> list[str]:
    return [finding.code for one in series for finding in one.findings]


def test_slices_are_ordered_by_position_not_by_number_or_name(tmp_path: Path) -> None:
    planes = slices(ANATOMY)
    for k, dataset in enumerate(planes):
        dataset.InstanceNumber = 100 - k
    shuffled = [planes[k] for k in (3, 0, 4, 1, 2)]
    ((volume, findings),) = read_dicom(write(tmp_path, shuffled))
    np.testing.assert_array_equal(volume.data, ANATOMY)
    assert findings == ()
    assert volume.details["sop_instance_uids"] == tuple(d.SOPInstanceUID for d in planes)
    assert [p.name for p in volume.source.paths] == [f"im{k:03d}.dcm" for k in (1, 3, 4, 0, 2)]


def test_affine_comes_from_positions_and_is_ras(tmp_path: Path) -> None:
    planes = slices(ANATOMY, step=2.5, PixelSpacing=[0.5, 0.75], origin=(-10.0, -20.0, 5.0))
    for dataset in planes:
        dataset.SliceThickness = 1.0  # must not be believed
    ((volume, _),) = read_dicom(write(tmp_path, planes))
    expected = [[-0.75, 0, 0, 10], [0, -0.5, 0, 20], [0, 0, 2.5, 5], [0, 0, 0, 1]]
    np.testing.assert_allclose(volume.source.affine, expected, atol=1e-9)
    assert volume.source.shape == (4, 6, 5)
    assert volume.grid.spacing == pytest.approx((2.5, 0.5, 0.75))
    # The display's first voxel is the first pixel of the lowest slice.
    np.testing.assert_allclose(volume.grid.world((0, 0, 0)), (10, 20, 5))


@pytest.mark.parametrize(
    "orientation",
    [AXIAL, SAGITTAL, [-1.0, 0, 0, 0, -1.0, 0], [1.0, 0, 0, 0, 0, -1.0], [0.8, 0.6, 0, 0, 0, -1.0]],
)
def test_every_voxel_keeps_its_place_and_restores(tmp_path: Path, orientation: list[float]) -> None:
    datasets = slices(ANATOMY, orientation=orientation)
    ((volume, _),) = read_dicom(write(tmp_path, datasets))
    restored = volume.source.restore(np.asarray(volume.data))
    np.testing.assert_array_equal(restored, ANATOMY.transpose(2, 1, 0))
    # The patient position of one pixel by the formula of the standard, found again in display.
    row, column, k = 4, 1, 3
    at = (
        np.array(datasets[k].ImagePositionPatient, dtype=float)
        + np.array(orientation[:3]) * column
        + np.array(orientation[3:]) * row
    ) * (-1, -1, 1)
    index = tuple(np.round(volume.grid.index(at)).astype(int))
    assert volume.data[index] == ANATOMY[k, row, column]
    assert volume.data.shape == volume.grid.shape


def test_slope_and_intercept_are_those_of_each_slice(tmp_path: Path) -> None:
    planes = slices(ANATOMY)
    for k, dataset in enumerate(planes):
        dataset.RescaleSlope, dataset.RescaleIntercept = 0.5 + k, -k
    ((volume, _),) = read_dicom(write(tmp_path, planes))
    expected = [plane * (0.5 + k) - k for k, plane in enumerate(ANATOMY)]
    np.testing.assert_allclose(volume.data, expected, rtol=1e-6)
    assert volume.data.dtype == np.float32


def test_ct_keeps_whole_numbers_in_hounsfield_units(tmp_path: Path) -> None:
    stored = noise(3, 4, 4, dtype="int16")
    planes = slices(stored, sop_class=CTImageStorage, RescaleSlope=1, RescaleIntercept=-1024)
    ((volume, _),) = read_dicom(write(tmp_path, planes))
    np.testing.assert_array_equal(volume.data, stored - 1024)
    assert (volume.data.dtype, volume.unit) == (np.dtype(np.int16), "HU")


def test_values_that_do_not_fit_widen_the_array(tmp_path: Path) -> None:
    stored = noise(3, 4, 4)
    stored[2] += 60000
    planes = slices(stored, sop_class=CTImageStorage, RescaleSlope=1, RescaleIntercept=-1024)
    ((volume, _),) = read_dicom(write(tmp_path, planes))
    np.testing.assert_array_equal(volume.data, stored.astype(int) - 1024)


def test_missing_slices_are_refused_and_named(tmp_path: Path) -> None:
    planes = slices(noise(8, 4, 4))
    del planes[5], planes[2]
    with pytest.raises(ReadError, match="2 slices are missing of 8") as caught:
        read_dicom(write(tmp_path, planes))
    assert "1 between 7.00 and 11.00 mm" in str(caught.value)
    assert caught.value.remedy


def test_one_refused_series_does_not_close_the_others(tmp_path: Path) -> None:
    gap = slices(noise(6, 4, 4), series="1.2.3")
    del gap[3]
    write(tmp_path, gap, prefix="gap")
    write(tmp_path, slices(ANATOMY), prefix="good")
    series = read_dicom(tmp_path)
    assert len(series) == 1
    assert [f.code for f in series[0].findings] == ["unreadable"]


def test_uneven_slices_are_refused_and_slightly_uneven_ones_said(tmp_path: Path) -> None:
    planes = slices(noise(6, 4, 4))
    planes[2].ImagePositionPatient[2] += 0.06
    series = read_dicom(write(tmp_path / "slight", planes))
    assert codes(series) == ["uneven-spacing"]
    assert series[0].volume.details["slice_positions"][2] == pytest.approx(9.06)
    planes[2].ImagePositionPatient[2] += 0.7
    with pytest.raises(ReadError, match="unevenly spaced"):
        read_dicom(write(tmp_path / "strong", planes))


def test_a_tilted_gantry_keeps_its_sheared_affine_and_is_said(tmp_path: Path) -> None:
    planes = slices(ANATOMY)
    for k, dataset in enumerate(planes):
        dataset.ImagePositionPatient[1] += 0.5 * k
    series = read_dicom(write(tmp_path, planes))
    assert codes(series) == ["tilted-gantry"]
    np.testing.assert_allclose(series[0].volume.source.affine[:3, 2], (0, -0.5, 2.0), atol=1e-9)


def test_mixed_orientations_become_volumes_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, slices(ANATOMY), prefix="a")
    write(tmp_path, slices(ANATOMY, orientation=SAGITTAL), prefix="s")
    series = read_dicom(tmp_path)
    assert {one.volume.role for one in series} == {"series 7 (axial)", "series 7 (sagittal)"}
    assert codes(series) == ["mixed-orientation"]


def test_image_type_and_two_echoes_split_a_series(tmp_path: Path) -> None:
    write(tmp_path, slices(ANATOMY, EchoTime=10.0), prefix="a")
    write(tmp_path, slices(ANATOMY + 1, EchoTime=80.0), prefix="b")
    phase = slices(ANATOMY + 2, EchoTime=10.0)
    for dataset in phase:
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "P"]
    write(tmp_path, phase, prefix="c")
    series = read_dicom(tmp_path)
    assert codes(series) == ["split-series"]
    assert sorted(one.volume.data.min() - ANATOMY.min() for one in series) == [0, 1, 2]
    assert {one.volume.details["EchoTime"] for one in series} == {10.0, 80.0}
    assert len({one.volume.role for one in series}) == 3


def test_copies_of_a_file_are_left_out_and_said(tmp_path: Path) -> None:
    planes = slices(ANATOMY)
    write(tmp_path, planes)
    write(tmp_path / "again", planes[:2])
    series = read_dicom(tmp_path)
    assert codes(series) == ["duplicate-files"]
    np.testing.assert_array_equal(series[0].volume.data, ANATOMY)


def test_two_images_at_some_places_only_are_refused(tmp_path: Path) -> None:
    extra = slices(ANATOMY)[1]
    with pytest.raises(ReadError, match="between 1 and 2 images"):
        read_dicom(write(tmp_path, [*slices(ANATOMY), extra]))


def test_images_side_by_side_are_no_repeats(tmp_path: Path) -> None:
    beside = slices(ANATOMY, origin=(90.0, -20.0, 5.0), AcquisitionNumber=2)
    with pytest.raises(ReadError, match="beside each other"):
        read_dicom(write(tmp_path, [*slices(ANATOMY, AcquisitionNumber=1), *beside]))


def test_thin_and_thick_parts_of_one_series_are_separate_volumes(tmp_path: Path) -> None:
    """Head CT through the skull base and above."""
    write(tmp_path, slices(ANATOMY, step=2.5, origin=(0.0, 0.0, 0.0)), prefix="base")
    write(tmp_path, slices(ANATOMY, step=5.0, origin=(0.0, 0.0, 13.75)), prefix="above")
    series = read_dicom(tmp_path)
    assert [one.volume.role for one in series] == [
        "series 7 (5 mm slices)",
        "series 7 (2.5 mm slices)",
    ]
    assert codes(series) == ["split-series"]


def test_interleaved_acquisitions_do_not_hide_a_missing_slice(tmp_path: Path) -> None:
    planes = slices(noise(6, 4, 4))
    for k, dataset in enumerate(planes):
        dataset.AcquisitionNumber = k % 2 + 1
    del planes[1]
    with pytest.raises(ReadError, match="1 slice is missing of 6"):
        read_dicom(write(tmp_path, planes))


def test_reading_reports_its_progress(tmp_path: Path) -> None:
    steps = []
    drain(read_dicom_work(write(tmp_path, slices(ANATOMY))), steps.append)
    assert [step.done for step in steps] == [1, 2, 3, 4, 5, 1]
    assert {step.message for step in steps} == {"reading DICOM headers", "decoding images"}


def test_a_lone_slice_takes_its_thickness(tmp_path: Path) -> None:
    ((volume, _),) = read_dicom(write(tmp_path, slices(ANATOMY[:1], step=4.0)))
    assert volume.grid.spacing == pytest.approx((4.0, 1.0, 1.0))


def test_a_picture_without_geometry_has_no_letters(tmp_path: Path) -> None:
    path = save(image(ANATOMY[0], PixelSpacing=None), tmp_path / "a.dcm")
    ((volume, _),) = read_dicom(path)
    assert (volume.grid.oriented, volume.grid.calibrated) == (False, False)
    np.testing.assert_array_equal(volume.data[0], ANATOMY[0])
    path = save(image(ANATOMY[0], PixelSpacing=None, ImagerPixelSpacing=[0.2, 0.3]), path)
    ((volume, _),) = read_dicom(path)
    assert volume.grid.calibrated
    assert volume.grid.spacing[1:] == pytest.approx((0.2, 0.3))


def test_images_without_position_are_never_stacked_as_slices(tmp_path: Path) -> None:
    pictures = [image(plane, InstanceNumber=5 - k) for k, plane in enumerate(ANATOMY)]
    series = read_dicom(write(tmp_path, pictures))
    assert codes(series) == ["no-position"]
    assert series[0].volume.leading == ("image",)
    np.testing.assert_array_equal(series[0].volume.data[:, 0], ANATOMY[::-1])


def test_a_dicomdir_opens_what_it_names_and_says_what_is_gone(tmp_path: Path) -> None:
    files = FileSet()
    for dataset in slices(ANATOMY):
        dataset.PatientID = dataset.StudyID = "1"
        dataset.PatientName, dataset.StudyDate, dataset.StudyTime = "x", "20260101", "120000"
        files.add(dataset)
    files.write(tmp_path)
    ((volume, findings),) = read_dicom(tmp_path / "DICOMDIR")
    np.testing.assert_array_equal(volume.data, ANATOMY)
    assert findings == ()
    assert len(read_dicom(tmp_path)) == 1
    volume.source.paths[-1].unlink()
    assert codes(read_dicom(tmp_path / "DICOMDIR")) == ["missing-files"]
    for path in volume.source.paths[:-1]:
        path.unlink()
    with pytest.raises(ReadError, match="none of them is there"):
        read_dicom(tmp_path / "DICOMDIR")


def test_a_bare_data_set_is_recognised_and_read(tmp_path: Path) -> None:
    for implicit, name in ((False, "explicit"), (True, "implicit")):
        path = tmp_path / name
        dataset = slices(ANATOMY)[0]
        del dataset.file_meta
        dataset.preamble = None
        dataset.save_as(path, implicit_vr=implicit, little_endian=True)
        assert path.read_bytes()[128:132] != b"DICM"
        assert looks_like_dicom(path)
        np.testing.assert_array_equal(read_dicom(path)[0].volume.data[0], ANATOMY[0])


def test_other_files_are_no_dicom(tmp_path: Path) -> None:
    for name, content in (
        ("a.txt", b"Patient: nobody. " * 20),
        ("b.nii", (348).to_bytes(4, "little") + bytes(400)),
        ("c", b""),
        ("d.png", b"\x89PNG\r\n\x1a\n" + bytes(200)),
    ):
        (tmp_path / name).write_bytes(content)
        assert not looks_like_dicom(tmp_path / name)
        with pytest.raises(ReadError, match="not DICOM"):
            read_dicom(tmp_path / name)
    assert not looks_like_dicom(tmp_path)
    with pytest.raises(ReadError, match="no DICOM file"):
        read_dicom(tmp_path)
    with pytest.raises(ReadError, match="no such file"):
        read_dicom(tmp_path / "missing")


def test_objects_without_pixels_are_refused_alone_and_counted_in_a_folder(tmp_path: Path) -> None:
    report = image(ANATOMY[0], series=generate_uid(), Rows=None, Columns=None, PixelData=None)
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    path = save(report, tmp_path / "report.dcm")
    with pytest.raises(ReadError, match="Basic Text SR") as caught:
        read_dicom(path)
    assert str(path) in str(caught.value)
    series = read_dicom(write(tmp_path, slices(ANATOMY)))
    assert codes(series) == ["no-pixels"]
    assert "1 Basic Text SR" in series[0].findings[0].message


def test_truncated_pixels_are_refused(tmp_path: Path) -> None:
    path = save(slices(ANATOMY)[0], tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ReadError, match="truncated"):
        read_dicom(path)


@pytest.mark.parametrize(
    ("keyword", "wrong"),
    [
        ("ImageOrientationPatient", [0.0] * 6),
        ("ImageOrientationPatient", [1.0, 0, 0, 1.0, 0, 0]),
        ("PixelSpacing", [0.0, 1.0]),
        ("NumberOfFrames", "0"),
        ("NumberOfFrames", "2000000000"),
    ],
)
def test_impossible_headers_are_refused(tmp_path: Path, keyword: str, wrong: object) -> None:
    planes = slices(ANATOMY)[:2]
    for dataset in planes:
        setattr(dataset, keyword, wrong)
    with pytest.raises(ReadError, match=r".+\..+"):
        read_dicom(write(tmp_path, planes))


def test_no_patient_name_leaves_in_details(tmp_path: Path) -> None:
    planes = slices(ANATOMY, PatientName="Doe^Jane", PatientID="4711", PatientBirthDate="19600101")
    ((volume, _),) = read_dicom(write(tmp_path, planes))
    told = repr(dict(volume.details))
    assert not any(secret in told for secret in ("Doe", "4711", "19600101"))
    assert "PixelData" not in volume.source.header


def test_implicit_files_in_a_list(tmp_path: Path) -> None:
    planes = slices(ANATOMY)
    for dataset in planes:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    folder = write(tmp_path, planes)
    ((volume, _),) = read_dicom(list(folder.iterdir()))
    np.testing.assert_array_equal(volume.data, ANATOMY)
