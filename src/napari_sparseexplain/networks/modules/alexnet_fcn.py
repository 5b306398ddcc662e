"""AlexNet made fully convolutional: the baseline of the left-ventricle paper, from scratch.

Krizhevsky et al. 2012, its fully connected layers as convolutions (Long et al. 2015, FCN-32s), for
one grey image. The paper began with weights learnt on photographs, which are not to be had here.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ...errors import ModelError
from ...sparse.haar_frame import pad_to_multiple
from .softmax_head import SoftmaxHead

#: Pixels of the image to one of the score.
STRIDE = 32


class AlexNetFcn(nn.Module):
    """Five convolutions, three poolings, two wide 1×1 layers, one transposed convolution.

    Parameters
    ----------
    in_channels, classes : int
        Images that go in, exclusive classes that come out.
    hidden : int
        Maps of the two layers that were fully connected; 4096 in AlexNet.
    """

    def __init__(self, in_channels: int = 1, classes: int = 2, hidden: int = 1024) -> None:
        super().__init__()
        if in_channels < 1 or classes < 2 or hidden < 1:
            raise ValueError("in_channels and hidden must be at least 1, classes at least 2")
        self.in_channels, self.classes = in_channels, classes
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 64, 11, stride=4, padding=5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(256, hidden, 5, padding=2), nn.ReLU(),
            nn.Conv2d(hidden, hidden, 1), nn.ReLU(),
        )  # fmt: skip
        self.score = nn.Conv2d(hidden, classes, 1)
        self.head = SoftmaxHead()

    @property
    def multiple(self) -> int:
        """Height and width are padded to multiples of this inside, and cropped back."""
        return STRIDE

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        """Segment images (B, in_channels, H, W): probabilities, and what made them.

        Raises
        ------
        ModelError
            ``alpha`` is not 1.
        """
        if alpha != 1:
            raise ModelError(
                f"AlexNet has no thresholds, so alpha = {alpha:g} means nothing to it",
                remedy="Choose a SUM model, or leave alpha at 1",
            )
        signal = self.signal(x)
        return self.head(signal), signal

    def signal(self, x: torch.Tensor) -> torch.Tensor:
        """What the output layer receives, shape (B, classes, H, W)."""
        x, crop = pad_to_multiple(x, STRIDE)
        coarse = self.score(self.features(x))
        # As FCN-32s ends: interpolated back in one step.
        grown = functional.interpolate(
            coarse, size=x.shape[-2:], mode="bilinear", align_corners=False
        )
        return grown[..., crop[0], crop[1]]
