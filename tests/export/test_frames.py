"""Marks and key slices of a series over time belong to their frame, and name it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.export.pictures.compositor import PictureSize, compose
from napari_sparseexplain.export.pictures.picture_series import every_slice, export_slices
from napari_sparseexplain.export.report.measurements import (
    measurement_csv,
    measurement_rows,
    measurements,
)
from napari_sparseexplain.progress import drain
from napari_sparseexplain.review.annotation import annotation_on_grid
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.frames import at_slice, frame_text, key_slice_label
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.review.review import KeySlice
from napari_sparseexplain.review.store import restore_review, save_review

TIME = datetime(2026, 1, 2, tzinfo=UTC)
SIZE = PictureSize(500, 500)


def cine(path: Path) -> Path:
    """Six frames, each brighter than the one before."""
    data = np.random.default_rng(0).integers(5, 90, (18, 16, 5, 6)) + 40 * np.arange(6)
    nib.save(nib.Nifti1Image(data.astype(np.int16), np.diag([-0.7, -0.8, 3.0, 1.0])), path)
    return path


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    """A distance on slice 2 of frame 3 (from 0), and key slices of frames 3 and 4 there."""
    reading = default_reading(se.open_study(cine(tmp_path / "cine.nii.gz")))
    line = annotation_on_grid(
        "distance", [(2, 2, 3), (2, 12, 9)], reading.studies["study"].grid,
        study="study", plane="axial", index=2, leading=(3,),
    )  # fmt: skip
    keys = tuple(KeySlice("study", "axial", 2, leading=(frame,)) for frame in (3, 4))
    return reading.with_review(replace(reading.review, annotations=(line,), key_slices=keys))


def test_a_review_with_frames_comes_back(reading: Reading, tmp_path: Path) -> None:
    save_review(reading, tmp_path / "review")
    back = restore_review(tmp_path / "review").review
    assert back.annotations == reading.review.annotations
    assert back.key_slices == reading.review.key_slices


def test_a_review_of_before_frames_opens_and_its_marks_are_of_every_frame(
    reading: Reading, tmp_path: Path
) -> None:
    path = save_review(reading, tmp_path / "review")
    values = json.loads(path.read_text(encoding="utf-8"))
    for item in (*values["review"]["annotations"], *values["review"]["key_slices"]):
        del item["leading"]
    path.write_text(json.dumps(values), encoding="utf-8")
    back = restore_review(path)
    assert [k.leading for k in back.review.key_slices] == [(), ()]
    for key in reading.review.key_slices:
        record = compose(at_slice(back, key), SIZE, created=TIME).record
        assert len(record["panels"][0]["annotations"]) == 1


def test_a_mark_of_one_frame_is_not_in_the_picture_of_another(reading: Reading) -> None:
    bare = reading.with_review(replace(reading.review, annotations=()))
    for key, there in zip(reading.review.key_slices, (True, False), strict=True):
        picture = compose(at_slice(reading, key), SIZE, created=TIME)
        without = compose(at_slice(bare, key), SIZE, created=TIME)
        same = np.array_equal(np.asarray(picture.image), np.asarray(without.image))
        (panel,) = picture.record["panels"]
        assert same is not there
        assert (len(panel["annotations"]) == 1) is there


def test_a_key_slice_is_drawn_at_its_frame_which_the_caption_names(reading: Reading) -> None:
    volume = next(iter(reading.studies["study"].images.values()))
    for key in reading.review.key_slices:
        here = at_slice(reading, key)
        (panel,) = here.review.panels
        assert panel.scan is not None
        assert panel.scan.leading == key.leading
        np.testing.assert_array_equal(
            here.plane_of(panel.scan, panel), np.asarray(volume.data[key.leading[0], 2])
        )
        facts = compose(here, SIZE, created=TIME).record["panels"][0]
        assert facts["frame"] == f"frame {key.leading[0] + 1}/6"
    first, second = (compose(at_slice(reading, k), SIZE, created=TIME)
                     for k in reading.review.key_slices)  # fmt: skip
    corners = [np.asarray(p.image)[:60, 250:] for p in (first, second)]
    assert not np.array_equal(*corners)


def test_the_frame_stands_in_words_tables_and_file_names(reading: Reading, tmp_path: Path) -> None:
    study, key = reading.studies["study"], reading.review.key_slices[0]
    assert key_slice_label(study, key) == "axial 3, frame 4/6"
    marks = measurements(reading, identify=False)
    rows = measurement_rows(marks)
    assert rows[1][rows[0].index("frame")] == "frame 4/6"
    text = measurement_csv(marks).decode("utf-8-sig")
    assert next(csv.DictReader(io.StringIO(text)))["frame"] == "frame 4/6"
    paths = drain(export_slices(reading, tmp_path / "out", size=SIZE, created=TIME))
    assert [p.name for p in paths if p.suffix == ".png"] == [
        "001_axial_003_frame_004.png",
        "002_axial_003_frame_005.png",
    ]


def test_every_slice_stays_at_the_frame_in_the_picture(reading: Reading) -> None:
    here = at_slice(reading, reading.review.key_slices[1])
    assert {key.leading for key in every_slice(here)} == {(4,)}


def test_directions_of_diffusion_are_called_so(tmp_path: Path) -> None:
    path = cine(tmp_path / "dwi.nii.gz")
    (tmp_path / "dwi.bval").write_text("0 0 0 1000 1000 1000")
    assert frame_text(se.open_study(path), (2,)) == "direction 3/6"


def test_a_crosshair_goes_to_the_key_slice_with_the_picture(tmp_path: Path) -> None:
    """In the other planes its line is read as the key slice's own level."""
    data = np.random.default_rng(0).integers(5, 90, (18, 16, 9)).astype(np.int16)
    nib.save(nib.Nifti1Image(data, np.diag([-0.7, -0.8, 3.0, 1.0])), tmp_path / "case_flair.nii.gz")
    reading = default_reading(se.open_study(tmp_path / "case_flair.nii.gz"))
    grid = reading.studies["study"].grid
    probe = tuple(float(v) for v in grid.world((7, 4, 5)))
    linked = reading.with_review(replace(reading.review, probe=probe, crosshair=True))
    key = KeySlice("study", "axial", 2)
    assert grid.index(at_slice(linked, key).review.probe) == pytest.approx([2, 4, 5])
    coronal = replace(key, plane="coronal", index=9)
    assert grid.index(at_slice(linked, coronal).review.probe) == pytest.approx([7, 9, 5])
    clicked = linked.with_review(replace(linked.review, crosshair=False))
    assert at_slice(clicked, key).review.probe == probe, "a click elsewhere is left where it was"
