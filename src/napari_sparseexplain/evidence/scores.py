"""How well a mask agrees with a true one. A score that does not apply is None, never 0 or 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import SparseExplainError
from ..volumes.labels.tumour import REGION_PARTS, region_labels

#: Label values of the whole tumour, the tumour core and the enhancing tumour. BraTS 2018-2021 gives
#: enhancing tumour the value 4, BraTS 2023 the value 3; no set uses both.
UNIONS: Mapping[str, tuple[int, ...]] = {name: region_labels(name) for name in REGION_PARTS}

#: Draws of the bootstrap, and its seed: the same slices give the same interval.
_DRAWS = 2000
_SEED = 20240501


def union(labels: npt.NDArray[Any], name: str) -> npt.NDArray[np.bool_]:
    """Voxels of a union of BraTS classes: whole tumour, tumour core, enhancing tumour.

    Parameters
    ----------
    labels : ndarray of int
        With the values {1, 2, 4} (BraTS 2018-2021) or {1, 2, 3} (2023): necrosis, oedema,
        enhancing tumour.
    name : {"WT", "TC", "ET"}

    Raises
    ------
    SparseExplainError
        No such union, or labels that hold both 3 and 4 (not the BraTS classes).
    """
    if name not in UNIONS:
        raise SparseExplainError(
            f"there is no class union {name!r}", remedy="The unions are: " + ", ".join(UNIONS)
        )
    values = np.asarray(labels)
    if (values == 3).any() and (values == 4).any():
        raise SparseExplainError(
            "the mask holds both labels 3 and 4, so its classes are not those of BraTS",
            remedy="Give a mask with necrosis 1, oedema 2 and enhancing tumour 3 or 4",
        )
    return np.isin(values, UNIONS[name])


@dataclass(frozen=True)
class Counts:
    """Pixels in and out of two masks; counts of several pieces add up (micro averaging)."""

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.false_negative + other.false_negative,
        )

    @classmethod
    def of(cls, predicted: npt.NDArray[Any], true: npt.NDArray[Any]) -> Counts:
        """Counts of two masks of one shape; anything but 0 is in."""
        if predicted.shape != true.shape:
            raise ValueError(f"masks of unequal shape {predicted.shape} and {true.shape}")
        inside, wanted = predicted != 0, true != 0
        both = int(np.count_nonzero(inside & wanted))
        return cls(both, int(np.count_nonzero(inside)) - both, int(np.count_nonzero(wanted)) - both)

    @property
    def dice(self) -> float | None:
        """2 TP / (2 TP + FP + FN); None when both masks are empty."""
        return _ratio(
            2 * self.true_positive,
            2 * self.true_positive + self.false_positive + self.false_negative,
        )

    @property
    def iou(self) -> float | None:
        """TP / (TP + FP + FN); None when both masks are empty."""
        return _ratio(
            self.true_positive, self.true_positive + self.false_positive + self.false_negative
        )

    @property
    def sensitivity(self) -> float | None:
        """TP / (TP + FN); None without a true lesion."""
        return _ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def precision(self) -> float | None:
        """TP / (TP + FP); None when nothing was predicted."""
        return _ratio(self.true_positive, self.true_positive + self.false_positive)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def dice(predicted: npt.NDArray[Any], true: npt.NDArray[Any]) -> float | None:
    """Dice score over all pixels together; None when both masks are empty."""
    return Counts.of(predicted, true).dice


def iou(predicted: npt.NDArray[Any], true: npt.NDArray[Any]) -> float | None:
    """Intersection over union over all pixels together; None when both masks are empty."""
    return Counts.of(predicted, true).iou


@dataclass(frozen=True)
class Mean:
    """A mean with its confidence interval.

    Attributes
    ----------
    value, low, high : float
        Mean and the interval's ends; NaN ends when there are fewer than two values.
    count : int
        How many values.
    """

    value: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        if np.isnan(self.low):
            return f"{self.value:.3f} (n = {self.count})"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] (n = {self.count})"


def mean_with_interval(
    values: Sequence[float] | npt.NDArray[np.float64],
    level: float = 0.95,
    *,
    groups: Sequence[Any] | None = None,
) -> Mean | None:
    """Mean with a percentile bootstrap interval; None without values.

    Slices of one patient are alike, so with ``groups`` whole groups are drawn, not slices: the
    interval then says what to expect of another patient. With one group only, slices are drawn,
    and the interval speaks of that patient alone.

    Parameters
    ----------
    values : sequence of float
        One score a slice.
    level : float
        Coverage.
    groups : sequence, optional
        The patient of each value.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13
       (percentile interval).
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0:
        return None
    mean = float(sample.mean())
    if sample.size < 2:
        return Mean(mean, float("nan"), float("nan"), 1)
    rng = np.random.default_rng(_SEED)
    _, member = np.unique(
        np.zeros(sample.size) if groups is None else np.asarray(groups), return_inverse=True
    )
    count = int(member.max()) + 1
    if count > 1:
        sums = np.bincount(member, weights=sample)
        sizes = np.bincount(member)
        drawn = rng.integers(0, count, size=(_DRAWS, count))
        means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    else:
        means = sample[rng.integers(0, sample.size, size=(_DRAWS, sample.size))].mean(axis=1)
    low, high = np.quantile(means, ((1 - level) / 2, (1 + level) / 2))
    return Mean(mean, float(low), float(high), int(sample.size))


def slice_dice(
    predicted: npt.NDArray[Any], true: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Dice of every slice that holds a true lesion, and which slices these are.

    Parameters
    ----------
    predicted, true : ndarray, shape (N, rows, columns)

    Returns
    -------
    scores : ndarray, shape (K,)
    index : ndarray of int, shape (K,)
    """
    wanted = (true != 0).sum(axis=(1, 2))
    inside = (predicted != 0).sum(axis=(1, 2))
    both = ((predicted != 0) & (true != 0)).sum(axis=(1, 2))
    index = np.flatnonzero(wanted)
    return 2.0 * both[index] / (wanted + inside)[index], index


def segmentation_scores(
    predicted: npt.NDArray[Any], true: npt.NDArray[Any], voxel_ml: float | None = None
) -> dict[str, float | None]:
    """Every score of one volume's mask against its true one.

    Parameters
    ----------
    predicted, true : ndarray, shape (N, rows, columns)
        Masks; anything but 0 is in.
    voxel_ml : float, optional
        Volume of a voxel in millilitres; None when the image is not calibrated.

    Returns
    -------
    dict
        ``dice`` and ``iou`` over all voxels given; ``dice on lesion slices`` over the voxels of
        slices with a true lesion; ``slice dice`` with ``slice dice low``/``high`` (mean over these
        slices, 95 % interval); ``sensitivity``; ``precision``; ``false-positive ml``.
    """
    counts = Counts.of(predicted, true)
    lesion = (true != 0).any(axis=(1, 2))
    scores, _ = slice_dice(predicted, true)
    mean = mean_with_interval(scores)

    def finite(value: float) -> float | None:
        return None if np.isnan(value) else value

    return {
        "dice": counts.dice,
        "iou": counts.iou,
        "dice on lesion slices": Counts.of(predicted[lesion], true[lesion]).dice,
        "slice dice": None if mean is None else mean.value,
        "slice dice low": None if mean is None else finite(mean.low),
        "slice dice high": None if mean is None else finite(mean.high),
        "sensitivity": counts.sensitivity,
        "precision": counts.precision,
        "false-positive ml": None if voxel_ml is None else counts.false_positive * voxel_ml,
    }
