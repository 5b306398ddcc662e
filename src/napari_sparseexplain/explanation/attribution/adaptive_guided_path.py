"""Guided integrated gradients with steps as long as the gradient allows.

Each step of a guided path needs the gradient at its beginning, so the gradients of one image
cannot be taken at once; but most of 200 equal steps are spent where the gradient does not change.
The straight line, which a guided path never leaves by more than ``max_dist``, is looked at first,
in one batch; steps are then laid so that each meets about as much change. The gradients at both
ends of a step share its weight (trapezoids), and what the gradient changes on it tells how exact
the map is. Where that is not enough, the path is walked again with more steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ...progress import Progress, Work
from ..score_function import ScoreFunction
from .adaptive_quadrature import Node, adaptive_integral
from .guided_path import GuidedPath

#: Places on the straight line that are looked at first.
PILOT = 17

#: Steps of the first walk.
FIRST_STEPS = 24

#: Longest step, as a share of the way: in between, nothing is found that no gradient sees.
LONGEST = 1 / 6

#: Length of a step as a power of how fast the gradient changes there: makes width^1.5 × change, the
#: merit by which trapezoids are halved, the same on each step.
POWER = 0.4

#: Walks of one path, at most.
WALKS = 4


@dataclass(frozen=True, eq=False)
class GuidedAttribution:
    """What the paths add up to.

    Attributes
    ----------
    values : Tensor, shape (B, C, H, W)
    change : Tensor, shape (B,)
        f(x) - f(x₀).
    gradients : tuple of int
        Taken for each image.
    error : tuple of float
        Expected error of each map, relative to its norm: of the sum along the path that was
        walked. Which path that is depends on the steps as well, as it does with equal ones.
    """

    values: torch.Tensor
    change: torch.Tensor
    gradients: tuple[int, ...]
    error: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class _Look:
    """One image's straight line: the gradients at its ends, and where its steps should end."""

    slopes: tuple[torch.Tensor, torch.Tensor]
    change: float
    places: npt.NDArray[np.float64]
    differences: npt.NDArray[np.float64]
    gradients: int


def adaptive_guided_path(
    score: ScoreFunction,
    path: GuidedPath,
    rows: npt.NDArray[np.int64],
    steps: int,
    tolerance: float,
) -> Work[GuidedAttribution]:
    """Sum the gradients along guided paths, with as many steps as the tolerance needs.

    Parameters
    ----------
    rows : ndarray of int, shape (B,)
        Prepared slices that the images stand for.
    steps : int
        At most so many in one walk.
    tolerance : float
        Expected error of a map, relative to its norm, at which it is done; 0: walk with all steps.

    Raises
    ------
    ModelError
        A gradient is NaN or infinite; names the place on the path.
    """
    count = len(path.x)
    # Of so few steps none is spared: only the ends are looked at, and the steps are equal.
    places = PILOT if steps > FIRST_STEPS else 2
    number = steps if tolerance <= 0 else min(FIRST_STEPS, steps)
    looks = []
    for image in range(count):
        looks.append(_looked(score, path, rows, image, places))
        yield Progress(image + 1, count + number, "Looking along the straight path")
    values = torch.zeros_like(path.begin)
    errors, taken = np.full(count, np.inf), np.array([look.gradients for look in looks])
    lines = [(look.places, look.differences) for look in looks]
    # Each image by itself, whatever stands beside it: those of equal numbers walk together.
    numbers, done = np.full(count, number), count
    left = np.arange(count)
    for walk in range(WALKS):
        for size in np.unique(numbers[left]).tolist():
            group = left[numbers[left] == size]
            ends = np.stack([step_ends(*lines[image], steps=size) for image in group.tolist()])
            found = yield from _walked(score, path, rows, group, looks, ends, done)
            done += size
            for place, image in enumerate(group.tolist()):
                values[image], errors[image] = found.total[place], found.errors[place]
                lines[image] = (ends[place], found.differences[place])
            taken[group] += size - 1
        left = left[(errors[left] > tolerance) & (numbers[left] < steps)]
        if not len(left):
            break
        wanted = numbers[left] * errors[left] / max(tolerance, 1e-12)
        numbers[left] = [
            steps if walk == WALKS - 2 else more_steps(int(numbers[image]), float(want), steps)
            for image, want in zip(left, wanted, strict=True)
        ]
    change = torch.tensor([look.change for look in looks], dtype=torch.float64)
    return GuidedAttribution(
        path.shares(values), change, tuple(taken.tolist()), tuple(errors.tolist())
    )


def more_steps(number: int, wanted: float, steps: int) -> int:
    """Steps of the next walk, at most ``steps``.

    The error falls about as the number of steps; a little more, so that one walk is enough, and
    one of a few numbers, so that several images walk together.
    """
    while number < min(1.25 * wanted, steps):
        number = math.ceil(1.5 * number)
    return min(number, steps)


