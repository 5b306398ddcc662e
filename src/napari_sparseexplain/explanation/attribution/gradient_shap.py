"""Gradient SHAP: integrated gradients averaged over many baselines, one random place on each path.

Expected gradients, ``E[(x - x₀) ∂f/∂x (x₀ + t (x - x₀))]`` over baselines x₀ of a set and t uniform
in (0, 1): Erion et al., *Improving performance of deep learning models with axiomatic attribution
priors and expected gradients*, Nature Machine Intelligence 2021, Eq. 3; an approximation of the
SHAP values of Lundberg & Lee, NeurIPS 2017. Its values add up to the mean change of score, as far
as so many samples tell.

The set is that of one scan. Where a table's rows or a set of photographs are at hand, baselines are
drawn from them; a patient's other slices show other anatomy, so their difference would be credited
to the outlines of the head, and many hold the same lesion. Here a baseline is nothing but noise
about the value outside the brain, or the slice itself with its detail taken away by a blur of
random width.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ...errors import ModelError
from ...networks.bundle.model import Model
from ...networks.running.inference import few_threads
from ...networks.running.preparation import Resolution
from ...progress import Progress, Work
from ...volumes import Study
from ..method_result import MethodResult
from ..score_function import ScoreFunction
from ..target import Target
from .frame import Attribution, attribution_work
from .gaussian_blur import gaussian_blur

#: Sets that baselines are drawn from.
BACKGROUNDS = ("zero", "blurred")


def drawn_baseline(
    x: torch.Tensor,
    generator: np.random.Generator,
    *,
    background: str,
    max_sigma: float,
    noise: float,
) -> torch.Tensor:
    """One baseline of an image (C, H, W).

    Parameters
    ----------
    background : {"zero", "blurred"}
        The value outside the brain, or the image blurred by σ uniform in (0, ``max_sigma``) pixels.
    noise : float
        Gaussian noise about it, as a share of the image's range (max - min).
    """
    if background not in BACKGROUNDS:
        raise ValueError(f"no background {background!r}; there are {', '.join(BACKGROUNDS)}")
    # Drawn for either, so that the noise and the place on the path are the same for both.
    sigma = max_sigma * generator.random()
    start = gaussian_blur(x, sigma) if background == "blurred" else torch.zeros_like(x)
    drawn = torch.from_numpy(generator.standard_normal(tuple(x.shape))).to(x)
    return start + noise * (x.max() - x.min()) * drawn


def gradient_shap(
    score: ScoreFunction,
    x: torch.Tensor,
    rows: npt.NDArray[np.int64],
    numbers: npt.NDArray[np.int64],
    *,
    samples: int = 50,
    background: str = "zero",
    max_sigma: float = 50.0,
    noise: float = 0.15,
    seed: int = 0,
) -> Work[Attribution]:
    """Expected gradients of images (B, C, H, W), with the standard error of their sum.

    The places on the paths are drawn in equal parts of (0, 1), two samples in each: the mean stays
    what it is, its error becomes smaller, and the two tell how large it is (stratified sampling:
    Cochran, *Sampling Techniques*, 3rd edition 1977, section 5.4).

    Parameters
    ----------
    rows, numbers : ndarray of int, shape (B,)
        Prepared slices that the images stand for; their numbers in the study, from which with the
        seed all that is drawn follows: a slice looks the same alone and among others.
    samples : int
        Gradients an image; an odd number is made even. Each needs one more score.
    background, max_sigma, noise
        See `drawn_baseline`.

    Raises
    ------
    ModelError
        A gradient or score is NaN or infinite; names the sample.
    """
    samples += samples % 2
    with torch.no_grad(), few_threads():
        whole = score(x, rows).double().cpu()
    total = torch.zeros_like(x)
    # How far each sample's share is from its own change of score; on average by nothing.
    missed = torch.zeros(len(x), samples, dtype=torch.float64)
    changes = torch.zeros_like(missed)
    pairs = np.stack(np.meshgrid(np.arange(samples), np.arange(len(x)), indexing="ij"), -1).reshape(
        -1, 2
    )
    size = score.micro_batch(int(np.prod(x.shape[2:])))
    for begin in range(0, len(pairs), size):
        part = pairs[begin : begin + size]
        starts, places = [], []
        for sample, image in part:
            generator = np.random.default_rng((seed, int(numbers[image]), int(sample)))
            places.append((sample // 2 + generator.random()) / (samples // 2))
            starts.append(
                drawn_baseline(
                    x[image], generator, background=background, max_sigma=max_sigma, noise=noise
                )
            )
        which = torch.from_numpy(part[:, 1].copy())
        start = torch.stack(starts)
        difference = x[which.to(x.device)] - start
        at = torch.tensor(places).to(x).view(-1, *[1] * (x.ndim - 1))
        step = f"sample {part[0, 0] + 1} of {samples}"
        _, gradients = score.gradient(start + at * difference, rows[part[:, 1]], step=step)
        with torch.no_grad(), few_threads():
            bare = score(start, rows[part[:, 1]]).double().cpu()
        if not torch.isfinite(bare).all():
            raise ModelError(
                f"the score is NaN or infinite at the baseline of {step}",
                where=score.model.name,
                remedy="Choose the other background, or less noise",
            )
        shares = gradients * difference
        total.index_add_(0, which.to(x.device), shares)
        change = whole[which] - bare
        changes[which, part[:, 0]] = change
        missed[which, part[:, 0]] = shares.double().flatten(1).sum(dim=1).cpu() - change
        done = begin + len(part)
        yield Progress(done, len(pairs), f"Gradient {done} of {len(pairs)}")
    apart = missed[:, 0::2] - missed[:, 1::2]
    error = apart.square().sum(dim=1).sqrt() / samples
    return Attribution(total / samples, changes.mean(dim=1), error)


def gradient_shap_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    resolution: Resolution,
    **parameters: Any,
) -> Work[MethodResult]:
    """The method ``gradient-shap``; see `attribution_work` for what it returns."""
    return (
        yield from attribution_work(
            study,
            model,
            "gradient-shap",
            partial(gradient_shap, **parameters),
            target=target,
            slices=slices,
            resolution=resolution,
            parameters=parameters,
        )
    )
