"""Padding to sides that a network can halve so often, and the crop that takes it off again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as functional

from ..bundle.padding_words import LARGEST_MULTIPLE, PADDINGS


@dataclass(frozen=True)
class DivisiblePadding:
    """Grow the last axes of images to multiples of a number by repeating their border.

    Attributes
    ----------
    multiple : int
        1 pads nothing.
    where : {"end", "symmetric"}

    Raises
    ------
    ValueError
        No whole number from 1 to `LARGEST_MULTIPLE`, or no such place.
    """

    multiple: int = 1
    where: Literal["end", "symmetric"] = "end"

    def __post_init__(self) -> None:
        if type(self.multiple) is not int or not 1 <= self.multiple <= LARGEST_MULTIPLE:
            raise ValueError(f"multiple must be a whole number from 1 to {LARGEST_MULTIPLE}")
        if self.where not in PADDINGS:
            raise ValueError(f"padding must be one of {', '.join(PADDINGS)}")

    def sides(self, shape: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """How many are added before and behind each axis."""
        missing = [-n % self.multiple for n in shape]
        before = [m // 2 if self.where == "symmetric" else 0 for m in missing]
        return tuple((b, m - b) for b, m in zip(before, missing, strict=True))

    def pad(self, x: torch.Tensor) -> tuple[torch.Tensor, tuple[slice, ...]]:
        """Images (B, C, H, W) or volumes (B, C, D, H, W), padded, and the crop back.

        Returns
        -------
        padded : Tensor
            ``x`` itself where nothing is missing.
        crop : tuple of slice
            ``padded[..., *crop]`` is ``x`` again.
        """
        shape = x.shape[2:]
        sides = self.sides(shape)
        crop = tuple(slice(b, b + n) for (b, _), n in zip(sides, shape, strict=True))
        if any(before or behind for before, behind in sides):
            flat = [n for before_behind in reversed(sides) for n in before_behind]
            x = functional.pad(x, flat, mode="replicate")
        return x, crop
