"""The baselines of the SUM paper: a U-Net with and without batch normalisation.

Ronneberger et al., *U-Net*, MICCAI 2015, with the border padded, and the SUM's output layer.
"""

from __future__ import annotations

import torch
from torch import nn

from ...errors import ModelError
from ...sparse.haar_frame import pad_to_multiple
from .clip_head import ClipHead
from .softmax_head import SoftmaxHead

#: Halvings of the image, at most: 2^12 pixels then become one.
MOST_LEVELS = 12


def _pair(inputs: int, outputs: int, batch_norm: bool) -> nn.Sequential:
    """Convolution, normalisation, ReLU, twice."""
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers.append(nn.Conv2d(channels, outputs, 3, padding=1, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm2d(outputs))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """U-Net with max pooling, transposed convolutions and the clip head.

    Parameters
    ----------
    in_channels, classes : int
        Images that go in, masks that come out.
    maps : int
        Feature maps of the first level; doubled at every level.
    levels : int
        Levels of pooling.
    batch_norm : bool
        False gives U-Net_NoBN.
    head : {"clip", "softmax"}
        The SUM paper's output layer, or exclusive classes.
    """

    def __init__(
        self,
        in_channels: int = 1,
        classes: int = 1,
        maps: int = 16,
        levels: int = 4,
        batch_norm: bool = True,
        head: str = "clip",
    ) -> None:
        super().__init__()
        if min(in_channels, classes, maps, levels) < 1:
            raise ValueError("in_channels, classes, maps and levels must be at least 1")
        if levels > MOST_LEVELS:
            raise ValueError(f"levels must be at most {MOST_LEVELS}")
        if head not in ("clip", "softmax"):
            raise ValueError("head must be clip or softmax")
        self.in_channels, self.classes, self.levels = in_channels, classes, levels
        widths = [maps * 2**level for level in range(levels + 1)]
        inputs = [in_channels, *widths[:-1]]
        self.encoder = nn.ModuleList(
            _pair(inputs[i], widths[i], batch_norm) for i in range(levels + 1)
        )
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(widths[i + 1], widths[i], 2, stride=2) for i in range(levels)
        )
        self.decoder = nn.ModuleList(
            _pair(2 * widths[i], widths[i], batch_norm) for i in range(levels)
        )
        self.last = nn.Conv2d(maps, classes, 3, padding=1)
        self.head = ClipHead(classes) if head == "clip" else SoftmaxHead()

    @property
    def multiple(self) -> int:
        """Height and width are padded to multiples of this inside, and cropped back."""
        return 2**self.levels

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        """Segment images.

        Parameters
        ----------
        x : Tensor, shape (B, in_channels, H, W)
            Any H and W; intensities in (0, 1).
        alpha : float
            Must be 1: there are no thresholds to scale.

        Returns
        -------
        mask, signal : Tensor, shape (B, classes, H, W)
            The mask in (0, 1), and what is handed to the output layer.

        Raises
        ------
        ModelError
            ``alpha`` is not 1.
        """
        if alpha != 1:
            raise ModelError(
                f"a U-Net has no thresholds, so alpha = {alpha:g} means nothing to it",
                remedy="Choose a SUM model, or leave alpha at 1",
            )
        signal = self.signal(x)
        return self.head(signal), signal

    def signal(self, x: torch.Tensor) -> torch.Tensor:
        """What the output layer receives, shape (B, classes, H, W)."""
        x, crop = pad_to_multiple(x, self.multiple)
        across: list[torch.Tensor] = []
        for level in range(self.levels):
            x = self.encoder[level](x)
            across.append(x)
            x = self.pool(x)
        x = self.encoder[self.levels](x)
        for level in reversed(range(self.levels)):
            x = self.decoder[level](torch.cat((across[level], self.up[level](x)), dim=1))
        return self.last(x)[..., crop[0], crop[1]]
