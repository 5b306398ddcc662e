"""SmoothGrad: a method averaged over noisy copies of the image.

Smilkov et al., *SmoothGrad: removing noise by adding noise*, 2017. Plain it averages gradients;
squared (SmoothGrad², Hooker et al. 2019) it averages their squares. `smoothed` does the same to any
other method.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ...networks.bundle.model import Model
from ...networks.running.preparation import Resolution
from ...progress import Progress, Work
from ...volumes import Study
from ..method_result import MethodResult
from ..score_function import ScoreFunction
from ..target import Target
from .frame import Attribution, attribution_work

#: Why no smoothed map adds up.
NO_GAP = "an average over noisy images belongs to none of them"


def noisy_copies(
    x: torch.Tensor, numbers: npt.NDArray[np.int64], sample: int, noise: float, seed: int
) -> torch.Tensor:
    """Images (B, C, H, W) with Gaussian noise of ``noise`` times their own range (max - min).

    The noise of a slice follows from seed, slice number and sample alone: a slice looks the same
    by itself, among others, and in any batch or on any device.
    """
    shape = tuple(x.shape[1:])
    drawn = [
        np.random.default_rng((seed, int(number), sample)).standard_normal(shape)
        for number in numbers
    ]
    spread = x.amax(dim=(1, 2, 3), keepdim=True) - x.amin(dim=(1, 2, 3), keepdim=True)
    return x + noise * spread * torch.from_numpy(np.stack(drawn)).to(x)


def smoothed(
    x: torch.Tensor,
    numbers: npt.NDArray[np.int64],
    attribute: Callable[[torch.Tensor, int], Work[Attribution]],
    *,
    samples: int,
    noise: float,
    squared: bool,
    seed: int,
) -> Work[Attribution]:
    """The mean of ``attribute(noisy image, sample)`` over samples, or of its square."""
    total = torch.zeros_like(x)
    for sample in range(samples):
        work = attribute(noisy_copies(x, numbers, sample, noise, seed), sample)
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                values = end.value.values
                break
            yield replace(
                step,
                done=sample * step.total + step.done,
                total=samples * step.total,
                message=f"Sample {sample + 1} of {samples}",
            )
        total += values.square() if squared else values
    return Attribution(total / samples)


def smoothgrad(
    score: ScoreFunction,
    x: torch.Tensor,
    rows: npt.NDArray[np.int64],
    numbers: npt.NDArray[np.int64],
    *,
    samples: int = 25,
    noise: float = 0.15,
    squared: bool = False,
    seed: int = 0,
) -> Work[Attribution]:
    """The mean gradient, or squared gradient, over noisy copies.

    Parameters
    ----------
    x : Tensor, shape (B, C, H, W)
    rows, numbers : ndarray of int, shape (B,)
        Prepared slices that the images stand for; their numbers in the study, for the noise.
    noise : float
        Standard deviation, as a share of each image's range.
    """

    def attribute(image: torch.Tensor, sample: int) -> Work[Attribution]:
        yield Progress(0, 1)
        step = f"noisy sample {sample + 1} of {samples}"
        return Attribution(score.gradient(image, rows, step=step)[1])

    return (
        yield from smoothed(
            x, numbers, attribute, samples=samples, noise=noise, squared=squared, seed=seed
        )
    )


def smoothgrad_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    resolution: Resolution,
    **parameters: Any,
) -> Work[MethodResult]:
    """The method ``smoothgrad``; see `attribution_work` for what it returns."""
    return (
        yield from attribution_work(
            study,
            model,
            "smoothgrad",
            partial(smoothgrad, **parameters),
            target=target,
            slices=slices,
            resolution=resolution,
            parameters=parameters,
            signed=not parameters["squared"],
            no_gap=NO_GAP,
        )
    )
