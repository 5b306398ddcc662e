"""A review comes back as it was, or says what stands in its way."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import ReadError, SparseExplainError
from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.export.pictures.compositor import PictureSize, compose
from napari_sparseexplain.export.pictures.picture_file import png_bytes
from napari_sparseexplain.networks.bundle.catalogue import models
from napari_sparseexplain.review import store
from napari_sparseexplain.review.annotation import annotation_on_grid
from napari_sparseexplain.review.autosave import BOUND_S, POLL_S, Autosave, autosave
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.review.review import Camera, KeySlice
from napari_sparseexplain.review.store import (
    StudyChangedError,
    StudyMovedError,
    restore_review,
    save_review,
)

TIME = datetime(2026, 1, 2, tzinfo=UTC)
SIZE = PictureSize(700, 900)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "case"
    place.mkdir()
    rng = np.random.default_rng(0)
    affine = np.array([[-0.9, 0.1, 0, 9], [0.1, -1.1, 0, 7], [0, 0, 2.0, -8], [0, 0, 0, 1]])
    seg = np.zeros((12, 14, 8), np.uint8)
    seg[3:6, 4:8, 2:5] = 2
    for name, data in (("flair", rng.integers(5, 90, seg.shape)), ("seg", seg)):
        image = nib.Nifti1Image(data.astype(np.int16), affine)
        nib.save(image, place / f"case_{name}.nii.gz")
    return place


def reading_of(folder: Path, weights: str = "ab" * 32, model: str = "mine") -> Reading:
    study = se.open_study(folder)
    heat = np.random.default_rng(1).random((3, *study.grid.shape[1:])).astype(np.float32)
    explanation = Explanation(
        "grad-cam",
        (ExplanationMap("heat", heat, "heatmap", "Grad-CAM", value_range=(0.0, 1.0)),),
        Provenance("grad-cam", {"layer": "last"}, model=model, weights_sha256=weights),
        study.grid,
        slice(2, 5),
        "WT",
        {"completeness_gap": 0.01},
    )
    reading = default_reading(study, {"cam": explanation})
    marks = (
        annotation_on_grid("distance", [(3, 2, 2), (3, 9, 6)], study.grid, study="study",
                           plane="axial", index=3),
        annotation_on_grid("text", [(3, 4, 4)], study.grid, study="study", plane="axial",
                           index=3, text="rim ↑"),
        annotation_on_grid("angle", [(3, 2, 2), (3, 9, 6), (3, 2, 5)], study.grid, study="study",
                           plane="axial", index=3),
        *(annotation_on_grid(kind, [(3, 2, 2), (3, 9, 6), (3, 7, 2), (3, 4, 6)], study.grid,
                             study="study", plane="axial", index=3)
          for kind in ("cobb", "bidirectional")),
    )  # fmt: skip
    panels = tuple(
        replace(p, index=3, camera=Camera(20.0, (5.0, 6.0), (300, 280)))
        for p in reading.review.panels
    )
    review = replace(
        reading.review,
        panels=panels,
        annotations=marks,
        key_slices=(KeySlice("study", "axial", 3, "grows"), KeySlice("study", "coronal", 5)),
        convention="neurological",
        probe=(1.0, 2.0, 3.0),
    )
    return reading.with_review(review)


def test_a_round_trip_gives_the_same_review_and_the_same_picture(
    folder: Path, tmp_path: Path
) -> None:
    reading = reading_of(folder)
    save_review(reading, tmp_path / "review", arrays=True)
    back = restore_review(tmp_path / "review")
    changed = {key: replace(e, folder="") for key, e in back.review.explanations.items()}
    assert replace(back.review, explanations=changed) == reading.review
    assert back.findings == ()
    first = png_bytes(compose(reading, SIZE, created=TIME))
    assert png_bytes(compose(back, SIZE, created=TIME)) == first


def test_without_arrays_the_review_says_what_must_be_run_again(
    folder: Path, tmp_path: Path
) -> None:
    save_review(reading_of(folder), tmp_path / "review")
    back = restore_review(tmp_path / "review")
    assert [f.code for f in back.findings] == ["explanation-missing"]
    assert back.review.explanations["cam"].provenance["parameters"] == {"layer": "last"}
    with pytest.raises(SparseExplainError, match="Run it again"):
        compose(back, SIZE)


def test_saving_again_without_arrays_keeps_those_that_are_there(
    folder: Path, tmp_path: Path
) -> None:
    reading = reading_of(folder)
    save_review(reading, tmp_path / "review", arrays=True)
    save_review(reading, tmp_path / "review", overwrite=True)
    assert restore_review(tmp_path / "review").findings == ()
    save_review(restore_review(tmp_path / "review"), tmp_path / "other")
    codes = [f.code for f in restore_review(tmp_path / "other").findings]
    assert codes == ["explanation-missing"]


def test_a_moved_study_is_asked_for_and_found_again(folder: Path, tmp_path: Path) -> None:
    reading = reading_of(folder)
    save_review(reading, tmp_path / "review", arrays=True)
    new = tmp_path / "elsewhere"
    shutil.move(folder, new)
    with pytest.raises(StudyMovedError, match="--study study=PATH"):
        restore_review(tmp_path / "review")
    back = restore_review(tmp_path / "review", moved={"study": new})
    assert back.review.studies["study"].path == str(new.resolve())
    first = png_bytes(compose(reading, SIZE, created=TIME))
    assert png_bytes(compose(back, SIZE, created=TIME)) == first


def test_a_changed_study_is_refused(folder: Path, tmp_path: Path) -> None:
    save_review(reading_of(folder), tmp_path / "review")
    path = folder / "case_flair.nii.gz"
    image = nib.load(path)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj) + 1, image.affine), path)
    with pytest.raises(StudyChangedError, match=r"case_flair\.nii\.gz.*checksum differs"):
        restore_review(tmp_path / "review")
    path.unlink()
    with pytest.raises(StudyChangedError, match=r"case_flair\.nii\.gz.*missing"):
        restore_review(tmp_path / "review")


def test_another_model_and_another_program_are_said(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = next(iter(models()))
    save_review(reading_of(folder, model=name), tmp_path / "review", arrays=True)
    monkeypatch.setattr(store, "package_versions", lambda: {"napari-sparseexplain": "99"})
    back = restore_review(tmp_path / "review")
    assert {f.code: f.level for f in back.findings} == {
        "versions-differ": "warning",
        "model-differs": "warning",
    }


def test_an_interrupted_save_leaves_the_review_of_before(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = reading_of(folder)
    place = tmp_path / "review"
    save_review(reading, place)
    before = (place / "review.json").read_bytes()

    def full(*args: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("napari_sparseexplain.files.atomic_write.os.replace", full)
    later = reading.with_review(replace(reading.review, convention="radiological"))
    with pytest.raises(SparseExplainError, match="No space left"):
        save_review(later, place, overwrite=True)
    assert (place / "review.json").read_bytes() == before
    assert [p.name for p in place.iterdir()] == ["review.json"]


def test_a_damaged_review_names_its_field(folder: Path, tmp_path: Path) -> None:
    path = save_review(reading_of(folder), tmp_path / "review")
    values = json.loads(path.read_text(encoding="utf-8"))
    for place, value, said in (
        ("index", "three", r"panels\[0\]\.index' must be a whole number"),
        ("plane", "oblique", r"panels\[0\]\.plane' must be one of"),
        ("unheard", 1, r"panels\[0\]\.unheard' is not known"),
    ):
        spoilt = json.loads(json.dumps(values))
        spoilt["review"]["panels"][0][place] = value
        path.write_text(json.dumps(spoilt), encoding="utf-8")
        with pytest.raises(ReadError, match=said):
            restore_review(path)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ReadError, match="no review"):
        restore_review(path)


def test_a_study_made_in_memory_cannot_be_saved_by_reference(folder: Path, tmp_path: Path) -> None:
    reading = reading_of(folder)
    study = replace(reading.studies["study"], path=None)
    with pytest.raises(SparseExplainError, match="made in memory"):
        save_review(replace(reading, studies={"study": study}), tmp_path / "review")
    assert not (tmp_path / "review").exists()


def test_no_change_waits_longer_than_the_bound(folder: Path, tmp_path: Path) -> None:
    """Changes every second, polls as late as allowed: what is on disk is never 30 s behind."""
    reading = reading_of(folder)
    state = autosave(Autosave(tmp_path / "auto"), reading, 0.0)
    changes: list[tuple[float, object]] = [(0.0, reading.review)]
    for tick in range(1, 60):
        notes = (KeySlice("study", "axial", 3, f"note {tick}"),)
        reading = reading.with_review(replace(reading.review, key_slices=notes))
        changes.append((float(tick), reading.review))
        if tick % POLL_S == 0:
            state = autosave(state, reading, float(tick))
        unsaved = [t for t, r in changes if state.saved is None or r is state.saved]
        last = unsaved[-1] if unsaved and state.saved is not None else -1.0
        assert tick - (last + 1) < BOUND_S
    assert state.saved is not None
    assert store.read_review(tmp_path / "auto" / "review.json").key_slices == (
        state.saved.key_slices
    )
