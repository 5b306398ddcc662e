"""Two methods of one name in the literature, told apart: what is averaged over noisy images.

*Smooth Blur IG* is SmoothGrad over blur integrated gradients. *Smooth Blur GIG* is SmoothGrad over
guided integrated gradients whose baseline is the blurred image; its path does not run through the
blurs between.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ...networks.bundle.model import Model
from ...networks.running.preparation import Resolution
from ...progress import Work
from ...volumes import Study
from ..method_result import MethodResult
from ..score_function import ScoreFunction
from ..target import Target
from .blur_integrated_gradients import blur_integrated_gradients
from .frame import Attribution, attribution_work
from .gaussian_blur import gaussian_blur
from .guided_integrated_gradients import guided_integrated_gradients
from .smoothgrad import NO_GAP, smoothed


def smooth_blur_ig(
    score: ScoreFunction,
    x: torch.Tensor,
    rows: npt.NDArray[np.int64],
    numbers: npt.NDArray[np.int64],
    *,
    samples: int = 25,
    noise: float = 0.15,
    squared: bool = False,
    seed: int = 0,
    max_sigma: float = 50.0,
    n_steps: int = 100,
) -> Work[Attribution]:
    """Blur integrated gradients, averaged over noisy copies of images (B, C, H, W)."""

    def attribute(image: torch.Tensor, sample: int) -> Work[Attribution]:
        return blur_integrated_gradients(score, image, rows, max_sigma=max_sigma, n_steps=n_steps)

    return (
        yield from smoothed(
            x, numbers, attribute, samples=samples, noise=noise, squared=squared, seed=seed
        )
    )


def smooth_blur_gig(
    score: ScoreFunction,
    x: torch.Tensor,
    rows: npt.NDArray[np.int64],
    numbers: npt.NDArray[np.int64],
    *,
    samples: int = 25,
    noise: float = 0.15,
    squared: bool = False,
    seed: int = 0,
    max_sigma: float = 50.0,
    n_steps: int = 200,
    fraction: float = 0.25,
    max_dist: float = 0.02,
    quantile_over: str = "movable",
    rule: str = "equal",
    tolerance: float = 0.05,
) -> Work[Attribution]:
    """Guided integrated gradients from the blurred image, averaged over noisy copies.

    The baseline is the blur of the image without noise, the same for every copy.
    """
    baseline = gaussian_blur(x, max_sigma)

    def attribute(image: torch.Tensor, sample: int) -> Work[Attribution]:
        return guided_integrated_gradients(
            score,
            image,
            baseline,
            rows,
            n_steps=n_steps,
            fraction=fraction,
            max_dist=max_dist,
            quantile_over=quantile_over,
            rule=rule,
            tolerance=tolerance,
        )

    return (
        yield from smoothed(
            x, numbers, attribute, samples=samples, noise=noise, squared=squared, seed=seed
        )
    )


def smooth_blur_ig_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    resolution: Resolution,
    **parameters: Any,
) -> Work[MethodResult]:
    """The method ``smooth-blur-ig``; see `attribution_work` for what it returns."""
    return (
        yield from attribution_work(
            study,
            model,
            "smooth-blur-ig",
            partial(smooth_blur_ig, **parameters),
            target=target,
            slices=slices,
            resolution=resolution,
            parameters=parameters,
            signed=not parameters["squared"],
            no_gap=NO_GAP,
        )
    )


def smooth_blur_gig_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    resolution: Resolution,
    **parameters: Any,
) -> Work[MethodResult]:
    """The method ``smooth-blur-gig``; see `attribution_work` for what it returns."""
    return (
        yield from attribution_work(
            study,
            model,
            "smooth-blur-gig",
            partial(smooth_blur_gig, **parameters),
            target=target,
            slices=slices,
            resolution=resolution,
            parameters=parameters,
            signed=not parameters["squared"],
            no_gap=NO_GAP,
        )
    )
