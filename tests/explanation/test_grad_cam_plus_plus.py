"""Grad-CAM++ (Chattopadhyay et al. 2018): the weights, on networks small enough to solve."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.explanation.attribution.grad_cam_plus_plus import (
    grad_cam_plus_plus,
    weighted_gradient,
)
from napari_sparseexplain.progress import drain

from .linear_score import Linear, Smooth, images, score_of

ROWS = np.arange(2)


class Pooled(nn.Module):
    """A logit that weighs the sum of each rectified map: every gradient is that weight."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.maps = nn.Conv2d(2, 3, 1, dtype=torch.float64)
        self.shown = nn.ReLU()
        self.pooled = torch.tensor([0.5, -2.0, 1.5], dtype=torch.float64)

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
        return (self.shown(self.maps(x)).sum(dim=(2, 3)) * self.pooled).sum(dim=1, keepdim=True)


def test_of_pooled_maps_the_weights_are_in_closed_form() -> None:
    network, x = Pooled(), images()
    found = drain(grad_cam_plus_plus(score_of(network), x, ROWS, layer="shown")).values
    maps = network.shown(network.maps(x)).detach()
    pixels, v = maps[0, 0].numel(), network.pooled.view(1, 3, 1, 1)
    weights = pixels * v.clamp(min=0) / (2 + v * maps.sum(dim=(2, 3), keepdim=True))
    weights[:, 1] = 0  # what lowers the score
    torch.testing.assert_close(found, (weights * maps).sum(dim=1, keepdim=True))


def test_the_weights_are_those_of_the_second_and_third_derivatives() -> None:
    """Eq. 10 taken by autograd, of Y = exp(S) behind which the network is piecewise linear."""
    torch.manual_seed(0)
    maps = torch.rand(1, 2, 3, 3, dtype=torch.float64)
    behind = nn.Conv2d(2, 4, 2, dtype=torch.float64)
    last = torch.randn(4, 2, 2, dtype=torch.float64)

    def score(a: torch.Tensor) -> torch.Tensor:
        return (torch.relu(behind(a)) * last).sum()

    weights = torch.zeros(2, dtype=torch.float64)
    for k, i, j in np.ndindex(2, 3, 3):
        step = torch.zeros((), dtype=torch.float64, requires_grad=True)
        moved = torch.zeros_like(maps)
        moved[0, k, i, j] = 1.0
        value = torch.exp(score(maps + step * moved))
        derivatives = []
        for _ in range(3):
            (value,) = torch.autograd.grad(value, step, create_graph=True)
            derivatives.append(value.item())
        first, second, third = derivatives
        if first > 0:
            alpha = second / (2 * second + float(maps[0, k].sum()) * third)
            weights[k] += alpha * first
    (gradient,) = torch.autograd.grad(score(maps.requires_grad_()), maps)
    found = weighted_gradient(maps.detach(), gradient).flatten()
    wanted = weights / torch.exp(score(maps)).detach()
    assert (wanted > 0).all()
    torch.testing.assert_close(found, wanted)


def test_a_small_object_counts_more_than_by_the_mean_gradient() -> None:
    """Two maps that raise the score alike, one active at a point: the paper's reason for it."""
    activation = torch.zeros(1, 2, 8, 8, dtype=torch.float64)
    activation[0, 0, 1, 1] = 1.0
    activation[0, 1, 3:] = 1.0
    gradient = (activation > 0).double()
    small, large = gradient.mean(dim=(2, 3))[0]
    weighted = weighted_gradient(activation, gradient).flatten()
    assert small / large == pytest.approx(1 / 40)
    assert weighted[0] / weighted[1] == pytest.approx((1 / 3) / (40 / 42))


def test_maps_that_are_not_rectified_have_no_pole() -> None:
    activation = torch.full((1, 1, 2, 2), -0.5, dtype=torch.float64)
    weights = weighted_gradient(activation, torch.ones_like(activation))
    torch.testing.assert_close(weights.flatten(), torch.tensor([2.0], dtype=torch.float64))
    found = drain(grad_cam_plus_plus(score_of(Smooth()), images(), ROWS)).values
    assert found.shape == (2, 1, 14, 11)
    assert torch.isfinite(found).all()
    assert found.min() >= 0


def test_each_image_of_a_batch_has_weights_of_its_own() -> None:
    score, x = score_of(Pooled()), images()
    together = drain(grad_cam_plus_plus(score, x, ROWS, layer="shown")).values
    alone = drain(grad_cam_plus_plus(score, x[1:], ROWS[1:], layer="shown")).values
    assert alone.max() > 0
    torch.testing.assert_close(together[1:], alone)


@pytest.mark.parametrize(
    ("network", "given", "said"),
    [
        (Smooth, {"layer": "third"}, r"no layer called 'third'.*It has first, second"),
        (Linear, {}, r"Grad-CAM\+\+ sees no convolutional layer.*occlusion"),
    ],
)
def test_what_cannot_be_looked_at_is_said(network: Any, given: dict[str, str], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        drain(grad_cam_plus_plus(score_of(network()), images(), ROWS, **given))
