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
from .baselines import baseline_images, user_baseline
from .frame import Attribution, attribution_work
from .integrated_gradients import score_change

QUANTILES = ("movable", "all")

#: Distances this close count as equal (relative, and in absolute terms), as in the authors' code.
TOLERANCE = 1e-9


def guided_integrated_gradients(
    score: ScoreFunction,
    x: torch.Tensor,
    baseline: torch.Tensor,
    rows: npt.NDArray[np.int64],
    *,
    steps: int = 200,
    fraction: float = 0.25,
    max_dist: float = 0.02,
    quantile_over: str = "movable",
) -> Work[Attribution]:
    """Guided integrated gradients of images (B, C, H, W), one gradient an image and step.

    Parameters
    ----------
    fraction : float
        Share of the features that move at a time, in (0, 1].
    max_dist : float
        How far a feature may be ahead of or behind the straight line, as a share of its way.
        0 is integrated gradients.
    quantile_over : {"movable", "all"}
        Whether the share is of the features that differ from the baseline, or of all.

    Raises
    ------
    ModelError
        A gradient is NaN or infinite; names the step.
    """
    end, begin = x.flatten(1), baseline.flatten(1)
    difference = end - begin
    l1_total = difference.abs().sum(dim=1)
    count = torch.full_like(l1_total, end.shape[1], dtype=torch.int64)
    if quantile_over == "movable":
        count = (difference != 0).sum(dim=1)
    elif quantile_over != "all":
        raise ValueError(f"quantile_over must be one of {QUANTILES}")
    block = (fraction * (count - 1).clamp(min=0)).floor().long() + 1
    here = begin.clone()
    total = torch.zeros_like(end)
    for step in range(steps):
        _, gradients = score.gradient(
            here.view_as(x), rows, step=f"step {step + 1} of {steps} of the guided path"
        )
        moved = _one_step(
            here, begin, end, l1_total, gradients.flatten(1), block, step, steps, max_dist
        )
        total += (moved - here) * gradients.flatten(1)
        here = moved
        yield Progress(step + 1, steps, f"Guided step {step + 1} of {steps}")
    return Attribution(total.view_as(x), score_change(score, x, baseline, rows))


def _one_step(
    here: torch.Tensor,
    begin: torch.Tensor,
    end: torch.Tensor,
    l1_total: torch.Tensor,
    gradients: torch.Tensor,
    block: torch.Tensor,
    step: int,
    steps: int,
    max_dist: float,
) -> torch.Tensor:
    """Where the path goes next, shape (B, features).

    The features, sorted by the size of their gradient, move in blocks of ``block`` (equal ones
    at a block's end with it): every block before the last goes all the way it may, the last one
    only as far as the distance asks for. One sort and one cumulative sum say how many that are.
    """
    ahead = (step + 1.0) / steps
    low = begin + (end - begin) * max(ahead - max_dist, 0.0)
    high = begin + (end - begin) * min(ahead + max_dist, 1.0)
    place = torch.where(end != begin, (here - begin) / (end - begin), torch.inf)
    moved = torch.where(place < max(ahead - max_dist, 0.0), low, here)

    need = (moved - end).abs().sum(dim=1) - l1_total * (1 - (step + 1) / steps)
    target = l1_total * (1 - (step + 1) / steps)
    close = TOLERANCE * torch.maximum(torch.maximum(target, target + need), torch.ones_like(need))
    open_rows = need > close

    # Those that are as far as they may be come last, and are never chosen.
    size = torch.where(moved == high, torch.inf, gradients.abs())
    keys, order = size.sort(dim=1)
    room = (moved - high).abs().gather(1, order)
    reach = torch.where(keys.isinf(), 0.0, room).cumsum(dim=1)
    movable = (~keys.isinf()).sum(dim=1)

    start = torch.zeros_like(block)
    chosen_start, chosen_end = torch.zeros_like(block), torch.zeros_like(block)
    gamma = torch.zeros_like(need)
    looking = open_rows & (movable > 0)
    while bool(looking.any()):
        last = torch.minimum(start + block, movable) - 1
        threshold = keys.gather(1, last.clamp(min=0)[:, None])
        stop = torch.minimum(torch.searchsorted(keys, threshold, right=True)[:, 0], movable)
        before = torch.where(start > 0, _at(reach, start - 1), 0.0)
        span = _at(reach, stop - 1) - before
        share = torch.where(span > 0, (need - before) / span, torch.inf)
        found = looking & (share <= 1.0)
        # Rounding can leave nothing to move with a little distance to go: then all have moved.
        spent = looking & ~found & (stop >= movable)
        chosen_start = torch.where(found, start, torch.where(spent, stop, chosen_start))
        chosen_end = torch.where(found | spent, stop, chosen_end)
        gamma = torch.where(found, share.clamp(min=0.0), gamma)
        looking = looking & ~found & ~spent
        start = stop
    rank = torch.empty_like(order).scatter_(
        1, order, torch.arange(order.shape[1], device=order.device).expand_as(order)
    )
    whole = rank < chosen_start[:, None]
    partly = ~whole & (rank < chosen_end[:, None])
    return torch.where(
        whole, high, torch.where(partly, moved + (high - moved) * gamma[:, None], moved)
    )


def _at(table: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """``table[b, index[b]]``, shape (B,)."""
    return table.gather(1, index.clamp(0, table.shape[1] - 1)[:, None])[:, 0]


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
