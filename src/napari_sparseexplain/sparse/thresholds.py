"""Shrinkage: the two readings of soft thresholding, and a layer that learns its thresholds.

Eq. 17 and Eq. 18 of Zavala-Mondragón et al., *Segmentation CNNs are denoising models* (the SUM
paper, appendix A), are the same function for thresholds of at least 0 only. The SUM learns its
thresholds without a bound and about half of them end below 0, so the two must be told apart.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

#: Sharpness of the softplus behind positive thresholds: at a raw value of 0 it gives
#: ln 2 / 100 = 0.007 with slope ½, so training starts close to 0 without standing still.
POSITIVE_SHARPNESS = 100.0


def shrink(x: torch.Tensor, b: torch.Tensor | float) -> torch.Tensor:
    """Shrinkage as in Eq. 18: ``(x - b)₊ - (-x - b)₊``.

    For ``b >= 0`` it is soft thresholding. For ``b < 0`` it stays continuous and odd: values
    within ``±|b|`` are doubled and the others move away from 0 by ``|b|``: the band is boosted.

    Parameters
    ----------
    x : Tensor
        Any shape.
    b : Tensor or float
        Threshold, broadcast against ``x``.

    Returns
    -------
    Tensor
        Of ``x``'s shape; exactly ``x`` where ``b`` is 0. The gradient to ``b`` at ``b = 0`` is
        ``-sign(x)``, so a threshold that starts at 0 can move either way.
    """
    return torch.relu(x - b) - torch.relu(-x - b)


def soft(x: torch.Tensor, b: torch.Tensor | float) -> torch.Tensor:
    """Soft thresholding as in Eq. 17: ``sign(x) · max(|x| - b, 0)``.

    Equal to `shrink` for ``b >= 0``; for ``b < 0`` it jumps by ``2 |b|`` at 0.
    """
    return torch.sign(x) * torch.relu(torch.abs(x) - b)


class _ChannelShrink(torch.autograd.Function):
    """`shrink` with one threshold a channel, in fewer passes over memory.

    With ``s = 1`` for ``b >= 0`` and ``-1`` below, and ``inside = clamp(x, -|b|, |b|)``:
    ``shrink(x, b) = x - s · inside``. Its slope is 1 outside the band and ``1 - s`` within.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        b = b.to(x.dtype).view(1, -1, 1, 1)
        bound = b.abs()
        inside = torch.clamp(x, -bound, bound)
        side = torch.sub(x, inside).sign_()  # ±1 outside the band, 0 within
        sign = torch.where(b >= 0, 1.0, -1.0).to(x.dtype)
        ctx.save_for_backward(side, sign)
        return torch.addcmul(x, inside, sign, value=-1)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        (grad,) = grads
        side, sign = ctx.saved_tensors
        outside = grad * side
        grad_b = -outside.sum(dim=(0, 2, 3), dtype=torch.float32)
        return torch.lerp(outside * side, grad, 1 - sign), grad_b


class Shrinkage(nn.Module):
    """Eq. 18 with one learned threshold a channel, used as ``alpha · t``.

    Parameters
    ----------
    channels : int
        Feature maps.
    level : int
        Level of decomposition where it stands (0 is full resolution), for those who hook it.
    positive : bool
        Thresholds positive by construction (a sharp softplus), not as in the paper.

    Attributes
    ----------
    raw : Parameter, shape (channels,)
        What training moves; starts at 0. `thresholds` says what it means.
    """

    def __init__(self, channels: int, *, level: int = 0, positive: bool = False) -> None:
        super().__init__()
        self.level = level
        self.positive = positive
        self.raw = nn.Parameter(torch.zeros(channels))

    @property
    def thresholds(self) -> torch.Tensor:
        """Thresholds at ``alpha = 1``, shape (channels,)."""
        if self.positive:
            return nn.functional.softplus(self.raw, beta=POSITIVE_SHARPNESS)
        return self.raw

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
        """Shrink ``x``, shape (B, channels, H, W); at ``alpha = 0`` it is returned as it came."""
        if alpha == 0:
            return x
        return _ChannelShrink.apply(x, alpha * self.thresholds)

    def extra_repr(self) -> str:
        """What ``print`` shows."""
        return f"{self.raw.numel()}, level={self.level}, positive={self.positive}"
