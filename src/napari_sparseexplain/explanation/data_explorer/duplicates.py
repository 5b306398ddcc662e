"""Slices that are there twice, exactly or nearly, and patients on two sides of a split."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .slice_record import SliceRecord

#: Correlation of small copies from which two slices of different patients are near duplicates.
_ALIKE = 0.998

#: Slices compared at a time, which bounds the memory.
_BLOCK = 1024

#: Pairs that are told at most.
_MOST = 200

#: A folder of this name is one side of a split.
_SPLIT = re.compile(
    r"(?i)^(train(?:ing)?|val(?:id(?:ation)?)?|test(?:ing)?|holdout|fold[-_ ]?\d+)$"
)


@dataclass(frozen=True)
class Pair:
    """Two slices that are alike.

    Attributes
    ----------
    first, second : str
        Names.
    exact : bool
        Pixel for pixel.
    across : bool
        Of different patients, or on two sides of a split.
    correlation : float
        Of their small copies.
    """

    first: str
    second: str
    exact: bool
    across: bool
    correlation: float


def duplicates(records: Sequence[SliceRecord], root: Path) -> tuple[list[Pair], int]:
    """Exact duplicates, and near ones of different patients; and how many pairs there are in all.

    Neighbouring slices of one patient resemble each other and are not told.
    """
    pairs: list[Pair] = []
    by_digest: dict[bytes, list[int]] = defaultdict(list)
    for index, record in enumerate(records):
        by_digest[record.digest].append(index)
    same = set()
    for group in by_digest.values():
        for other in group[1:]:
            pairs.append(_pair(records[group[0]], records[other], True, 1.0, root))
            same.add(other)
    left = [i for i in range(len(records)) if i not in same]
    patients = np.array([records[i].item.patient for i in left])
    values = np.stack([records[i].small.ravel() for i in left]).astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    values = np.divide(values, length, out=np.zeros_like(values), where=length > 1e-6)
    count = len(pairs)
    for start in range(0, len(left), _BLOCK):
        part = values[start : start + _BLOCK]
        for other in range(start, len(left), _BLOCK):
            found = part @ values[other : other + _BLOCK].T
            rows, columns = np.nonzero(found > _ALIKE)
            for row, column in zip(rows, columns, strict=True):
                i, j = start + int(row), other + int(column)
                if i < j and patients[i] != patients[j]:
                    count += 1
                    if len(pairs) < _MOST:
                        pairs.append(
                            _pair(records[left[i]], records[left[j]], False,
                                  float(found[row, column]), root)
                        )  # fmt: skip
    return pairs, count


def split_of(path: Path, root: Path) -> str:
    """The side of a split that a file lies on, by the names of its folders; empty for none."""
    for part in path.relative_to(root).parts[:-1]:
        if _SPLIT.match(part):
            return part.lower()
    return ""


def leaked_patients(records: Sequence[SliceRecord], root: Path) -> dict[str, tuple[str, ...]]:
    """Patients whose slices lie on several sides of a split, and on which."""
    sides: dict[str, set[str]] = defaultdict(set)
    for record in records:
        if side := split_of(record.item.image, root):
            sides[record.item.patient].add(side)
    return {name: tuple(sorted(found)) for name, found in sides.items() if len(found) > 1}


def _pair(
    first: SliceRecord, second: SliceRecord, exact: bool, correlation: float, root: Path
) -> Pair:
    across = first.item.patient != second.item.patient or split_of(
        first.item.image, root
    ) != split_of(second.item.image, root)
    return Pair(first.item.name, second.item.name, exact, across, correlation)
