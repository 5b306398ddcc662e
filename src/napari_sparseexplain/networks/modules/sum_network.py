"""The simplified U-Net proxy (SUM) of Zavala-Mondragón et al. (Fig. 1 of the paper).

A U-Net whose pooling is the Haar transform, whose activations are shrinkages, and which has
neither biases nor normalisation: at ``alpha = 0`` its encoder-decoder is a linear filter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import nn

from ...sparse.haar_frame import haar_analysis, haar_synthesis, pad_to_multiple
from ...sparse.thresholds import Shrinkage
from .clip_head import ClipHead


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    """3×3, stride 1, no bias, the border repeated."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="replicate", bias=False)


#: Halvings of the image, at most: 2^12 pixels then become one.
MOST_LEVELS = 12


class _Pair(nn.Module):
    """Convolution, shrinkage, convolution, shrinkage."""

    def __init__(self, inputs: int, middle: int, outputs: int, level: int, positive: bool) -> None:
        super().__init__()
        self.convolution_a = _convolution(inputs, middle)
        self.a = Shrinkage(middle, level=level, positive=positive)
        self.convolution_b = _convolution(middle, outputs)
        self.b = Shrinkage(outputs, level=level, positive=positive)

    def forward(self, x: torch.Tensor, alpha: float) -> torch.Tensor:
        x = self.a(self.convolution_a(x), alpha)
        return self.b(self.convolution_b(x), alpha)


class _Decoder(nn.Module):
    """Merge what comes from below with the skipped maps, and hand them to the level above."""

    def __init__(self, maps: int, outputs: int, level: int, positive: bool) -> None:
        super().__init__()
        self.convolution_below = _convolution(maps, maps)
        self.convolution_across = _convolution(maps, maps)
        self.a = Shrinkage(maps, level=level, positive=positive)
        self.convolution_above = _convolution(maps, outputs)
        self.b = Shrinkage(outputs, level=level, positive=positive)

    def forward(self, y: torch.Tensor, across: torch.Tensor, alpha: float) -> torch.Tensor:
        x = self.a(self.convolution_below(y) + self.convolution_across(across), alpha)
        return self.b(self.convolution_above(x), alpha)


class SumNetwork(nn.Module):
    """SUM: encoder-decoder ED of shrinkages and Haar transforms, then the clip head.

    Parameters
    ----------
    in_channels : int
        Images that go in.
    classes : int
        Signals and masks that come out; 1 is the paper's binary model.
    maps : int
        Feature maps of the first level; doubled at every level.
    levels : int
        Levels of decomposition.
    positive_thresholds : bool
        Thresholds positive by construction (beyond the paper).

    Notes
    -----
    With the defaults there are 343,474 parameters. ED is odd, ``ED(-x) = -ED(x)``, for every
    ``alpha`` and all thresholds: it cannot treat the two polarities of a contrast differently.
    """

    def __init__(
        self,
        in_channels: int = 1,
        classes: int = 1,
        maps: int = 8,
        levels: int = 4,
        positive_thresholds: bool = False,
    ) -> None:
        super().__init__()
        if min(in_channels, classes, maps, levels) < 1:
            raise ValueError("in_channels, classes, maps and levels must be at least 1")
        if levels > MOST_LEVELS:
            raise ValueError(f"levels must be at most {MOST_LEVELS}")
        self.in_channels, self.classes, self.levels = in_channels, classes, levels
        widths = [maps * 2**level for level in range(levels)]
        inputs = [in_channels, *widths[:-1]]
        outputs = [classes, *widths[:-1]]
        self.encoder = nn.ModuleList(
            _Pair(inputs[i], widths[i], widths[i], i, positive_thresholds) for i in range(levels)
        )
        deepest = widths[-1]
        self.bottom = _Pair(deepest, 2 * deepest, deepest, levels, positive_thresholds)
        self.decoder = nn.ModuleList(
            _Decoder(widths[i], outputs[i], i, positive_thresholds) for i in range(levels)
        )
        self.head = ClipHead(classes)

    @property
    def multiple(self) -> int:
        """Height and width are padded to multiples of this inside, and cropped back."""
        return 2**self.levels

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        """Segment (or denoise) images.

        Parameters
        ----------
        x : Tensor, shape (B, in_channels, H, W)
            Any H and W; intensities in (0, 1).
        alpha : float
            Share of the learned thresholds in use, 0 (linear) to 1 (as trained).

        Returns
        -------
        mask : Tensor, shape (B, classes, H, W)
            In (0, 1): the estimate m̂, or the denoised image.
        signal : Tensor, shape (B, classes, H, W)
            ĉ, what ED hands to the output layer.
        """
        signal = self.signal(x, alpha)
        return self.head(signal), signal

    def signal(self, x: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
        """ĉ = ED(x) at ``alpha``, shape (B, classes, H, W)."""
        x, crop = pad_to_multiple(x, self.multiple)
        across: list[torch.Tensor] = []
        bands: list[torch.Tensor] = []
        for level in self.encoder:
            maps = level(x, alpha)
            x, high = haar_analysis(maps)
            across.append(maps)
            bands.append(high)
        x = self.bottom(x, alpha)
        for level in reversed(range(self.levels)):
            x = self.decoder[level](haar_synthesis(x, bands[level]), across[level], alpha)
        return x[..., crop[0], crop[1]]

    def linear(self, x: torch.Tensor) -> torch.Tensor:
        """ED at ``alpha = 0`` (Eq. 15): linear in ``x``, shape (B, classes, H, W)."""
        return self.signal(x, 0.0)

    def shrinkages(self) -> dict[str, Shrinkage]:
        """Every shrinkage by name (``"encoder.0.a"`` … ``"decoder.0.b"``), in order of flow."""
        found: dict[str, Shrinkage] = {}
        for level, pair in enumerate(cast(Iterable[_Pair], self.encoder)):
            found |= {f"encoder.{level}.a": pair.a, f"encoder.{level}.b": pair.b}
        found |= {"bottom.a": self.bottom.a, "bottom.b": self.bottom.b}
        for level in reversed(range(self.levels)):
            stage = cast(_Decoder, self.decoder[level])
            found |= {f"decoder.{level}.a": stage.a, f"decoder.{level}.b": stage.b}
        return found
