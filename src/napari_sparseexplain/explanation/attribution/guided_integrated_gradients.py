"""Guided integrated gradients: a path that moves first the pixels the score feels least.

Kapishnikov et al., *Guided Integrated Gradients: an Adaptive Path Method for Removing Noise*, CVPR
2021. At every step the features with the smallest gradients move towards the image until the L1
distance to it is what the straight line would have; none leaves the straight line by more than
``max_dist``.

On medical images most pixels equal the baseline and cannot move. The authors' quantile runs over
them, too, and wherever no more than ``fraction`` of the pixels can move, all of those move
together: their map is then exactly integrated gradients. ``quantile_over="movable"`` asks only
those that can.
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
from .adaptive_guided_path import adaptive_guided_path
from .baselines import baseline_images, user_baseline
from .frame import Attribution, attribution_work
from .guided_path import GuidedPath
from .integrated_gradients import score_change

RULES = ("equal", "adaptive")


def guided_integrated_gradients(
    score: ScoreFunction,
    x: torch.Tensor,
    baseline: torch.Tensor,
    rows: npt.NDArray[np.int64],
    *,
    n_steps: int = 200,
    fraction: float = 0.25,
    max_dist: float = 0.02,
    quantile_over: str = "movable",
    rule: str = "equal",
    tolerance: float = 0.05,
) -> Work[Attribution]:
    """Guided integrated gradients of images (B, C, H, W), one gradient an image and step.

    Parameters
    ----------
    n_steps : int
        Of the path; with the rule ``"adaptive"`` at most so many.
    fraction : float
        Share of the features that move at a time, in (0, 1].
    max_dist : float
        How far a feature may be ahead of or behind the straight line, as a share of its way.
        0 is integrated gradients.
    quantile_over : {"movable", "all"}
        Whether the share is of the features that differ from the baseline, or of all.
    rule : {"equal", "adaptive"}
        Steps of equal length, each with the gradient at its beginning, as the method's authors
        take them; or steps as long as the gradient allows, see `adaptive_guided_path`.
    tolerance : float
        Of the rule ``"adaptive"``: expected error of the map, relative to its norm, at which an
        image is done.

    Raises
    ------
    ModelError
        A gradient is NaN or infinite; names the step.
    """
    if rule not in RULES:
        raise ValueError(f"rule must be one of {RULES}")
    path = GuidedPath(x, baseline, fraction, max_dist, quantile_over)
    if rule == "adaptive":
        found = yield from adaptive_guided_path(score, path, rows, n_steps, tolerance)
        return Attribution(found.values, found.change)
    here = path.begin.clone()
    total = torch.zeros_like(here)
    for step in range(n_steps):
        _, gradients = score.gradient(
            path.images(here), rows, step=f"step {step + 1} of {n_steps} of the guided path"
        )
        slopes = path.features(gradients)
        ahead = torch.full((len(x),), (step + 1.0) / n_steps, dtype=here.dtype, device=here.device)
        moved = path.moved(here, slopes, ahead)
        total += (moved - here) * slopes
        here = moved
        yield Progress(step + 1, n_steps, f"Guided step {step + 1} of {n_steps}")
    return Attribution(path.shares(total), score_change(score, x, baseline, rows))


def guided_integrated_gradients_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    baseline: str,
    baseline_image: str,
    resolution: Resolution,
    **path: Any,
) -> Work[MethodResult]:
    """The method ``guided-integrated-gradients``; see `attribution_work` for what it returns."""
    given = user_baseline(study, model, baseline, baseline_image, resolution)

    def compute(score: ScoreFunction, x: torch.Tensor, rows, numbers) -> Work[Attribution]:
        start = baseline_images(baseline, x, numbers, given)
        return guided_integrated_gradients(score, x, start, rows, **path)

    return (
        yield from attribution_work(
            study,
            model,
            "guided-integrated-gradients",
            compute,
            target=target,
            slices=slices,
            resolution=resolution,
            given=given,
            parameters={**path, "baseline": baseline, "baseline_image": baseline_image},
        )
    )
