"""Slices turned, scaled, shifted and shaded at random, and slices without a ventricle.

Every slice of the labelled set holds a ventricle near its middle, and a network that only saw
those finds one in any round organ. So in a share of the windows the ventricle is out of sight
(shifted far away) or painted out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from ..fit.shaded import shaded


@dataclass(frozen=True)
class Augmentation:
    """How far slices are changed.

    Attributes
    ----------
    rotation : float
        Degrees to either side.
    scale : float
        Largest relative change of size.
    shift : float
        Pixels to either side.
    empty : float
        Share of the windows from which the ventricle is shifted away.
    painted : float
        Share in which it is painted out.
    decoy : float
        Share of the others in which a second ventricle, of another slice, is pasted elsewhere: an
        organ that looks like one without the heart around it.
    contrast, gamma, noise : float
        Largest relative change of contrast, of the exponent, and the largest standard deviation
        of added noise (of an image with standard deviation 1).
    shading : float
        Strength of a smooth gain over the image, as a coil's.
    """

    rotation: float = 34.0
    scale: float = 0.3
    shift: float = 32.0
    empty: float = 0.1
    painted: float = 0.3
    decoy: float = 0.1
    contrast: float = 0.25
    gamma: float = 0.3
    noise: float = 0.15
    shading: float = 0.25


def augmented(
    x: torch.Tensor,
    y: torch.Tensor,
    side: int,
    how: Augmentation,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Windows of ``side`` pixels, and their masks.

    Parameters
    ----------
    x : Tensor, shape (B, 1, H, W)
        Normalised images.
    y : Tensor, shape (B, 1, H, W)
        1 in the ventricle.
    """
    batch = len(x)

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(batch, *shape, generator=generator)

    kind = uniform(0.0, 1.0)
    painted = kind < how.painted
    if painted.any():
        x, y = x.clone(), y.clone()
        x[painted], y[painted] = without_ventricle(x[painted], y[painted], generator)
    away = (kind >= how.painted) & (kind < how.painted + how.empty)
    if (kind >= 1 - how.decoy).any():
        x = with_decoys(x, y, kind >= 1 - how.decoy, generator)
    angle = uniform(-1.0, 1.0) * math.radians(how.rotation)
    quarter = torch.randint(0, 4, (batch,), generator=generator) * (math.pi / 2)
    angle = torch.where(uniform(0.0, 1.0) < 0.25, angle + quarter, angle)
    size = torch.exp(uniform(-1.0, 1.0) * math.log1p(how.scale))
    mirror = torch.where(uniform(0.0, 1.0) < 0.5, -1.0, 1.0)
    shift = uniform(-1.0, 1.0, 2) * how.shift
    far = torch.where(uniform(0.0, 1.0, 2) < 0.5, -1.0, 1.0) * uniform(0.22, 0.4, 2) * x.shape[-1]
    shift = torch.where(away[:, None], far, shift)
    height, width = x.shape[-2:]
    cos, sin = torch.cos(angle) / size, torch.sin(angle) / size
    theta = torch.zeros(batch, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = cos * mirror * side / width, -sin * side / width
    theta[:, 1, 0], theta[:, 1, 1] = sin * mirror * side / height, cos * side / height
    theta[:, 0, 2], theta[:, 1, 2] = shift[:, 0] * 2 / width, shift[:, 1] * 2 / height
    grid = functional.affine_grid(theta, [batch, 1, side, side], align_corners=False)
    darkest = x.amin(dim=(2, 3), keepdim=True)  # what lies outside of the image is air
    window = functional.grid_sample(x - darkest, grid, align_corners=False) + darkest
    mask = functional.grid_sample(y, grid, align_corners=False)
    return shaded(window, how, generator), (mask > 0.5).to(y.dtype)


def without_ventricle(
    x: torch.Tensor, y: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """The ventricle painted out: by tissue of another place, by its ring, or by what lies around.

    The mask, grown by a random margin that leaves the wall or takes it too, is filled; its edge is
    blurred so that no outline is left. Each image draws its own margin and filling.
    """
    done = [_painted(image[None], mask[None], generator) for image, mask in zip(x, y, strict=True)]
    return torch.cat(done), torch.zeros_like(y)


def _painted(x: torch.Tensor, y: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    def drawn() -> float:
        return float(torch.rand(1, generator=generator))

    kind = drawn()
    # Other tissue may fill the cavity alone; what looks like blood takes the wall with it, or it
    # would be a ventricle still.
    least = 3 if kind < 0.4 else 7
    margin = 2 * int(torch.randint(least, 16, (1,), generator=generator)) + 1
    grown = functional.max_pool2d(y, margin, stride=1, padding=margin // 2)
    soft = functional.avg_pool2d(grown, 5, stride=1, padding=2, count_include_pad=False)
    soft = torch.where(grown > 0, soft.clamp(min=0.5), soft)
    weight = (soft * 2).clamp(max=1.0)
    rough = torch.randn(x.shape, generator=generator)
    if kind < 0.4:
        rows, columns = (
            int(torch.randint(28, 80, (1,), generator=generator)) * (1 if drawn() < 0.5 else -1)
            for _ in range(2)
        )
        fill = torch.roll(x, (rows, columns), dims=(2, 3))
    elif kind < 0.6:
        ring = functional.max_pool2d(grown, 9, stride=1, padding=4) - grown
        inside = ring.sum().clamp(min=1.0)
        mean = (x * ring).sum() / inside
        spread = (((x - mean) * ring) ** 2).sum() / inside
        smooth = functional.avg_pool2d(rough, 5, stride=1, padding=2) * 3
        fill = mean + spread.sqrt() * (0.2 + 0.5 * drawn()) * (smooth + 0.2 * rough)
    else:
        fill = continued(x, 1 - grown)
        fine = x - functional.avg_pool2d(x, 5, stride=1, padding=2)
        fill = fill + rough * ((fine * (1 - grown)).std() * (0.3 + drawn()))
        # Bright or dark where the middle was: a blob alone is no ventricle.
        distance = functional.avg_pool2d(grown, margin, stride=1, padding=margin // 2)
        fill = fill + (drawn() - 0.4) * 2 * x.std() * distance**2
    return x * (1 - weight) + fill * weight


def with_decoys(
    x: torch.Tensor, y: torch.Tensor, chosen: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Images with the ventricle and wall of the batch's next image pasted away from their own.

    Parameters
    ----------
    x, y : Tensor, shape (B, 1, H, W)
    chosen : Tensor of bool, shape (B,)
        Which images get one.
    """
    pasted = x.clone()
    for i in [int(k) for k in torch.nonzero(chosen)[:, 0]]:
        other = (i + 1) % len(x)
        size = 2 * int(torch.randint(4, 13, (1,), generator=generator)) + 1
        grown = functional.max_pool2d(y[other][None], size, stride=1, padding=size // 2)
        weight = functional.avg_pool2d(grown, 5, stride=1, padding=2)
        turn = float(torch.rand(1, generator=generator)) * 2 * math.pi
        far = 60 + 50 * float(torch.rand(1, generator=generator))
        by = (round(far * math.sin(turn)), round(far * math.cos(turn)))
        weight = torch.roll(weight, by, dims=(2, 3))[0]
        weight = weight * (1 - functional.max_pool2d(y[i], 25, stride=1, padding=12))
        pasted[i] = x[i] * (1 - weight) + torch.roll(x[other], by, dims=(1, 2)) * weight
    return pasted


def continued(x: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Images continued from where they are known: from means over ever larger squares.

    Parameters
    ----------
    x, known : Tensor, shape (B, 1, H, W)
        Images, and the share of each pixel that is known.
    """
    if min(x.shape[-2:]) < 2:
        return (x * known).sum(dim=(2, 3), keepdim=True) / known.sum(
            dim=(2, 3), keepdim=True
        ).clamp(min=1e-6) + torch.zeros_like(x)
    part = functional.avg_pool2d(known, 2)
    mean = functional.avg_pool2d(x * known, 2) / part.clamp(min=1e-6)
    # Four times the share: a square of which a quarter is known is known.
    coarse = continued(mean, (4 * part).clamp(max=1.0))
    wide = functional.interpolate(coarse, size=x.shape[-2:], mode="bilinear")
    return x * known + wide * (1 - known)
