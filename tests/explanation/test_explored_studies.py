"""A list of studies before any model: classes, millimetres, what differs, what cannot be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import imageio.v3 as iio
import nibabel as nib
import numpy as np
import pytest
from typer.testing import CliRunner

from napari_sparseexplain.cli import app
from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.explanation.data_explorer.data_item import patient_of_study
from napari_sparseexplain.explanation.data_explorer.dataset import Dataset, explore_work
from napari_sparseexplain.explanation.data_explorer.dataset_text import dataset_text
from napari_sparseexplain.explanation.data_explorer.differences import differences
from napari_sparseexplain.explanation.data_explorer.find_studies import find_studies, holds_studies
from napari_sparseexplain.explanation.data_explorer.noted import noted
from napari_sparseexplain.explanation.data_explorer.slice_reader import SliceReader
from napari_sparseexplain.progress import drain

SHAPE = (40, 36, 6)  # columns, rows, slices: as on file


def scan(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A noisy head with a bright ball of two classes on slices 2 to 4."""
    rng = np.random.default_rng(seed)
    x, y, z = np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij")
    head = np.hypot((x - 20) / 17, (y - 18) / 15) < 1
    image = head * (100 + rng.normal(0, 8, SHAPE))
    ball = (np.hypot(x - 24, y - 14) < 5) & (z >= 2) & (z <= 4)
    mask = ball.astype(np.uint8)
    mask[(np.hypot(x - 24, y - 14) < 2) & (z == 3)] = 2
    image[ball] += 80
    return image.astype(np.float32), mask


