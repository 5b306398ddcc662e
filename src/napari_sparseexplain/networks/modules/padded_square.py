"""Images filled up to a square: a classifier was trained on squares, and pictures are not all."""

from __future__ import annotations

import torch
from torch.nn import functional


def padded_square(x: torch.Tensor, size: int) -> torch.Tensor:
    """Zeros evenly about images (B, C, H, W) until either side has at least ``size`` pixels.

    Of an odd number the one more comes after.
    """
    rows, columns = max(size - x.shape[-2], 0), max(size - x.shape[-1], 0)
    if not rows and not columns:
        return x
    top, left = rows // 2, columns // 2
    return functional.pad(x, (left, columns - left, top, rows - top))
