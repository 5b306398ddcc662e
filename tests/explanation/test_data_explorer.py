"""A labelled folder before any model: each fault that was put in is told, and no other."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from typer.testing import CliRunner

from napari_sparseexplain.cli import app
from napari_sparseexplain.errors import ReadError
from napari_sparseexplain.explanation.data_explorer.dataset import Dataset, explore_work
from napari_sparseexplain.explanation.data_explorer.dataset_text import dataset_text
from napari_sparseexplain.explanation.data_explorer.mask_contrast import (
    Displacement,
    ManyContrasts,
    PatientContrast,
    mask_contrast,
)
from napari_sparseexplain.explanation.data_explorer.outliers import robust_scores
from napari_sparseexplain.explanation.data_explorer.slice_record import (
    SliceRecord,
    measured,
    shrunk,
)
from napari_sparseexplain.explanation.data_explorer.turned_patients import (
    changed_by_turns,
    turned_work,
)
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes.labelled.labelled_folder import find_labelled, read_labelled
from napari_sparseexplain.volumes.labelled.labelled_slice import LabelledSlice, SlicePixels

SIDE = 96


def body(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A bright disc in a body that is not the same turned, and the disc."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((SIDE, SIDE))
    inside = np.hypot((rows - 48) / 40, (columns - 48) / 34) < 1
    image = np.where(inside, 70.0, 4.0) + rng.normal(0, 6, (SIDE, SIDE))
    image[inside & (columns < 40) & (rows > 40)] += 80
    row, column = rng.uniform(36, 42), rng.uniform(52, 58)
    disc = np.hypot(rows - row, columns - column) < rng.uniform(6, 8)
    image[disc] = 220
    return np.clip(image, 0, 255).astype(np.uint8), disc


def write(root: Path, name: str, image: np.ndarray, mask: np.ndarray) -> None:
    for folder, values in (("images", image), ("labels", mask.astype(np.uint8) * 255)):
        (root / folder).mkdir(parents=True, exist_ok=True)
        iio.imwrite(root / folder / f"{name}.png", values)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight patients, five slices each, with one fault of each kind."""
    root = tmp_path_factory.mktemp("set")
    for p in range(8):
        for n in range(5):
            image, mask = body(100 * p + n)
            if p == 3:
                mask = np.roll(mask, (-7, -9), axis=(0, 1))
            if p == 5:
                image, mask = np.rot90(image), np.rot90(mask)
            if (p, n) == (6, 2):
                image = (image // 8).astype(np.uint8)
            side = "train" if p < 6 or (p, n) == (7, 0) else "test"
            write(root / side, f"P-{p:02d}-IM-0001-{n:04d}", image, mask)
    image, mask = body(0)
    write(root / "test", "Q-01-IM-0001-0000", image, mask)
    (root / "train" / "images" / "R-01-IM-0001-0000.png").write_bytes(b"no picture")
    return root


@pytest.fixture(scope="module")
def found(folder: Path) -> Dataset:
    return drain(explore_work(folder))


def test_masks_that_lie_beside_what_they_mean_are_told(found: Dataset) -> None:
    (one,) = found.displaced
    assert (one.patient, one.slices) == ("P-03", 5)
    assert abs(one.shift[0] - 7) <= 1
    assert abs(one.shift[1] - 9) <= 1
    assert one.moved > 2 * one.contrast
    assert "down and" in one.words


def test_a_patient_that_is_turned_is_told_and_by_how_much(found: Dataset) -> None:
    (one,) = found.turned
    assert (one.patient, one.turns, one.mirror) == ("P-05", 3, False)
    assert one.words.startswith("P-05 fits the rest when turned 90° clockwise: ")


def head(seed: int) -> np.ndarray:
    """A head seen from above, nearly round, with ventricles and a lesion that lies anywhere."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((SIDE, SIDE)) - 47.5
    inside = np.hypot(rows / 42, columns / 37) < 1
    image = np.where(inside, 90.0, 4.0) + rng.normal(0, 8, (SIDE, SIDE))
    for side in (-1, 1):
        image[np.hypot((rows + 6 + rng.normal()) / 14, (columns - 7 * side) / 4) < 1] -= 60
    image[np.hypot((rows - 30) / 5, columns / 12) < 1] += 40
    row, column = rng.uniform(-20, 20, 2)
    image[np.hypot(rows - row, columns - column) < rng.uniform(5, 10)] += 80
    return np.clip(image, 0, 255)


def records_of(images: dict[str, np.ndarray]) -> list[SliceRecord]:
    pixels = {n: SlicePixels(i.astype(np.float32), None) for n, i in images.items()}
    return [measured(LabelledSlice(n, n, 0, Path(n)), p, n.encode()) for n, p in pixels.items()]


@pytest.mark.parametrize("turns", [1, 3])
def test_a_head_that_is_turned_is_told_and_others_are_not(turns: int) -> None:
    """Its outline agrees in any orientation; what a turn changes of it does not."""
    heads = {f"H-{n}": head(n) for n in range(8)}
    assert drain(turned_work(records_of(heads))) == []
    heads["H-3"] = np.rot90(heads["H-3"], turns)
    (one,) = drain(turned_work(records_of(heads)))
    assert (one.patient, one.mirror) == ("H-3", False)
    assert one.turns == 4 - turns
    assert "turned 90°" in one.words


def test_where_the_others_do_not_agree_nobody_is_turned() -> None:
    """Heads in every orientation: none of them differs from a rest."""
    heads = {f"H-{n}": np.rot90(head(n), n) for n in range(8)}
    assert drain(turned_work(records_of(heads))) == []
    noise = np.random.default_rng(0).uniform(0, 255, (8, SIDE, SIDE))
    assert drain(turned_work(records_of({f"N-{n}": i for n, i in enumerate(noise)}))) == []


def test_what_a_turn_changes_is_nothing_of_a_disc() -> None:
    rows, columns = np.indices((24, 24)) - 11.5
    disc = np.hypot(rows, columns) < 8
    assert not changed_by_turns(200.0 * disc).any()
    part = changed_by_turns(np.random.default_rng(0).random((24, 24)))
    assert np.linalg.norm(part) == pytest.approx(1)
    assert part.mean() == pytest.approx(0, abs=1e-12)


@pytest.mark.realdata
def test_turned_scans_of_real_people_are_told_and_the_others_are_not(shared_data: Path) -> None:
    """Hearts: two patients of this set are known to be turned. Heads: none is, until one is."""
    hearts = drain(find_labelled(shared_data / "cardiac" / "sunnybrook")).slices
    chosen = [measured(item, read_labelled(item), item.name.encode()) for item in hearts[::4]]
    told = {one.patient for one in drain(turned_work(chosen))}
    assert told == {"SC-HF-I-01", "SC-HYP-37"}
    folders = [shared_data / name for name in ("brain_tumour", "brain_lesion_ms")]
    heads = drain(explore_work(*(case for folder in folders for case in folder.iterdir())))
    assert heads.turned == ()
    patients = sorted({record.item.patient for record in heads.records})
    right = 0
    for patient in patients:
        turned = [
            replace(r, small=np.rot90(r.small)) if r.item.patient == patient else r
            for r in heads.records
        ]
        names = [one.patient for one in drain(turned_work(turned))]
        assert names in ([], [patient])
        right += names == [patient]
    print(f"heads turned by 90°, one at a time: {right} of {len(patients)} told, no other ever")
    assert right >= len(patients) / 2


def test_duplicates_and_leaks_are_told(found: Dataset) -> None:
    exact = [pair for pair in found.pairs if pair.exact]
    assert [(p.first, p.second, p.across) for p in exact] == [
        ("P-00-IM-0001-0000", "Q-01-IM-0001-0000", True)
    ]
    assert found.leaked == {"P-07": ("test", "train")}


def test_a_slice_that_differs_is_an_outlier(found: Dataset) -> None:
    by_name = {outlier.name: outlier.measures for outlier in found.outliers}
    assert by_name["P-06-IM-0001-0002"]["deviation"] < -3.5


def test_a_picture_that_cannot_be_read_costs_itself(found: Dataset) -> None:
    assert len(found.records) == 41
    assert any(f.code == "unreadable" and "R-01" in (f.where or "") for f in found.findings)


def test_the_numbers_are_those_of_the_folder(found: Dataset) -> None:
    assert found.matrices == {(SIDE, SIDE): 41}
    assert found.labelled == 41
    areas = [r.measures["area"] for r in found.records]
    assert found.balance == pytest.approx(sum(areas) / (41 * SIDE**2))
    row, column = np.unravel_index(found.position.argmax(), found.position.shape)
    assert abs(row - 39) < 5
    assert abs(column - 55) < 5
    assert found.position.max() <= 1


def test_the_page_and_the_table_hold_what_is_printed(folder: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["explore", str(folder), "--out", str(tmp_path / "out")])
    assert run.exit_code == 0, run.output
    said = " ".join(run.output.split())
    for words in (
        "41 slices of 9 patients",
        "masks of P-03 fit better moved",
        "P-05 fits the rest when turned 90° clockwise",
        "P-07 is on 2 sides of the split: test, train",
        "are the same picture",
    ):
        assert words in said
    page = (tmp_path / "out" / "data.html").read_text(encoding="utf-8")
    assert "P-05 fits the rest when turned" in page
    assert page.count("data:image/png;base64,") > 10
    assert (tmp_path / "out" / "data.pdf").read_bytes().startswith(b"%PDF-")
    with (tmp_path / "out" / "data.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 41
    assert rows[0]["patient"] == "P-00"


def test_names_cannot_reach_the_page_as_markup(tmp_path: Path) -> None:
    from napari_sparseexplain.export.report.dataset_page import dataset_page_work

    for n in range(6):
        image, mask = body(n)
        write(tmp_path / "<b>set", f"a&b_{n}", image, mask)
    page = drain(dataset_page_work(drain(explore_work(tmp_path / "<b>set"))))
    assert "<b>set" not in page
    assert "&lt;b&gt;set" in page


def test_a_clean_set_says_that_nothing_stands_out(tmp_path: Path) -> None:
    image, mask = body(1)
    for n in range(4):
        shifted = np.clip(image.astype(int) + n, 0, 255).astype(np.uint8)
        write(tmp_path, f"P-01_{n}", shifted, mask)
    assert "Nothing stands out." in dataset_text(drain(explore_work(tmp_path)))


def test_a_folder_of_broken_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "zz1.png").write_bytes(b"x")
    # What is also found of the folder, that no image has a mask, is not why.
    with pytest.raises(ReadError, match=r"none of its 1 slices can be read.*one: zz1: the picture"):
        drain(explore_work(tmp_path))


def test_noise_is_not_told_as_turned_and_one_mask_not_as_moved(tmp_path: Path) -> None:
    """Of pictures of noise with one slice a patient another orientation or place fits by chance."""
    rng = np.random.default_rng(3)
    for p in range(8):
        image = rng.integers(0, 255, (SIDE, SIDE)).astype(np.uint8)
        write(tmp_path, f"P-{p:02d}_1", np.rot90(image, p), body(p)[1])
    found = drain(explore_work(tmp_path, scan="flair"))
    assert found.turned == ()
    assert found.displaced == ()
    assert any("'flair' means nothing here" in f.message for f in found.findings)
    words = Displacement("p0", 1, (1, 9), 0.1, 0.4).words
    assert words.startswith("the mask of p0 fits better moved 1 pixel down and 9 to the right")


def test_contrast_at_every_shift_is_that_of_the_moved_mask() -> None:
    """The fast way (by correlation) gives what moving the mask by hand gives."""
    image, mask = body(4)
    of = PatientContrast("a")
    of.add(image.astype(float), mask)
    middle = of._total.shape[0] // 2
    for shift in ((0, 0), (3, -5), (-11, 8)):
        moved = mask_contrast(image.astype(float), np.roll(mask, shift, axis=(0, 1)))
        assert of._total[middle + shift[0], middle + shift[1]] == pytest.approx(moved, abs=1e-9)


def test_shrinking_keeps_the_mean_and_grows_what_is_smaller() -> None:
    image = np.random.default_rng(0).uniform(size=(60, 90))
    assert shrunk(image, 30).mean() == pytest.approx(image.mean())
    assert shrunk(np.eye(4), 8)[::2, ::2].tolist() == np.eye(4).tolist()


def test_correct_masks_at_the_edge_of_the_tissue_are_not_told_as_displaced() -> None:
    """The tissue fills the image; a mask near its edge fits where it lies, and nowhere better.

    Outside of the image nothing is dark: it is not there.
    """
    rng = np.random.default_rng(0)
    of = PatientContrast("edge")
    rows, columns = np.indices((SIDE, SIDE))
    for n in range(4):
        disc = np.hypot(rows - 10 - n, columns - 48) < 7
        image = 150.0 + rng.normal(0, 5, (SIDE, SIDE)) + 30 * disc
        of.add(image, disc)
    assert of.displacement() is None
    of = PatientContrast("beside")
    of.add(image, np.roll(disc, 12, axis=0))
    found = of.displacement()
    assert found is not None
    assert abs(found.shift[0] + 12) <= 1


def test_correct_masks_beside_the_air_are_not_told_as_displaced() -> None:
    """A scan without skull is 0 outside: a ring that lies there gives a contrast of 1, or 0 / 0."""
    rng = np.random.default_rng(1)
    rows, columns = np.indices((SIDE, SIDE))
    of = PatientContrast("brain")
    for n in range(4):
        brain = np.hypot(rows - 48, columns - 48) < 30
        disc = np.hypot(rows - 48 + n, columns - 30) < 5
        of.add(brain * (100 + rng.normal(0, 5, (SIDE, SIDE)) + 25 * disc), disc)
    assert of._total.max() <= 4 + 1e-9
    assert of.displacement() is None


def test_a_better_fit_on_something_darker_is_chance_where_targets_are_bright() -> None:
    """Four patients with bright targets; the masks of a fifth, which show nothing, would fit a dark
    hole, and those of a sixth lie beside their bright target.
    """
    rng = np.random.default_rng(2)
    rows, columns = np.indices((SIDE, SIDE))
    disc, hole = (np.hypot(rows - 48, columns - column) < 6 for column in (40, 52))
    many = ManyContrasts()
    for n in range(6):
        of = PatientContrast(f"p{n}")
        image = 100 + rng.normal(0, 4, (SIDE, SIDE)) + 40 * (hole if n == 5 else disc * (n < 4))
        for _ in range(5):
            of.add(image - 60 * (hole & (n == 4)), disc)
        many.add(of)
    assert [one.patient for one in many.displaced()] == ["p5"]


def test_pixels_that_are_infinite_are_told_and_leave_numbers() -> None:
    image, mask = body(2)
    values = image.astype(np.float32)
    values[0, 0], values[5, 5], values[40, 60] = np.inf, np.nan, -np.inf
    item = LabelledSlice("a", "a", 0, Path("a.tif"))
    record = measured(item, SlicePixels(values, mask), b"")
    assert all(np.isfinite(value) for value in record.measures.values())
    assert record.measures["contrast"] > 0.2
    assert record.findings == ("3 of its pixels hold no number (NaN or infinite) and counted as 0",)


def test_a_measure_that_is_the_same_in_most_slices_has_outliers_too() -> None:
    """By the mean absolute deviation (Iglewicz and Hoaglin, 1993): of ten values 1 and one of 3
    it is 2 / 11, and the score of the 3 is 2 / (1.2533 x 2 / 11).
    """
    scores = robust_scores(np.array([1.0] * 10 + [3.0]))
    assert scores[-1] == pytest.approx(11 / 1.2533)
    assert (scores[:-1] == 0).all()
    assert np.isnan(robust_scores(np.ones(9))).all()
    assert np.isnan(robust_scores(np.array([1.0, 9.0]))).all()


@pytest.mark.realdata
def test_moved_masks_of_real_hearts_are_told_and_correct_ones_are_not(shared_data: Path) -> None:
    """Sunnybrook: the masks of SC-N-06 are known to lie beside the ventricle, all others on it."""
    patients: dict[str, list[SlicePixels]] = {}
    for item in drain(find_labelled(shared_data / "cardiac" / "sunnybrook")).slices:
        patients.setdefault(item.patient, []).append(read_labelled(item))
    told = {}
    for moved in ((0, 0), (8, -8)):
        many = ManyContrasts()
        for name, slices in patients.items():
            of = PatientContrast(name)
            for pixels in slices[::2]:
                assert pixels.mask is not None
                of.add(pixels.image, np.roll(pixels.mask, moved, axis=(0, 1)))
            many.add(of)
        told[moved] = [one.patient for one in many.displaced()]
        print(f"masks moved by {moved} pixels: {len(told[moved])} of {len(patients)} patients told")
    assert told[0, 0] == ["SC-N-06"]
    assert all(len(names) >= 28 for moved, names in told.items() if moved != (0, 0))


def test_labels_of_a_mask_are_classes(tmp_path: Path) -> None:
    for n in range(3):
        image, disc = body(n)
        drawn = np.where(disc, 2, 0)
        drawn[:4, :5] = 1 if n else 0
        write(tmp_path, f"a_{n}", image, disc)
        iio.imwrite(tmp_path / "labels" / f"a_{n}.png", drawn.astype(np.uint8))
    found = drain(explore_work(tmp_path))
    assert [sorted(record.classes) for record in found.records] == [
        ["label 2"], ["label 1", "label 2"], ["label 1", "label 2"]
    ]  # fmt: skip
    assert found.classes["label 1"].pixels == 40
    assert not [f for f in found.findings if f.code == "unreadable"]
