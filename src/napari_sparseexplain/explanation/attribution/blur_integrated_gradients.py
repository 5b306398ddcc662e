"""Blur integrated gradients: the path runs from the image to its blur, at every scale between.

Xu, Venugopalan & Sundararajan, *Attribution in Scale and Space*, CVPR 2020. No baseline has to be
chosen, and no new edges appear on the way.
"""

from __future__ import annotations

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
from .gaussian_blur import gaussian_blur
from .integrated_gradients import score_change

BLUR_RULES = ("secant", "peer")

#: Step of σ over which the authors' code differentiates the blur.
PEER_STEP = 0.01


def blur_integrated_gradients(
    score: ScoreFunction,
    x: torch.Tensor,
    rows: npt.NDArray[np.int64],
    *,
    max_sigma: float = 50.0,
    n_steps: int = 100,
    rule: str = "secant",
) -> Work[Attribution]:
    """Blur integrated gradients of images (B, C, H, W), one gradient an image and step.

    Parameters
    ----------
    max_sigma : float
        Standard deviation of the blur at the end of the path, in pixels.
    rule : {"secant", "peer"}
        ``"secant"``: the change of the image over a step times the gradient half way. It adds up
        exactly where the score is quadratic, and blurs once a step. ``"peer"``: as the authors'
        code: a forward difference at the beginning of a step, whose first is always zero.

    Raises
    ------
    ModelError
        A gradient is NaN or infinite; names the blur.
    """
    if rule not in BLUR_RULES:
        raise ValueError(f"rule must be one of {BLUR_RULES}")
    sigmas = [i * max_sigma / n_steps for i in range(n_steps + 1)]
    total = torch.zeros_like(x)
    sharp = x
    for step in range(n_steps):
        low, high = sigmas[step], sigmas[step + 1]
        where = f"step {step + 1} of {n_steps} (blur {low:.3g} px)"
        if rule == "peer":
            image = gaussian_blur(x, low)
            slope = (gaussian_blur(x, low + PEER_STEP) - image) / PEER_STEP
            _, gradients = score.gradient(image, rows, step=where)
            total -= (high - low) * slope * gradients
        else:
            blurred = gaussian_blur(x, high)
            _, gradients = score.gradient((sharp + blurred) / 2, rows, step=where)
            total += (sharp - blurred) * gradients
            sharp = blurred
        yield Progress(step + 1, n_steps, f"Blur {high:.3g} px")
    end = gaussian_blur(x, max_sigma)
    return Attribution(total, score_change(score, x, end, rows))


def blur_integrated_gradients_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    resolution: Resolution,
    **parameters: Any,
) -> Work[MethodResult]:
    """The method ``blur-integrated-gradients``; see `attribution_work` for what it returns."""

    def compute(score: ScoreFunction, x: torch.Tensor, rows, numbers) -> Work[Attribution]:
        return blur_integrated_gradients(score, x, rows, **parameters)

    return (
        yield from attribution_work(
            study,
            model,
            "blur-integrated-gradients",
            compute,
            target=target,
            slices=slices,
            resolution=resolution,
            parameters=parameters,
            notes=("The score is compared with that of the blurred image.",),
        )
    )
