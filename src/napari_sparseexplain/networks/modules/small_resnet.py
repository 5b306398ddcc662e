"""A small residual network that classifies slices: half a million weights, trained on a laptop.

Residual blocks with batch normalisation (He et al. 2016) in four stages, then the mean and the
largest value of every map, and one linear layer.
"""

from __future__ import annotations

import torch
from torch import nn

from ...errors import ModelError
from .padded_square import padded_square


class Residual(nn.Module):
    """Two convolutions beside a short cut.

    Parameters
    ----------
    inputs, outputs : int
        Maps.
    stride : int
        Of the first convolution and of the short cut.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.relu2 = nn.ReLU()
        self.across = (
            nn.Identity()
            if inputs == outputs and stride == 1
            else nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        y = self.relu1(self.norm1(self.conv1(x)))
        return self.relu2(self.norm2(self.conv2(y)) + self.across(x))


class SmallResNet(nn.Module):
    """Images to probabilities of exclusive classes.

    Parameters
    ----------
    in_channels, classes : int
    widths : list of int
        Maps of the stages; each after the first halves the image. 24, 48, 96, 160 by default.
    size : int
        Images are filled up with zeros to at least this square.
    dropout : float
        Share of the last values that is dropped in training.
    """

    def __init__(
        self,
        in_channels: int = 1,
        classes: int = 3,
        widths: list[int] | None = None,
        size: int = 128,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        chosen = [24, 48, 96, 160] if widths is None else list(widths)
        if min(in_channels, size, *chosen) < 1 or classes < 2 or not 0 <= dropout < 1:
            raise ValueError("at least 1 image, 2 classes, widths from 1 on, dropout below 1")
        self.in_channels, self.classes, self.size = in_channels, classes, size
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, chosen[0], 5, 2, 2, bias=False),
            nn.BatchNorm2d(chosen[0]),
            nn.ReLU(),
        )
        stages: list[nn.Module] = []
        inputs = chosen[0]
        for index, width in enumerate(chosen):
            stages.append(Residual(inputs, width, 1 if index == 0 else 2))
            stages.append(Residual(width, width, 1))
            inputs = width
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Linear(2 * inputs, classes)

    @property
    def map_layer(self) -> str:
        """The rectified output of the last block: what the scores are made of."""
        return f"stages.{len(self.stages) - 1}.relu2"

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        """Classify images.

        Parameters
        ----------
        x : Tensor, shape (B, in_channels, H, W)
            Each with mean 0 and standard deviation 1.
        alpha : float
            Must be 1: there are no thresholds to scale.

        Returns
        -------
        probabilities, logits : Tensor, shape (B, classes)

        Raises
        ------
        ModelError
            ``alpha`` is not 1.
        """
        if alpha != 1:
            raise ModelError(
                f"a classifier has no thresholds, so alpha = {alpha:g} means nothing to it",
                remedy="Leave alpha at 1",
            )
        logits = self.scores(self.maps(x))
        return torch.softmax(logits, dim=1), logits

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        """Maps of the last stage."""
        return self.stages(self.stem(padded_square(x, self.size)))

    def scores(self, maps: torch.Tensor) -> torch.Tensor:
        """Logits of the maps of the last stage."""
        pooled = torch.cat((maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))), dim=1)
        return self.last(self.dropout(pooled))
