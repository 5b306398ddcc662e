"""A map that does not add up: what its note advises helps. Insertion is of a probability."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import napari_sparseexplain as se
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.explanation.trust.explained_slices import explained_slices
from napari_sparseexplain.explanation.trust.map_figures import (
    Effort,
    Heat,
    heat_figures,
    map_figures,
)
from napari_sparseexplain.explanation.trust.table import trust_of
from napari_sparseexplain.networks.bundle.external_model import wrap_callable
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.progress import drain

SHAPE = (1, 64, 64)
INPUTS = Inputs(("flair",), "unit", 1.0, 64, mask="non-zero")
CARD = ModelCard("n", "N", "callable", {}, "segmentation", INPUTS, {"1": "lesion"})


@pytest.fixture(scope="module")
def study() -> se.Study:
    rng = np.random.default_rng(0)
    image = rng.random(SHAPE).astype(np.float32) * 0.3 + 0.2
    image[0, 26:36, 26:36] += 0.4
    image[:, :12] = image[:, -12:] = image[:, :, :12] = image[:, :, -12:] = 0
    mask = np.zeros(SHAPE, np.uint8)
    mask[0, 26:36, 26:36] = 1
    return se.study_of_arrays({"flair": image}, {"seg": mask})


def normalised(norm: nn.Module) -> Model:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), norm, nn.LeakyReLU(), nn.Conv2d(4, 1, 1)
    ).eval()
    with torch.no_grad():
        network[0].weight.mul_(1e4)  # far above the normalisation's epsilon, as z-scored scans are
    return wrap_callable(network, CARD)


@pytest.mark.parametrize("nodes", [16, 64])
def test_with_instance_normalisation_the_note_advises_another_baseline(
    study: se.Study, nodes: int
) -> None:
    """The first convolution and the normalisation remove the image's scale: all of the change lies
    just beside zero, at any number of steps."""
    model = normalised(nn.InstanceNorm2d(4))
    more = {"target": "WT@seg", "n_steps": nodes, "rule": "gauss-legendre"}
    zero = se.explain(study, model, "integrated-gradients", baseline="zero", **more)
    gap = zero.scores["completeness error"]
    assert gap is not None
    assert gap > 0.5
    (note,) = [n for n in zero.notes if n.startswith("The map does not add up")]
    assert "More steps do not help" in note
    assert "take the baseline 'blurred'" in note
    blurred = se.explain(study, model, "integrated-gradients", baseline="blurred", **more)
    there = blurred.scores["completeness error"]
    assert there is not None
    assert there < gap / 5
    row = trust_of(study, zero)["completeness error"]
    assert row.failed
    assert "More steps do not help" in row.sentence


def test_without_it_more_steps_are_advised_and_help(study: se.Study) -> None:
    steep = wrap_callable(lambda x: torch.tanh(20 * (x - 0.45)), CARD)
    more = {"target": "WT@seg", "rule": "gauss-legendre", "baseline": "zero"}
    few = se.explain(study, steep, "integrated-gradients", n_steps=2, **more)
    many = se.explain(study, steep, "integrated-gradients", n_steps=64, **more)
    gaps = [found.scores["completeness error"] for found in (few, many)]
    assert gaps[1] is not None
    assert gaps[0] is not None
    assert gaps[1] < gaps[0]
    (note,) = [n for n in few.notes if n.startswith("The map does not add up")]
    assert "Take more steps" in note


def test_insertion_is_of_the_mean_probability_and_cannot_pass_one(study: se.Study) -> None:
    """A logit that overshoots on the way gave areas above 1, more for a random map than a good one;
    the mean probability over the mask is bounded and tells them apart."""

    def answers(x: torch.Tensor) -> torch.Tensor:
        return 30 * (x - 0.6)  # bright is lesion

    model = wrap_callable(answers, CARD)
    slices = drain(explained_slices(study, model, Target.parse("WT@seg"), slice(0, 1)))
    effort = Effort(kinds=("insertion-deletion",), steps=10)
    good = drain(map_figures(slices, "integrated-gradients", {"n_steps": 4}, effort)).figures
    rng = np.random.default_rng(0)
    random = drain(
        heat_figures(slices, Heat(rng.random(SHAPE), signed=False), "random", effort)
    ).figures
    for figures in (good, random):
        for name in ("insertion AUC", "deletion AUC"):
            value = figures[name]
            assert value is not None
            assert 0 <= value <= 1
    assert good["insertion AUC"] > random["insertion AUC"]  # type: ignore[operator]
    assert good["deletion AUC"] < random["deletion AUC"]  # type: ignore[operator]
    image = slices.images[0]
    probability, _ = slices.answers(0, image[None])
    wanted = 1 / (1 + np.exp(-30 * (image[0] - 0.6)))
    region = study.labels["seg"].data[0] != 0
    assert probability[0] == pytest.approx(wanted[region].mean(), rel=1e-4)
