"""Networks of four tumour classes: losses, crops, training under constraints, evaluation."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import ModelError, ReadError
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.modules.jf_ml_ista_network import JfMlIstaNetwork
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.evaluate.class_evaluation import RegionScores
from napari_sparseexplain.training.evaluate.evaluate_class_networks import evaluate_class_networks
from napari_sparseexplain.training.evaluate.jf_paper_numbers import TABLE_2
from napari_sparseexplain.training.fit.class_losses import (
    class_loss,
    region_dice_loss,
    residual_loss,
    specificity_loss,
)
from napari_sparseexplain.training.fit.crops import draw_crop
from napari_sparseexplain.training.fit.phantom_slices import PhantomSlices
from napari_sparseexplain.training.fit.train_class_bundle import ROLES, train_class_bundle
from napari_sparseexplain.training.fit.train_class_network import (
    CLASS_RECIPES,
    ClassRecipe,
    train_class_network,
)
from napari_sparseexplain.training.tumour_classes import TUMOUR_CLASSES, class_channels

SMALL = {"features": 3, "layers": 1, "outer": 2, "inner": 1, "order": [3, 2, 1, 0]}


def slices(count: int = 12, size: int = 48) -> PhantomSlices:
    """Round brains with a lesion whose parts differ in every modality."""
    rng = np.random.default_rng(0)
    i, j = np.ogrid[:size, :size]
    brain = (i - size / 2) ** 2 + (j - size / 2) ** 2 < (0.45 * size) ** 2
    x = np.zeros((count, 4, size, size), np.uint8)
    y = np.zeros((count, size, size), np.uint8)
    levels = {
        0: (90, 90, 80, 80),
        2: (60, 60, 160, 170),
        1: (40, 40, 200, 90),
        4: (70, 220, 120, 130),
    }
    for n in range(count):
        if n % 4:
            centre = rng.integers(size // 3, 2 * size // 3, 2)
            distance = np.hypot(i - centre[0], j - centre[1])
            y[n][brain & (distance < 10)] = 2
            y[n][brain & (distance < 6)] = 4
            y[n][brain & (distance < 3)] = 1
        for value, intensities in levels.items():
            here = brain & (y[n] == value)
            for c, level in enumerate(intensities):
                x[n, c][here] = np.clip(level + rng.normal(0, 6, int(here.sum())), 1, 255)
    geometry = np.arange(count, dtype=np.int32)
    return PhantomSlices(x, y, geometry, ROLES, 1.0, 0)


def recipe(**changes: object) -> ClassRecipe:
    base = ClassRecipe(
        "jf-ml-ista", SMALL, samples=32, batch=4, scales=((0.5, 2, 48), (0.5, 1, 24))
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def test_channels_are_those_of_the_card_and_brats_2023_is_understood() -> None:
    labels = np.array([0, 2, 1, 4, 3])
    np.testing.assert_array_equal(class_channels(labels), [0, 1, 2, 3, 3])
    assert list(TUMOUR_CLASSES) == [0, 2, 1, 4]


def test_losses_of_a_perfect_answer_are_least() -> None:
    truth = torch.from_numpy(class_channels(slices().y[:4])).long()
    right = torch.nn.functional.one_hot(truth, 4).permute(0, 3, 1, 2).float()
    inside = torch.ones_like(truth, dtype=torch.bool)
    assert float(region_dice_loss(right, truth)) < 0.01
    assert float(class_loss(50 * right, truth, inside)) < 0.01
    assert float(class_loss(-50 * right, truth, inside)) > 1


def test_the_balance_makes_a_missed_lesion_dearer() -> None:
    truth = torch.zeros(1, 8, 8, dtype=torch.long)
    truth[0, :2] = 1
    inside = torch.ones_like(truth, dtype=torch.bool)
    all_healthy = torch.zeros(1, 4, 8, 8)
    all_healthy[:, 0] = 4.0
    losses = [float(class_loss(all_healthy, truth, inside, balance=b)) for b in (0.0, 0.5, 1.0)]
    assert losses[0] < losses[1] < losses[2]


def test_a_component_in_its_own_class_does_not_stray() -> None:
    truth = torch.zeros(1, 4, 4, dtype=torch.long)
    truth[:, :2] = 1
    x = torch.ones(1, 2, 4, 4)
    own = [x * (truth != 1)[:, None], x * (truth == 1)[:, None]]
    assert float(specificity_loss(own, truth, x)) == 0
    assert float(specificity_loss(own[::-1], truth, x)) == pytest.approx(1)
    assert float(residual_loss(x, x)) == pytest.approx(1)


def test_crops_are_centred_on_lesions_and_stay_inside() -> None:
    data, rng = slices(), np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        x, y = draw_crop(data.x[1], data.y[1], 16, rng)
        assert x.shape == (4, 16, 16)
        hits += bool(y.any())
    assert hits > 150
    x, y = draw_crop(data.x[0], data.y[0], 99, rng)
    assert y.shape == (48, 48)


def test_the_constraints_hold_after_every_step_of_a_training() -> None:
    seen: list[tuple[float, float]] = []
    original = JfMlIstaNetwork.constrain

    def watched(self: JfMlIstaNetwork) -> None:
        original(self)
        seen.append((float(self.thresholds.detach().min()), float(self.norm_bounds().max())))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JfMlIstaNetwork, "constrain", watched)
        drain(train_class_network(recipe(learning_rate=0.1), slices()))
    assert len(seen) == 8
    assert min(low for low, _ in seen) >= 0
    assert max(bound for _, bound in seen) <= 1


def test_the_leak_falls_to_nothing_before_the_plain_part() -> None:
    chosen = recipe(samples=400, leak=0.2, leak_share=0.5, plain_share=0.2)  # 100 steps
    leaks = [chosen.leak_at(step) for step in range(chosen.steps)]
    assert leaks[0] == pytest.approx(0.2)
    assert leaks[20] == pytest.approx(0.1)
    assert all(before >= after for before, after in pairwise(leaks))
    assert not any(leaks[40:])
    assert not any(replace(chosen, leak_share=0.0).leak_at(step) for step in range(100))


@pytest.mark.parametrize("separate", [False, True])
def test_training_lowers_the_loss(separate: bool) -> None:
    arguments = {**SMALL, "separate": separate}
    # With the recipe's own rate: 100 steps at 0.01 end above or below by chance.
    trained = drain(train_class_network(recipe(arguments=arguments, samples=400), slices()))
    losses = [line["class"] for line in trained.log]
    assert np.mean(losses[-2:]) < 0.8 * losses[0]


def test_an_interrupted_training_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    whole = drain(train_class_network(recipe(samples=128), slices()))
    work = train_class_network(recipe(samples=128), slices(), folder=tmp_path)
    for _ in range(27):
        next(work)
    work.close()
    again = drain(train_class_network(recipe(samples=128), slices(), folder=tmp_path))
    for (name, a), (_, b) in zip(
        whole.network.named_parameters(), again.network.named_parameters(), strict=True
    ):
        torch.testing.assert_close(a, b, msg=name)


def test_slices_of_one_modality_are_refused() -> None:
    data = slices()
    single = PhantomSlices(data.x[:, :1], data.y, data.geometry, ("flair",), 1.0, 0)
    with pytest.raises(ModelError, match="takes 4 modalities and the 12 slices have 1"):
        drain(train_class_network(recipe(), single))


def test_from_slices_to_a_bundle_to_the_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = slices(20)
    data.save(tmp_path / "slices.npz")
    unet = {"in_channels": 4, "classes": 4, "maps": 2, "levels": 2, "head": "softmax"}
    kinds = {
        "jf-ml-ista": recipe(),
        "jf-ml-ista-separate": recipe(arguments={**SMALL, "separate": True}),
        "unet-classes": recipe(architecture="unet", arguments=unet),
    }
    for kind, each in kinds.items():
        monkeypatch.setitem(CLASS_RECIPES, kind, each)
        for seed in (0, 1):
            out = tmp_path / "runs" / f"{kind}-{seed}"
            card = drain(train_class_bundle(kind, tmp_path / "slices.npz", out, seed=seed))
            assert card.metrics["held-out subjects"] == 2
    assert load_model(tmp_path / "runs" / "jf-ml-ista-0").card.inputs.roles == ROLES
    found = drain(evaluate_class_networks(tmp_path / "slices.npz", runs=tmp_path / "runs"))
    text = found.text()
    assert "Table II" in text
    assert "Table III" in text
    assert f"{TABLE_2['jf-ml-ista']['ET'][0]:.3f}" in text, "the paper's numbers stand beside"
    assert "seed 1" in text
    assert "Rule" in text
    saved = found.save(tmp_path / "out")
    numbers = json.loads(saved[1].read_text())
    assert len(numbers["runs"]) == 7
    assert numbers["largest connected component"] == [], "slices of phantoms are no volume"


def test_scores_over_subjects_and_slices() -> None:
    truth = np.zeros((3, 4, 4), np.uint8)
    truth[0, :2] = 2
    truth[1, :1] = 4
    scores = RegionScores()
    scores.add("a", truth, truth)
    assert scores.mean("volumes", "WT") == 1
    assert scores.slices["ET"] == [1.0]
    assert scores.mean("micro", "average") == 1
    wrong = np.zeros_like(truth)
    scores.add("b", wrong, truth)
    assert scores.mean("volumes", "WT") == 0.5
    assert scores.cell("volumes", "WT") == "0.500 ± 0.707"


def test_a_folder_without_bundles_says_how_to_name_them(tmp_path: Path) -> None:
    slices().save(tmp_path / "slices.npz")
    with pytest.raises(ModelError, match="NAME-SEED"):
        drain(evaluate_class_networks(tmp_path / "slices.npz", runs=tmp_path))
    with pytest.raises(ReadError, match="no such file"):
        drain(evaluate_class_networks(tmp_path / "nothing"))


def write_numbered(folder: Path, enhancing: int) -> Path:
    """The slices as a study in BraTS naming, with the enhancing tumour of a given number."""
    case = {4: "BraTS2021_00001", 3: "BraTS-GLI-00001-000"}[enhancing]
    folder.mkdir(parents=True)
    data = slices(6)
    affine = np.diag([-1.0, -1.0, 3.0, 1.0])
    for r, role in enumerate(data.roles):
        scan = np.moveaxis(data.x[:, r], 0, 2).astype(np.int16)
        nib.save(nib.Nifti1Image(scan, affine), folder / f"{case}_{role}.nii.gz")
    labels = np.moveaxis(np.where(data.y == 4, enhancing, data.y), 0, 2).astype(np.uint8)
    nib.save(nib.Nifti1Image(labels, affine), folder / f"{case}_seg.nii.gz")
    return folder


def test_evidence_does_not_depend_on_how_brats_numbers_its_classes(tmp_path: Path) -> None:
    slices(20).save(tmp_path / "slices.npz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CLASS_RECIPES, "jf-ml-ista", recipe())
        bundle = tmp_path / "runs" / "jf-ml-ista-0"
        drain(train_class_bundle("jf-ml-ista", tmp_path / "slices.npz", bundle))
    found = [
        drain(evaluate_class_networks(write_numbered(tmp_path / name, n), runs=bundle.parent))
        for name, n in (("before", 4), ("since-2023", 3))
    ]
    before, since = (each.evidence["jf-ml-ista", "0"] for each in found)
    assert before == since
    run, piece = (each["jf-ml-ista", "0"] for each in (found[0].runs, found[0].pieces))
    assert set(piece.cases) == set(run.cases)
    assert "over subjects, largest connected component" in found[0].text()
    assert found[0].text().count(" / ") >= 6, (
        "tumour slices / volume / its largest connected component"
    )
    assert since["area share, enhancing tumour"] > 0