def write(folder: Path, seed: int, *, mm: float = 2.0, masked: bool = True) -> None:
    folder.mkdir(parents=True)
    image, mask = scan(seed)
    affine = np.diag([-mm, mm, 5.0, 1.0])
    nib.save(nib.Nifti1Image(image, affine), folder / f"{folder.name}_flair.nii.gz")
    if masked:
        nib.save(nib.Nifti1Image(mask, affine), folder / f"{folder.name}_seg.nii.gz")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven studies: one of other pixels, one without a mask, one damaged, one on both sides."""
    root = tmp_path_factory.mktemp("studies")
    for number in range(5):
        write(root / "train" / f"case{number}", number, mm=1.0 if number == 4 else 2.0)
    write(root / "test" / "case7", 7, masked=False)
    write(root / "test" / "case0", 0)
    (root / "test" / "broken").mkdir()
    (root / "test" / "broken" / "scan_flair.nii.gz").write_bytes(b"no scan")
    return root


@pytest.fixture(scope="module")
def found(folder: Path) -> Dataset:
    return drain(explore_work(folder))


def test_each_slice_with_a_mask_is_a_record_and_classes_are_counted(found: Dataset) -> None:
    assert len(found.records) == 6 * 3 + 1
    assert found.labelled == 18
    mask = scan(0)[1]
    totals = found.classes
    assert totals["label 1"].pixels == 6 * int((mask == 1).sum())
    assert totals["label 2"].slices == 6
    ml = (5 * 2 * 2 * 5 + 5) / 1000 * int((mask == 2).sum())
    assert totals["label 2"].millilitres == pytest.approx(ml)


def test_places_are_in_millimetres_from_the_middle(found: Dataset) -> None:
    """The ball is 4.5 voxels of 2 mm to the left and 3.5 behind the middle, since rows run to
    posterior, and on slices 0.5 below to 1.5 above the middle, 5 mm apart.
    """
    first = next(r for r in found.records if r.item.patient == "case1").measures
    assert first["column_mm"] == pytest.approx(2 * (24 - 19.5), abs=0.5)
    assert first["row_mm"] == pytest.approx(2 * (17.5 - 14), abs=0.5)
    heights = [r.measures["height_mm"] for r in found.records if r.item.patient == "case1"]
    assert heights == pytest.approx([-2.5, 2.5, 7.5])
    assert first["area_mm2"] == pytest.approx(4 * first["area"])


def test_what_differs_is_missing_or_cannot_be_read_is_told(found: Dataset) -> None:
    said = {note.words: note for note in noted(found)}
    assert any(
        w.startswith("1 patient has another pixel size, 1 × 1 mm and not 2 × 2") for w in said
    )
    assert "case0 is on 2 sides of the split: test, train" in said
    assert "case7: it has no mask; its middle slice stands for it" in said
    assert any("broken" in words and said[words].gravity == "grave" for words in said)
    same = [note for note in said.values() if note.kind == "Duplicates"]
    assert len(same) == 3
    assert all(note.gravity == "grave" and len(note.slices) == 2 for note in same)
    gravities = [note.gravity for note in noted(found)]
    assert gravities == sorted(gravities, key=["grave", "look", "hint"].index)


def test_a_slice_is_read_again_as_it_was_measured(found: Dataset) -> None:
    reader = SliceReader()
    record = found.records[4]
    pixels = reader.pixels(record.item)
    assert pixels.mask is not None
    assert pixels.mask.sum() == record.measures["area"]
    study, index = reader.study(record.item)
    assert index == record.item.index  # type: ignore[attr-defined]
    assert set(study.labels) == {"seg"}


def test_several_places_are_one_set_and_print_a_table_of_classes(folder: Path) -> None:
    places = [str(folder / "train" / name) for name in ("case1", "case2")]
    run = CliRunner().invoke(app, ["explore", *places])
    assert run.exit_code == 0, run.output
    assert "6 slices of 2 patients in 2 studies" in " ".join(run.output.split())
    assert "label 2" in run.output


def test_studies_are_found_as_their_sets_keep_them(tmp_path: Path) -> None:
    """BIDS: a session each. nnU-Net: a file a case, whatever its channels. Pictures are none."""
    for name in ("sub-01/ses-1/anat/a_flair", "sub-01/ses-2/anat/a_flair", "sub-02/anat/b_flair"):
        path = tmp_path / "bids" / f"{name}.nii.gz"
        path.parent.mkdir(parents=True)
        path.touch()
    names = [p.relative_to(tmp_path / "bids").as_posix() for p in find_studies([tmp_path / "bids"])]
    assert names == ["sub-01/ses-1", "sub-01/ses-2", "sub-02"]
    assert patient_of_study(tmp_path / "bids" / "sub-01" / "ses-2") == "sub-01"
    assert patient_of_study(Path("BraTS-GLI-00012-001")) == "BraTS-GLI-00012"
    images = tmp_path / "Dataset1" / "imagesTr"
    images.mkdir(parents=True)
    for name in ("a_0000", "a_0001", "b_0000"):
        (images / f"{name}.nii.gz").touch()
    assert [p.name for p in find_studies([images.parent])] == ["a_0000.nii.gz", "b_0000.nii.gz"]
    (tmp_path / "pictures").mkdir()
    iio.imwrite(tmp_path / "pictures" / "a.png", np.zeros((4, 4), np.uint8))
    assert not holds_studies([tmp_path / "pictures"])


def test_a_set_without_masks_or_with_nothing_drawn_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for n in range(3):
        (tmp_path / "images").mkdir(exist_ok=True)
        picture = rng.integers(0, 255, (20, 20)).astype(np.uint8)
        iio.imwrite(tmp_path / "images" / f"{'abc'[n]}.png", picture)
    assert "- no slice has a mask" in dataset_text(drain(explore_work(tmp_path)))
    (tmp_path / "labels").mkdir()
    for n, value in enumerate((0, 255, 0)):
        iio.imwrite(tmp_path / "labels" / f"{'abc'[n]}.png", np.full((20, 20), value, np.uint8))
    said = dataset_text(drain(explore_work(tmp_path)))
    assert "2 of 3 masks are empty" in said
    assert "1 of 3 masks cover their whole image" in said


def test_a_study_that_is_there_twice_is_told_in_one_line(tmp_path: Path) -> None:
    for side in ("train", "test"):
        write(tmp_path / side / "case1", 1)
    write(tmp_path / "train" / "case2", 2)
    found = drain(explore_work(tmp_path))
    many = replace(found, pairs=(*found.pairs, found.pairs[0]))
    (line,) = [note.words for note in noted(many) if note.kind == "Duplicates"]
    assert line == "4 slices of train/case1 are those of test/case1"


def test_the_folder_that_one_stands_in_has_its_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "train" / "case1")
    found = drain(explore_work("."))
    assert found.root.name == "case1"
    assert found.patients == ("case1",)
    assert "3 slices of 1 patient in 1 study" in dataset_text(found)


def test_only_few_that_differ_from_many_are_told(found: Dataset) -> None:
    of_one = [r for r in found.records if r.item.patient in ("case1", "case4")]
    assert differences(of_one, []) == []


@pytest.mark.parametrize("places", [("nowhere",), ("nowhere", "nothing")])
def test_places_that_are_not_there_are_refused(places: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="there is no such"):
        drain(explore_work(*(tmp_path / place for place in places)))


def test_a_scan_that_no_study_has_is_refused(folder: Path) -> None:
    with pytest.raises(ReadError, match="no study has a scan 'pet'"):
        drain(explore_work(folder, scan="pet"))


def test_cancelled_work_ends_at_the_next_step(folder: Path) -> None:
    work = explore_work(folder)
    for _ in range(4):
        next(work)
    work.close()
    with pytest.raises(StopIteration):
        next(work)
