"""Pictures and reports of what is no ordinary scan: one slice, no spacing, marks outside."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

import napari_sparseexplain as se
from napari_sparseexplain.export.pictures.compositor import PictureSize, compose
from napari_sparseexplain.export.pictures.panel_lettering import bottom_left_lines
from napari_sparseexplain.export.report.document import write_report
from napari_sparseexplain.progress import drain
from napari_sparseexplain.review.annotation import annotation_on_grid, measure_text
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.review.store import restore_review, save_review

TIME = datetime(2026, 1, 2, tzinfo=UTC)
SIZE = PictureSize(500, 460)


@pytest.fixture
def picture(tmp_path: Path) -> Reading:
    """A PNG: one slice, no spacing, no patient."""
    path = tmp_path / "ultrasound.png"
    values = np.random.default_rng(0).integers(0, 255, (40, 60), dtype=np.uint8)
    Image.fromarray(values).save(path)
    return default_reading(se.open_study(path))


@pytest.fixture
def one_slice(tmp_path: Path) -> Reading:
    """One slice of a scan, with spacing and orientation."""
    path = tmp_path / "case_flair.nii.gz"
    data = np.random.default_rng(0).integers(5, 90, (40, 60, 1)).astype(np.int16)
    nib.save(nib.Nifti1Image(data, np.diag([-0.5, -0.5, 5.0, 1.0])), path)
    return default_reading(se.open_study(path))


def marked(reading: Reading, *points: tuple[float, float], kind: str = "distance") -> Reading:
    """The reading with one annotation on its slice."""
    panel = reading.review.panels[0]
    mark = annotation_on_grid(
        kind,  # pyright: ignore[reportArgumentType]
        [(panel.index, *p) for p in points],
        reading.study_of(panel).grid,
        study=panel.study,
        plane=panel.plane,
        index=panel.index,
    )
    return replace(reading, review=replace(reading.review, annotations=(mark,)))


def test_without_spacing_lengths_are_in_pixels_and_nothing_is_said_of_millimetres(
    picture: Reading, tmp_path: Path
) -> None:
    reading = marked(picture, (10, 10), (10, 40))
    (mark,) = reading.review.annotations
    assert measure_text(mark, calibrated=False) == "30.0 px"
    reading = replace(reading, review=replace(reading.review, probe=mark.points[0]))
    (facts,) = compose(reading, SIZE, created=TIME).record["panels"]
    assert facts["letters"] == {}
    assert facts["zoom_px_per_mm"] is None
    assert not any("mm" in line for line in bottom_left_lines(facts))
    assert facts["annotations"][0]["points_voxel"] == [[0, 10, 10], [0, 10, 40]]
    assert facts["probe"]["points_voxel"] == [[0, 10, 10]]
    assert "probe slice 1, row 11, column 11" in bottom_left_lines(facts)
    report = drain(write_report(reading, tmp_path / "report.pdf"))
    assert report.read_bytes().startswith(b"%PDF")


def test_one_slice_is_reviewed_saved_and_reported(one_slice: Reading, tmp_path: Path) -> None:
    reading = marked(one_slice, (10, 10), (10, 30))
    (mark,) = reading.review.annotations
    assert measure_text(mark) == "10.0 mm"
    first = compose(reading, SIZE, created=TIME)
    (facts,) = first.record["panels"]
    assert (facts["slice"], facts["slices"]) == (1, 1)
    save_review(reading, tmp_path / "review")
    again = compose(restore_review(tmp_path / "review"), SIZE, created=TIME)
    assert again.image.tobytes() == first.image.tobytes()
    assert drain(write_report(reading, tmp_path / "report.pdf")).is_file()


def test_a_mark_outside_the_image_is_said_and_hides_nothing(one_slice: Reading) -> None:
    plain = compose(one_slice, SIZE, created=TIME)
    outside = compose(marked(one_slice, (-300, -300), (-280, -260)), SIZE, created=TIME)
    away = np.abs(np.asarray(outside.image, dtype=int) - np.asarray(plain.image, dtype=int)).max(
        axis=-1
    )
    assert 0 < np.mean(away > 0) < 0.02  # the words that say so, and nothing else
