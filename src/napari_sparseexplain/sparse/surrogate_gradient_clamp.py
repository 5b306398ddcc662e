"""A clamp that training can bring back to life: exact forwards, leaking backwards where it helps.

A surrogate gradient in the family of the leaky ReLU and the straight-through estimator. Beyond its
bounds a clamp gives no gradient, so what has left cannot come back: a network can die, or a class
whose codes are 0 everywhere stays silent. A leaky clamp changes what is computed. Here only the
gradient leaks, and only where descent moves the value back towards the bounds: descent that drives
it further out changes nothing in the loss, and would hold it there.
"""

from __future__ import annotations

from typing import Any

import torch


class _HelpfulClamp(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, z: torch.Tensor, low: float, high: float | None, slope: float, closed: bool
    ) -> torch.Tensor:
        ctx.save_for_backward(z)
        ctx.low, ctx.high, ctx.slope, ctx.closed = low, high, slope, closed
        return z.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None, None, None]:
        (grad,) = grads
        (z,) = ctx.saved_tensors
        below = z < ctx.low if ctx.closed else z <= ctx.low
        found = torch.where(below, ctx.slope * grad.clamp_max(0.0), grad)
        if ctx.high is not None:
            above = z > ctx.high if ctx.closed else z >= ctx.high
            found = torch.where(above, ctx.slope * grad.clamp_min(0.0), found)
        return found, None, None, None, None


def helpful_clamp(
    z: torch.Tensor, low: float, high: float | None, slope: float, *, closed: bool = True
) -> torch.Tensor:
    """``clamp(z, low, high)`` whose gradient leaks beyond the bounds where descent comes back.

    Parameters
    ----------
    z : Tensor
        Any shape.
    low : float
    high : float, optional
        No upper bound when None: with ``low = 0`` this is a ReLU.
    slope : float
        At least 0; what of the gradient leaks. At 0 it is the clamp's own.
    closed : bool
        Whether a value on a bound has the whole gradient, as `torch.clamp` has it, or counts as
        beyond it, as `torch.relu` has it.
    """
    return _HelpfulClamp.apply(z, low, high, slope, closed)
