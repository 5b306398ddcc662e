"""Integrated gradients: the change of score from a baseline to the image, shared among pixels.

Sundararajan, Taly & Yan, *Axiomatic Attribution for Deep Networks*, ICML 2017:
``(x - x₀) ∫₀¹ ∂f/∂x (x₀ + t (x - x₀)) dt``. The integral is taken by Gauss-Legendre quadrature,
whose error falls much faster with the number of gradients than that of a sum with equal weights;
of networks whose gradient jumps, by trapezoids halved where it does (`adaptive_quadrature`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import roots_legendre

from ...networks.bundle.model import Model
from ...networks.running.preparation import Resolution
from ...progress import Progress, Work
from ...volumes import Study
from ..method_result import MethodResult
from ..score_function import ScoreFunction
from ..target import Target
from .adaptive_quadrature import Node, adaptive_integral
from .baselines import baseline_images, user_baseline
from .frame import Attribution, attribution_work

RULES = ("adaptive", "gauss-legendre", "peer")


def quadrature(
    n_steps: int, rule: str = "gauss-legendre"
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Places in [0, 1] and their weights.

    ``"peer"``: equal steps with both ends, each weighted 1/n, as the method's authors sum; its
    error falls as 1/n.
    """
    if rule == "peer":
        return np.linspace(0.0, 1.0, n_steps), np.full(n_steps, 1.0 / n_steps)
    if rule != "gauss-legendre":
        raise ValueError(f"no fixed quadrature {rule!r}; there are gauss-legendre and peer")
    # NumPy's leggauss takes the eigenvalues of a full matrix: minutes for thousands of nodes.
    places, weights = roots_legendre(n_steps)
    return (places + 1) / 2, weights / 2


def integrated_gradients(
    score: ScoreFunction,
    x: torch.Tensor,
    baseline: torch.Tensor,
    rows: npt.NDArray[np.int64],
    *,
    n_steps: int = 50,
    rule: str = "gauss-legendre",
) -> Work[Attribution]:
    """Integrated gradients of images (B, C, H, W) from their baselines.

    Parameters
    ----------
    rows : ndarray of int, shape (B,)
        Prepared slices that the images stand for.
    n_steps : int
        Gradients an image.
    rule : {"gauss-legendre", "adaptive", "peer"}
        See `quadrature` and `adaptive_integral`; a single node lies half way by any but the
        peer's.

    Raises
    ------
    ModelError
        A gradient is NaN or infinite; names the node.
    """
    if rule not in RULES:
        raise ValueError(f"no quadrature {rule!r}; there are {', '.join(RULES)}")
    if rule == "adaptive" and n_steps > 1:
        work = mean_over_baselines(score, x, [baseline], rows, n_steps=n_steps, tolerance=0.0)
        return (yield from work)
    places, weights = quadrature(n_steps, "peer" if rule == "peer" else "gauss-legendre")
    difference = x - baseline
    total = torch.zeros_like(x)
    # Nodes and images alike are independent: any of them fill a batch.
    pairs = np.stack(np.meshgrid(np.arange(n_steps), np.arange(len(x)), indexing="ij"), -1)
    pairs = pairs.reshape(-1, 2)
    size = score.micro_batch(int(np.prod(x.shape[2:])))
    for start in range(0, len(pairs), size):
        node, image = pairs[start : start + size].T
        # On CPU copies: an index given to a device tensor is moved there.
        which = torch.from_numpy(image.copy()).to(x.device)
        at = torch.from_numpy(places[node]).to(x).view(-1, *[1] * (x.ndim - 1))
        factor = torch.from_numpy(weights[node]).to(x).view_as(at)
        _, gradients = score.gradient(
            baseline[which] + at * difference[which],
            rows[image],
            step=f"node {node[0] + 1} of {n_steps} (t = {places[node[0]]:.3g})",
        )
        total.index_add_(0, which, factor * gradients)
        done = min(start + size, len(pairs))
        yield Progress(done, len(pairs), f"Gradient {done} of {len(pairs)}")
    return Attribution(total * difference, score_change(score, x, baseline, rows))


def mean_over_baselines(
    score: ScoreFunction,
    x: torch.Tensor,
    baselines: Sequence[torch.Tensor],
    rows: npt.NDArray[np.int64],
    *,
    n_steps: int,
    tolerance: float,
) -> Work[Attribution]:
    """Mean of adaptive integrated gradients of images (B, C, H, W) from several baselines.

    The paths of an image share their nodes, so that those are spent on the path that needs them.

    Parameters
    ----------
    baselines : sequence of Tensor, shape (B, C, H, W)
    rows : ndarray of int, shape (B,)
        Prepared slices that the images stand for.
    n_steps : int
        At most so many gradients an image and baseline.
    tolerance : float
        Expected error of the map, relative to its norm, at which an image is done; 0: never before
        all nodes are used.

    Raises
    ------
    ModelError
        A gradient is NaN or infinite; names the place on the path.
    """
    starts = torch.stack(list(baselines), dim=1)
    differences = x[:, None] - starts
    size = score.micro_batch(int(np.prod(x.shape[2:])))
    found = []
    # Both ends of every path are among its nodes, so their scores are known on the way.
    ends = torch.zeros(len(x), len(baselines), 2, dtype=torch.float64)
    for image in range(len(x)):

        def integrand(asked: Sequence[Node], image: int = image) -> torch.Tensor:
            parts = []
            for begin in range(0, len(asked), size):
                some = asked[begin : begin + size]
                paths = torch.tensor([node.path for node in some], device=x.device)
                t = torch.tensor([node.place for node in some], dtype=x.dtype, device=x.device)
                difference = differences[image].index_select(0, paths)
                at = starts[image].index_select(0, paths)
                values, gradients = score.gradient(
                    at + t.view(-1, *[1] * (x.ndim - 1)) * difference,
                    np.repeat(rows[image : image + 1], len(some)),
                    step=f"the path's place t = {some[0].place:.3g}",
                )
                for node, value in zip(some, values.double().tolist(), strict=True):
                    if node.place in (0.0, 1.0):
                        ends[image, node.path, int(node.place)] = value
                parts.append(gradients * difference)
            return torch.cat(parts)

        work = adaptive_integral(integrand, n_steps, paths=len(baselines), tolerance=tolerance)
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                found.append(end.value.value / len(baselines))
                break
            yield replace(step, done=image * step.total + step.done, total=len(x) * step.total)
    return Attribution(torch.stack(found), (ends[..., 1] - ends[..., 0]).mean(dim=1))


def score_change(
    score: ScoreFunction, x: torch.Tensor, baseline: torch.Tensor, rows: npt.NDArray[np.int64]
) -> torch.Tensor:
    """f(x) - f(x₀), shape (B,), in double precision."""
    with torch.no_grad():
        return score(x, rows).cpu().double() - score(baseline, rows).cpu().double()


def integrated_gradients_work(
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
    """The method ``integrated-gradients``; see `attribution_work` for what it returns."""
    given = user_baseline(study, model, baseline, baseline_image, resolution)

    def compute(score, x, rows, numbers):
        start = baseline_images(baseline, x, numbers, given)
        return integrated_gradients(score, x, start, rows, **path)

    return (
        yield from attribution_work(
            study,
            model,
            "integrated-gradients",
            compute,
            target=target,
            slices=slices,
            resolution=resolution,
            given=given,
            parameters={**path, "baseline": baseline, "baseline_image": baseline_image},
        )
    )
