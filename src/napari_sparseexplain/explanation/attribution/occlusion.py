"""Occlusion: how much the score falls when a window is covered. Needs no gradient.

Zeiler & Fergus, *Visualizing and Understanding Convolutional Networks*, ECCV 2014.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ...errors import ModelError, StudyError
from ...networks.bundle.model import Model
from ...networks.running.inference import few_threads
from ...networks.running.preparation import Resolution
from ...progress import Progress, Work
from ...volumes import Study
from ..method_result import MethodResult
from ..score_function import ScoreFunction
from ..target import Target
from .baselines import baseline_images, user_baseline
from .frame import Attribution, attribution_work


def occlusion(
    score: ScoreFunction,
    x: torch.Tensor,
    baseline: torch.Tensor,
    rows: npt.NDArray[np.int64],
    *,
    window: int = 16,
    stride: int = 8,
) -> Work[Attribution]:
    """Fall of the score when a window of one modality shows the baseline.

    A pixel gets the mean over the windows that cover it. Windows in which the image equals the
    baseline change nothing and are not run.

    Parameters
    ----------
    x, baseline : Tensor, shape (B, C, H, W)
    window, stride : int
        Side of the square and distance between squares, in network pixels.

    Raises
    ------
    StudyError
        The stride is larger than the window, so pixels would be left out.
    """
    if stride > window:
        raise StudyError(
            f"with windows of {window} pixels every {stride}, pixels between are never covered",
            remedy="Choose a stride of at most the window",
        )
    height, width = x.shape[-2:]
    squares = [
        (slice(top, min(top + window, height)), slice(left, min(left + window, width)))
        for top in _starts(height, window, stride)
        for left in _starts(width, window, stride)
    ]
    covers = torch.zeros(height, width, dtype=x.dtype, device=x.device)
    for square in squares:
        covers[square] += 1
    differs = (x != baseline).cpu()
    jobs = [
        (image, channel, place)
        for image in range(len(x))
        for channel in range(x.shape[1])
        for place, (r, c) in enumerate(squares)
        if bool(differs[image, channel, r, c].any())
    ]
    with torch.no_grad(), few_threads():
        whole = score(x, rows).to(x)
    total = torch.zeros_like(x)
    size = score.micro_batch(height * width, gradients=False)
    for start in range(0, len(jobs), size):
        part = jobs[start : start + size]
        which = [image for image, _, _ in part]
        covered = x[which]
        for n, (image, channel, place) in enumerate(part):
            square = squares[place]
            covered[n, channel][square] = baseline[image, channel][square]
        with torch.no_grad(), few_threads():
            falls = whole[which] - score(covered, rows[which]).to(x)
        if not torch.isfinite(falls).all():
            raise ModelError(
                f"the score is NaN or infinite with window {start + 1} of {len(jobs)} covered",
                where=score.model.name,
                remedy="Check the input for extreme values, or try another baseline",
            )
        for fall, (image, channel, place) in zip(falls, part, strict=True):
            total[image, channel][squares[place]] += fall
        done = start + len(part)
        yield Progress(done, len(jobs), f"Window {done} of {len(jobs)}")
    return Attribution(total / covers)


def _starts(length: int, window: int, stride: int) -> list[int]:
    """Where windows begin, so that the last one reaches the border."""
    last = max(0, length - window)
    return [*range(0, last, stride), last]


def occlusion_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    baseline: str,
    baseline_image: str,
    resolution: Resolution,
    **windows: Any,
) -> Work[MethodResult]:
    """The method ``occlusion``; see `attribution_work` for what it returns."""
    given = user_baseline(study, model, baseline, baseline_image, resolution)

    def compute(score: ScoreFunction, x: torch.Tensor, rows, numbers) -> Work[Attribution]:
        start = baseline_images(baseline, x, numbers, given)
        return occlusion(score, x, start, rows, **windows)

    return (
        yield from attribution_work(
            study,
            model,
            "occlusion",
            compute,
            target=target,
            slices=slices,
            resolution=resolution,
            given=given,
            parameters={**windows, "baseline": baseline, "baseline_image": baseline_image},
            no_gap="windows overlap and act together, so their falls add up to nothing",
        )
    )
