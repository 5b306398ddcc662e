"""Explanations on disk: what is saved comes back, on the input's own grid, or not at all."""

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
from napari_sparseexplain.evidence.store import load_explanation, write_explanation

#: Any orientation and unequal spacing, a little oblique.
AFFINES = {
    "LAS": np.array([[-0.9, 0, 0, 40], [0, 0.8, 0, -30], [0, 0, 3.0, -20], [0, 0, 0, 1]]),
    "PSR": np.array([[0, 0, 1.1, -10], [-0.7, 0, 0, 50], [0, 2.0, 0, 5], [0, 0, 0, 1]]),
    "oblique": np.array([[0.9, 0.1, 0, 4], [-0.1, 0.9, 0.2, -3], [0, -0.2, 2.0, -2], [0, 0, 0, 1]]),
}


def head(shape: tuple[int, int, int]) -> np.ndarray:
    array = np.zeros(shape, np.int16)
    array[1:-1, 1:-1, 1:-1] = np.random.default_rng(0).integers(50, 200, [n - 2 for n in shape])
    return array


@pytest.fixture(params=AFFINES)
def study(request: pytest.FixtureRequest, tmp_path: Path) -> se.Study:
    path = tmp_path / "case_flair.nii.gz"
    nib.save(nib.Nifti1Image(head((9, 12, 7)), AFFINES[request.param]), path)
    return se.open_study(path)


def explanation_of(study: se.Study, slices: slice | None = None) -> Explanation:
    span = slice(0, study.grid.shape[0]) if slices is None else slices
    shape = (span.stop - span.start, *study.grid.shape[1:])
    rng = np.random.default_rng(1)
    maps = (
        ExplanationMap(
            "mask", rng.integers(0, 5, shape).astype(np.uint8), "segmentation", classes={1: "x"}
        ),
        ExplanationMap(
            "signal", rng.normal(size=shape).astype(np.float32), "signal", "ĉ", signed=True,
            value_range=(-1.0, 1.0), range_scope="shared",
        ),
        ExplanationMap(
            "impulse", rng.normal(size=(5, 5)), "response", space="space",
            axes={"spacing": (1.875, 1.875), "unit": "mm", "middle": np.int64(2)},
        ),
    )  # fmt: skip
    return Explanation(
        "signals",
        maps,
        Provenance("signals", {"alpha": 0.5}, model="small", weights_sha256="ab" * 32),
        study.grid,
        span,
        target="voxel 1, 2, 3",
        scores={"dice": 0.5, "defect": None},
        notes=("A note.",),
    )


@pytest.mark.parametrize("slices", [None, slice(2, 4)])
def test_round_trip(study: se.Study, tmp_path: Path, slices: slice | None) -> None:
    saved = explanation_of(study, slices)
    paths = write_explanation(saved, study, tmp_path / "out")
    assert [p.name for p in paths] == [
        "signals_voxel-1-2-3_mask.nii.gz",
        "signals_voxel-1-2-3_signal.nii.gz",
        "signals_voxel-1-2-3_impulse.npz",
        "provenance.json",
    ]
    found = load_explanation(tmp_path / "out")
    for item, before in zip(found.maps, saved.maps, strict=True):
        assert np.array_equal(item.data, before.data)
        assert item.data.dtype == before.data.dtype
        for field in ("name", "kind", "title", "space", "value_range", "signed", "classes"):
            assert getattr(item, field) == getattr(before, field)
    assert found.grid is not None
    assert found.grid.matches(study.grid)
    assert found.slices == saved.slices
    assert found.provenance == saved.provenance
    assert (found.target, found.scores, found.notes) == (saved.target, saved.scores, saved.notes)
    assert found["impulse"].axes["spacing"] == [1.875, 1.875]


def test_maps_lie_where_the_input_lies(study: se.Study, tmp_path: Path) -> None:
    """In file space: the voxel marked in display order is at the same patient coordinates."""
    span = slice(1, 3)
    mask = np.zeros((2, *study.grid.shape[1:]), np.uint8)
    mask[1, 3, 2] = 4
    saved = replace(
        explanation_of(study, span), maps=(ExplanationMap("mask", mask, "segmentation"),)
    )
    path = write_explanation(saved, study, tmp_path / "out")[0]
    image, original = nib.load(path), nib.load(study.path)
    assert np.array_equal(image.affine, original.affine)
    assert image.shape == original.shape
    (index,) = np.argwhere(np.asarray(image.dataobj) == 4)
    place = image.affine @ [*index, 1]
    assert np.allclose(place[:3], study.grid.world((2, 3, 2)), atol=1e-4)
    assert np.asarray(image.dataobj).sum() == 4


def test_the_record_says_how_it_was_made(study: se.Study, tmp_path: Path) -> None:
    write_explanation(explanation_of(study), study, tmp_path / "out")
    entry = json.loads((tmp_path / "out" / "provenance.json").read_text())["explanations"]
    made = entry["signals_voxel-1-2-3"]
    assert made["provenance"]["model"] == "small"
    assert made["provenance"]["weights_sha256"] == "ab" * 32
    assert made["provenance"]["parameters"] == {"alpha": 0.5}
    assert made["slices"] == [0, study.grid.shape[0]]
    assert made["scores"] == {"dice": 0.5, "defect": None}


