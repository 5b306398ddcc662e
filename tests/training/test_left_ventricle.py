"""Left ventricle: splits without leaks, windows, training that goes on, honest figures, search."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import nibabel as nib
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import napari_sparseexplain as se
from napari_sparseexplain.cli import app
from napari_sparseexplain.errors import ModelError, ParameterError, ReadError, StudyError
from napari_sparseexplain.evidence.consistent_component import consistent_components
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.modules.architectures import build_network
from napari_sparseexplain.networks.running.preparation import prepare
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.left_ventricle import parameter_search, ventricle_bundle
from napari_sparseexplain.training.left_ventricle.augmentation import (
    Augmentation,
    augmented,
    without_ventricle,
)
from napari_sparseexplain.training.left_ventricle.cine_tables import cine_csv, cine_text
from napari_sparseexplain.training.left_ventricle.cine_volumes import cine_volumes
from napari_sparseexplain.training.left_ventricle.contour_distance import contour_distance
from napari_sparseexplain.training.left_ventricle.evaluate_ventricle import (
    constant_mask,
    evaluate_ventricle,
)
from napari_sparseexplain.training.left_ventricle.parameter_search import search_work, trials_table
from napari_sparseexplain.training.left_ventricle.patient_split import (
    leaking_split,
    patient_folds,
)
from napari_sparseexplain.training.left_ventricle.recipe import VENTRICLE_RECIPES, VentricleRecipe
from napari_sparseexplain.training.left_ventricle.segmentation_counts import SliceCounts
from napari_sparseexplain.training.left_ventricle.short_axis_slices import (
    ShortAxisSlices,
    read_short_axis,
)
from napari_sparseexplain.training.left_ventricle.slices_without import moved_away, painted_out
from napari_sparseexplain.training.left_ventricle.train_ventricle import (
    VentricleTrained,
    learning_rate,
    train_ventricle,
)
from napari_sparseexplain.training.left_ventricle.ventricle_bundle import train_ventricle_bundle
from napari_sparseexplain.training.left_ventricle.ventricle_model import seen_patients

SIDE = 64
SMALL = VentricleRecipe(
    "left-ventricle-fcn",
    {"widths": [4, 6, 8, 8]},
    epochs=2,
    batch=4,
    windows=((0.5, 32), (0.5, SIDE)),
)
PATIENTS = ("SC-N-01", "SC-N-02", "SC-HF-I-01", "SC-HF-I-02", "SC-HYP-01", "SC-HYP-02")


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A bright cavity in a dark wall on rough ground, and the cavity."""
    rng = np.random.default_rng(seed)
    row, column = rng.uniform(26, 38, 2)
    radius = rng.uniform(4, 8)
    far = np.hypot(*(np.indices((SIDE, SIDE)) - np.array([row, column])[:, None, None]))
    image = rng.normal(90, 12, (SIDE, SIDE))
    image[far < radius + 4] = 40
    image[far < radius] = 210
    return np.clip(image, 0, 255).astype(np.uint8), far < radius


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures and masks of six patients, four slices each."""
    root = tmp_path_factory.mktemp("short-axis")
    for kind in ("images", "labels"):
        (root / kind).mkdir()
    for p, patient in enumerate(PATIENTS):
        for n in range(4):
            image, mask = drawn(10 * p + n)
            name = f"{patient}-IM-0001-{n:04d}.dcm.png"
            iio.imwrite(root / "images" / name, np.stack([image] * 3, axis=-1))
            iio.imwrite(root / "labels" / name, mask.astype(np.uint8) * 255)
    return root


@pytest.fixture(scope="module")
def slices(folder: Path) -> ShortAxisSlices:
    return drain(read_short_axis(folder))


@pytest.fixture(scope="module")
def bundle(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network that was trained by the command's own function."""
    out = tmp_path_factory.mktemp("bundles") / "small"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(VENTRICLE_RECIPES, "left-ventricle-fcn", SMALL)
        drain(train_ventricle_bundle("left-ventricle-fcn", folder, out, fold=0, folds=3))
    return out


def test_the_paper_s_network_has_its_weights() -> None:
    network = build_network("left-ventricle-fcn", {})
    sizes = [p.numel() for p in network.parameters()]
    biases = sum(p.numel() for p in network.parameters() if p.dim() == 1)
    assert (sum(sizes) - biases, biases) == (1_856_944, 902)
    mask, signal = network(torch.zeros(1, 1, 50, 70))
    assert mask.shape == signal.shape == (1, 2, 50, 70)
    with pytest.raises(ModelError, match="no thresholds"):
        network(torch.zeros(1, 1, 32, 32), 0.5)


