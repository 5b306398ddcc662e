"""Infidelity and max-sensitivity: does a map foretell the score, and does it hold still?

Source: C.-K. Yeh et al., On the (in)fidelity and sensitivity of explanations, NeurIPS 2019.
Definition 2.1: INFD = E[(Iᵀ Φ - (f(x) - f(x - I)))²] over perturbations I. Equation 3: SENS_max =
max over ‖δ‖ ≤ r of ‖Φ(x + δ) - Φ(x)‖, here relative to ‖Φ(x)‖ and over random δ, as usual.

Infidelity has the unit of the squared score and depends on the scale of the map, which for a heat
map is arbitrary. So it is also given scaled: the map multiplied by the factor that fits best
(section 2.3 of the paper), as a share of what a map of zeros would miss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ...errors import SparseExplainError
from ...progress import Progress, Work
from ..method import HeatMeaning
from .insertion_deletion import Score

#: Images (B, C, ...) to their maps (B, ...).
Explain = Callable[[npt.NDArray[np.float32]], npt.NDArray[Any]]


@dataclass(frozen=True)
class Infidelity:
    """How far a map is from foretelling what a perturbation does to the score.

    Attributes
    ----------
    value : float
        Mean squared difference, in squared units of the score.
    scaled : float or None
        Share of the score's mean squared change that the map, multiplied by ``factor``, does not
        foretell: 0 all foretold, 1 none. None where no perturbation changed the score.
    factor : float
        The multiple of the map that fits best; 0 for a map of zeros.
    """

    value: float
    scaled: float | None
    factor: float

    @classmethod
    def of(cls, foretold: npt.NDArray[np.float64], changes: npt.NDArray[np.float64]) -> Infidelity:
        """From Iᵀ Φ and f(x) - f(x - I) of every perturbation, each of shape (K,)."""
        power = float((foretold**2).sum())
        factor = float((foretold * changes).sum()) / power if power > 0 else 0.0
        total = float((changes**2).sum())
        missed = float(((factor * foretold - changes) ** 2).sum())
        return cls(
            value=float(np.mean((foretold - changes) ** 2)),
            scaled=missed / total if total > 0 else None,
            factor=factor,
        )


def infidelity(
    score: Score,
    image: npt.NDArray[Any],
    attribution: npt.NDArray[Any],
    *,
    meaning: HeatMeaning = "contribution",
    perturbation: Literal["squares", "noise"] = "squares",
    baseline: npt.NDArray[Any] | None = None,
    side: int = 16,
    sigma: float = 0.1,
    samples: int = 32,
    batch: int = 4,
    seed: int = 0,
) -> Work[Infidelity]:
    """Infidelity of one map of one image.

    Parameters
    ----------
    score : callable
        Images (B, C, ...) to scores (B,).
    image : ndarray, shape (C, ...)
    attribution : ndarray, shape (C, ...) or (...)
        Without a channel axis it is the sum over channels of what the map says. With
        ``"gradient"``, where the channels' perturbations differ, it must have one.
    meaning : {"contribution", "gradient"}
        What the values are: shares of f(x) - f(baseline), as of integrated gradients (a removed
        pixel then takes its value along), or slopes, which the perturbation multiplies.
    perturbation : {"squares", "noise"}
        Squares of ``side`` pixels about random pixels that differ from the baseline, put to it
        (the paper's square removal); or normal noise of standard deviation ``sigma``, which only
        slopes foretell.
    baseline : ndarray, shape (C, ...), optional
        Zeros when not given.

    Raises
    ------
    SparseExplainError
        Noise with contributions, whose shares of a pixel's noise are not defined; or slopes
        without a channel axis for several channels.
    """
    x = np.asarray(image, dtype=np.float32)
    phi = np.asarray(attribution, dtype=np.float64)
    if phi.shape not in (x.shape, x.shape[1:]):
        raise ValueError(f"a map of shape {phi.shape} and an image of shape {x.shape}")
    by_channel = phi.ndim == x.ndim
    if meaning == "gradient" and not by_channel and len(x) > 1:
        raise SparseExplainError(
            "slopes that were added up over channels do not foretell what one channel does",
            remedy="Give the map of every channel",
        )
    if meaning == "contribution" and perturbation == "noise":
        raise SparseExplainError(
            "contributions say what removing a pixel does, not what noise on it does",
            remedy="Perturb with squares, or give gradients",
        )
    rng = np.random.default_rng(seed)
    end = np.zeros_like(x) if baseline is None else np.asarray(baseline, dtype=np.float32)
    if phi.ndim < x.ndim:
        phi = phi[None]
    # A square on pixels that are at the baseline already would change nothing.
    held = np.flatnonzero((x != end).any(axis=0))
    at_image = float(score(x[None])[0])
    foretold, changes = np.empty(samples), np.empty(samples)
    for first in range(0, samples, batch):
        count = min(batch, samples - first)
        images = np.repeat(x[None], count, axis=0)
        for k in range(count):
            if perturbation == "squares":
                place = _square(x.shape[1:], side, int(rng.choice(held)) if held.size else 0)
                images[k][(slice(None), *place)] = end[(slice(None), *place)]
                moved = phi[(slice(None), *place)]
                if meaning == "gradient":
                    moved = moved * (x - end)[(slice(None), *place)]
                foretold[first + k] = moved.sum()
            else:
                noise = rng.normal(scale=sigma, size=x.shape)
                images[k] -= noise.astype(np.float32)
                foretold[first + k] = float((phi * noise).sum())
        changes[first : first + count] = at_image - score(images)
        yield Progress(first + count, samples, f"Infidelity: {first + count} of {samples}")
    return Infidelity.of(foretold, changes)


def _square(shape: tuple[int, ...], side: int, centre: int) -> tuple[slice, ...]:
    """A box of ``side`` pixels along each axis about a flat place; cut off at the border."""
    corners = [int(place) - side // 2 for place in np.unravel_index(centre, shape)]
    return tuple(slice(max(c, 0), c + side) for c in corners)


def max_sensitivity(
    explain: Explain,
    image: npt.NDArray[Any],
    *,
    heat: npt.NDArray[Any] | None = None,
    radius: float = 0.02,
    samples: int = 10,
    batch: int = 4,
    seed: int = 0,
) -> Work[float | None]:
    """Largest relative change of the map under uniform noise of at most ``radius`` a pixel.

    Parameters
    ----------
    explain : callable
        Images (B, C, ...) to maps (B, ...); called ``samples`` images' worth, so as dear as that
        many maps.
    heat : ndarray, optional
        The map of ``image``; computed when not given.
    radius, samples : float, int
        As in the paper's and Captum's defaults; ``radius`` in units of the image.

    Returns
    -------
    float or None
        None for a map of zeros, which has no size to compare with.
    """
    x = np.asarray(image, dtype=np.float32)
    rng = np.random.default_rng(seed)
    here = np.asarray(explain(x[None])[0] if heat is None else heat, dtype=np.float64)
    size = float(np.linalg.norm(here))
    if size == 0:
        return None
    worst = 0.0
    for first in range(0, samples, batch):
        count = min(batch, samples - first)
        noise = rng.uniform(-radius, radius, size=(count, *x.shape)).astype(np.float32)
        for there in explain(x[None] + noise):
            worst = max(worst, float(np.linalg.norm(np.asarray(there, np.float64) - here)) / size)
        yield Progress(first + count, samples, f"Max-sensitivity: {first + count} of {samples}")
    return worst
