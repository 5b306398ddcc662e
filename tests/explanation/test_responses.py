"""Impulse responses: what a linear, periodically shift-varying system must obey.

SUM paper, Appendix B; the period and the superposition follow from the decimated Haar frame.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.explanation.catalogue import explain
from napari_sparseexplain.explanation.proxy.response_metrics import response_metrics
from napari_sparseexplain.explanation.proxy.responses import impulse_response, model_responses_work
from napari_sparseexplain.explanation.proxy.shift_variance import (
    phase_responses_work,
    shift_variance_work,
    summarise,
    support_radius,
    working_size,
)
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.modules.sum_network import SumNetwork
from napari_sparseexplain.networks.modules.unet import UNet
from napari_sparseexplain.progress import Progress, drain

LEVELS = 2
PERIOD = 2**LEVELS


def small_sum(channels: int = 1, classes: int = 1, levels: int = LEVELS) -> SumNetwork:
    """A random SUM of few maps with thresholds of both signs, in double precision."""
    torch.manual_seed(11)
    network = SumNetwork(channels, classes, maps=3, levels=levels).double().eval()
    for shrinkage in network.shrinkages().values():
        shrinkage.raw.data.normal_(0, 0.2)
    return network.requires_grad_(False)


def as_model(network: nn.Module, roles: tuple[str, ...] = ("flair",), **classes: str) -> Model:
    card = ModelCard(
        name="tested",
        title="Tested",
        architecture="sum" if isinstance(network, SumNetwork) else "unet",
        arguments={},
        task="segmentation",
        inputs=Inputs(roles, "unit", spacing_mm=1.5, size=128),
        classes=classes or {"1": "lesion"},
    )
    return Model.of_network(card, network)


@pytest.fixture(scope="module")
def network() -> SumNetwork:
    return small_sum()


def test_the_linear_part_is_linear(network: SumNetwork) -> None:
    a, b = torch.randn(2, 1, 1, 32, 32, dtype=torch.float64)
    together = network.linear(2.0 * a - 3.0 * b)
    assert torch.allclose(together, 2.0 * network.linear(a) - 3.0 * network.linear(b), atol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_ed_is_odd_for_every_alpha_and_threshold(network: SumNetwork, alpha: float) -> None:
    """The sentence of the panel (`ODDNESS_NOTE`), held to be true."""
    x = torch.randn(1, 1, 32, 32, dtype=torch.float64)
    assert torch.allclose(network(-x, alpha)[1], -network(x, alpha)[1], atol=1e-12)


def test_superposed_phase_responses_are_the_network(network: SumNetwork) -> None:
    """Each pixel times the response of its phase, added up, is ED(x; α=0), borders included.

    The image is surrounded by zeros, as far as a response reaches.
    """
    radius = support_radius(LEVELS)
    crop = 2 * (radius + 1)
    responses = drain(phase_responses_work(network, crop=crop))
    margin = -(-(radius + 1) // PERIOD) * PERIOD
    inner = 12
    size = inner + 2 * margin
    image = np.zeros((size, size))
    image[margin : margin + inner, margin : margin + inner] = np.random.default_rng(0).normal(
        size=(inner, inner)
    )
    expected = network.linear(torch.from_numpy(image)[None, None])[0, 0].numpy()
    found = np.zeros((size + 2 * crop, size + 2 * crop))
    for row, column in np.argwhere(image):
        kernel = responses[row % PERIOD, column % PERIOD, 0]
        top, left = row + crop - crop // 2, column + crop - crop // 2
        found[top : top + crop, left : left + crop] += image[row, column] * kernel
    np.testing.assert_allclose(found[crop:-crop, crop:-crop], expected, atol=1e-5)


def test_shifts_by_the_period_are_exact_inside_the_border(network: SumNetwork) -> None:
    size = working_size(LEVELS, 2 * support_radius(LEVELS)) + 4 * PERIOD
    x = torch.zeros(1, 1, size, size, dtype=torch.float64)
    middle = size // 2
    x[..., middle - 5 : middle + 5, middle - 5 : middle + 5] = torch.rand(10, 10)
    shift = (2 * PERIOD, -PERIOD)
    moved = network.linear(torch.roll(x, shift, (2, 3)))
    assert torch.equal(moved, torch.roll(network.linear(x), shift, (2, 3)))
    # … and by less than the period they are not, or there would be nothing to show here.
    near = network.linear(torch.roll(x, (1, 0), (2, 3)))
    assert not torch.allclose(near, torch.roll(network.linear(x), (1, 0), (2, 3)), atol=1e-3)


def test_no_impulse_reaches_past_the_support(network: SumNetwork) -> None:
    """The bound holds at every phase and is met at one: it is what sizes the images."""
    radius = support_radius(LEVELS)
    crop = 2 * radius + 6
    responses = drain(phase_responses_work(network, crop=crop))
    rows, columns = np.nonzero(np.abs(responses[:, :, 0]).max(axis=(0, 1)))
    reach = max(np.abs(rows - crop // 2).max(), np.abs(columns - crop // 2).max())
    assert reach == radius


def test_small_images_give_the_same_responses_as_the_papers_large_one() -> None:
    """The crop is free of border effects although the image is far smaller than 384."""
    network = small_sum(levels=3)
    large = impulse_response(network, size=384, crop=64)
    assert working_size(3, 64) < 150
    responses = drain(phase_responses_work(network, crop=64))
    np.testing.assert_allclose(responses[0, 0], large[:, 0], atol=1e-6)


def test_the_response_to_a_dirac_of_a_true_convolution_has_no_defect() -> None:
    class Blur(nn.Module):
        in_channels, levels = 1, 2

        def __init__(self) -> None:
            super().__init__()
            self.kernel = nn.Conv2d(1, 1, 5, padding=2, bias=False)

        def linear(self, x: torch.Tensor) -> torch.Tensor:
            return self.kernel(x)

    blur = Blur().requires_grad_(False)
    found = drain(shift_variance_work(blur, crop=16))
    assert found.defect == pytest.approx(0, abs=1e-6)
    kernel = blur.kernel.weight[0, 0].flip(0, 1).numpy()
    np.testing.assert_allclose(found.averaged[0, 6:11, 6:11], kernel, atol=1e-6)
    low, mean, high = found.span("SDS")
    assert low == pytest.approx(high)
    assert low <= mean <= high


def test_the_mean_response_is_the_nearest_convolution() -> None:
    """The sum of squared distances to all phases is smallest at r̄ (its gradient is 0 there)."""
    responses = np.random.default_rng(3).normal(size=(2, 2, 1, 8, 8))
    found = summarise(responses)
    gradient = (found.averaged - responses).sum(axis=(0, 1))
    np.testing.assert_allclose(gradient, 0, atol=1e-12)
    ratios = [
        np.linalg.norm(r - found.averaged) / np.linalg.norm(r)
        for r in responses.reshape(4, 1, 8, 8)
    ]
    assert found.defect[0] == pytest.approx(np.mean(ratios))
    assert found.metrics["FDV"][1, 0, 0] == pytest.approx(response_metrics(responses[1, 0, 0]).fdv)


def test_every_class_and_channel_has_its_own_response() -> None:
    network = small_sum(channels=2, classes=3)
    found = impulse_response(network, size=96, crop=32)
    assert found.shape == (3, 2, 32, 32)
    x = torch.zeros(1, 2, 96, 96, dtype=torch.float64)
    x[0, 1, 48, 48] = 1
    expected = network.linear(x)[0, 2, 32:64, 32:64].numpy()
    np.testing.assert_allclose(found[2, 1], expected)
    model = as_model(network, ("flair", "t1"), **{"1": "core", "2": "oedema", "4": "rim"})
    explanation = explain(None, model, "responses", phases=False, crop=32)
    assert explanation["impulse-response-oedema-t1"].data.shape == (32, 32)
    assert len(explanation.maps) == 2 * 3 * 2


def test_one_class_is_the_binary_model() -> None:
    """The first of several classes and a binary model of the same weights answer alike."""
    many, one = small_sum(classes=3), small_sum(classes=1)
    weights = many.state_dict()
    for name, tensor in one.state_dict().items():
        tensor.copy_(weights[name][tuple(slice(n) for n in tensor.shape)])
    x = torch.rand(1, 1, 32, 32, dtype=torch.float64)
    for single, several in zip(one(x, 0.7), many(x, 0.7), strict=True):
        assert torch.allclose(single, several[:, :1])
    np.testing.assert_allclose(
        impulse_response(one, size=96, crop=32)[0], impulse_response(many, size=96, crop=32)[0]
    )


def test_the_explanation_gives_axes_ranges_and_the_sentence_on_oddness(
    network: SumNetwork,
) -> None:
    found = explain(None, as_model(network), "responses", crop=32)
    space, frequency = found["impulse-response"], found["averaged-frequency"]
    assert space.axes == {"spacing": (1.5, 1.5), "unit": "mm"}
    assert space.value_range is not None
    assert space.value_range[0] == -space.value_range[1]
    # 32 samples 1.5 mm apart: bins of 1 / 48 mm
    assert frequency.axes["spacing"][0] == pytest.approx(1 / 48)
    for metric in ("SDS", "FDV", "FDS"):
        low, high = found.scores[f"{metric} lowest phase"], found.scores[f"{metric} highest phase"]
        assert low <= found.scores[metric] <= high
    assert any("bright and dark" in note for note in found.notes)
    assert found.provenance.inputs == {}


def test_the_first_step_already_shows_the_papers_response(network: SumNetwork) -> None:
    work = model_responses_work(as_model(network), crop=32)
    first = next(work)
    assert isinstance(first, Progress)
    assert first.preview.metrics().sds > 0
    steps = sum(1 for _ in work)
    assert steps == PERIOD**2


def test_a_unet_is_refused_and_told_what_works() -> None:
    model = as_model(UNet(maps=2, levels=2))
    with pytest.raises(ModelError, match=r"not linear at any setting.*effective-response"):
        drain(model_responses_work(model))


def test_a_network_that_passes_nothing_is_refused(network: SumNetwork) -> None:
    dead = small_sum()
    for weight in dead.parameters():
        weight.zero_()
    with pytest.raises(ModelError, match="no spread"):
        drain(model_responses_work(as_model(dead), crop=32))
