"""How well masks of the ventricle agree, by slice, by patient and over all pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Areas in pixels that divide small, middling and large ventricles.
AREAS = (300, 800)

#: Draws of the bootstrap over patients, and its seed.
_DRAWS, _SEED = 2000, 20240501


@dataclass(frozen=True, eq=False)
class SliceCounts:
    """Pixels in and out of two masks, a row a slice.

    Attributes
    ----------
    overlap, predicted, reference : ndarray of int, shape (N,)
        Pixels in both masks, in the predicted one, in the reference.
    pixels : int
        Of a slice.
    patients : tuple of str, length N
    """

    overlap: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]
    reference: npt.NDArray[np.int64]
    pixels: int
    patients: tuple[str, ...]

    @classmethod
    def of(
        cls,
        predicted: npt.NDArray[np.bool_],
        reference: npt.NDArray[np.bool_],
        patients: Sequence[str],
    ) -> SliceCounts:
        """Counts of masks (N, rows, columns)."""
        axes = (1, 2)
        return cls(
            np.count_nonzero(predicted & reference, axis=axes).astype(np.int64),
            np.count_nonzero(predicted, axis=axes).astype(np.int64),
            np.count_nonzero(reference, axis=axes).astype(np.int64),
            int(np.prod(predicted.shape[1:])),
            tuple(patients),
        )

    def rows(self, chosen: npt.NDArray[np.bool_]) -> SliceCounts:
        """Some of the slices."""
        return SliceCounts(
            self.overlap[chosen],
            self.predicted[chosen],
            self.reference[chosen],
            self.pixels,
            tuple(p for p, kept in zip(self.patients, chosen, strict=True) if kept),
        )

    @property
    def micro(self) -> float:
        """2 Σ overlap / Σ (predicted + reference) over all slices, as the paper has it."""
        total = int((self.predicted + self.reference).sum())
        return 2 * int(self.overlap.sum()) / total if total else float("nan")

    @property
    def slice_dice(self) -> npt.NDArray[np.float64]:
        """Dice of every slice; where both masks are empty 1, where one is 0."""
        total = self.predicted + self.reference
        return np.where(total > 0, 2 * self.overlap / np.maximum(total, 1), 1.0)

    @property
    def slice_mean(self) -> float:
        """Mean of `slice_dice`."""
        return float(self.slice_dice.mean()) if len(self.overlap) else float("nan")

    @property
    def patient_dice(self) -> dict[str, float]:
        """Mean of `slice_dice` over the slices of each patient."""
        dice, names = self.slice_dice, np.asarray(self.patients)
        return {name: float(dice[names == name].mean()) for name in dict.fromkeys(self.patients)}

    @property
    def patient_mean(self) -> float:
        """Mean of `patient_dice`."""
        values = list(self.patient_dice.values())
        return float(np.mean(values)) if values else float("nan")

    @property
    def patient_interval(self) -> tuple[float, float]:
        """95 % interval of `patient_mean`, patients drawn anew with replacement; NaN of one."""
        values = np.asarray(list(self.patient_dice.values()))
        if values.size < 2:
            return float("nan"), float("nan")
        rng = np.random.default_rng(_SEED)
        means = rng.choice(values, (_DRAWS, values.size)).mean(axis=1)
        low, high = np.percentile(means, (2.5, 97.5))
        return float(low), float(high)

    @property
    def empty(self) -> int:
        """Slices in which nothing was found although there is a ventricle."""
        return int(np.count_nonzero((self.predicted == 0) & (self.reference > 0)))

    @property
    def accuracy(self) -> float:
        """Share of the pixels that are right, background with them."""
        wrong = int((self.predicted + self.reference - 2 * self.overlap).sum())
        return 1 - wrong / (self.pixels * max(1, len(self.overlap)))

    def by_area(self) -> dict[str, SliceCounts]:
        """Slices with small, middling and large ventricles, in pixels of the reference."""
        low, high = AREAS
        return {
            f"< {low} px": self.rows(self.reference < low),
            f"{low}-{high} px": self.rows((self.reference >= low) & (self.reference <= high)),
            f"> {high} px": self.rows(self.reference > high),
        }
