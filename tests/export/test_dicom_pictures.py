"""Pictures of a reading as Secondary Captures: pixels, place, references, identity, refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from exported_studies import IDENTITY, SHA256, explained
from pydicom import dcmread
from typer.testing import CliRunner

from dicom_writing import noise, slices, write  # isort: skip

import napari_sparseexplain as se
from napari_sparseexplain.cli import app
from napari_sparseexplain.errors import SparseExplainError, StudyError
from napari_sparseexplain.export.dicom.deidentification import Deidentification
from napari_sparseexplain.export.dicom.pictures import export_pictures_dicom
from napari_sparseexplain.export.dicom.record import read_record
from napari_sparseexplain.export.export_work import ExportChoice, existing_files, export_work
from napari_sparseexplain.export.pictures.compositor import PictureSize, compose
from napari_sparseexplain.progress import drain
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.frames import at_slice
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.review.review import KeySlice

SIZE = PictureSize(480, 480)
TIME = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def scans() -> list:
    return slices(noise(4, 24, 20), **IDENTITY)


@pytest.fixture
def reading(scans: list, tmp_path: Path) -> Reading:
    """A scan with its mask and its map, on the second slice."""
    study = se.open_study(write(tmp_path / "Quandertide", scans))
    return default_reading(study, {"xrai": explained(study)})


def written(reading: Reading, out: Path, **options) -> list[Path]:
    work = export_pictures_dicom(reading, out, size=SIZE, created=TIME, **options)
    return list(drain(work).files)


def one_panel(reading: Reading, plane: str = "axial", index: int = 1) -> Reading:
    panel = replace(reading.review.panels[0], plane=plane, index=index)
    key = replace(reading.review.key_slices[0], plane=plane, index=index)
    return reading.with_review(replace(reading.review, panels=(panel,), key_slices=(key,)))


def test_pixels_are_the_compositors(reading: Reading, tmp_path: Path) -> None:
    (path,) = written(reading, tmp_path / "out")
    made = dcmread(path)
    drawn = compose(at_slice(reading, reading.review.key_slices[0]), SIZE, created=TIME)
    np.testing.assert_array_equal(made.pixel_array, np.asarray(drawn.image))
    assert made.SOPClassUID.name == "Secondary Capture Image Storage"
    assert made.ConversionType == "WSD"
    assert made.BurnedInAnnotation == "NO"
    assert len(reading.review.panels) > 1
    assert "PixelSpacing" not in made
    assert not made.PatientOrientation


def test_model_method_and_checksum_are_told(reading: Reading, tmp_path: Path) -> None:
    made = dcmread(written(reading, tmp_path / "out")[0])
    said = made.ContributingEquipmentSequence[0].ContributionDescription
    assert "sum-seg" in said
    assert SHA256 in said
    assert made.DeviceSerialNumber == SHA256
    record = read_record(made)
    assert record["explanations"][0]["provenance"]["weights_sha256"] == SHA256
    assert [panel["plane"] for panel in record["picture"]["panels"]] == ["axial"] * 3


def test_one_panel_is_calibrated_and_oriented(reading: Reading, tmp_path: Path) -> None:
    """A disc of known size on the scan spans as many pixels as the spacing says."""
    for plane, sides in (("axial", ["L", "P"]), ("coronal", ["L", "F"]), ("sagittal", ["P", "F"])):
        one = one_panel(reading, plane, 2)
        made = dcmread(written(one, tmp_path / plane)[0])
        assert list(made.PatientOrientation) == sides
        spacing = [float(v) for v in made.PixelSpacing]
        assert spacing[0] == spacing[1]
    one = one_panel(reading)
    made = dcmread(written(one, tmp_path / "axial-1")[0])
    grid = one.study_of(one.review.panels[0]).grid
    # The scan is noise well above the black ground: its width in the picture is its field of view.
    picture = made.pixel_array.max(axis=2)
    lit = np.flatnonzero((picture > 40).mean(axis=0) > 0.3)
    width = (lit[-1] - lit[0] + 1) * float(made.PixelSpacing[1])
    assert width == pytest.approx(grid.shape[2] * grid.spacing[2], abs=2 * made.PixelSpacing[1])


def test_maps_of_an_export_before_are_asked_for_as_its_pictures_are(
    reading: Reading, tmp_path: Path
) -> None:
    """Of another slice the picture has another name, and the maps have the same ones."""
    choice = ExportChoice("dicom", tmp_path / "out", SIZE)
    first = drain(export_work(reading, choice))
    assert sorted(existing_files(reading, choice)) == sorted(first)
    other = one_panel(reading, index=1)
    assert sorted(existing_files(other, choice)) == sorted(set(first) - {first[0]})
    with pytest.raises(SparseExplainError, match="there already"):
        next(export_work(other, choice))  # before anything is made
    again = drain(export_work(other, replace(choice, overwrite=True)))
    assert [path.name for path in again] == ["001_axial_002.dcm", *(p.name for p in first[1:])]


def test_only_images_that_are_seen_are_named(reading: Reading, scans: list, tmp_path: Path) -> None:
    keep = Deidentification(keep_identity=True)
    by_height = sorted(scans, key=lambda scan: float(scan.ImagePositionPatient[2]))
    made = dcmread(written(one_panel(reading, index=1), tmp_path / "a", identity=keep)[0])
    named = [item.ReferencedSOPInstanceUID for item in made.SourceImageSequence]
    assert named == [by_height[1].SOPInstanceUID]
    made = dcmread(written(one_panel(reading, "sagittal", 5), tmp_path / "s", identity=keep)[0])
    assert len(made.SourceImageSequence) == 4
    assert made.BurnedInAnnotation == "YES"
    assert str(made.PatientName) == IDENTITY["PatientName"]


def test_a_frame_of_a_series_names_its_own_image(tmp_path: Path) -> None:
    """Of four phases of a cine the picture names the one it shows, and what a map was made of."""
    phases = [slices(noise(3, 24, 20, seed=t), TriggerTime=40.0 * t, **IDENTITY) for t in range(4)]
    study = se.open_study(write(tmp_path / "cine", [image for phase in phases for image in phase]))
    assert next(iter(study.images.values())).data.shape[:2] == (4, 3)
    keep = Deidentification(keep_identity=True)

    def named(reading: Reading, frame: int, out: str) -> list[str]:
        panel = replace(reading.review.panels[-1], index=1)
        key = KeySlice("study", "axial", 1, leading=(frame,))
        review = replace(reading.review, panels=(panel,), key_slices=(key,))
        (path,) = written(reading.with_review(review), tmp_path / out, identity=keep)
        return [item.ReferencedSOPInstanceUID for item in dcmread(path).SourceImageSequence]

    for frame in (0, 2):
        here = named(default_reading(study), frame, f"frame {frame}")
        assert here == [phases[frame][1].SOPInstanceUID]
    with_map = named(default_reading(study, {"xrai": explained(study)}), 2, "map")
    assert with_map == [phases[2][1].SOPInstanceUID, phases[0][1].SOPInstanceUID]


def test_nothing_tells_the_patient_or_the_day(
    reading: Reading, scans: list, tmp_path: Path
) -> None:
    key = KeySlice("study", "axial", 1, "Quandertide, seen 2003-11-07")
    noted = reading.with_review(replace(reading.review, key_slices=(key,)))
    (path,) = written(noted, tmp_path / "out")
    content = path.read_bytes().lower()
    sought = {value for name in IDENTITY.values() for value in str(name).split("^")}
    sought |= {scan.SOPInstanceUID for scan in scans} | {"2003-11-07", "2026-03-04"}
    sought = {value for value in sought if len(value) > 4}
    assert len(sought) > 25
    assert not [value for value in sought if value.lower().encode() in content]
    assert dcmread(path).ImageComments.startswith("axial slice 2: ")


def test_scans_alone_and_nothing_half_written(scans: list, tmp_path: Path) -> None:
    reading = default_reading(se.open_study(write(tmp_path / "scan", scans)))
    (path,) = written(reading, tmp_path / "out")
    made = dcmread(path)
    assert made.DeviceSerialNumber == "none: no model was used"
    assert read_record(made)["explanations"] == []
    before = path.read_bytes()
    with pytest.raises(SparseExplainError, match="there already"):
        written(reading, tmp_path / "out")
    work = export_pictures_dicom(reading, tmp_path / "out", size=SIZE, overwrite=True)
    while next(work).message != "axial slice 3":
        pass
    work.close()  # cancelled while the picture is made
    assert [p.name for p in (tmp_path / "out").iterdir()] == [path.name]
    assert path.read_bytes() == before


def test_command_line_writes_them_and_refuses_nifti(scans: list, tmp_path: Path) -> None:
    size = ["--width", "420", "--height", "420", "--dicom"]
    folder = write(tmp_path / "scan", scans)
    done = CliRunner().invoke(app, ["report", str(folder), "--out", str(tmp_path / "out"), *size])
    assert done.exit_code == 0, done.output
    path, view = sorted((tmp_path / "out" / "dicom").iterdir())
    assert str(path) in done.output
    assert (view.name, dcmread(view).Modality) == ("view.dcm", "PR")
    assert dcmread(path).PatientIdentityRemoved == "YES"
    scan = nib.Nifti1Image(noise(20, 24, 5).astype(np.int16), np.diag([-1.0, -1.0, 2.0, 1.0]))
    nib.save(scan, tmp_path / "flair.nii.gz")
    command = ["report", str(tmp_path / "flair.nii.gz"), "--out", str(tmp_path / "no"), *size]
    refused = CliRunner().invoke(app, command)
    assert isinstance(refused.exception, StudyError)
    assert "without --dicom" in str(refused.exception)
    assert not (tmp_path / "no").exists()