def step_ends(
    places: npt.NDArray[np.float64], differences: npt.NDArray[np.float64], steps: int
) -> npt.NDArray[np.float64]:
    """Where steps begin and end, from 0 to 1, shape (steps + 1,).

    Parameters
    ----------
    places : ndarray, shape (K,)
        Where the gradient is known, from 0 to 1.
    differences : ndarray, shape (K - 1,)
        What it changes from each to the next.
    """
    widths = np.diff(places)
    density = (differences / widths) ** POWER
    mean = float((density * widths).sum())
    if mean <= 0:
        return np.linspace(0.0, 1.0, steps + 1)
    # A constant share beside, so large that no step is longer than the longest.
    least = 1.0 / (LONGEST * steps)
    share = min(least, 1.0)
    density = share + (1.0 - share) * density / mean
    reached = np.append(0.0, np.cumsum(density * widths))
    ends = np.interp(np.linspace(0.0, reached[-1], steps + 1), reached, places)
    ends[0], ends[-1] = 0.0, 1.0
    return ends


def _looked(
    score: ScoreFunction,
    path: GuidedPath,
    rows: npt.NDArray[np.int64],
    image: int,
    places: int,
) -> _Look:
    """Gradients along the straight line, placed where they change."""
    x, start = path.x[image], path.baseline[image]
    size = score.micro_batch(int(np.prod(x.shape[1:])))
    ends: dict[float, tuple[torch.Tensor, float]] = {}

    def integrand(asked: Sequence[Node]) -> torch.Tensor:
        parts = []
        for begin in range(0, len(asked), size):
            some = asked[begin : begin + size]
            t = torch.tensor([node.place for node in some], dtype=x.dtype, device=x.device)
            values, gradients = score.gradient(
                start + t.view(-1, *[1] * x.ndim) * (x - start),
                np.repeat(rows[image : image + 1], len(some)),
                step=f"the path's place t = {some[0].place:.3g}",
            )
            for node, value, gradient in zip(some, values, gradients, strict=True):
                if node.place in (0.0, 1.0):
                    ends[node.place] = (path.features(gradient[None])[0], float(value))
            parts.append(gradients * (x - start))
        return torch.cat(parts)

    work = adaptive_integral(integrand, places)
    while True:
        try:
            next(work)
        except StopIteration as end:
            found = end.value
            break
    return _Look(
        (ends[0.0][0], ends[1.0][0]),
        ends[1.0][1] - ends[0.0][1],
        np.array(found.places[0]),
        np.array(found.differences[0]),
        found.nodes,
    )


@dataclass(frozen=True, eq=False)
class _Walk:
    """Sum, error, and changes on each step, of some images."""

    total: torch.Tensor
    errors: npt.NDArray[np.float64]
    differences: npt.NDArray[np.float64]


def _walked(
    score: ScoreFunction,
    path: GuidedPath,
    rows: npt.NDArray[np.int64],
    images: npt.NDArray[np.int64],
    looks: Sequence[_Look],
    ends: npt.NDArray[np.float64],
    done: int,
) -> Work[_Walk]:
    """Walk the paths of some images, with steps that end at ``ends`` (images, steps + 1).

    ``done`` steps of progress were told before.
    """
    steps = ends.shape[1] - 1
    some = path.only(torch.from_numpy(images).to(path.x.device))
    here = some.begin.clone()
    slopes = torch.stack([looks[image].slopes[0] for image in images.tolist()])
    last = torch.stack([looks[image].slopes[1] for image in images.tolist()])
    total = torch.zeros_like(here)
    norms = torch.zeros(len(images), steps, dtype=here.dtype, device=here.device)
    for step in range(steps):
        ahead = torch.from_numpy(ends[:, step + 1].copy()).to(here)
        moved = some.moved(here, slopes, ahead)
        if step == steps - 1:
            following = last
        else:
            _, gradients = score.gradient(
                some.images(moved),
                rows[images],
                step=f"step {step + 1} of {steps} of the guided path",
            )
            following = some.features(gradients)
        total += (moved - here) * (slopes + following) / 2
        norms[:, step] = torch.linalg.vector_norm((moved - here) * (following - slopes), dim=1)
        here, slopes = moved, following
        yield Progress(done + step + 1, done + steps, f"Guided step {step + 1} of {steps}")
    # As of trapezoids with a jump at an unknown place in each, see `adaptive_integral`.
    error = (norms.square().sum(dim=1) / 12).sqrt()
    size = torch.linalg.vector_norm(total, dim=1)
    relative = torch.where(error > 0, error / size, 0.0)
    widths = np.diff(ends, axis=1)
    # On a guided path what moves differs from step to step; the change is that of the whole way.
    differences = norms.double().cpu().numpy() / widths
    return _Walk(total, relative.double().cpu().numpy(), differences)
