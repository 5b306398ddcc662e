"""What a save may replace and remove: a review when asked to, its own arrays, nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import ReadError, SparseExplainError
from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.evidence.store import write_explanation
from napari_sparseexplain.review.autosave import Autosave, autosave
from napari_sparseexplain.review.default_review import default_reading
from napari_sparseexplain.review.former_review import ReviewThereError
from napari_sparseexplain.review.reading import Reading
from napari_sparseexplain.review.review import KeySlice, Panel
from napari_sparseexplain.review.store import check_saving, restore_review, save_review
from napari_sparseexplain.volumes import Study


def study_in(place: Path, seed: int) -> Study:
    """A patient of their own; the mask, empty, is the same file for all of them."""
    place.mkdir()
    rng = np.random.default_rng(seed)
    affine = np.diag([-1.0, -1.0, 2.0, 1.0])
    image = nib.Nifti1Image(rng.integers(5, 90, (8, 9, 6)).astype(np.int16), affine)
    nib.save(image, place / "case_flair.nii")
    nib.save(nib.Nifti1Image(np.zeros((8, 9, 6), np.uint8), affine), place / "case_seg.nii")
    return se.open_study(place)


def found_in(study: Study, layer: str = "last", method: str = "grad-cam") -> Explanation:
    data = np.ones(study.grid.shape, np.float32)
    return Explanation(
        method,
        (ExplanationMap("heat", data, "heatmap", value_range=(0.0, 1.0)),),
        Provenance(method, {"layer": layer}, model="mine", weights_sha256="ab" * 32),
        study.grid,
        slice(0, study.grid.shape[0]),
        "WT",
    )


def reading_of(study: Study, note: str = "", **explanations: Explanation) -> Reading:
    start = default_reading(study, explanations)
    keys = (KeySlice("study", "axial", 3, note),)
    return start.with_review(replace(start.review, key_slices=keys))


@pytest.fixture
def patients(tmp_path: Path) -> tuple[Study, Study]:
    return study_in(tmp_path / "A", 0), study_in(tmp_path / "B", 1)


def test_arrays_of_the_replaced_review_go_and_nothing_else(
    patients: tuple[Study, Study], tmp_path: Path
) -> None:
    study, _ = patients
    place = tmp_path / "review"
    save_review(reading_of(study, cam=found_in(study)), place, arrays=True)
    (ours,) = (place / "explanations").iterdir()
    # A person's own results, notes, a link to them, and a folder of our form that is not ours.
    mine = tmp_path / "elsewhere" / "grad-cam-0123456789ab"
    write_explanation(found_in(study), study, mine)
    own = place / "explanations" / "my-results"
    write_explanation(found_in(study), study, own)
    (place / "explanations" / "linked-0123456789ab").symlink_to(mine, target_is_directory=True)
    odd = place / "explanations" / "notes-0123456789ab"
    odd.mkdir()
    (odd / "notes.txt").write_text("mine")
    before = sorted(str(p) for p in tmp_path.rglob("*") if ours not in (p, *p.parents))
    later = found_in(study, layer="first")
    save_review(reading_of(study, cam=later), place, arrays=True, overwrite=True)
    assert not ours.exists(), "it was ours, and is in no review any more"
    now = {str(p) for p in tmp_path.rglob("*")}
    assert set(before) <= now
    assert restore_review(place).explanations["cam"].provenance.parameters == {"layer": "first"}


def test_what_a_person_put_into_our_folder_stays(
    patients: tuple[Study, Study], tmp_path: Path
) -> None:
    study, _ = patients
    save_review(reading_of(study, cam=found_in(study)), tmp_path / "review", arrays=True)
    (ours,) = (tmp_path / "review" / "explanations").iterdir()
    (ours / "notes.txt").write_text("mine")
    save_review(reading_of(study), tmp_path / "review", overwrite=True)
    assert [p.name for p in ours.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("which", ["explanations", "the folder of one"])
def test_nothing_is_removed_through_a_link(
    which: str, patients: tuple[Study, Study], tmp_path: Path
) -> None:
    study, _ = patients
    place, kept = tmp_path / "review", tmp_path / "archive"
    save_review(reading_of(study, cam=found_in(study)), place, arrays=True)
    linked = place / "explanations"
    if which != "explanations":
        (linked,) = linked.iterdir()
    linked.rename(kept)
    linked.symlink_to(kept, target_is_directory=True)
    before = sorted(p.name for p in kept.rglob("*"))
    save_review(reading_of(study), place, overwrite=True)
    assert sorted(p.name for p in kept.rglob("*")) == before
    assert linked.is_symlink()


def test_a_record_from_elsewhere_names_no_folder_outside(
    patients: tuple[Study, Study], tmp_path: Path
) -> None:
    """A method's name comes from a file, and becomes part of a folder's name."""
    study, _ = patients
    place = tmp_path / "deep" / "review"
    saved = found_in(study, method="../../../outside")
    save_review(reading_of(study, cam=saved), place, arrays=True)
    assert {p.name for p in tmp_path.iterdir()} == {"A", "B", "deep"}
    assert {p.name for p in (tmp_path / "deep").iterdir()} == {"review"}
    path = place / "review.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    values["review"]["explanations"]["cam"]["folder"] = "explanations/../../../A"
    path.write_text(json.dumps(values), encoding="utf-8")
    save_review(reading_of(study), place, overwrite=True)
    assert (tmp_path / "A" / "case_flair.nii").is_file()


def test_the_review_of_another_study_is_never_replaced(
    patients: tuple[Study, Study], tmp_path: Path
) -> None:
    one, other = patients
    path = save_review(reading_of(one, "of patient A"), tmp_path / "review")
    before = path.read_bytes()
    for overwrite in (False, True):
        with pytest.raises(ReviewThereError, match="another study") as refused:
            save_review(
                reading_of(other, cam=found_in(other)),
                tmp_path / "review",
                arrays=True,
                overwrite=overwrite,
            )
        assert not refused.value.same_study
        with pytest.raises(ReviewThereError, match="another study"):
            autosave(Autosave(tmp_path / "review", unsaved_since=0.0), reading_of(other), 1000.0)
    assert path.read_bytes() == before
    assert [p.name for p in (tmp_path / "review").iterdir()] == ["review.json"]


def test_a_study_that_stands_beside_makes_it_no_review_of_that_study(
    patients: tuple[Study, Study], tmp_path: Path
) -> None:
    one, other = patients
    path = save_review(reading_of(one, "of patient A"), tmp_path / "review")
    alone, beside = reading_of(other, "of patient B"), default_reading(one)
    review = replace(
        alone.review,
        studies={**alone.review.studies, "study-2": beside.review.studies["study"]},
        panels=(*alone.review.panels, Panel("study-2", "axial", 2)),
    )
    both = replace(alone, review=review, studies={"study": other, "study-2": one})
    with pytest.raises(ReviewThereError, match="another study"):
        save_review(both, tmp_path / "review", overwrite=True)
    assert "of patient A" in path.read_text(encoding="utf-8")


def test_one_of_the_same_study_is_replaced_when_asked(
    patients: tuple[Study, Study], tmp_path: Path
) -> None:
    study, _ = patients
    path = save_review(reading_of(study, "first"), tmp_path / "review")
    for attempt in (save_review, check_saving):
        with pytest.raises(ReviewThereError, match="this study already") as refused:
            attempt(reading_of(study, "second"), tmp_path / "review")
        assert refused.value.same_study
    assert "first" in path.read_text(encoding="utf-8")
    # Moved, and with one scan fewer, it is the same study.
    moved = tmp_path / "moved"
    Path(str(study.path)).rename(moved)
    (moved / "case_seg.nii").unlink()
    save_review(reading_of(se.open_study(moved), "second"), tmp_path / "review", overwrite=True)
    assert "second" in path.read_text(encoding="utf-8")
    check_saving(reading_of(se.open_study(moved)), tmp_path / "new")


@pytest.mark.parametrize("text", ["{", '{"a": 1}', '{"format": "napari-sparseexplain review"}', ""])
def test_a_file_that_is_no_review_we_know_is_not_replaced(
    text: str, patients: tuple[Study, Study], tmp_path: Path
) -> None:
    path = tmp_path / "review" / "review.json"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReadError, match="not replaced"):
        save_review(reading_of(patients[0]), path.parent, overwrite=True)
    assert path.read_text(encoding="utf-8") == text


def test_a_save_that_fails_leaves_no_arrays(
    patients: tuple[Study, Study], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, _ = patients

    def full(*_: object, **__: object) -> None:
        raise SparseExplainError("No space left on device")

    monkeypatch.setattr("napari_sparseexplain.review.store.write_atomically", full)
    with pytest.raises(SparseExplainError, match="No space left"):
        save_review(reading_of(study, cam=found_in(study)), tmp_path / "new", arrays=True)
    assert not (tmp_path / "new").exists()


def test_arrays_of_some_explanations_alone_can_be_saved(
    patients: tuple[Study, Study], tmp_path: Path
) -> None:
    study, _ = patients
    reading = reading_of(study, cam=found_in(study), big=found_in(study, layer="first"))
    save_review(reading, tmp_path / "review", arrays=["cam"])
    assert list(restore_review(tmp_path / "review").explanations) == ["cam"]
