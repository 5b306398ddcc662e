"""A ReLU that training can bring back to life: exact forwards, leaking backwards where it helps."""

from __future__ import annotations

from typing import Any

import torch


class _HelpfulRelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: torch.Tensor, slope: float) -> torch.Tensor:
        out = z.clamp_min(0.0)
        ctx.save_for_backward(out)
        ctx.slope = slope
        return out

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        (grad,) = grads
        (out,) = ctx.saved_tensors
        # Below 0 only descent that raises the value is heard: descent that lowers it further
        # changes nothing in the loss, and would hold a silent code down.
        return torch.where(out > 0, grad, ctx.slope * grad.clamp_max(0.0)), None


def helpful_relu(z: torch.Tensor, slope: float) -> torch.Tensor:
    """``max(z, 0)``, with ``slope`` times a gradient that is negative passed on below 0.

    A class whose codes are 0 everywhere gives no gradient to its dictionaries, so it would stay
    silent for the rest of a training.

    Parameters
    ----------
    z : Tensor
        Any shape.
    slope : float
        At least 0; at 0 the gradient is the ReLU's own.
    """
    return _HelpfulRelu.apply(z, slope)
