"""Slices that are there twice, exactly or nearly, and patients on two sides of a split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...progress import Progress, Work
from ...volumes.labelled.slice_folders import SPLIT_FOLDER
from .slice_record import SliceRecord

#: Correlation of small copies from which two slices of different patients are near duplicates.
_ALIKE = 0.998

#: Slices compared at a time, which bounds the memory.
_BLOCK = 1024

#: Pairs that are told at most.
_MOST = 200


@dataclass(frozen=True)
class Pair:
    """Two slices that are alike.

    Attributes
    ----------
    first, second : str
        Names.
    indices : (int, int)
        Among the records.
    exact : bool
        Pixel for pixel.
    across : bool
        Of different patients, or on two sides of a split.
    correlation : float
        Of their small copies.
    """

    first: str
    second: str
    indices: tuple[int, int]
    exact: bool
    across: bool
    correlation: float


def duplicates_work(records: Sequence[SliceRecord], root: Path) -> Work[tuple[list[Pair], int]]:
    """Exact duplicates, and near ones of different patients; and how many pairs there are in all.

    Neighbouring slices of one patient resemble each other and are not told. Memory is bounded by
    the small copies, whatever is alike.
    """
    pairs: list[Pair] = []
    by_digest: dict[bytes, list[int]] = defaultdict(list)
    for index, record in enumerate(records):
        by_digest[record.digest].append(index)
    same = {other for group in by_digest.values() for other in group[1:]}
    for group in by_digest.values():
        for other in group[1:]:
            if len(pairs) < _MOST:
                pairs.append(_pair(records, group[0], other, True, 1.0, root))
    left = np.array([i for i in range(len(records)) if i not in same])
    codes: dict[str, int] = {}
    patients = np.array([codes.setdefault(records[i].item.patient, len(codes)) for i in left])
    count, told = len(same), len(pairs)
    for start in range(0, len(left), _BLOCK):
        part = _normalised(records, left[start : start + _BLOCK])
        for other in range(start, len(left), _BLOCK):
            yield Progress(start, len(left), "Comparing the slices")
            found = part @ _normalised(records, left[other : other + _BLOCK]).T
            alike = found > _ALIKE
            alike &= patients[start : start + _BLOCK, None] != patients[other : other + _BLOCK]
            if other == start:
                alike = np.triu(alike, 1)
            count += int(np.count_nonzero(alike))
            if len(pairs) - told < _MOST and alike.any():
                rows, columns = np.nonzero(alike)
                for row, column in list(zip(rows, columns, strict=True))[
                    : _MOST + told - len(pairs)
                ]:
                    i, j = int(left[start + row]), int(left[other + column])
                    pairs.append(_pair(records, i, j, False, float(found[row, column]), root))
    return pairs, count


def _normalised(
    records: Sequence[SliceRecord], chosen: npt.NDArray[np.intp]
) -> npt.NDArray[np.float32]:
    """Small copies of mean 0 and length 1; of a slice of one value 0."""
    values = np.stack([records[int(i)].small.ravel() for i in chosen]).astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return np.divide(values, length, out=np.zeros_like(values), where=length > 1e-6)


def split_of(path: Path, root: Path) -> str:
    """The side of a split that a file lies on, by the names of its folders; empty for none."""
    inside = path.relative_to(root) if path.is_relative_to(root) else path
    for part in inside.parts[:-1]:
        if SPLIT_FOLDER.match(part):
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
    records: Sequence[SliceRecord],
    i: int,
    j: int,
    exact: bool,
    correlation: float,
    root: Path,
) -> Pair:
    first, second = records[i].item, records[j].item
    across = first.patient != second.patient or split_of(first.image, root) != split_of(
        second.image, root
    )
    return Pair(first.name, second.name, (i, j), exact, across, correlation)
