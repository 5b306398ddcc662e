"""How far a network's linear part is from one convolution: responses at all phases.

The Haar transform keeps every second sample, so a network of L levels treats an impulse
differently according to its place within a block of ``2**L`` pixels. It is periodically
shift-varying: equivariant to shifts by the period, described by ``period**2`` responses and
not by one. The paper (Zavala-Mondragón et al., Appendix B) shows one of them.

The mean over all phases, each response centred on its own impulse, is the single
convolution nearest to the system in the least-squares sense; the defect says how near.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...progress import Progress, Work
from .response_metrics import (
    frequency_magnitude,
    frequency_spread,
    frequency_variation,
    space_spread,
)

#: Side of the square that the paper crops a response to, in pixels.
CROP = 128


class LinearPart(Protocol):
    """What is asked of a network here: its linear part, and how deep it goes."""

    in_channels: int
    levels: int

    def linear(self, x: Tensor) -> Tensor:
        """ED at α = 0: (B, in_channels, H, W) to (B, classes, H, W)."""
        ...

    def parameters(self) -> Any:
        """As `torch.nn.Module.parameters`."""
        ...


@dataclass(frozen=True, eq=False)
class ShiftVariance:
    """Responses of one input channel over all phases, summed up.

    Attributes
    ----------
    period : int
        ``2**levels``; there are ``period**2`` phases.
    averaged : ndarray, shape (classes, N, N)
        r̄: the mean response, impulse at ``(N // 2, N // 2)``.
    defect : ndarray, shape (classes,)
        Mean over phases of ``‖r_p - r̄‖ / ‖r_p‖``: 0 for a true convolution.
    metrics : mapping of str to ndarray, shape (period, period, classes)
        ``SDS``, ``SDS (energy)``, ``FDV``, ``FDS`` of every phase (row, column).
    """

    period: int
    averaged: npt.NDArray[np.float64]
    defect: npt.NDArray[np.float64]
    metrics: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    def span(self, metric: str, output: int = 0) -> tuple[float, float, float]:
        """Smallest, mean and largest value of ``metric`` over all phases of one class."""
        values = self.metrics[metric][..., output]
        return float(values.min()), float(values.mean()), float(values.max())


def support_radius(levels: int) -> int:
    """Farthest pixel, along a row or a column, that an impulse at its worst phase can reach.

    Four 3×3 convolutions at each of ``levels`` scales (two going down, two coming up), two
    at the bottom, and the Haar blocks, in which a pixel can move by ``2**levels - 1``.
    """
    scale = 2**levels
    return 4 * (scale - 1) + 2 * scale + (scale - 1)


def working_size(levels: int, crop: int) -> int:
    """Side of the smallest image on which the central ``crop`` is free of border effects.

    An impulse off the centre by less than one period must not reach the border and come
    back into the crop: that path is longer than the support once the border lies
    ``(support + crop / 2) / 2`` away. It also never needs to be larger than the support.
    """
    period = 2**levels
    radius = support_radius(levels)
    reach = max(min(radius, (radius + crop // 2 + 1) // 2), crop // 2) + period
    return 2 * period * -(-reach // period)


def phase_responses_work(
    network: LinearPart, *, channel: int = 0, crop: int = CROP, batch: int = 1
) -> Work[npt.NDArray[np.float32]]:
    """Responses of the linear part to an impulse at every phase.

    Parameters
    ----------
    network : LinearPart
        A SUM network.
    channel : int
        Input channel that gets the impulse.
    crop : int
        Side of the square kept around each impulse, even.
    batch : int
        Impulses per forward pass. On a CPU one at a time is the fastest.

    Returns
    -------
    ndarray, shape (period, period, classes, crop, crop)
        ``[py, px]``: response to an impulse ``py`` rows and ``px`` columns into a block, cut
        out so that the impulse lies at ``(crop // 2, crop // 2)``.
    """
    period = 2**network.levels
    size = working_size(network.levels, crop)
    middle = size // 2 // period * period
    weight = next(iter(network.parameters()))
    half = crop // 2
    phases = [(py, px) for py in range(period) for px in range(period)]
    found: npt.NDArray[np.float32] | None = None
    for start in range(0, len(phases), batch):
        chunk = phases[start : start + batch]
        x = torch.zeros(
            (len(chunk), network.in_channels, size, size), device=weight.device, dtype=weight.dtype
        ).to(memory_format=torch.channels_last)
        for item, (py, px) in enumerate(chunk):
            x[item, channel, middle + py, middle + px] = 1
        with torch.inference_mode():
            y = network.linear(x).float().cpu().numpy()
        if found is None:
            found = np.empty((period, period, y.shape[1], crop, crop), dtype=np.float32)
        for item, (py, px) in enumerate(chunk):
            rows = slice(middle + py - half, middle + py - half + crop)
            columns = slice(middle + px - half, middle + px - half + crop)
            found[py, px] = y[item, :, rows, columns]
        yield Progress(start + len(chunk), len(phases), "Impulse at every phase")
    assert found is not None
    return found


def shift_variance_work(
    network: LinearPart, *, channel: int = 0, crop: int = CROP, batch: int = 1
) -> Work[ShiftVariance]:
    """Mean response, defect and the range of every metric over all phases.

    Parameters are those of `phase_responses_work`.

    Raises
    ------
    ModelError
        The response is zero everywhere at some phase.
    """
    responses = yield from phase_responses_work(network, channel=channel, crop=crop, batch=batch)
    return summarise(responses)


def summarise(responses: npt.NDArray[np.floating[Any]]) -> ShiftVariance:
    """`ShiftVariance` of responses (period, period, classes, N, N)."""
    period = responses.shape[0]
    averaged = responses.mean(axis=(0, 1), dtype=np.float64)
    shape = responses.shape[:3]
    metrics = {name: np.empty(shape) for name in ("SDS", "SDS (energy)", "FDV", "FDS")}
    ratio = np.empty(shape)
    for row in range(period):  # a row at a time: the spectra of all phases need not be held
        block = responses[row].astype(np.float64)
        magnitude = frequency_magnitude(block)
        metrics["SDS"][row] = space_spread(block)
        metrics["SDS (energy)"][row] = space_spread(block, power=2)
        metrics["FDV"][row] = frequency_variation(magnitude)
        metrics["FDS"][row] = frequency_spread(magnitude)
        norm = np.linalg.norm(block, axis=(-2, -1))
        ratio[row] = np.linalg.norm(block - averaged, axis=(-2, -1)) / norm
    return ShiftVariance(period, averaged, ratio.mean(axis=(0, 1)), metrics)
