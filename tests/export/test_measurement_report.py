"""Structured reports, read back: marks and lesions have the values and places of the study."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import highdicom as hd
import numpy as np
import pytest
from exported_studies import CORONAL, IDENTITY, OBLIQUE, explained
from pydicom import dcmread
from pydicom.sr.codedict import codes

from dicom_writing import noise, slices, write  # isort: skip

from tests.command_line import run

import napari_sparseexplain as se
from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.evidence.lesions.lesion import lesions_of
from napari_sparseexplain.evidence.store import write_explanation
from napari_sparseexplain.export.dicom.deidentification import Deidentification
from napari_sparseexplain.export.dicom.lesion_groups import LesionMask
from napari_sparseexplain.export.dicom.reading_measurements import (
    export_lesions_dicom,
    export_measurements_dicom,
)
from napari_sparseexplain.export.dicom.record import read_record
from napari_sparseexplain.progress import drain
from napari_sparseexplain.review.annotation import Annotation, annotation_on_grid
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.review.region_values import region_values
from napari_sparseexplain.volumes import Study

KEEP = Deidentification(keep_identity=True)
SHAPE = (4, 24, 20)


def marks(study: Study, plane: str = "axial", index: int = 1) -> tuple[Annotation, ...]:
    """One of each kind, drawn on one slice."""
    axis = {"axial": 0, "coronal": 1, "sagittal": 2}[plane]
    drawn = {
        "distance": [(1, 3), (1, 9)],
        "angle": [(0.5, 2), (0.5, 8), (2.5, 8)],
        "cobb": [(0, 2), (2, 8), (0, 9), (2, 3)],
        "bidirectional": [(1, 2), (1, 10), (0.5, 5), (2.5, 5)],
        "polygon": [(0, 2), (0, 8), (2, 8), (2.5, 4)],
        "ellipse": [(0, 2), (0, 10), (2, 10), (2, 2)],
        "arrow": [(0, 2), (2, 5)],
        "text": [(1, 4)],
    }
    return tuple(
        annotation_on_grid(
            kind,
            [tuple(np.insert(point, axis, index)) for point in points],
            study.grid,
            study="study",
            plane=plane,
            index=index,
            text="here" if kind == "text" else "",
        )
        for kind, points in drawn.items()
    )


def with_marks(study: Study, items: tuple[Annotation, ...], **explanations) -> Reading:
    reading = default_reading(study, explanations)
    return reading.with_review(replace(reading.review, annotations=items))


def written(reading: Reading, out: Path, **options) -> hd.sr.Comprehensive3DSR:
    (path,) = drain(export_measurements_dicom(reading, out, **options)).files
    return hd.sr.srread(path)


def lps_of(item, scans: list) -> np.ndarray:
    """Places of points in the patient by PS3.3 C.7.6.2.1.1, from the image that they name."""
    data = np.array(item.GraphicData, dtype=np.float64)
    if item.ValueType == "SCOORD3D":
        return data.reshape(-1, 3)
    named = item.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    (image,) = [scan for scan in scans if scan.SOPInstanceUID == named]
    cosines = np.array(image.ImageOrientationPatient, dtype=np.float64)
    spacing = [float(v) for v in image.PixelSpacing]
    across, down = (data.reshape(-1, 2) - 0.5).T
    return (
        np.array(image.ImagePositionPatient, dtype=np.float64)
        + cosines[:3] * spacing[1] * across[:, None]
        + cosines[3:] * spacing[0] * down[:, None]
    )


@pytest.mark.parametrize(
    ("plane", "orientation", "where"),
    [
        ("axial", [1.0, 0, 0, 0, 1, 0], "SCOORD"),
        ("axial", [-1.0, 0, 0, 0, 1, 0], "SCOORD"),
        ("axial", OBLIQUE, "SCOORD"),
        ("coronal", CORONAL, "SCOORD"),
        ("coronal", [1.0, 0, 0, 0, 1, 0], "SCOORD3D"),
    ],
)
def test_every_mark_has_its_value_and_its_place(
    plane: str, orientation: list[float], where: str, tmp_path: Path
) -> None:
    """Points come back to where they were drawn; numbers are those of the review."""
    scans = slices(
        noise(*SHAPE), orientation=orientation, PixelSpacing=[1.5, 0.75], BodyPartExamined="BRAIN"
    )
    study = se.open_study(write(tmp_path / "scan", scans))
    items = marks(study, plane)
    report = written(with_marks(study, items), tmp_path / "out", identity=KEEP)
    groups = [*report.content.get_planar_roi_measurement_groups(),
              *report.content.get_image_measurement_groups()]  # fmt: skip
    assert len(groups) == len(items)
    by_number = {int(g.tracking_identifier.split(":")[0].split()[-1]): g for g in groups}
    for number, item in enumerate(items, start=1):
        group = by_number[number]
        assert [site.value for site in group.finding_sites] == [codes.SCT.Brain]
        places = [
            part
            for found in group[0].ContentSequence
            for part in (found, *found.get("ContentSequence", []))
            if part.ValueType in ("SCOORD", "SCOORD3D")
        ]
        if item.closed:  # what is a line or a point may lie on an image all the same
            assert {part.ValueType for part in places} == {where}
        drawn = np.asarray(item.points) * (-1, -1, 1)
        found = np.concatenate([lps_of(part, scans) for part in places])
        if item.kind == "ellipse" and len(found) == 4:
            drawn = np.stack([drawn[[0, 1]].mean(0), drawn[[1, 2]].mean(0),
                              drawn[[2, 3]].mean(0), drawn[[3, 0]].mean(0)])  # fmt: skip
        if item.kind == "arrow":
            drawn = drawn[1:]
        for point in drawn if len(found) < 20 else ():  # a tilted ellipse is an outline
            assert np.linalg.norm(found - point, axis=1).min() < 1e-3
        told = {(m.name.meaning, str(m.unit.value)): m.value for m in group.get_measurements()}
        if item.length_mm is not None:
            assert told == {("Length", "mm"): pytest.approx(item.length_mm)}
        elif item.axes_mm is not None:
            wanted = [("Long axis", "mm"), ("Short axis", "mm")]
            assert told == dict(zip(wanted, map(pytest.approx, item.axes_mm), strict=True))
        elif item.angle_degrees is not None:
            name = "Cobb angle" if item.kind == "cobb" else "Angle"
            assert told == {(name, "deg"): pytest.approx(item.angle_degrees)}
        elif item.area_mm2 is not None:
            assert told[("Area", "mm2")] == pytest.approx(item.area_mm2)


def test_a_regions_values_are_told_with_their_images(tmp_path: Path) -> None:
    """Hounsfield units of a CT: mean, SD, min and max, and the image that they were measured on."""
    scans = slices(
        noise(*SHAPE), Modality="CT", RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU"
    )
    study = se.open_study(write(tmp_path / "scan", scans))
    item = next(m for m in marks(study) if m.kind == "polygon")
    report = written(with_marks(study, (item,)), tmp_path / "out", identity=KEEP)
    (group,) = report.content.get_planar_roi_measurement_groups()
    found = [m for m in group.get_measurements() if m.name == codes.DCM.AttenuationCoefficient]
    assert {m.unit.value for m in found} == {"[hnsf'U]"}
    (values,) = region_values(item, study)
    wanted = dict(
        zip(("Mean", "Standard Deviation", "Minimum", "Maximum"), values.numbers, strict=True)
    )
    told = {m.derivation.meaning.title(): m.value for m in found}
    assert told == {name: pytest.approx(number) for name, number in wanted.items()}
    height = sorted(scans, key=lambda scan: float(scan.ImagePositionPatient[2]))[1]
    (image,) = found[0].referenced_images
    assert image.referenced_sop_instance_uid == height.SOPInstanceUID
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert len(evidence[0].ReferencedSOPSequence) == len(scans)


def test_lesions_are_those_of_the_table(tmp_path: Path) -> None:
    """Volume and both RANO diameters of each component, and outlines that enclose its voxels."""
    scans = slices(noise(*SHAPE), PixelSpacing=[1.5, 0.75])
    study = se.open_study(write(tmp_path / "scan", scans))
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[1:3, 3:9, 4:12], mask[0, 15, 15] = 1, 4
    made = explained(study)
    maps = tuple(replace(m, data=mask) if m.name == "mask" else m for m in made.maps)
    reading = with_marks(study, (), xrai=replace(made, maps=maps))
    report = written(reading, tmp_path / "out", identity=KEEP)
    volumes = report.content.get_volumetric_roi_measurement_groups()
    lines = report.content.get_image_measurement_groups()
    lesions = lesions_of(mask, study.grid)
    assert len(volumes) == len(lines) == len(lesions) == 2
    for volume, line, lesion in zip(volumes, lines, lesions, strict=True):
        assert volume.tracking_uid == line.tracking_uid
        told = {
            m.name.meaning: m.value for m in (*volume.get_measurements(), *line.get_measurements())
        }
        assert told["Volume"] == pytest.approx(lesion.volume_ml)
        assert told["Long axis"] == pytest.approx(lesion.diameters.longest)
        assert told["Short axis"] == pytest.approx(lesion.diameters.perpendicular)
        assert {m.method for m in line.get_measurements()} == {codes.NCIt.RANO}
        enclosed = 0.0
        for region in volume.roi:
            x, y = region.value.T  # by the sum of the corners' products, in pixels
            enclosed += abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))) / 2
        corners = 0.5 * lesion.slices  # midway between voxels, an outline cuts four corners
        assert enclosed == pytest.approx(lesion.voxels - corners)


def test_a_mask_of_noise_keeps_no_mark_from_its_report(tmp_path: Path) -> None:
    """Too many pieces for lesions: that is said, and the rest is written."""
    study = se.open_study(write(tmp_path / "scan", slices(noise(8, 64, 64))))
    dust = np.zeros((8, 64, 64), dtype=np.uint8)
    dust[::2, ::2, ::2] = 1
    made = explained(study)
    maps = tuple(replace(m, data=dust) if m.name == "mask" else m for m in made.maps)
    reading = with_marks(study, marks(study)[:1], xrai=replace(made, maps=maps))
    done = drain(export_measurements_dicom(reading, tmp_path / "out"))
    report = hd.sr.srread(done.files[0])
    assert len(report.content.get_image_measurement_groups()) == 1
    assert not report.content.get_volumetric_roi_measurement_groups()
    assert any("not reported" in note for note in done.notes)


def test_nothing_of_the_patient_is_in_a_report(tmp_path: Path) -> None:
    """Nor the images' UIDs; the same key gives the same tracking UID, another key another."""
    scans = slices(noise(*SHAPE), **IDENTITY)
    study = se.open_study(write(tmp_path / "Quandertide", scans))
    reading = with_marks(study, (replace(marks(study)[0], text="seen by Brackwater"),))
    reports = [
        written(reading, tmp_path / name, identity=Deidentification(key=key))
        for name, key in (("a", b"one"), ("b", b"one"), ("c", b"two"))
    ]
    content = (tmp_path / "a" / "measurements.dcm").read_bytes()
    for said in ("Quandertide", "Brackwater", "Umbria", scans[0].SOPInstanceUID):
        assert said.encode() not in content
    uids = [r.content.get_image_measurement_groups()[0].tracking_uid for r in reports]
    assert uids[0] == uids[1] != uids[2]
    assert read_record(reports[0])["marks"][0]["kind"] == "distance"
    assert reports[0].PatientIdentityRemoved == "YES"


