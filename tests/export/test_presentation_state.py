"""Presentation states: read back, they show the part, the turn, the window and the marks."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from exported_studies import FEET_FIRST, IDENTITY, SAGITTAL
from pydicom import dcmread
from pydicom.dataset import Dataset

from dicom_writing import noise, slices, write  # isort: skip

import napari_sparseexplain as se
from napari_sparseexplain.export.dicom.deidentification import Deidentification
from napari_sparseexplain.export.dicom.reading_views import export_views_dicom
from napari_sparseexplain.export.pictures.plane_view import PlaneView
from napari_sparseexplain.progress import drain
from napari_sparseexplain.review.annotation import annotation_on_grid
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.review.review import Camera

KEEP = Deidentification(keep_identity=True)
COLUMN_DOWN = [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]


def reading_of(
    scans: list, folder: Path, *, plane: str = "axial", camera: Camera | None = None, **review
) -> Reading:
    study = se.open_study(write(folder, scans))
    reading = default_reading(study)
    panel = replace(reading.review.panels[0], plane=plane, index=1, camera=camera or Camera())
    mark = annotation_on_grid(
        "distance", [(1, 2, 3), (1, 2, 9)], study.grid, study="study", plane="axial", index=1
    )
    marked = replace(reading.review, panels=(panel,), annotations=(mark,), **review)
    return reading.with_review(marked)


def state_of(reading: Reading, out: Path, **options) -> Dataset:
    (path,) = drain(export_views_dicom(reading, out, **options)).files
    return dcmread(path)


def presented(state: Dataset, pixels: np.ndarray) -> np.ndarray:
    """An image cut and turned as PS3.3 C.10.4 and C.10.6 say, by numpy alone."""
    (area,) = state.DisplayedAreaSelectionSequence
    first, last = area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner
    columns, rows = (sorted((first[i], last[i])) for i in (0, 1))
    cut = pixels[rows[0] - 1 : rows[1], columns[0] - 1 : columns[1]]
    turned = np.rot90(cut, -int(state.get("ImageRotation", 0)) // 90)
    return turned[:, ::-1] if state.get("ImageHorizontalFlip", "N") == "Y" else turned


@pytest.mark.parametrize("convention", ["radiological", "neurological"])
@pytest.mark.parametrize(
    ("orientation", "plane"),
    [
        ([1.0, 0, 0, 0, 1, 0], "axial"),
        (FEET_FIRST, "axial"),
        (COLUMN_DOWN, "axial"),
        (SAGITTAL, "sagittal"),
    ],
)
def test_an_image_is_turned_as_the_picture_turns_it(
    orientation: list[float], plane: str, convention: str, tmp_path: Path
) -> None:
    """The images, turned as the state says, are the slice as the picture shows it."""
    scans = slices(noise(4, 24, 20), orientation=orientation)
    reading = reading_of(scans, tmp_path / "scan", plane=plane, convention=convention)
    state = state_of(reading, tmp_path / "out", identity=KEEP)
    study = reading.studies["study"]
    view = PlaneView(study.grid, plane, 1, (64, 64), convention=convention)
    axis = {"axial": 0, "coronal": 1, "sagittal": 2}[plane]
    shown = np.take(study[study.reference].spatial(), 1, axis=axis)
    shown = shown[:: 1 if view.down else -1, :: 1 if view.right else -1]
    assert any(np.array_equal(presented(state, s.pixel_array), shown) for s in scans)
    assert len(state.ReferencedSeriesSequence[0].ReferencedImageSequence) == 4


def test_zoom_window_and_marks(tmp_path: Path) -> None:
    """Half of the slice is seen; the window is in rescaled values; the line lies on its image."""
    scans = slices(
        noise(4, 24, 20), PixelSpacing=[2.0, 1.0], Modality="CT",
        RescaleSlope=2, RescaleIntercept=-1024, RescaleType="HU",
    )  # fmt: skip
    # 12 mm high and 10 mm wide about the pixel (row 6, column 5): rows 3 to 9, columns 0 to 10.
    camera = Camera(zoom=10.0, centre=(12.0, 5.0), canvas=(120, 100))
    reading = reading_of(scans, tmp_path / "scan", camera=camera)
    panel = reading.review.panels[0]
    panels = (replace(panel, scan=replace(panel.scan, window=(-20.5, 100.0))),)
    reading = reading.with_review(replace(reading.review, panels=panels))
    state = state_of(reading, tmp_path / "out", identity=KEEP)
    (area,) = state.DisplayedAreaSelectionSequence
    assert list(area.DisplayedAreaTopLeftHandCorner) == [1, 4]
    assert list(area.DisplayedAreaBottomRightHandCorner) == [11, 10]
    assert [float(v) for v in area.PresentationPixelSpacing] == [2.0, 1.0]
    (voi,) = state.SoftcopyVOILUTSequence
    assert (voi.WindowCenter, voi.WindowWidth, voi.VOILUTFunction) == (39.75, 120.5, "LINEAR_EXACT")
    assert (state.RescaleSlope, state.RescaleIntercept, state.RescaleType) == (2, -1024, "HU")
    (marked,) = state.GraphicAnnotationSequence
    (line,) = marked.GraphicObjectSequence
    assert np.allclose(line.GraphicData, [3.5, 2.5, 9.5, 2.5])
    assert marked.TextObjectSequence[0].UnformattedTextValue == "6.0 mm"
    by_height = sorted(scans, key=lambda scan: float(scan.ImagePositionPatient[2]))
    (image,) = marked.ReferencedImageSequence
    assert image.ReferencedSOPInstanceUID == by_height[1].SOPInstanceUID


def test_a_reformat_keeps_window_and_marks_and_turns_nothing(tmp_path: Path) -> None:
    """A coronal picture of axial images has no part of an image to show."""
    scans = slices(noise(4, 24, 20), PhotometricInterpretation="MONOCHROME1")
    state = state_of(reading_of(scans, tmp_path / "scan", plane="coronal"), tmp_path / "out")
    (area,) = state.DisplayedAreaSelectionSequence
    assert list(area.DisplayedAreaBottomRightHandCorner) == [20, 24]
    assert "ImageRotation" not in state
    assert state.PresentationLUTShape == "INVERSE"
    assert state.GraphicAnnotationSequence[0].GraphicLayer == "MARKS"


def test_the_window_of_a_pet_goes_back_to_what_its_images_hold(tmp_path: Path) -> None:
    """Uptake values are read, counts are stored; the factor is Philips' own."""
    scans = slices(noise(4, 24, 20), Modality="PT", Units="CNTS")
    for scan in scans:
        block = scan.private_block(0x7053, "Philips PET Private Group", create=True)
        block.add_new(0x00, "DS", "0.5")
    reading = reading_of(scans, tmp_path / "scan")
    panel = reading.review.panels[0]
    panels = (replace(panel, scan=replace(panel.scan, window=(0.0, 10.0))),)
    reading = reading.with_review(replace(reading.review, panels=panels))
    (voi,) = state_of(reading, tmp_path / "out").SoftcopyVOILUTSequence
    assert (voi.WindowCenter, voi.WindowWidth) == (10, 20)


def test_images_of_several_scalings_are_left_out_and_said(tmp_path: Path) -> None:
    scans = slices(noise(4, 24, 20))
    for k, scan in enumerate(scans):
        scan.RescaleSlope, scan.RescaleIntercept = 1 + k, 0
    done = drain(export_views_dicom(reading_of(scans, tmp_path / "scan"), tmp_path / "out"))
    assert not done.files
    assert any("scalings of their own" in note for note in done.notes)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (dicom3tools)")
def test_dciodvfy_finds_no_error_in_a_view(tmp_path: Path) -> None:
    scans = slices(noise(4, 24, 20), **IDENTITY)
    reading = reading_of(scans, tmp_path / "scan", convention="neurological")
    state_of(reading, tmp_path / "out")
    file = tmp_path / "out" / "view.dcm"
    said = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False)
    assert not [line for line in said.stderr.splitlines() if line.startswith("Error")], said.stderr
    assert b"Quandertide" not in file.read_bytes()