def test_alexnet_is_a_network_for_images_of_any_size() -> None:
    network = build_network("alexnet-fcn", {"hidden": 8})
    assert network(torch.zeros(1, 1, 50, 70))[0].shape == (1, 2, 50, 70)


def test_every_slice_is_normalised_by_itself(slices: ShortAxisSlices) -> None:
    assert len(slices) == 24
    np.testing.assert_allclose(slices.images.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(slices.images.std(axis=(1, 2)), 1, atol=1e-5)
    assert slices.spacing is None


def test_no_patient_stands_on_two_sides(slices: ShortAxisSlices) -> None:
    parts = patient_folds(slices.patients, 3)
    assert sorted(p for part in parts for p in part) == sorted(PATIENTS)
    assert [len(part) for part in parts] == [2, 2, 2]
    trained, judged = leaking_split(slices, 8)
    assert set(slices.subset(trained).patients) & set(slices.subset(judged).patients)
    with pytest.raises(ParameterError, match="both parts of the split"):
        next(train_ventricle(SMALL, slices.subset(trained), slices.subset(judged)))
    with pytest.raises(ParameterError, match="do not make"):
        patient_folds(slices.patients, 7)


def test_windows_keep_the_mask_on_the_ventricle() -> None:
    """What is bright stays marked however it is turned; nothing is marked where it was taken."""
    x, y = (torch.zeros(16, 1, SIDE, SIDE) for _ in range(2))
    y[:, :, 24:36, 28:42] = 1
    x += 10 * y
    quiet = Augmentation(empty=0, painted=0, contrast=0, gamma=0, noise=0, shading=0, shift=8)
    generator = torch.Generator().manual_seed(0)
    turned, mask = augmented(x, y, 48, quiet, generator)
    assert turned.shape == mask.shape == (16, 1, 48, 48)
    bright = turned > (turned.amin((1, 2, 3)) + turned.amax((1, 2, 3)))[:, None, None, None] / 2
    assert ((bright != (mask > 0)).float().mean() < 0.02).item()
    away, gone = augmented(x, y, 32, replace(quiet, empty=1.0), generator)
    assert gone.sum() < 0.2 * mask.sum()
    empty, nothing = without_ventricle(x, y, generator)
    assert not nothing.any()
    assert empty[y > 0].mean() < 0.5 * x[y > 0].mean()
    again = augmented(x, y, 32, Augmentation(), torch.Generator().manual_seed(5))
    same = augmented(x, y, 32, Augmentation(), torch.Generator().manual_seed(5))
    torch.testing.assert_close(again, same, rtol=0, atol=0)
    assert torch.isfinite(away).all()


def test_a_training_that_was_stopped_ends_the_same(slices: ShortAxisSlices, tmp_path: Path) -> None:
    training = slices.of_patients(PATIENTS[2:])
    held_out = slices.of_patients(PATIENTS[:2])
    whole = drain(train_ventricle(SMALL, training, held_out, folder=tmp_path / "whole"))
    work = train_ventricle(SMALL, training, held_out, folder=tmp_path / "parts")
    for _ in range(5):  # four steps are an epoch: stopped in the second
        next(work)
    work.close()
    rest = drain(train_ventricle(SMALL, training, held_out, folder=tmp_path / "parts"))
    assert rest.epochs == whole.epochs == 2
    assert rest.log == whole.log
    for ours, theirs in zip(rest.network.parameters(), whole.network.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    first = (tmp_path / "whole" / "log.csv").read_text().splitlines()
    assert first[0].split(",")[:4] == ["step", "epoch", "learning rate", "loss"]
    assert {"pixel accuracy", "micro Dice", "patient Dice"} <= set(first[0].split(","))
    assert len(first) == 3
    with np.load(tmp_path / "whole" / "watched" / "epoch-0002.npz") as watched:
        assert watched["conv2"].shape == (4, 8, 8)
        assert watched["output"].shape == (1, SIDE, SIDE)


def test_the_learning_rate_rises_and_falls_or_goes_in_stairs() -> None:
    rates = [learning_rate(SMALL, step, 100) for step in range(100)]
    assert rates[0] < max(rates) == pytest.approx(SMALL.learning_rate, rel=1e-3)
    assert rates[-1] < 0.01 * max(rates)
    paper = VENTRICLE_RECIPES["left-ventricle-fcn-paper"]
    assert [learning_rate(paper, s, 10**6) for s in (0, 9_999, 10_000, 20_000)] == [
        pytest.approx(v) for v in (0.03, 0.03, 0.0225, 0.016875)
    ]


def test_counts_are_those_of_the_definitions() -> None:
    true, found = np.zeros((4, 4, 4), bool), np.zeros((4, 4, 4), bool)
    true[0, :2], found[0, :2] = True, True
    true[1, 0], found[1, 1] = True, True
    found[2, 3] = True
    counts = SliceCounts.of(found, true, ["a", "a", "b", "b"])
    assert counts.micro == pytest.approx(2 * 8 / (8 + 4 + 8 + 4 + 4))
    assert counts.slice_dice.tolist() == [1, 0, 0, 1]
    assert counts.patient_dice == {"a": 0.5, "b": 0.5}
    assert counts.empty == 0
    assert counts.accuracy == pytest.approx(1 - 12 / 64)
    assert [len(part.overlap) for part in counts.by_area().values()] == [4, 0, 0]


def test_a_contour_two_pixels_off_is_that_far() -> None:
    disc = np.hypot(*(np.indices((80, 80)) - 40)) < 20
    larger = np.hypot(*(np.indices((80, 80)) - 40)) < 22
    assert contour_distance(disc, disc) == pytest.approx(0, abs=0.02)
    assert contour_distance(larger, disc) == pytest.approx(2, abs=0.15)
    assert contour_distance(larger, disc, (1.5, 1.5)) == pytest.approx(3, abs=0.25)
    assert contour_distance(np.zeros_like(disc), disc) is None


def test_the_consistent_component_is_not_the_larger_false_one() -> None:
    probability = np.zeros((5, 60, 60), np.float32)
    probability[:, 20:28, 20:28] = 0.9
    probability[2, 40:56, 40:56] = 0.95
    probability[4] = 0
    chosen = consistent_components(probability)
    assert chosen[2, 20:28, 20:28].all()
    assert not chosen[2, 40:56, 40:56].any()
    assert not chosen[4].any()


def test_slices_without_a_ventricle_hold_none(slices: ShortAxisSlices) -> None:
    image, mask = slices.images[0], slices.masks[0]
    empty = painted_out(image, mask)
    assert empty[mask].mean() < 0.3 * image[mask].mean()
    wide = np.zeros((200, 200), bool)
    wide[90:110, 90:110] = True
    scan = np.random.default_rng(0).normal(size=(200, 200)).astype(np.float32)
    windows = moved_away(scan, wide)
    assert [w.shape for w in windows] == [(80, 192), (80, 192), (192, 80), (192, 80)]


def test_a_window_at_the_edge_holds_no_ventricle() -> None:
    scan, mask = np.zeros((200, 200), np.float32), np.zeros((200, 200), bool)
    mask[3:20, 60:90] = True
    scan[mask] = 9.0
    scan[150:, 150:] = 1.0
    for window in moved_away(scan, mask):
        assert window.max() < 5


def test_a_consistent_component_far_from_all_others_is_the_largest() -> None:
    probability = np.zeros((3, 90, 90), np.float32)
    probability[:2, 5:15, 5:15] = 0.9
    probability[2, 40:42, 80:82] = 0.99
    probability[2, 70:85, 70:85] = 0.6
    assert consistent_components(probability)[2, 70:85, 70:85].all()


def test_patients_that_a_network_was_trained_on_are_said(
    slices: ShortAxisSlices, bundle: Path
) -> None:
    card = load_model(bundle, device="cpu").card
    seen = seen_patients(card, slices.patients)
    assert len(seen) == 4
    assert not any(name in json.dumps(card.to_json()) for name in PATIENTS)
    judged = slices.of_patients([p for p in PATIENTS if p not in seen])
    assert "NOTE" not in drain(evaluate_ventricle(judged, [bundle], device="cpu")).text()
    text = drain(evaluate_ventricle(slices, [bundle], device="cpu")).text()
    assert "left-ventricle-fcn was trained on 4 of these 6 patients" in text


def test_an_evaluation_without_masks_or_slices(slices: ShortAxisSlices, bundle: Path) -> None:
    empty = replace(slices.subset([0, 1]), masks=np.zeros((2, SIDE, SIDE), bool))
    (row,) = drain(evaluate_ventricle(empty, [bundle], device="cpu")).false
    assert (row.painted, row.windows) == (0, 0)
    with pytest.raises(ParameterError, match="no slice"):
        drain(evaluate_ventricle(slices.subset([]), [bundle], device="cpu"))
    with pytest.raises(ParameterError, match="none is held out"):
        ventricle_bundle.split(slices, fold=None, folds=30, leaking=True, seed=0)


@pytest.mark.parametrize("name", ["unet", "sum-seg"])
def test_networks_of_other_classes_are_refused(slices: ShortAxisSlices, name: str) -> None:
    with pytest.raises(ModelError, match="a network of the left ventricle takes"):
        drain(evaluate_ventricle(slices, [name], device="cpu"))


def test_a_label_of_several_is_chosen(tmp_path: Path) -> None:
    image, mask = drawn(0)
    for n, values in enumerate((mask * 1, mask * 2)):
        for kind, what in (("images", image), ("labels", values.astype(np.uint8))):
            (tmp_path / kind).mkdir(exist_ok=True)
            iio.imwrite(tmp_path / kind / f"SC-N-0{n}-IM-0001-0001.png", what)
    with pytest.raises(ReadError, match=r"several labels \(1, 2\)"):
        drain(read_short_axis(tmp_path))
    found = drain(read_short_axis(tmp_path, label=2))
    assert found.masks.any(axis=(1, 2)).tolist() == [False, True]
    with pytest.raises(ReadError, match="no mask has a pixel with label 7; the masks hold 1, 2"):
        drain(read_short_axis(tmp_path, label=7))


def test_a_bundle_is_served_as_it_was_trained(folder: Path, bundle: Path) -> None:
    """The picture, opened as a study, is fed to the network exactly as training fed it."""
    model = load_model(bundle, device="cpu")
    slices = drain(read_short_axis(folder))
    path = folder / "images" / f"{slices.names[3]}.dcm.png"
    study = se.open_study(path, roles={"cine": path.name})
    prepared = prepare(study, replace(model.card, inputs=replace(model.card.inputs, size=SIDE)))
    np.testing.assert_array_equal(prepared.array[0, 0], slices.images[3])
    assert model.card.metrics["held out"] == "fold 0 of 3: 2 patients"
    assert "assumption" in " ".join(model.card.notes)
    found = se.explain(study, model, "segmentation")
    assert found["mask"].data.shape == (1, SIDE, SIDE)


def test_the_evaluation_has_its_baselines_beside_it(slices: ShortAxisSlices, bundle: Path) -> None:
    result = drain(evaluate_ventricle(slices, [bundle], device="cpu"))
    rows = {(row.name, row.choice): row for row in result.rows}
    assert rows["all background", "-"].micro == 0
    assert rows["all background", "-"].accuracy > 0.9
    mask = constant_mask(slices)
    own = [i for i, p in enumerate(slices.patients) if p == PATIENTS[0]]
    others = slices.masks[[i for i in range(len(slices)) if i not in own]].mean(axis=0)
    np.testing.assert_array_equal(mask[own[0]], others >= 0.5)
    assert {choice for name, choice in rows if name == "left-ventricle-fcn"} == {
        "all",
        "largest",
        "consistent",
    }
    text = result.text()
    assert "micro FCN 0.863, AlexNet-FCN 0.622" in text
    assert "24 slices of 6 patients" in text
    assert "assumption" in text


def test_a_search_leaves_half_behind_and_goes_on(
    slices: ShortAxisSlices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VENTRICLE_RECIPES, "left-ventricle-fcn", SMALL)
    monkeypatch.setattr(
        parameter_search, "_recipe", lambda kind, trial, longest: replace(
            SMALL, learning_rate=trial.learning_rate, epochs=longest)
    )  # fmt: skip
    given: dict[str, Any] = {"trials": 3, "first_epochs": 1, "patients": 3}
    work = search_work("left-ventricle-fcn", slices, tmp_path, **given)
    while not (tmp_path / "trials.json").exists():
        next(work)
    work.close()
    found = drain(search_work("left-ventricle-fcn", slices, tmp_path, **given))
    assert sorted(t.epochs for t in found) == [1, 2, 4]
    assert sum(not t.stopped for t in found) == 1
    assert json.loads((tmp_path / "trials.json").read_text())["trials"][0]["number"] == 0
    assert trials_table(found).count("\n") == 4
    with pytest.raises(ModelError, match="other settings"):
        next(search_work("left-ventricle-fcn", slices, tmp_path, **{**given, "trials": 4}))


def test_a_wrong_fold_or_recipe_is_refused_before_anything_is_read(
    slices: ShortAxisSlices, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="no fold 5 of 5"):
        next(train_ventricle_bundle("left-ventricle-fcn", tmp_path, tmp_path / "b", fold=5))
    with pytest.raises(ModelError, match="no recipe"):
        next(train_ventricle_bundle("x", tmp_path, tmp_path / "b"))
    with pytest.raises(ModelError, match="no recipe 'x'"):
        next(search_work("x", slices, tmp_path))
    assert ventricle_bundle.CLASSES["1"] == "left ventricle"


def cine_study(
    path: Path, radii: np.ndarray, spacing: tuple[float, float, float]
) -> tuple[se.Study, np.ndarray]:
    """Bright discs of given radii (time, slices) in pixels, and their masks."""
    far = np.hypot(*(np.indices((SIDE, SIDE)) - SIDE / 2 + 0.5))
    masks = far < radii[:, :, None, None]
    data = np.where(masks, 200.0, 50.0).astype(np.float32)
    data += np.random.default_rng(0).normal(0, 2, data.shape).astype(np.float32)
    affine = np.diag([-spacing[2], -spacing[1], spacing[0], 1.0])
    nib.save(nib.Nifti1Image(data.transpose(3, 2, 1, 0), affine), path)
    return se.open_study(path), masks


class Bright(torch.nn.Module):
    """A network that marks what is bright."""

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        signal = torch.cat((x.new_zeros(x.shape), 8 * (x - 0.9)), dim=1)
        return signal.softmax(dim=1), signal


def test_volumes_of_a_cine_are_those_that_it_was_made_with(tmp_path: Path) -> None:
    time = np.arange(12)
    beat = 1 - 0.3 * np.sin(np.pi * time / 12) ** 2
    radii = np.array([9.0, 11.0, 12.0])[None] * beat[:, None]
    radii[4:8, 0] = 0  # the base leaves the first slice
    study, masks = cine_study(tmp_path / "cine.nii.gz", radii, (8.0, 1.5, 1.5))
    card = replace(
        ventricle_bundle.ventricle_card(
            "left-ventricle-fcn",
            VentricleTrained(Bright(), SMALL, 0, 1, ()),
            ShortAxisSlices(np.zeros((1, SIDE, SIDE), np.float32), np.zeros((1, SIDE, SIDE), bool),
                            ("a",), ("a",), np.zeros(1, np.intp)),
            "nothing", (),
        ),
        name="bright",
    )  # fmt: skip
    card = replace(card, inputs=replace(card.inputs, spacing_mm=1.5))
    model = Model.of_network(card, Bright())
    (found,) = drain(cine_volumes(study, [model, model]))
    assert found.used.tolist() == [False, True, True]
    true = masks[:, 1:].sum(axis=(1, 2, 3)) * 8 * 1.5**2 / 1000
    np.testing.assert_allclose(found.volumes, true, rtol=0.01)
    assert (found.end_diastole, found.end_systole) == (0, 6)
    assert found.ejection_fraction == pytest.approx(1 - true[6] / true[0], abs=0.01)
    assert np.all(found.roughness[1:] < 0.1)
    text = cine_text([found, found])
    assert "slices 1. So the volumes are not those of the whole ventricle" in text
    assert "EF by 0.0 points" in text
    assert cine_csv([found]).count("\n") == 13
    still = se.study_of_arrays({"cine": np.zeros((3, 8, 8), np.float32)})
    with pytest.raises(StudyError, match="over time"):
        drain(cine_volumes(still, [model]))


def test_the_commands_of_the_heart_run(folder: Path, bundle: Path, tmp_path: Path) -> None:
    """Train, evaluate and cine from the command line; a scan of any name by --role."""
    run = CliRunner()
    told = run.invoke(
        app,
        ["evaluate", "left-ventricle", "--data", str(folder), "--model", str(bundle), "--fold", "0",
         "--folds", "3", "--device", "cpu", "--out", str(tmp_path / "tables")],
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert "8 slices of 2 patients" in told.output
    assert json.loads((tmp_path / "tables" / "left-ventricle.json").read_text())["slices"] == 8
    cine_study(tmp_path / "heart.nii.gz", np.full((4, 2), 9.0), (8.0, 1.5, 1.5))
    told = run.invoke(
        app,
        ["cine", str(tmp_path / "heart.nii.gz"), "--role", "cine=heart.nii.gz", "--model",
         str(bundle), "--device", "cpu", "--out", str(tmp_path / "cine")],
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert (tmp_path / "cine" / "cine.csv").read_text().count("\n") == 5
    told = run.invoke(app, ["evaluate", "left-ventricle", "--data", str(folder), "--patient", "X"])
    assert told.exit_code != 0
