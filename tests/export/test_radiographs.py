"""A radiograph is no axial slice and says of what its millimetres are: in windows and exports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import exported_studies  # noqa: F401 - finds what writes DICOM
import numpy as np
import pytest

from dicom_writing import image, noise, save  # isort: skip

import napari_sparseexplain as se
from napari_sparseexplain.export.pictures.compositor import PictureSize, compose
from napari_sparseexplain.export.report.measurements import (
    measurement_csv,
    measurement_rows,
    measurements,
)
from napari_sparseexplain.review.annotation import annotation_on_grid
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.frames import key_slice_label
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.review.review import KeySlice
from napari_sparseexplain.volumes.view_of_slice import length_note, plane_word

DX = "1.2.840.10008.5.1.4.1.1.1.1"


def radiograph(folder: Path, modality: str = "DX", **elements: Any) -> Reading:
    made = {"PixelSpacing": None, "FrameOfReferenceUID": None, **elements}
    scan = image(noise(40, 30), sop_class=DX, Modality=modality, **made)
    folder.mkdir()
    return default_reading(se.open_study(save(scan, folder / "film.dcm")))


@pytest.mark.parametrize(
    ("modality", "elements", "told"),
    [
        ("DX", {"ImagerPixelSpacing": [0.2, 0.2]}, "mm at detector"),
        ("CR", {"PixelSpacing": [0.2, 0.2]}, "mm at detector"),
        ("MG", {"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.1, 0.1]}, "mm at detector"),
        ("CR", {"NominalScannedPixelSpacing": [0.2, 0.2]}, "mm on the film"),
        (
            "DX",
            {
                "PixelSpacing": [0.1, 0.1],
                "ImagerPixelSpacing": [0.1, 0.1],
                "PixelSpacingCalibrationType": "FIDUCIAL",
            },
            "mm as calibrated",
        ),
        (
            "XA",
            {"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.2, 0.2]},
            "mm as calibrated",
        ),
        ("DX", {}, "uncalibrated"),
    ],
)
def test_lengths_say_what_they_are_of(
    modality: str, elements: dict[str, Any], told: str, tmp_path: Path
) -> None:
    reading = radiograph(tmp_path / "x", modality, **elements)
    study = reading.studies["study"]
    assert length_note(study) == told
    (facts,) = compose(reading, PictureSize(300, 300)).record["panels"]
    assert (facts["view"], facts["lengths"]) == ("radiograph", told)


def test_nothing_calls_it_axial(tmp_path: Path) -> None:
    from napari.components import ViewerModel

    from napari_sparseexplain.layers.canvas.slice_title import slice_title

    reading = radiograph(tmp_path / "x", ImagerPixelSpacing=[0.2, 0.2])
    study = reading.studies["study"]
    assert key_slice_label(study, KeySlice("study", "axial", 0), kind="slice") == "radiograph 1"
    mark = annotation_on_grid(
        "distance", [(0, 1, 1), (0, 1, 9)], study.grid, study="study", plane="axial", index=0
    )
    marked = reading.with_review(
        type(reading.review)(reading.review.studies, reading.review.panels, annotations=(mark,))
    )
    found = measurements(marked)
    assert "axial" not in str(measurement_rows(found)).lower()
    assert b"axial" not in measurement_csv(found).lower()
    viewer = ViewerModel()
    viewer.add_image(np.zeros(study.grid.shape), scale=study.grid.spacing)
    title = slice_title(viewer, study, "radiological").replace("\n", " · ")
    assert title == "Radiograph 1/1 · mm at detector"


def test_a_scan_is_called_as_before(tmp_path: Path) -> None:
    """Also a CT whose place in the patient is not told, and coronal slices."""
    scan = image(noise(40, 30), sop_class="1.2.840.10008.5.1.4.1.1.2")
    study = se.open_study(save(scan, tmp_path / "ct.dcm"))
    assert (plane_word(study, "axial"), length_note(study)) == ("axial", "")
    study = se.sample_study()
    assert (plane_word(study, "coronal"), length_note(study)) == ("coronal", "")
