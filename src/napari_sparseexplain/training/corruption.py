"""What happens to slices on their way into training: flips, rotations, gain, noise."""

from __future__ import annotations

import torch


def flip_and_rotate(
    x: torch.Tensor, y: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Flip left to right, and rotate by 90, 180 or 270 degrees, each with probability ½ a slice.

    Parameters
    ----------
    x : Tensor, shape (B, C, N, N)
        Images; square, since they are rotated.
    y : Tensor, shape (B, C', N, N)
        Masks, moved with their images.
    """
    batch = x.shape[0]
    flips = torch.rand(batch, generator=generator) < 0.5
    turns = torch.randint(1, 4, (batch,), generator=generator)
    turns[torch.rand(batch, generator=generator) < 0.5] = 0
    images, masks = [], []
    for n in range(batch):
        image, mask = x[n], y[n]
        if flips[n]:
            image, mask = image.flip(-1), mask.flip(-1)
        images.append(torch.rot90(image, int(turns[n]), (-2, -1)))
        masks.append(torch.rot90(mask, int(turns[n]), (-2, -1)))
    return torch.stack(images), torch.stack(masks)


def jitter_range(x: torch.Tensor, amount: float, generator: torch.Generator) -> torch.Tensor:
    """Scale every slice by a factor in ``1 ± amount`` and clip: the range is never known exactly.

    Parameters
    ----------
    x : Tensor, shape (B, C, H, W)
        In (0, 1).
    amount : float
        0.1 for 0.9 … 1.1; 0 leaves the slices alone.
    """
    if amount == 0:
        return x
    factor = 1.0 + amount * (2.0 * torch.rand((x.shape[0], 1, 1, 1), generator=generator) - 1.0)
    return (x * factor).clamp(0.0, 1.0)


def add_noise(x: torch.Tensor, sigma: float, generator: torch.Generator) -> torch.Tensor:
    """Gaussian noise of standard deviation ``sigma`` in units of the range (0, 1), not clipped."""
    return x + sigma * torch.randn(x.shape, generator=generator)
