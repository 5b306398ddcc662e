"""The fully convolutional network that finds the left ventricle in short-axis slices.

Four convolutions, two poolings, a score at a sixteenth of the resolution and one transposed
convolution back [1]_; 1,856,944 weights and 902 biases with the paper's widths.

References
----------
.. [1] J. Liu et al., An explainable convolutional neural networks for automatic segmentation of the
       left ventricle in cardiac MRI, 2020. It gives no widths; these are those of the public
       teaching course that it follows, which lead to its number of weights.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from ...errors import ModelError
from ...sparse.haar_frame import pad_to_multiple
from .softmax_head import SoftmaxHead

#: Pixels of the image to one of the score: two strided convolutions and two poolings.
STRIDE = 16


class SamePadding(nn.Module):
    """Zeros around an image so that a kernel of 5 and stride 2 halves it: one before, two after.

    The "SAME" of TensorFlow, in which the paper's network was written; torch pads both sides alike.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (B, C, H, W) with 3 rows and 3 columns more."""
        return functional.pad(x, (1, 2, 1, 2))


class LeftVentricleFcn(nn.Module):
    """The paper's network, with the softmax as its output layer.

    Parameters
    ----------
    in_channels, classes : int
        Images that go in, exclusive classes that come out (background is one).
    widths : list of int
        Maps of the convolutions: 100, 200, 300, 300 in the paper.
    """

    def __init__(
        self, in_channels: int = 1, classes: int = 2, widths: list[int] | None = None
    ) -> None:
        super().__init__()
        chosen = [100, 200, 300, 300] if widths is None else list(widths)
        if in_channels < 1 or classes < 2 or len(chosen) != 4 or min(chosen) < 1:
            raise ValueError("at least 1 image, 2 classes and four widths from 1 on are needed")
        self.in_channels, self.classes = in_channels, classes
        one, two, three, four = chosen
        self.pad = SamePadding()
        self.conv1 = nn.Conv2d(in_channels, one, 5, stride=2)
        self.conv2 = nn.Conv2d(one, two, 5, stride=2)
        self.conv3 = nn.Conv2d(two, three, 3, padding=1)
        self.conv4 = nn.Conv2d(three, four, 3, padding=1)
        self.relu1, self.relu2, self.relu3, self.relu4 = (nn.ReLU() for _ in range(4))
        self.pool1, self.pool2 = nn.MaxPool2d(2), nn.MaxPool2d(2)
        self.score = nn.Conv2d(four, classes, 1)
        self.upscore = nn.ConvTranspose2d(classes, classes, 31, stride=STRIDE, bias=False)
        self.head = SoftmaxHead()
        self._initialise()

    @property
    def multiple(self) -> int:
        """Height and width are padded to multiples of this inside, and cropped back."""
        return STRIDE

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        """Segment images.

        Parameters
        ----------
        x : Tensor, shape (B, in_channels, H, W)
            Any H and W; each image with mean 0 and standard deviation 1.
        alpha : float
            Must be 1: there are no thresholds to scale.

        Returns
        -------
        mask, signal : Tensor, shape (B, classes, H, W)
            Probabilities that add to 1, and what is handed to the softmax.

        Raises
        ------
        ModelError
            ``alpha`` is not 1.
        """
        if alpha != 1:
            raise ModelError(
                f"the FCN has no thresholds, so alpha = {alpha:g} means nothing to it",
                remedy="Choose a SUM model, or leave alpha at 1",
            )
        signal = self.signal(x)
        return self.head(signal), signal

    def signal(self, x: torch.Tensor) -> torch.Tensor:
        """What the output layer receives, shape (B, classes, H, W)."""
        x, crop = pad_to_multiple(x, STRIDE)
        rows, columns = x.shape[-2:]
        x = self.pool1(self.relu1(self.conv1(self.pad(x))))
        x = self.pool2(self.relu2(self.conv2(self.pad(x))))
        x = self.relu4(self.conv4(self.relu3(self.conv3(x))))
        # A kernel of 31 at a stride of 16 reaches 7 pixels over the image's upper left.
        grown = self.upscore(self.score(x))[..., 7 : 7 + rows, 7 : 7 + columns]
        return grown[..., crop[0], crop[1]]

    def _initialise(self) -> None:
        """Convolutions as He et al. 2015 say; the way up starts as linear interpolation."""
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            _set_to_zero(layer)
        # Small, so that no class is favoured before anything is learnt.
        nn.init.normal_(self.score.weight, std=0.1 / math.sqrt(self.score.in_channels))
        _set_to_zero(self.score)
        line = 1 - (torch.arange(31) - 15).abs() / STRIDE
        with torch.no_grad():
            self.upscore.weight.zero_()
            for channel in range(self.classes):
                self.upscore.weight[channel, channel] = line[:, None] * line[None, :]


def _set_to_zero(layer: nn.Conv2d) -> None:
    """The biases of a layer that has them."""
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
