"""Gaussian blur of images as two matrix products: one matrix a standard deviation and axis.

The kernel is that of ``scipy.ndimage.gaussian_filter(mode="constant")``: sampled, cut at four
standard deviations, scaled to sum 1, and 0 beyond the border. As matrices it is as fast for 50
pixels as for 1, in a batch, on any device.
"""

from __future__ import annotations

import torch

#: Standard deviations at which the kernel is cut.
TRUNCATE = 4.0


def gaussian_blur(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """``x`` (..., H, W) blurred in plane by ``sigma`` pixels; ``x`` itself for 0."""
    if sigma == 0:
        return x
    rows, columns = x.shape[-2:]
    along = _matrix(rows, sigma, x) @ x
    return along @ _matrix(columns, sigma, x).T


def _matrix(size: int, sigma: float, like: torch.Tensor) -> torch.Tensor:
    radius = int(TRUNCATE * sigma + 0.5)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    kernel = torch.exp(-0.5 / (sigma * sigma) * offsets**2)
    kernel /= kernel.sum()
    # Entry (i, j) is the kernel at j - i, 0 past its ends.
    reach = min(radius, size - 1)
    table = torch.zeros(2 * size - 1, dtype=torch.float64)
    table[size - 1 - reach : size + reach] = kernel[radius - reach : radius + reach + 1]
    place = torch.arange(size)
    return table[place[None, :] - place[:, None] + size - 1].to(like)