def test_several_explanations_share_a_folder(study: se.Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = explanation_of(study)
    write_explanation(first, study, out)
    write_explanation(replace(first, method="segmentation", target=""), study, out)
    with pytest.raises(ReadError, match="2 explanations"):
        load_explanation(out)
    assert load_explanation(out, "segmentation").method == "segmentation"
    with pytest.raises(ReadError, match="no explanation 'xrai'"):
        load_explanation(out, "xrai")


def test_what_is_there_is_kept_unless_told(study: se.Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = explanation_of(study)
    write_explanation(first, study, out)
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    with pytest.raises(SparseExplainError, match="is there already"):
        write_explanation(first, study, out)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before
    write_explanation(replace(first, notes=("Another.",)), study, out, overwrite=True)
    assert load_explanation(out).notes == ("Another.",)


def test_overwriting_with_fewer_maps_leaves_no_old_one(study: se.Study, tmp_path: Path) -> None:
    """A map of an earlier run beside the new record would pass for a result of this run."""
    out = tmp_path / "out"
    first = explanation_of(study)
    write_explanation(first, study, out)
    write_explanation(replace(first, method="other"), study, out)
    (out / "signals_voxel-1-2-3_note.txt").write_text("mine")
    kept = {p.name for p in out.iterdir()}
    write_explanation(replace(first, maps=first.maps[:1]), study, out, overwrite=True)
    gone = {"signals_voxel-1-2-3_signal.nii.gz", "signals_voxel-1-2-3_impulse.npz"}
    assert {p.name for p in out.iterdir()} == kept - gone
    assert len(load_explanation(out, "signals_voxel-1-2-3").maps) == 1
    assert len(load_explanation(out, "other_voxel-1-2-3").maps) == 3


def test_overwriting_removes_nothing_outside_its_folder(study: se.Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_explanation(explanation_of(study), study, out)
    outside = tmp_path / "elsewhere.nii.gz"
    outside.write_text("mine")
    record = json.loads((out / "provenance.json").read_text())
    record["explanations"]["signals_voxel-1-2-3"]["maps"][0]["file"] = "../elsewhere.nii.gz"
    (out / "provenance.json").write_text(json.dumps(record))
    write_explanation(explanation_of(study), study, out, overwrite=True)
    assert outside.read_text() == "mine"


def test_a_failed_save_leaves_nothing_behind(
    study: se.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write_explanation(explanation_of(study), study, out)
    before = {p.name: p.read_bytes() for p in out.iterdir()}

    def full(*_args: object, **_keywords: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("napari_sparseexplain.evidence.explanation_files.np.savez_compressed", full)
    with pytest.raises(SparseExplainError, match="No space left"):
        write_explanation(explanation_of(study), study, out, overwrite=True)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before


def test_a_folder_that_cannot_be_made_is_one_clear_error(study: se.Study, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SparseExplainError, match="cannot be written"):
        write_explanation(explanation_of(study), study, tmp_path / "file" / "out")


def test_the_file_of_another_program_is_left_alone(study: se.Study, tmp_path: Path) -> None:
    (tmp_path / "provenance.json").write_text('{"workflow": []}')
    with pytest.raises(ReadError, match="not written by this program"):
        write_explanation(explanation_of(study), study, tmp_path, overwrite=True)


def test_another_study_is_refused(study: se.Study, tmp_path: Path) -> None:
    path = tmp_path / "other_flair.nii.gz"
    nib.save(nib.Nifti1Image(head((8, 8, 8)), np.eye(4)), path)
    with pytest.raises(SparseExplainError, match="does not lie on this study's grid"):
        write_explanation(explanation_of(study), se.open_study(path), tmp_path / "out")


def test_damaged_folders_are_refused(study: se.Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ReadError, match=r"no provenance\.json"):
        load_explanation(out)
    write_explanation(explanation_of(study), study, out)
    (out / "signals_voxel-1-2-3_signal.nii.gz").write_bytes(b"not a scan")
    with pytest.raises(ReadError, match="cannot be read"):
        load_explanation(out)
    (out / "signals_voxel-1-2-3_mask.nii.gz").unlink()
    with pytest.raises(ReadError, match="cannot be read"):
        load_explanation(out)
    record = json.loads((out / "provenance.json").read_text())
    record["explanations"]["signals_voxel-1-2-3"]["maps"][0]["file"] = "../elsewhere.nii.gz"
    (out / "provenance.json").write_text(json.dumps(record))
    with pytest.raises(ReadError, match="is damaged"):
        load_explanation(out)


def test_a_picture_without_orientation_comes_back(tmp_path: Path) -> None:
    import imageio.v3 as iio

    image = np.random.default_rng(0).integers(0, 255, (20, 31), dtype=np.uint8)
    iio.imwrite(tmp_path / "slice.png", image)
    picture = se.open_study(tmp_path / "slice.png")
    saved = explanation_of(picture)
    write_explanation(saved, picture, tmp_path / "out")
    found = load_explanation(tmp_path / "out")
    assert np.array_equal(found["signal"].data, saved["signal"].data)
    assert found.grid is not None
    assert not found.grid.oriented


def test_the_name_of_before_is_understood_with_a_warning() -> None:
    from napari_sparseexplain.evidence import store

    with pytest.warns(DeprecationWarning, match="write_explanation"):
        assert store.save_explanation is store.write_explanation
    with pytest.raises(AttributeError, match="no attribute 'save'"):
        _ = store.save
