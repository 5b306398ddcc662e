"""Insertion and deletion: how fast the score comes and goes as pixels do, in a map's order.

Source: V. Petsiuk, A. Das, K. Saenko, RISE: randomized input sampling for explanation of black-box
models, BMVC 2018, section 4.2, on a probability as there. One departure, for medical images:
pixels that equal the baseline change nothing and are left out of the order (they are most of a
skull-stripped slice, and would squeeze every curve into its first tenth). A score without a range
of its own, such as a sum of logits, can be scaled to 0 at the baseline and 1 at the image; since
it may rise above the image's on the way, such areas compare little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ...evidence.attribution_scores import importance
from ...progress import Progress, Work

#: Images (B, C, ...) to their scores (B,).
Score = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float64]]

#: Standard deviation in pixels of the blurred image that insertion starts from, as in RISE's code
#: (a kernel of 11 pixels with σ = 5).
BLUR_SIGMA = 5.0

#: A score that changes by less than this share between baseline and image cannot be scaled.
_SMALLEST = 1e-6


@dataclass(frozen=True, eq=False)
class ScoreCurve:
    """A score as pixels are changed, most important first.

    Attributes
    ----------
    shares : ndarray, shape (K + 1,)
        Share of the pixels that were changed, from 0 to 1.
    scores : ndarray, shape (K + 1,)
        The score itself.
    scaled : ndarray, shape (K + 1,), or None
        0 at the baseline and 1 at the image, or a probability as it is; None where nothing can be
        inserted or deleted.
    """

    shares: npt.NDArray[np.float64]
    scores: npt.NDArray[np.float64]
    scaled: npt.NDArray[np.float64] | None

    @property
    def auc(self) -> float | None:
        """Area under the scaled curve, trapezoids."""
        return None if self.scaled is None else float(np.trapezoid(self.scaled, self.shares))


@dataclass(frozen=True, eq=False)
class InsertionDeletion:
    """Both curves of one map.

    Attributes
    ----------
    insertion, deletion : ScoreCurve
        A good map has a large area under the first and a small one under the second.
    """

    insertion: ScoreCurve
    deletion: ScoreCurve

    def figures(self) -> dict[str, float | None]:
        """``insertion AUC`` and ``deletion AUC``."""
        return {"insertion AUC": self.insertion.auc, "deletion AUC": self.deletion.auc}


def insertion_deletion(
    score: Score,
    image: npt.NDArray[Any],
    heat: npt.NDArray[Any],
    *,
    signed: bool = False,
    steps: int = 50,
    batch: int = 4,
    insertion_from: npt.NDArray[Any] | None = None,
    deletion_to: npt.NDArray[Any] | None = None,
    seed: int = 0,
    scaled: bool = True,
) -> Work[InsertionDeletion]:
    """Both curves of one map on one image or volume.

    Parameters
    ----------
    score : callable
        Images (B, C, ...) to scores (B,).
    image : ndarray, shape (C, ...)
        All channels of a pixel change together.
    heat : ndarray, shape (...)
        Importance; its absolute value where ``signed``.
    steps : int
        Points of a curve besides its start; fewer where there are fewer pixels.
    batch : int
        Images in one call of ``score``: the memory that this takes.
    insertion_from, deletion_to : ndarray, shape (C, ...), optional
        Where insertion starts and deletion ends: the image blurred by `BLUR_SIGMA`, and zeros.
    seed : int
        Order among equal values.
    scaled : bool
        Whether the score is scaled to 0 at the baseline and 1 at the image. Not of a probability,
        which has its own range: its area cannot exceed 1.
    """
    values = np.asarray(image, dtype=np.float32)
    if values.shape[1:] != np.shape(heat):
        raise ValueError(f"a map of shape {np.shape(heat)} and an image of shape {values.shape}")
    ranked = importance(heat, signed=signed)
    start = blurred(values) if insertion_from is None else np.asarray(insertion_from, np.float32)
    end = np.zeros_like(values) if deletion_to is None else np.asarray(deletion_to, np.float32)
    insertion = yield from _curve(score, start, values, ranked, steps, batch, seed, scaled, True)
    deletion = yield from _curve(score, values, end, ranked, steps, batch, seed, scaled, False)
    return InsertionDeletion(insertion, deletion)


def blurred(image: npt.NDArray[np.float32], sigma: float = BLUR_SIGMA) -> npt.NDArray[np.float32]:
    """Each channel of an image (C, ...) blurred; ``sigma`` in pixels."""
    widths = (0.0, *([sigma] * (image.ndim - 1)))
    return np.asarray(ndimage.gaussian_filter(image, widths), dtype=np.float32)


def ranking(
    heat: npt.NDArray[np.float64], chosen: npt.NDArray[np.bool_], seed: int
) -> npt.NDArray[np.intp]:
    """Flat places of ``chosen`` pixels, most important first, equal ones in random order."""
    places = np.flatnonzero(chosen)
    shuffled = places[np.random.default_rng(seed).permutation(places.size)]
    return shuffled[np.argsort(-heat.ravel()[shuffled], kind="stable")]


def _curve(
    score: Score,
    start: npt.NDArray[np.float32],
    end: npt.NDArray[np.float32],
    heat: npt.NDArray[np.float64],
    steps: int,
    batch: int,
    seed: int,
    scaled: bool,
    inserting: bool,
) -> Work[ScoreCurve]:
    """Scores on the way from ``start`` to ``end``, pixels replaced in the order of ``heat``."""
    order = ranking(heat, (start != end).any(axis=0), seed)
    counts = np.unique(np.round(np.linspace(0, order.size, steps + 1)).astype(np.intp))
    source = end.reshape(len(end), -1)
    current = start.reshape(len(start), -1).copy()
    scores = np.empty(counts.size)
    what = "Insertion" if inserting else "Deletion"
    for first in range(0, counts.size, batch):
        part = counts[first : first + batch]
        images = np.empty((part.size, *start.shape), dtype=np.float32)
        for k, count in enumerate(part):
            before = counts[first + k - 1] if first + k else 0
            changed = order[before:count]
            current[:, changed] = source[:, changed]
            images[k] = current.reshape(start.shape)
        scores[first : first + part.size] = score(images)
        yield Progress(first + part.size, counts.size, f"{what}: {first + part.size}")
    shares = counts / max(order.size, 1)
    if not scaled:
        return ScoreCurve(shares, scores, scores if order.size else None)
    low, high = (scores[0], scores[-1]) if inserting else (scores[-1], scores[0])
    rise = high - low
    if order.size == 0 or not rise > _SMALLEST * max(abs(high), abs(low)):
        return ScoreCurve(shares, scores, None)
    return ScoreCurve(shares, scores, (scores - low) / rise)
