"""Scores of a classification: confusion, accuracy, F1 by class, calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

#: Pictures drawn at once: all rounds of a large set would need gigabytes.
_INDICES = 2_000_000


def confusion(
    predicted: npt.NDArray[Any], targets: npt.NDArray[Any], count: int
) -> npt.NDArray[np.intp]:
    """How many pictures of each class (rows) were called each class (columns)."""
    pairs = np.asarray(targets) * count + np.asarray(predicted)
    return np.bincount(pairs, minlength=count * count).reshape(count, count)


def f1_by_class(
    predicted: npt.NDArray[Any], targets: npt.NDArray[Any], count: int
) -> npt.NDArray[np.float64]:
    """2 TP / (2 TP + FP + FN) of each class; NaN for one that is neither there nor called."""
    table = confusion(predicted, targets, count).astype(np.float64)
    true = np.diag(table)
    both = table.sum(axis=0) + table.sum(axis=1)
    return np.divide(2 * true, both, out=np.full(count, np.nan), where=both > 0)


def macro_f1(predicted: npt.NDArray[Any], targets: npt.NDArray[Any], count: int) -> float:
    """Mean of F1 over the classes that are there or were called."""
    return float(np.nanmean(f1_by_class(predicted, targets, count)))


@dataclass(frozen=True)
class Reliability:
    """How often a network is right where it is so sure; one entry a bin of confidence.

    Attributes
    ----------
    confidence, accuracy : tuple of float
        Means over the pictures of a bin.
    counts : tuple of int
    error : float
        Expected calibration error: Σ counts |accuracy - confidence| / N (Guo et al. 2017).
    """

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    counts: tuple[int, ...]
    error: float


def reliability(
    probabilities: npt.NDArray[Any], targets: npt.NDArray[Any], bins: int = 10
) -> Reliability:
    """Confidence against accuracy in bins of equal width; empty bins are left out.

    Parameters
    ----------
    probabilities : ndarray, shape (N, classes)
    targets : ndarray of int, shape (N,)
    """
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == targets
    place = np.minimum((sure * bins).astype(int), bins - 1)
    filled = [k for k in range(bins) if (place == k).any()]
    confidence = tuple(float(sure[place == k].mean()) for k in filled)
    accuracy = tuple(float(right[place == k].mean()) for k in filled)
    counts = tuple(int((place == k).sum()) for k in filled)
    gaps = zip(counts, accuracy, confidence, strict=True)
    error = sum(n * abs(a - c) for n, a, c in gaps) / max(1, len(sure))
    return Reliability(confidence, accuracy, counts, error)


def accuracy_interval(
    right: npt.NDArray[np.bool_], *, rounds: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of a share, by drawing pictures anew.

    Pictures of one patient resemble each other, so the true one is wider where patients are not
    known.
    """
    random = np.random.default_rng(seed)
    shares = []
    each = max(1, _INDICES // max(1, len(right)))
    for start in range(0, rounds, each):
        draws = random.integers(0, len(right), (min(each, rounds - start), len(right)))
        shares.append(right[draws].mean(axis=1))
    low, high = np.quantile(np.concatenate(shares), (0.025, 0.975))
    return float(low), float(high)
