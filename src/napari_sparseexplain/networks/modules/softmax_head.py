"""The output layer of networks whose classes exclude each other: a softmax over their signals."""

from __future__ import annotations

import torch
from torch import nn


class SoftmaxHead(nn.Module):
    """Probabilities of exclusive classes from one signal a class; it has no weights."""

    def forward(self, signal: torch.Tensor) -> torch.Tensor:
        """Probabilities, shape (B, classes, H, W), that add to 1 at every pixel."""
        return torch.softmax(signal, dim=1)
