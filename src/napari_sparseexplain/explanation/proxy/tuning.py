"""What a network is tuned to: its answer to planted gratings and discs.

For the linear part the grating curve is the frequency response averaged over phases; with the
thresholds on there is no frequency response, and planting what one asks about still answers.
Contrasts are those of images in (0, 1) about zero, since a shrinkage network has no offset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

Array = npt.NDArray[np.float64]

#: Orientations and phases over which a grating's answer is taken.
_ORIENTATIONS = 4
_PHASES = 4


@dataclass(frozen=True, eq=False)
class Tuning:
    """Answers to patterns of growing size.

    Attributes
    ----------
    sizes : ndarray, shape (K,)
        Periods of gratings, or diameters of discs, in pixels.
    answers : ndarray, shape (K,)
        Root mean square of ĉ over that of the pattern (gratings); ĉ in the middle over the
        disc's norm, in absolute value (discs), which is largest for the disc that the network's
        filter matches best.
    """

    sizes: Array
    answers: Array

    @property
    def dominant(self) -> float | None:
        """Size that is answered most strongly; None when nothing is."""
        if not self.answers.any():
            return None
        return float(self.sizes[int(self.answers.argmax())])

    @property
    def octave(self) -> tuple[float, float] | None:
        """The octave about the dominant size: from it over √2 to it times √2, in pixels."""
        found = self.dominant
        return None if found is None else (found / 2**0.5, found * 2**0.5)


def half_octaves(low: float, high: float) -> Array:
    """Sizes from ``low`` to ``high``, two to the octave."""
    count = int(np.floor(2 * np.log2(high / low) + 1e-9)) + 1
    return low * 2 ** (np.arange(count) / 2)


def grating_tuning(
    network: nn.Module,
    periods: Sequence[float] | Array,
    *,
    channels: int = 1,
    size: int = 128,
    alpha: float = 1.0,
    contrast: float = 0.5,
    output: int = 0,
) -> Tuning:
    """Answers to gratings: root mean square in the middle half, the best of four orientations.

    Parameters
    ----------
    periods : sequence of float
        In pixels, at least 2.
    channels : int
        Input channels; all get the grating.
    contrast : float
        Amplitude.
    """
    rows, columns = np.mgrid[:size, :size] - size // 2
    answers = []
    middle = slice(size // 4, size - size // 4)
    for period in periods:
        best = 0.0
        for turn in range(_ORIENTATIONS):
            angle = np.pi * turn / _ORIENTATIONS
            along = np.cos(angle) * columns + np.sin(angle) * rows
            shift = np.arange(_PHASES)[:, None, None] / _PHASES
            waves = contrast * np.sin(2 * np.pi * (along / period + shift))
            signal = _signal(network, waves, channels, alpha)[:, output, middle, middle]
            scale = float(np.sqrt(np.mean(waves[:, middle, middle] ** 2)))
            best = max(best, float(np.sqrt(np.mean(signal**2))) / scale)
        answers.append(best)
    return Tuning(np.asarray(periods, dtype=np.float64), np.array(answers))


def disc_tuning(
    network: nn.Module,
    diameters: Sequence[float] | Array,
    *,
    channels: int = 1,
    size: int = 128,
    alpha: float = 1.0,
    contrast: float = 0.5,
    output: int = 0,
) -> Tuning:
    """Answers to bright discs in the middle of nothing.

    Each is moved over the block of the network's wavelets, since the answer depends on it.

    Parameters
    ----------
    diameters : sequence of float
        In pixels.
    """
    period = 2 ** int(getattr(network, "levels", 0))
    moves = range(0, period, max(1, period // 4))
    rows, columns = np.mgrid[:size, :size]
    answers = []
    for diameter in diameters:
        centres = [size // 2 + move for move in moves]
        discs = np.stack(
            [contrast * (np.hypot(rows - c, columns - c) <= diameter / 2) for c in centres]
        )
        signal = _signal(network, discs, channels, alpha)[:, output]
        here = np.array([signal[n, c, c] for n, c in enumerate(centres)])
        norm = float(np.linalg.norm(discs[0]))
        answers.append(float(np.sqrt(np.mean(here**2))) / norm)
    return Tuning(np.asarray(diameters, dtype=np.float64), np.array(answers))


def _signal(
    network: nn.Module, patterns: npt.NDArray[Any], channels: int, alpha: float
) -> npt.NDArray[np.float64]:
    """ĉ of patterns (N, H, W), one at a time: (N, classes, H, W)."""
    weight = next(network.parameters())
    found = []
    with torch.inference_mode():
        for pattern in patterns:
            x: Tensor = torch.from_numpy(pattern).to(device=weight.device, dtype=weight.dtype)
            x = x.expand(1, channels, *pattern.shape).contiguous()
            found.append(network(x, alpha)[1][0].double().cpu().numpy())
    return np.stack(found)
