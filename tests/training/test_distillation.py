"""Distillation of a frozen network into a SUM, and the refusal to interpret a poor one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.explanation.proxy.fidelity import (
    Fidelity,
    fidelity_of,
    require_faithful,
    stated_fidelity,
)
from napari_sparseexplain.explanation.proxy.responses import model_responses_work
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.bundle.saving import save_bundle
from napari_sparseexplain.networks.modules.sum_network import SumNetwork
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.fit.distillation import (
    DistillationRecipe,
    distil_work,
    measure_fidelity,
    proxy_card,
)

CARD = ModelCard(
    name="teacher",
    title="Teacher",
    architecture="sum",
    arguments={},
    task="segmentation",
    inputs=Inputs(("flair",), "unit", spacing_mm=1.0, size=32),
    classes={"1": "lesion"},
)
SMALL = DistillationRecipe(
    maps=2, levels=1, samples=400, batch=4, learning_rate=1e-2, gradient_norm=1.0
)


class BrightBlobs(torch.nn.Module):
    """A teacher that marks what is bright over 3×3 pixels: simple, and not a SUM."""

    classes = 1

    def __init__(self) -> None:
        super().__init__()
        self.anchor = torch.nn.Parameter(torch.zeros(1))
        self.head = SumNetwork(maps=1, levels=1).head

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        signal = 4 * (torch.nn.functional.avg_pool2d(x, 3, 1, 1) - 0.45)
        return self.head(signal), signal


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Bright squares on a darker, noisy ground, 8 bit."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 0.3, (40, 1, 32, 32))
    for image in x:
        row, column = rng.integers(2, 20, 2)
        image[0, row : row + 9, column : column + 9] = rng.uniform(0.8, 1)
    return (255 * x).astype(np.uint8)


@pytest.fixture(scope="module")
def teacher() -> Model:
    return Model.of_network(CARD, BrightBlobs())


@pytest.fixture(scope="module")
def student(teacher: Model, images: np.ndarray) -> SumNetwork:
    return drain(distil_work(teacher, images[:30], SMALL))


def test_a_student_learns_its_teacher_without_true_masks(
    student: SumNetwork, teacher: Model, images: np.ndarray
) -> None:
    untrained = measure_fidelity(SumNetwork(maps=2, levels=1).eval(), teacher, images[30:])
    found = measure_fidelity(student, teacher, images[30:])
    assert found.dice_to_teacher is not None
    assert found.dice_to_teacher > max(0.85, untrained.dice_to_teacher or 0)
    assert found.signal_correlation is not None
    assert found.signal_correlation > 0.8
    assert found.proxy_accuracy is None


def test_the_teacher_stays_as_it_was(teacher: Model, images: np.ndarray) -> None:
    before = {k: v.clone() for k, v in teacher.network.state_dict().items()}
    drain(distil_work(teacher, images[:4], replace(SMALL, samples=8)))
    assert all(torch.equal(v, before[k]) for k, v in teacher.network.state_dict().items())


def test_a_model_is_perfectly_faithful_to_itself(teacher: Model, images: np.ndarray) -> None:
    found = measure_fidelity(teacher.network, teacher, images[:6], images[:6, 0] > 128)
    assert found.dice_to_teacher == 1
    assert found.signal_correlation == pytest.approx(1)
    assert found.proxy_accuracy == found.teacher_accuracy is not None


def test_fidelity_is_not_accuracy() -> None:
    """A proxy that repeats its teacher's error is faithful, and wrong."""
    wrong, true = np.zeros((1, 8, 8), bool), np.zeros((1, 8, 8), bool)
    wrong[0, :4], true[0, 4:] = True, True
    found = fidelity_of(wrong, wrong, true=true)
    assert found.dice_to_teacher == 1
    assert found.proxy_accuracy == 0
    empty = fidelity_of(np.zeros_like(wrong), np.zeros_like(wrong))
    assert empty.dice_to_teacher is None
    assert not empty.is_enough(0.0)


def test_the_card_keeps_the_fidelity_and_a_bundle_brings_it_back(
    student: SumNetwork, tmp_path: Path
) -> None:
    card = proxy_card(CARD, SMALL, Fidelity(0.93, 0.8, 0.85, 0.97), teacher="teacher", seed=0)
    save_bundle(tmp_path / "proxy", card, student)
    loaded = load_model(tmp_path / "proxy")
    assert stated_fidelity(loaded.card) == (0.93, 0.85)
    assert stated_fidelity(CARD) is None
    responses = drain(model_responses_work(loaded, phases=False, crop=32))
    assert responses.impulse.shape == (1, 1, 32, 32)


@pytest.mark.parametrize("found", [Fidelity(0.6), Fidelity(None), None])
def test_a_proxy_below_the_floor_is_not_interpreted(
    student: SumNetwork, found: Fidelity | None
) -> None:
    card = proxy_card(CARD, SMALL, found, teacher="unet", seed=0)
    with pytest.raises(ModelError, match="agrees with unet"):
        require_faithful(card)
    with pytest.raises(ModelError, match="may be interpreted"):
        drain(model_responses_work(Model.of_network(card, student), phases=False, crop=32))


def test_a_denoiser_cannot_be_distilled(teacher: Model, images: np.ndarray) -> None:
    model = Model.of_network(replace(CARD, task="denoising"), teacher.network)
    with pytest.raises(ModelError, match="no masks to distil"):
        drain(distil_work(model, images, SMALL))
    with pytest.raises(ModelError, match="no slices"):
        drain(distil_work(teacher, images[:0], SMALL))
