"""Which class a network gives to the voxels of each true class, and the Dice of each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

#: Entry among a card's metrics: ``measured on``, ``cases`` with the Dice of each class, and what
#: `Confusion.to_json` tells of all cases together.
CARD_ENTRY = "classes"


@dataclass(frozen=True, eq=False)
class Confusion:
    """Counts of voxels by true and by given class; those of several subjects add up.

    Attributes
    ----------
    counts : ndarray of int, shape (classes, classes)
        Rows are true classes, columns what the network gave.
    """

    counts: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls,
        given: npt.NDArray[np.integer],
        true: npt.NDArray[np.integer],
        classes: int,
        inside: npt.NDArray[np.bool_] | None = None,
    ) -> Confusion:
        """Count one subject.

        Parameters
        ----------
        given, true : ndarray of int
            Class numbers from 0, of one shape.
        classes : int
        inside : ndarray of bool, optional
            Voxels that count, as those of the brain: around it every network is right.
        """
        if given.shape != true.shape:
            raise ValueError(f"classes of unequal shape {given.shape} and {true.shape}")
        where = ... if inside is None else inside
        pairs = true[where].astype(np.int64) * classes + given[where]
        counts = np.bincount(pairs.ravel(), minlength=classes**2)
        return cls(counts.reshape(classes, classes))

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(self.counts + other.counts)

    def dice(self) -> list[float | None]:
        """Dice of each class; None for one that is neither there nor given."""
        both = np.diagonal(self.counts)
        sizes = self.counts.sum(axis=0) + self.counts.sum(axis=1)
        return [float(2 * b / s) if s else None for b, s in zip(both, sizes, strict=True)]

    def shares(self) -> list[list[float] | None]:
        """Of each true class, which share of its voxels got which class; None for one not there."""
        return [[float(n / row.sum()) for n in row] if row.any() else None for row in self.counts]

    def to_json(self, names: Sequence[str]) -> dict[str, Any]:
        """Dice and shares by the classes' names, rounded to three digits."""
        dice = {
            n: None if d is None else round(d, 3) for n, d in zip(names, self.dice(), strict=True)
        }
        shares = {
            true: {name: round(share, 3) for name, share in zip(names, row, strict=True)}
            for true, row in zip(names, self.shares(), strict=True)
            if row is not None
        }
        return {"dice": dice, "of each true class, given as": shares}


def confusion_rows(told: Mapping[str, Any]) -> list[list[str]]:
    """What `Confusion.to_json` told, as rows: true class, Dice, then the share given each class."""
    dice, shares = told["dice"], told["of each true class, given as"]
    rows = []
    for true, value in dice.items():
        row = shares.get(true, {})
        given = [f"{100 * row[name]:.0f} %" if name in row else "-" for name in dice]
        rows.append([true, "-" if value is None else f"{value:.3f}", *given])
    return rows
