"""Images of another contrast, gain and noise, as other coils and scanners make them."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch.nn import functional


class Shading(Protocol):
    """How far images are changed.

    Attributes
    ----------
    contrast, gamma, noise : float
        Largest relative change of contrast, of the exponent, and the largest standard deviation
        of added noise (of an image with standard deviation 1).
    shading : float
        Strength of a smooth gain over the image, as a coil's.
    """

    @property
    def contrast(self) -> float: ...
    @property
    def gamma(self) -> float: ...
    @property
    def noise(self) -> float: ...
    @property
    def shading(self) -> float: ...


def shaded(x: torch.Tensor, how: Shading, generator: torch.Generator) -> torch.Tensor:
    """Another contrast, gain and noise, then mean 0 and deviation 1 again as the network is fed.

    Parameters
    ----------
    x : Tensor, shape (B, 1, H, W)
    """
    batch = len(x)

    def drawn(*shape: int) -> torch.Tensor:
        return 2 * torch.rand(batch, *shape, generator=generator) - 1

    low, high = x.amin(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True)
    unit = (x - low) / (high - low).clamp(min=1e-6)
    unit = unit ** torch.exp(drawn(1, 1, 1) * math.log1p(how.gamma))
    coarse = drawn(1, 3, 3) * how.shading
    gain = 1 + functional.interpolate(coarse, size=x.shape[-2:], mode="bicubic")
    x = unit * gain * (1 + drawn(1, 1, 1) * how.contrast)
    deviation = x.std(dim=(2, 3), keepdim=True).clamp(min=1e-6)
    strength = torch.rand(batch, 1, 1, 1, generator=generator) * how.noise
    x = x + strength * deviation * torch.randn(x.shape, generator=generator)
    return normalised(x)


def normalised(x: torch.Tensor) -> torch.Tensor:
    """Images (B, 1, H, W) with mean 0 and standard deviation 1 each, as `NORMALISATION` gives."""
    mean = x.mean(dim=(2, 3), keepdim=True)
    deviation = x.std(dim=(2, 3), keepdim=True, correction=0)
    return (x - mean) / deviation.clamp(min=1e-6)
