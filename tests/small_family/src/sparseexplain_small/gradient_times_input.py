"""Gradient times input: x ∂f/∂x, which adds up to the score of a network that is linear.

Shrikumar et al., *Not just a black box*, 2016.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from napari_sparseexplain.explanation.attribution.frame import Attribution, attribution_work
from napari_sparseexplain.explanation.attribution.integrated_gradients import score_change
from napari_sparseexplain.explanation.method_result import MethodResult
from napari_sparseexplain.explanation.score_function import ScoreFunction
from napari_sparseexplain.progress import Progress, Work


def gradient_times_input(
    score: ScoreFunction, x: torch.Tensor, rows: Any, numbers: Any, *, positive: bool
) -> Work[Attribution]:
    """x ∂f/∂x of images (B, C, H, W) that stand for the prepared slices ``rows``."""
    yield Progress(0, 1, "Gradient")
    _, gradients = score.gradient(x, rows, step="the image itself")
    values = x * gradients
    if positive:
        return Attribution(values.clamp(min=0))
    return Attribution(values, score_change(score, x, torch.zeros_like(x), rows))


def gradient_times_input_work(
    study: Any, model: Any, *, target: Any, slices: slice, resolution: Any, positive: bool
) -> Work[MethodResult]:
    """The method ``gradient-times-input``; see `attribution_work` for what it returns."""
    return (
        yield from attribution_work(
            study,
            model,
            "gradient-times-input",
            partial(gradient_times_input, positive=positive),
            target=target,
            slices=slices,
            resolution=resolution,
            parameters={"positive": positive},
            signed=not positive,
            no_gap="what lowers the score was left out",
        )
    )
