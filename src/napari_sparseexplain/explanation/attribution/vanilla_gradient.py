"""Vanilla gradient: how the score moves with each pixel, at the image itself.

Simonyan, Vedaldi & Zisserman, *Deep Inside Convolutional Networks*, 2013: ∂f/∂x.
"""

from __future__ import annotations

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


def vanilla_gradient(
    score: ScoreFunction,
    x: torch.Tensor,
    rows: npt.NDArray[np.int64],
    numbers: npt.NDArray[np.int64] | None = None,
) -> Work[Attribution]:
    """∂f/∂x of images (B, C, H, W) that stand for the prepared slices ``rows``."""
    yield Progress(0, 1, "Gradient")
    _, gradients = score.gradient(x, rows, step="the image itself")
    yield Progress(1, 1, "Gradient")
    return Attribution(gradients)


def vanilla_gradient_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    resolution: Resolution,
) -> Work[MethodResult]:
    """The method ``vanilla-gradient``; see `attribution_work` for what it returns."""
    return (
        yield from attribution_work(
            study,
            model,
            "vanilla-gradient",
            vanilla_gradient,
            target=target,
            slices=slices,
            resolution=resolution,
            parameters={},
            no_gap="a gradient is a rate of change and adds up to nothing",
        )
    )
