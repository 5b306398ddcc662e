"""Pictures turned, scaled, shifted, mirrored and shaded at random, and the boxes with them."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional

from ..fit.shaded import shaded
from .class_recipe import ClassAugmentation


def augmented_pictures(
    x: torch.Tensor, boxes: torch.Tensor, how: ClassAugmentation, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Other pictures, and their boxes.

    Parameters
    ----------
    x : Tensor, shape (B, 1, H, W)
        Normalised.
    boxes : Tensor, shape (B, 1, H, W)
        1 in a box.
    """
    batch = len(x)

    def uniform(*shape: int) -> torch.Tensor:
        return 2 * torch.rand(batch, *shape, generator=generator) - 1

    angle = uniform() * math.radians(how.rotation)
    size = torch.exp(uniform() * math.log1p(how.scale))
    mirror = torch.where(uniform() < 0, -1.0, 1.0) if how.mirror else torch.ones(batch)
    cos, sin = torch.cos(angle) / size, torch.sin(angle) / size
    theta = torch.zeros(batch, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = cos * mirror, -sin
    theta[:, 1, 0], theta[:, 1, 1] = sin * mirror, cos
    theta[:, :, 2] = uniform(2) * 2 * how.shift
    grid = functional.affine_grid(theta, list(x.shape), align_corners=False)
    darkest = x.amin(dim=(2, 3), keepdim=True)  # what lies outside of the picture is air
    moved = functional.grid_sample(x - darkest, grid, align_corners=False) + darkest
    where = functional.grid_sample(boxes, grid, align_corners=False)
    return shaded(moved, how, generator), where


def mixed(
    x: torch.Tensor, targets: torch.Tensor, mix: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Every picture with some of the next one of the batch, and its classes alike.

    Parameters
    ----------
    x : Tensor, shape (B, 1, H, W)
    targets : Tensor, shape (B, classes)
        Shares that add to 1.
    mix : float
        Both parameters of the beta distribution of the share.
    """
    # Torch draws no beta variables from a generator.
    start = int(torch.randint(0, 2**31, (1,), generator=generator))
    drawn = np.random.default_rng(start).beta(mix, mix, len(x))
    share = torch.from_numpy(np.maximum(drawn, 1 - drawn)).float()  # a picture is mostly itself
    blended = share[:, None, None, None] * x + (1 - share)[:, None, None, None] * x.roll(1, 0)
    return blended, share[:, None] * targets + (1 - share)[:, None] * targets.roll(1, 0)
