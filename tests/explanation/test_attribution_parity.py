"""The same model and image in double precision give what independent packages give."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from torch import nn

from napari_sparseexplain.explanation.attribution.blur_integrated_gradients import (
    blur_integrated_gradients,
)
from napari_sparseexplain.explanation.attribution.guided_integrated_gradients import (
    guided_integrated_gradients,
)
from napari_sparseexplain.explanation.attribution.integrated_gradients import integrated_gradients
from napari_sparseexplain.progress import drain

from .linear_score import Smooth, images, score_of
from .saliency_peer import Peer

ROWS = np.arange(2)


def compare(ours: torch.Tensor, theirs: list[np.ndarray]) -> float:
    """Largest difference as a share of the largest value."""
    wanted = np.stack(theirs)
    return float(np.abs(ours.numpy() - wanted).max() / np.abs(wanted).max())


@pytest.mark.parametrize("foreground", [1.0, 0.4])
def test_integrated_gradients_by_the_peers_rule(foreground: float) -> None:
    score, x = score_of(Smooth()), images(foreground=foreground)
    found = drain(integrated_gradients(score, x, x * 0, ROWS, n_steps=25, rule="peer"))
    assert compare(found.values, [Peer(score).integrated_gradients(i, 25) for i in x]) <= 1e-12


@pytest.mark.parametrize("foreground", [1.0, 0.6, 0.2])
@pytest.mark.parametrize(
    "options",
    [
        {"fraction": 0.25, "max_dist": 0.02},
        {"fraction": 0.1, "max_dist": 1.0},
        {"fraction": 0.5, "max_dist": 0.1},
    ],
)
def test_guided_integrated_gradients_with_the_quantile_over_all(
    foreground: float, options: dict[str, float]
) -> None:
    score, x = score_of(Smooth()), images(foreground=foreground)
    found = drain(
        guided_integrated_gradients(
            score, x, x * 0, ROWS, n_steps=60, quantile_over="all", **options
        )
    )
    peer = [Peer(score).guided(i, x_steps=60, **options) for i in x]
    assert compare(found.values, peer) <= 1e-12


class Stepped(nn.Module):
    """Gradients of a few sizes only, so that many pixels tie in the quantile."""

    def __init__(self) -> None:
        super().__init__()
        weight = torch.tensor([0.5, 1.0, -1.0, 2.0], dtype=torch.float64).repeat(77).view(2, 14, 11)
        self.weight = nn.Parameter(weight)

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
        total = (x * self.weight).flatten(1).sum(dim=1, keepdim=True)
        return total.square() / 100


def test_pixels_that_tie_move_together_as_the_peers_do() -> None:
    score, x = score_of(Stepped()), images()
    found = drain(
        guided_integrated_gradients(
            score, x, x * 0, ROWS, n_steps=30, max_dist=0.3, quantile_over="all"
        )
    )
    peer = [Peer(score).guided(i, x_steps=30, max_dist=0.3) for i in x]
    assert compare(found.values, peer) <= 1e-12


def test_blur_integrated_gradients_by_the_peers_rule() -> None:
    score, x = score_of(Smooth()), images()
    found = drain(blur_integrated_gradients(score, x, ROWS, max_sigma=20, n_steps=40, rule="peer"))
    peer = [Peer(score).blur(i, max_sigma=20, steps=40) for i in x]
    assert compare(found.values, peer) <= 1e-12


def test_integrated_gradients_against_captum() -> None:
    score, x = score_of(Smooth()), images()
    found = drain(integrated_gradients(score, x, x * 0, ROWS, n_steps=40))
    peer = IntegratedGradients(lambda images: score.model.network(images)[:, 0])
    # Captum keeps its nodes in single precision.
    wanted = peer.attribute(x, baselines=x * 0, n_steps=40, method="gausslegendre")
    assert compare(found.values, list(wanted.numpy())) <= 1e-6
