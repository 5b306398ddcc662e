"""The small 1-D network that learns a matched filter.

Source: Zavala-Mondragón et al., "Segmentation CNNs are denoising models", Appendix I, Eq. 30:
convolution (2×1×18), activation with one threshold per channel, convolution (1×2×18), clip.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from .clip_head import ClipHead

Activation = Literal["shrink", "relu"]

#: Length of the filters of Eq. 30, in samples.
TAPS = 18
#: Number of filters in the encoder of Eq. 30.
FILTERS = 2


class MatchedFilterNetwork(nn.Module):
    """Eq. 30 with soft shrinkage, as printed, or with a rectifier.

    Before the clip, the network with shrinkage is odd: a burst and its negative, which bear
    the same mask, get opposite signals. The rectifier is what lets two filters act as the two
    halves of an envelope detector.

    Parameters
    ----------
    activation : {"shrink", "relu"}
        Eq. 18 or Eq. 16 of the paper.
    generator : torch.Generator, optional
        Source of the initial weights.
    """

    def __init__(
        self, activation: Activation = "shrink", *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        if activation not in ("shrink", "relu"):
            raise ValueError(f"activation must be 'shrink' or 'relu', not {activation!r}")
        self.activation: Activation = activation
        encoder = torch.randn(FILTERS, 1, TAPS, generator=generator) / TAPS**0.5
        decoder = torch.randn(1, FILTERS, TAPS, generator=generator) / (FILTERS * TAPS) ** 0.5
        self.encoder = nn.Parameter(encoder)
        self.decoder = nn.Parameter(decoder)
        self.threshold = nn.Parameter(torch.full((FILTERS,), 0.1))
        # Eq. 30 has the clip without a scale; ClipHead is used for its recovery in training, since
        # a clip without any slope leaves a network that starts with an empty mask there.
        self.head = ClipHead(1)
        self.head.scale.requires_grad_(False)

    def encode(self, x: Tensor) -> Tensor:
        """Filtered and thresholded signals: (B, 1, T) to (B, 2, T)."""
        # 18 taps have no middle: one sample more behind here, one more before in `decode`, so
        # that the mask is not shifted against the signal.
        y = functional.conv1d(functional.pad(x, (TAPS // 2 - 1, TAPS // 2)), self.encoder)
        b = self.threshold[:, None]
        if self.activation == "relu":
            return functional.relu(y - b)
        return functional.relu(y - b) - functional.relu(-y - b)

    def decode(self, encoded: Tensor) -> Tensor:
        """Decoded signal before the clip: (B, 2, T) to (B, 1, T)."""
        padded = functional.pad(encoded, (TAPS // 2, TAPS // 2 - 1))
        return functional.conv1d(padded, self.decoder)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mask in (0, 1) and decoded signal, both (B, 1, T)."""
        signal = self.decode(self.encode(x))
        return self.head(signal[:, :, None])[:, :, 0], signal
