"""Models and scores for tests of attribution: small, smooth, and in double precision."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from napari_sparseexplain.explanation.score_function import ScoreFunction
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard

SIZE = (14, 11)


class Linear(nn.Module):
    """One logit an image: a fixed weight a pixel."""

    def __init__(self, channels: int = 2) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.weight = nn.Parameter(torch.randn(channels, *SIZE, dtype=torch.float64))

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
        return (x * self.weight).flatten(1).sum(dim=1, keepdim=True)


class Smooth(nn.Module):
    """One logit an image, far from linear in it."""

    def __init__(self, channels: int = 2) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first = nn.Conv2d(channels, 4, 3, padding=1, dtype=torch.float64)
        self.second = nn.Conv2d(4, 3, 3, padding=1, stride=2, dtype=torch.float64)
        self.last = nn.Linear(3 * 7 * 6, 1, dtype=torch.float64)

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
        y = torch.tanh(3 * self.first(x))
        return self.last(torch.tanh(2 * self.second(y)).flatten(1))


def score_of(network: nn.Module) -> ScoreFunction:
    inputs = Inputs(("t1", "flair"), "unit", spacing_mm=1.0, size=14)
    card = ModelCard("tested", "Tested", "unet", {}, "classification", inputs, {"1": "lesion"})
    return ScoreFunction(Model.of_network(card, network), (0,), None, "lesion")


def images(count: int = 2, seed: int = 0, foreground: float = 1.0) -> torch.Tensor:
    """Images (count, 2, 14, 11) in (0, 1); a share of about ``1 - foreground`` of them is 0."""
    generator = np.random.default_rng(seed)
    values = generator.random((count, 2, *SIZE))
    values[generator.random(values.shape) >= foreground] = 0.0
    return torch.from_numpy(values)
