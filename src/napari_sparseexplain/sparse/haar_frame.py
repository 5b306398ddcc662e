"""The orthonormal Haar transform of images on aligned 2×2 blocks.

Written as a butterfly, sums and differences of the four corners of each block, and not as a
convolution: each value is touched once. The matrix is its own transpose's inverse, so the
gradient of the analysis is the synthesis and the reverse; autograd is told so.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

#: What ``high[:, k]`` holds: differences along the rows, along the columns, along both.
BANDS = ("row difference", "column difference", "diagonal difference")


def haar_analysis(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """One level of the transform.

    Parameters
    ----------
    x : Tensor, shape (B, C, H, W)
        H and W even.

    Returns
    -------
    low : Tensor, shape (B, C, H/2, W/2)
        Half the sum of each block.
    high : Tensor, shape (B, 3, C, H/2, W/2)
        The three differences, in the order of `BANDS`.

    Raises
    ------
    ValueError
        H or W is odd; pad first (`pad_to_multiple`).
    """
    if x.ndim != 4 or x.shape[-2] % 2 or x.shape[-1] % 2:
        raise ValueError(f"the Haar transform needs (B, C, even, even), not {tuple(x.shape)}")
    return _Analysis.apply(x)


def haar_synthesis(low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """Inverse (and transpose) of `haar_analysis`; returns shape (B, C, H, W)."""
    if high.ndim != 5 or high.shape != (low.shape[0], 3, *low.shape[1:]):
        raise ValueError(f"bands {tuple(high.shape)} do not belong to {tuple(low.shape)}")
    return _Synthesis.apply(low, high)


def pad_to_multiple(x: torch.Tensor, multiple: int) -> tuple[torch.Tensor, tuple[slice, slice]]:
    """Grow height and width at their ends, by repeating the border, to multiples of ``multiple``.

    Returns
    -------
    padded : Tensor, shape (B, C, H', W')
        ``x`` itself where nothing is missing.
    crop : (slice, slice)
        ``padded[..., *crop]`` is ``x`` again.
    """
    height, width = x.shape[-2:]
    crop = (slice(0, height), slice(0, width))
    below, right = -height % multiple, -width % multiple
    if below or right:
        x = functional.pad(x, (0, right, 0, below), mode="replicate")
    return x, crop


def _layout(x: torch.Tensor) -> torch.memory_format:
    """Memory order of ``x``, so that results keep it (convolutions are faster channels last)."""
    last = x.shape[1] > 1 and x.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format


def _analyse(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    batch, maps, height, width = x.shape
    upper_left, upper_right = x[:, :, 0::2, 0::2], x[:, :, 0::2, 1::2]
    lower_left, lower_right = x[:, :, 1::2, 0::2], x[:, :, 1::2, 1::2]
    upper, lower = upper_left + upper_right, lower_left + lower_right
    upper_step, lower_step = upper_left - upper_right, lower_left - lower_right
    bands = torch.empty(
        (batch, 3 * maps, height // 2, width // 2),
        dtype=x.dtype,
        device=x.device,
        memory_format=_layout(x),
    )
    high = bands.unflatten(1, (3, maps))
    torch.sub(upper, lower, out=high[:, 0])
    torch.add(upper_step, lower_step, out=high[:, 1])
    torch.sub(upper_step, lower_step, out=high[:, 2])
    return upper.add_(lower).mul_(0.5), high.mul_(0.5)


def _synthesise(low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    batch, maps, height, width = low.shape
    rows, columns, diagonal = high.unbind(1)
    upper, lower = (low + rows).mul_(0.5), (low - rows).mul_(0.5)
    upper_step, lower_step = (columns + diagonal).mul_(0.5), (columns - diagonal).mul_(0.5)
    x = torch.empty(
        (batch, maps, 2 * height, 2 * width),
        dtype=low.dtype,
        device=low.device,
        memory_format=_layout(low),
    )
    torch.add(upper, upper_step, out=x[:, :, 0::2, 0::2])
    torch.sub(upper, upper_step, out=x[:, :, 0::2, 1::2])
    torch.add(lower, lower_step, out=x[:, :, 1::2, 0::2])
    torch.sub(lower, lower_step, out=x[:, :, 1::2, 1::2])
    return x


class _Analysis(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return _analyse(x)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        return _Synthesis.apply(*grads)


class _Synthesis(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
        return _synthesise(low, high)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return _Analysis.apply(*grads)
