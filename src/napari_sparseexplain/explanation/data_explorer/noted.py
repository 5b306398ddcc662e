"""What a person should look at in a set, the weightiest first, with the slices it is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .dataset import Dataset
from .duplicates import Pair, split_of
from .slice_record import MEASURES

#: ``"grave"`` makes a training or a test wrong, ``"look"`` may, ``"hint"`` is only unusual.
Gravity = Literal["grave", "look", "hint"]

#: Exact duplicates of the same two studies or patients from which they are told as one.
_MANY = 4

#: Notes of one kind that are made; the last of them tells how many more there are.
MOST = 200


@dataclass(frozen=True)
class Noted:
    """One thing to look at.

    Attributes
    ----------
    gravity : {"grave", "look", "hint"}
    kind : str
        Heading for several of them.
    words : str
    slices : tuple of int
        Indices of records; empty where it is about none that could be read.
    """

    gravity: Gravity
    kind: str
    words: str
    slices: tuple[int, ...] = ()


def noted(found: Dataset) -> list[Noted]:
    """All that stands out, in the order in which it should be looked at."""
    of: dict[str, list[int]] = defaultdict(list)
    for index, record in enumerate(found.records):
        of[record.item.patient].append(index)
    every = [*_drawn(found), *_by_patient(found, of), *_pairs(found), *_files(found)]
    every += _outliers(found)
    places = {"grave": 0, "look": 1, "hint": 2}
    return sorted(every, key=lambda note: places[note.gravity])


def _drawn(found: Dataset) -> Iterator[Noted]:
    with_mask = [i for i, r in enumerate(found.records) if "area" in r.measures]
    if not with_mask:
        yield Noted("grave", "Masks", "no slice has a mask")
        return
    empty = [i for i in with_mask if found.records[i].measures["area"] == 0]
    if len(empty) == len(with_mask):
        yield Noted("grave", "Masks", "nothing is drawn on any slice", tuple(empty))
    elif empty:
        words = f"{len(empty)} of {len(with_mask)} masks are empty"
        yield Noted("hint", "Masks", words, tuple(empty))
    full = [i for i in with_mask if _covers_all(found, i)]
    if full:
        words = f"{len(full)} of {len(with_mask)} masks cover their whole image"
        yield Noted("grave" if len(full) == len(with_mask) else "look", "Masks", words, tuple(full))


def _covers_all(found: Dataset, index: int) -> bool:
    record = found.records[index]
    return record.measures["area"] == record.shape[0] * record.shape[1]


def _by_patient(found: Dataset, of: dict[str, list[int]]) -> Iterator[Noted]:
    for name, sides in found.leaked.items():
        words = f"{name} is on {len(sides)} sides of the split: {', '.join(sides)}"
        yield Noted("grave", "Patients on several sides", words, tuple(of[name]))
    for one in found.displaced:
        yield Noted("look", "Masks that fit elsewhere", one.words, tuple(of[one.patient]))
    for one in found.turned:
        yield Noted("look", "Patients that look turned", one.words, tuple(of[one.patient]))
    for one in found.differences:
        slices = tuple(index for name in one.patients for index in of[name])
        yield Noted("look", "Unlike the rest", one.words, slices)


def _pairs(found: Dataset) -> Iterator[Noted]:
    exact: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    for pair in found.pairs:
        if pair.exact:
            first, second = (_whole(found, index) for index in pair.indices)
            exact[first, second].append(pair)
    for (first, second), pairs in exact.items():
        gravity: Gravity = "grave" if pairs[0].across else "look"
        if len(pairs) >= _MANY:
            words = f"{len(pairs)} slices of {second} are those of {first}"
            slices = tuple(index for pair in pairs for index in pair.indices)
            yield Noted(gravity, "Duplicates", words, slices)
            continue
        for pair in pairs:
            words = f"{pair.first} and {pair.second} are the same picture"
            yield Noted(gravity, "Duplicates", words, pair.indices)
    for pair in found.pairs:
        if not pair.exact:
            words = (
                f"{pair.first} and {pair.second} of different patients are nearly the same "
                f"(correlation {pair.correlation:.4f})"
            )
            yield Noted("look", "Near duplicates", words, pair.indices)
    if found.pair_count > len(found.pairs):
        yield Noted("look", "Duplicates", f"… {found.pair_count} pairs of duplicates in all")


def _whole(found: Dataset, index: int) -> str:
    """What a slice is part of: its study, by the way to it, else its patient on a side."""
    item = found.records[index].item
    if found.studies:
        inside = item.image.is_relative_to(found.root)
        return (item.image.relative_to(found.root) if inside else item.image).as_posix()
    side = split_of(item.image, found.root)
    return f"{item.patient} in {side}" if side else item.patient


def _files(found: Dataset) -> Iterator[Noted]:
    for finding in found.findings:
        said = f"{finding.where}: {finding.message}" if finding.where else finding.message
        yield Noted("grave" if finding.code == "unreadable" else "look", "Files", said)
    by_study: dict[str, list[int]] = defaultdict(list)
    for index, record in enumerate(found.records):
        by_study[str(record.item.image)].append(index)
    for study in found.studies:
        for text in study.warnings:
            slices = tuple(by_study[str(study.path)])
            yield Noted("look", "Studies", f"{study.name}: {text}", slices)
    told = 0
    for index, record in enumerate(found.records):
        for text in record.findings:
            told += 1
            if told <= MOST:
                yield Noted("look", "Slices", f"{record.item.name}: {text}", (index,))
    if told > MOST:
        yield Noted("look", "Slices", f"… {told} of them in all")


def _outliers(found: Dataset) -> Iterator[Noted]:
    kind = "Slices that lie apart"
    for outlier in found.outliers[:MOST]:
        parts = ", ".join(f"{MEASURES[m]} {z:+.1f}" for m, z in outlier.measures.items())
        words = f"{outlier.name} lies apart (robust z-score): {parts}"
        yield Noted("hint", kind, words, (outlier.index,))
    if len(found.outliers) > MOST:
        yield Noted("hint", kind, f"… {len(found.outliers)} slices that lie apart in all")
