"""The output layer of the SUM and of its baselines: a scale, then a clip to (0, 1)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

#: Slope outside (0, 1) in the backward pass of training, where it can help.
OUTSIDE_SLOPE = 0.05


class _HelpfulClip(torch.autograd.Function):
    """Hard clip whose gradient leaks only where a step would bring the value back inside.

    A clip gives no gradient outside (0, 1), so an output that has left cannot come back and a
    network can die. A leaky clip lets values above 1 cheat the soft IoU. Here the forward pass is
    the hard clip and a value below 0 hears the gradient (times `OUTSIDE_SLOPE`) only if descent
    raises it, one above 1 only if descent lowers it. With the soft IoU these are the values below
    0 on the lesion and above 1 off it.
    """

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(z)
        return z.clamp(0.0, 1.0)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        (grad,) = grads
        (z,) = ctx.saved_tensors
        back = ((z < 0) & (grad < 0)) | ((z > 1) & (grad > 0))
        inside = (z >= 0) & (z <= 1)
        return grad * (inside + OUTSIDE_SLOPE * back).to(grad.dtype)


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
        """The clip alone; while training its gradient helps values back into (0, 1)."""
        return _HelpfulClip.apply(z) if self.training else z.clamp(0.0, 1.0)
