"""The output layer of the SUM and of its baselines: a scale, then a clip to (0, 1)."""

from __future__ import annotations

import torch
from torch import nn

from ...sparse.surrogate_gradient_clamp import helpful_clamp

#: Slope outside (0, 1) in the backward pass of training, where it can help.
OUTSIDE_SLOPE = 0.05


class ClipHead(nn.Module):
    """1×1 convolution without bias, then a clip to (0, 1).

    Every class has its own signal and its own scale, so a class's response is its signal's
    response; with one class this is the paper's output layer.

    Parameters
    ----------
    classes : int
        Signals coming in and masks going out.
    """

    def __init__(self, classes: int = 1) -> None:
        super().__init__()
        self.scale = nn.Conv2d(classes, classes, 1, groups=classes, bias=False)
        # The sign of the signal is free; starting at 1 keeps it readable as "lesion is positive".
        nn.init.ones_(self.scale.weight)

    def unclipped(self, signal: torch.Tensor) -> torch.Tensor:
        """The scaled signal before the clip, shape (B, classes, H, W)."""
        return self.scale(signal)

    def forward(self, signal: torch.Tensor) -> torch.Tensor:
        """Mask in (0, 1), shape (B, classes, H, W).

        In evaluation mode the gradient is the clip's own: 0 outside (0, 1).
        """
        return self.clip(self.unclipped(signal))

    def clip(self, z: torch.Tensor) -> torch.Tensor:
        """The clip alone; while training its gradient helps values back into (0, 1).

        A clip gives no gradient outside (0, 1), so an output that has left could not come back. A
        leaky clip would let values above 1 cheat the soft IoU; with the soft IoU the gradient that
        leaks is that of values below 0 on the lesion and above 1 off it.
        """
        return helpful_clamp(z, 0.0, 1.0, OUTSIDE_SLOPE) if self.training else z.clamp(0.0, 1.0)