def test_the_command_writes_the_lesions_of_a_mask(tmp_path: Path) -> None:
    """Of a mask that a model estimated; a mask that is empty is refused."""
    study = se.open_study(write(tmp_path / "scan", slices(noise(*SHAPE))))
    made = explained(study)
    write_explanation(made, study, tmp_path / "result")
    file, mask = tmp_path / "lesions.dcm", ("--mask", tmp_path / "result")
    done = run("lesions", tmp_path / "scan", *mask, "--dicom", file, "--keep-identity")
    assert done.returncode == 0, done.stderr
    assert str(file) in done.stdout
    report = hd.sr.srread(file)
    told = [
        m.value
        for group in report.content.get_volumetric_roi_measurement_groups()
        for m in group.get_measurements(codes.SCT.Volume)
    ]
    assert told == pytest.approx([x.volume_ml for x in lesions_of(made["mask"].data, study.grid)])
    empty = LesionMask("Mask", np.zeros(SHAPE, dtype=np.uint8))
    with pytest.raises(StudyError, match="mask is empty"):
        export_lesions_dicom(study, empty, tmp_path / "no.dcm")
    assert not (tmp_path / "no.dcm").exists()


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (dicom3tools)")
def test_dciodvfy_finds_no_error(tmp_path: Path) -> None:
    study = se.open_study(write(tmp_path / "scan", slices(noise(*SHAPE), **IDENTITY)))
    reading = with_marks(study, (*marks(study), *marks(study, "coronal")), xrai=explained(study))
    written(reading, tmp_path / "out")
    said = subprocess.run(
        ["dciodvfy", str(tmp_path / "out" / "measurements.dcm")],
        capture_output=True, text=True, check=False,
    ).stderr  # fmt: skip
    assert not [line for line in said.splitlines() if line.startswith("Error")], said
    assert dcmread(tmp_path / "out" / "measurements.dcm").SOPClassUID.name.startswith(
        "Comprehensive 3D"
    )
