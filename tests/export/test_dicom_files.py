"""Writing: pictures as Secondary Capture, nothing half-written, clear refusals, other programs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import highdicom as hd
import nibabel as nib
import numpy as np
import pytest
from exported_studies import explained, exported, placed_voxels
from pydicom import dcmread
from pydicom.sr.codedict import codes

from dicom_writing import noise, slices, write  # isort: skip

from tests.command_line import run

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError, StudyError
from napari_sparseexplain.evidence.explanation_map import ExplanationMap
from napari_sparseexplain.evidence.store import write_explanation
from napari_sparseexplain.export.dicom.objects import CapturedPicture
from napari_sparseexplain.volumes import Study

needs_dciodvfy = pytest.mark.skipif(
    shutil.which("dciodvfy") is None, reason="needs dciodvfy (Debian: apt-get install dicom3tools)"
)
needs_dcmqi = pytest.mark.skipif(
    shutil.which("segimage2itkimage") is None, reason="needs segimage2itkimage (pip install dcmqi)"
)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return se.open_study(write(tmp_path / "scan", slices(noise(4, 16, 24))))


def picture(**more) -> CapturedPicture:
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    return CapturedPicture("slice-12", pixels, **more)


def test_secondary_capture_is_the_picture(study: Study, tmp_path: Path) -> None:
    panel = picture(pixel_spacing=(0.5, 0.5), edges=("L", "P"), title="XRAI, slice 12")
    path = exported(explained(study), study, tmp_path / "out", pictures=[panel]).files[-1]
    made = dcmread(path)
    np.testing.assert_array_equal(made.pixel_array, panel.pixels)
    assert made.SOPClassUID.name == "Secondary Capture Image Storage"
    assert made.ConversionType == "WSD"
    assert made.BurnedInAnnotation == "NO"
    assert [float(v) for v in made.PixelSpacing] == [0.5, 0.5]
    assert list(made.PatientOrientation) == ["L", "P"]
    assert len(made.SourceImageSequence) == 4
    assert made.ImageComments == "XRAI, slice 12"


def test_picture_of_several_panels_has_no_spacing(study: Study, tmp_path: Path) -> None:
    path = exported(explained(study), study, tmp_path / "out", pictures=[picture()]).files[-1]
    made = dcmread(path)
    assert "PixelSpacing" not in made
    assert not made.PatientOrientation


def test_existing_file_is_left_unless_told(study: Study, tmp_path: Path) -> None:
    first = exported(explained(study), study, tmp_path / "out").files
    before = [path.read_bytes() for path in first]
    with pytest.raises(SparseExplainError, match="there already"):
        exported(explained(study, seed=1), study, tmp_path / "out")
    assert [path.read_bytes() for path in first] == before
    exported(explained(study, seed=1), study, tmp_path / "out", overwrite=True)
    assert [path.read_bytes() for path in first] != before


def test_disk_that_is_full_leaves_nothing(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("napari_sparseexplain.files.atomic_write.os.fsync", full)
    with pytest.raises(SparseExplainError, match="No space left"):
        exported(explained(study), study, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_folder_that_is_a_file_is_said(study: Study, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(SparseExplainError, match="cannot be written"):
        exported(explained(study), study, tmp_path / "out")


def test_maps_of_another_space_are_left_out_and_said(study: Study, tmp_path: Path) -> None:
    explanation = explained(study)
    spectrum = ExplanationMap("spectrum", np.zeros((5, 5)), "response", space="frequency")
    explanation = explained(study, maps=(*explanation.maps, spectrum))
    done = exported(explanation, study, tmp_path / "out")
    assert len(done.files) == 2
    assert any("spectrum" in note for note in done.notes)
    with pytest.raises(StudyError, match="no map"):
        exported(explained(study, maps=(spectrum,)), study, tmp_path / "other")


def test_map_that_is_not_there(study: Study, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="mask, heat"):
        exported(explained(study), study, tmp_path / "out", maps=["no-such"])
    assert len(exported(explained(study), study, tmp_path / "out", maps=["heat"]).files) == 1


def test_nifti_study_says_what_is_needed(tmp_path: Path) -> None:
    scan = nib.Nifti1Image(noise(6, 7, 5).astype(np.int16), np.diag([-1.0, -1.0, 2.0, 1.0]))
    nib.save(scan, tmp_path / "flair.nii.gz")
    study = se.open_study(tmp_path / "flair.nii.gz")
    with pytest.raises(StudyError, match=r"needs a study that was opened from DICOM.*NIfTI"):
        exported(explained(study), study, tmp_path / "out")


def test_other_study_is_refused(study: Study, tmp_path: Path) -> None:
    other = se.open_study(write(tmp_path / "other", slices(noise(4, 16, 24, seed=5))))
    with pytest.raises(StudyError, match="checksum"):
        exported(explained(study), other, tmp_path / "out")
    shifted = slices(noise(4, 16, 24), origin=(0.0, 0.0, 0.0))
    elsewhere = se.open_study(write(tmp_path / "elsewhere", shifted))
    with pytest.raises(StudyError, match="grid"):
        exported(explained(study), elsewhere, tmp_path / "out")


def test_command_line_from_a_saved_result(study: Study, tmp_path: Path) -> None:
    explanation = explained(study, slice(1, 3))
    write_explanation(explanation, study, tmp_path / "result")
    command = ["export-dicom", tmp_path / "result", "--study", tmp_path / "scan"]
    command += ["--out", tmp_path / "out"]
    done = run(*command)
    assert done.returncode == 0, done.stderr
    seg = tmp_path / "out" / "xrai_WT_mask.dcm"
    assert str(seg) in done.stdout
    labels = placed_voxels(seg, study)["labels"]
    mask = explanation["mask"].data
    np.testing.assert_array_equal(labels[1:3], np.where(mask == 4, 2, mask))
    again = run(*command)
    assert again.returncode == 1
    assert "there already" in again.stderr
    assert "Traceback" not in again.stderr


def problems(path: Path) -> list[str]:
    """What dciodvfy calls an error."""
    done = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True)
    said = (done.stdout + done.stderr).splitlines()
    assert any(line in ("Segmentation", "ParametricMap", "SCImage") for line in said), said
    return [line for line in said if line.startswith("Error")]


@needs_dciodvfy
@pytest.mark.parametrize("part", [None, slice(1, 2)], ids=["all slices", "one slice"])
def test_dciodvfy_finds_no_error(study: Study, tmp_path: Path, part: slice | None) -> None:
    files = exported(explained(study, part), study, tmp_path / "out", pictures=[picture()]).files
    assert {path.name: problems(path) for path in files} == {path.name: [] for path in files}


@needs_dciodvfy
def test_dciodvfy_finds_no_error_where_the_body_part_is_named(tmp_path: Path) -> None:
    scans = slices(noise(4, 16, 24), BodyPartExamined="BRAIN")
    study = se.open_study(write(tmp_path / "scan", scans))
    oblique = picture(pixel_spacing=(0.5, 0.5), edges=("LH", "PF"))
    files = exported(explained(study), study, tmp_path / "out", pictures=[oblique]).files
    assert list(dcmread(files[-1]).PatientOrientation) == ["LH", "PF"]
    assert {path.name: problems(path) for path in files} == {path.name: [] for path in files}


@needs_dciodvfy
def test_dciodvfy_does_find_errors(study: Study, tmp_path: Path) -> None:
    """So that the test above would notice: an object without a type 1 element is an error."""
    path = exported(explained(study), study, tmp_path / "out").files[0]
    made = dcmread(path)
    del made.SegmentSequence
    made.save_as(path)
    assert problems(path)


@needs_dcmqi
def test_dcmqi_reads_the_same_segments(study: Study, tmp_path: Path) -> None:
    explanation = explained(study)
    seg = exported(explanation, study, tmp_path / "out").files[0]
    options = ["--inputDICOM", str(seg), "--outputType", "nifti"]
    command = ["segimage2itkimage", *options, "--outputDirectory", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for number, label in ((1, 1), (2, 4)):
        image = nib.load(tmp_path / f"{number}.nii.gz")
        inside = np.argwhere(np.asarray(image.dataobj))
        world = inside @ image.affine[:3, :3].T + image.affine[:3, 3]
        voxels = {tuple(v) for v in np.rint(study.grid.index(world)).astype(int)}
        assert voxels == {tuple(v) for v in np.argwhere(explanation["mask"].data == label)}


@needs_dcmqi
def test_dcmqi_reads_the_same_values(tmp_path: Path) -> None:
    """Of a scan that names its body part: without Frame Anatomy dcmqi 1.5.7 crashes."""
    scans = slices(noise(4, 16, 24), BodyPartExamined="BRAIN")
    study = se.open_study(write(tmp_path / "scan", scans))
    explanation = explained(study, slice(1, 3))
    pm = exported(explanation, study, tmp_path / "out").files[1]
    options = ["--inputDICOM", str(pm), "--outputType", "nifti"]
    command = ["paramap2itkimage", *options, "--outputDirectory", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("*.nii.gz")
    image = nib.load(path)
    read = np.asarray(image.dataobj)
    index = np.argwhere(np.ones(read.shape, dtype=bool))
    world = index @ image.affine[:3, :3].T + image.affine[:3, 3]
    voxels = np.rint(study.grid.index(world)).astype(int) - [1, 0, 0]
    np.testing.assert_array_equal(read[tuple(index.T)], explanation["heat"].data[tuple(voxels.T)])


@needs_dciodvfy
def test_highdicoms_own_example_has_no_fewer_errors(study: Study, tmp_path: Path) -> None:
    """A minimal object as highdicom's guide makes it, so that ours are held to that measure."""
    images = [dcmread(path) for path in study[study.reference].source.paths]
    for image in images:
        for keyword in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex"):
            setattr(image, keyword, "")
        for keyword in ("AccessionNumber", "StudyID", "StudyDate", "StudyTime"):
            setattr(image, keyword, "")
    example = hd.seg.Segmentation(
        source_images=images,
        pixel_array=np.ones((4, 16, 24), dtype=np.uint8),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[
            hd.seg.SegmentDescription(
                segment_number=1,
                segment_label="lesion",
                segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
                segmented_property_type=codes.SCT.Lesion,
                algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
            )
        ],
        series_instance_uid=hd.UID(),
        series_number=2,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="x",
        manufacturer_model_name="x",
        software_versions="1",
        device_serial_number="1",
    )
    example.save_as(tmp_path / "example.dcm")
    ours = exported(explained(study), study, tmp_path / "out").files[0]
    assert len(problems(ours)) <= len(problems(tmp_path / "example.dcm"))
