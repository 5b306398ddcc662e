"""What happens to slices on their way into training: windows, flips, rotations, gain, noise."""

from __future__ import annotations

import math

import torch

#: How far a window's centre strays from the brain's, in pixels.
WINDOW_STRAY = 4


def brain_window(
    x: torch.Tensor, y: torch.Tensor, window: tuple[int, int], generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut every slice to a window about its brain: most of a slice is black, and costs as much.

    Parameters
    ----------
    x : Tensor, shape (B, C, H, W)
        Images, 0 outside the brain.
    y : Tensor, shape (B, C', H, W)
        Masks, cut with their images.
    window : (int, int)
        Height and width. A slice that is no larger than it in an axis keeps that axis whole.

    Returns
    -------
    x, y : Tensor, shape (B, C or C', min(H, height), min(W, width))
        The window's centre is the brain's, give or take `WINDOW_STRAY`.
    """
    height, width = (min(have, want) for have, want in zip(x.shape[-2:], window, strict=True))
    if (height, width) == tuple(x.shape[-2:]):
        return x, y
    stray = torch.randint(-WINDOW_STRAY, WINDOW_STRAY + 1, (x.shape[0], 2), generator=generator)
    images, masks = [], []
    for n in range(x.shape[0]):
        cut = []
        for axis, size in ((0, height), (1, width)):
            have = x.shape[-2 + axis]
            filled = torch.nonzero(x[n].amax(dim=(0, 2 - axis)) > 0).flatten()
            middle = int(filled[0] + filled[-1] + 1) // 2 if len(filled) else have // 2
            start = middle + int(stray[n, axis]) - size // 2
            start = min(max(start, 0), have - size)
            cut.append(slice(start, start + size))
        images.append(x[n][:, cut[0], cut[1]])
        masks.append(y[n][:, cut[0], cut[1]])
    return torch.stack(images), torch.stack(masks)


def flip_and_rotate(
    x: torch.Tensor, y: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Flip left to right, and rotate by 90, 180 or 270 degrees, each with probability ½ a slice.

    Slices that are not square are turned by quarters all together or not at all, so that they
    still fit in one batch; each slice's chances are the same.

    Parameters
    ----------
    x : Tensor, shape (B, C, H, W)
        Images.
    y : Tensor, shape (B, C', H, W)
        Masks, moved with their images.
    """
    batch = x.shape[0]
    flips = torch.rand(batch, generator=generator) < 0.5
    if x.shape[-1] == x.shape[-2]:
        turns = torch.randint(1, 4, (batch,), generator=generator)
        turns[torch.rand(batch, generator=generator) < 0.5] = 0
    elif float(torch.rand((), generator=generator)) < 1 / 3:
        turns = 1 + 2 * torch.randint(0, 2, (batch,), generator=generator)
    else:
        turns = 2 * (torch.rand(batch, generator=generator) < 0.25).long()
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


#: Where the brain's median lies in the normalised range.
BRAIN_MEDIAN = 1.0 / 3.0


def stretch_contrast(
    x: torch.Tensor, factors: tuple[float, float], generator: torch.Generator
) -> torch.Tensor:
    """Stretch every slice's contrast about the brain's median; black stays black.

    Scanners differ more in the contrast of grey to white matter than phantoms do. Lesion and
    tissue are stretched alike, so what must be learned is contrast against the tissue's own.

    Parameters
    ----------
    x : Tensor, shape (B, C, H, W)
        In (0, 1), 0 outside the brain.
    factors : (float, float)
        Least and greatest; drawn log-uniformly. ``(1, 1)`` leaves the slices alone.
    """
    low, high = math.log(factors[0]), math.log(factors[1])
    if low == high == 0.0:
        return x
    draw = torch.rand((x.shape[0], 1, 1, 1), generator=generator)
    factor = torch.exp(low + (high - low) * draw)
    stretched = (BRAIN_MEDIAN + factor * (x - BRAIN_MEDIAN)).clamp(0.0, 1.0)
    return torch.where(x > 0, stretched, x)


#: Knots a side of the random shading: about 60 mm apart.
SHADING_KNOTS = 4


def shade(x: torch.Tensor, amount: float, generator: torch.Generator) -> torch.Tensor:
    """Multiply every slice by a smooth random field, as a receive coil does.

    Parameters
    ----------
    x : Tensor, shape (B, C, H, W)
    amount : float
        Greatest standard deviation of the field's logarithm; each slice draws its own below it.
    """
    if amount == 0:
        return x
    knots = torch.randn((x.shape[0], 1, SHADING_KNOTS, SHADING_KNOTS), generator=generator)
    knots *= amount * torch.rand((x.shape[0], 1, 1, 1), generator=generator)
    field = torch.nn.functional.interpolate(
        knots, size=tuple(x.shape[-2:]), mode="bicubic", align_corners=True
    )
    return (x * torch.exp(field)).clamp(0.0, 1.0)


def add_noise(x: torch.Tensor, sigma: float, generator: torch.Generator) -> torch.Tensor:
    """Gaussian noise of standard deviation ``sigma`` in units of the range (0, 1), not clipped."""
    return x + sigma * torch.randn(x.shape, generator=generator)
