"""Several images at one place: which attribute tells them apart, and so which axis they span.

Echo, inversion time and flip angle make an axis each when every slice has every value of them.
Diffusion weightings make the axis ``direction``. What is left repeats in time and is ordered by
the first attribute that tells the repeats apart at every slice; attributes that the scanner
counts (temporal position, acquisition number) come before clocks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ..finding import Finding
from .diffusion_volumes import are_weighted, unsure, unsure_finding, volume_labels
from .frames import Frame

#: Attributes that may order repeats, the most trustworthy first.
_ORDERS = (
    "TemporalPositionIdentifier",
    "TriggerTime",
    "TemporalPositionTimeOffset",
    "AcquisitionNumber",
    "AcquisitionTime",
    "DimensionIndexValues",
    "ContentTime",
)

#: Attributes with one value for a whole time point, by which an incomplete one is recognised.
_COUNTED = ("TemporalPositionIdentifier", "AcquisitionNumber")

_CONTRASTS = ("echo", "inversion", "flip")

#: Most values that a contrast may take to span an axis (beyond, it is jitter, not a protocol).
_MOST_CONTRASTS = 64


@dataclass(frozen=True)
class Arrangement:
    """Frames as an array (\\*leading, slices), the axes' names, values, and what was noticed."""

    frames: npt.NDArray[Any]
    leading: tuple[str, ...] = ()
    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    ordered_by: str = ""
    findings: tuple[Finding, ...] = ()


def arrange(slices: Sequence[Sequence[Frame]], where: str) -> Arrangement:
    """Put the frames of every slice onto common leading axes.

    Parameters
    ----------
    slices : sequence of sequences of Frame
        Frames by slice, slices in order.
    where : str
        The series, for messages.

    Raises
    ------
    ReadError
        Slices have unequal numbers of images and no attribute tells which are missing.
    """
    if all(len(frames) == 1 for frames in slices):
        return Arrangement(_objects([f for frames in slices for f in frames], (len(slices),)))
    names = _contrast_axes(slices)
    cells = _cells(slices, names)
    ranks: dict[tuple[Any, ...], list[list[Frame]]] = {}
    repeated = any(len(cell) > 1 for row in cells.values() for cell in row)
    findings: tuple[Finding, ...] = ()
    ordered_by, last = "", None
    if repeated:
        weighted = are_weighted([f for frames in slices for f in frames])
        last = "direction" if weighted else "time"
        cells, ordered_by, findings = _order_cells(cells, weighted, where)
        if ordered_by == "InstanceNumber" and not weighted:
            last = "repeat"
    ranks = cells
    axes = [sorted({key[i] for key in ranks}) for i in range(len(names))]
    depth = len(next(iter(ranks.values()))[0])
    shape = (*(len(axis) for axis in axes), depth, len(slices))
    flat = [
        ranks[key][s][t] for key in _product(axes) for t in range(depth) for s in range(len(slices))
    ]
    frames = _objects(flat, shape)
    leading = tuple(names)
    values: dict[str, tuple[Any, ...]] = {n: tuple(a) for n, a in zip(names, axes, strict=True)}
    if last is None:
        frames = frames[..., 0, :]
    else:
        leading = (*leading, last)
        first = frames[(0,) * len(names)]
        values[last] = tuple(f.times.get(ordered_by) for f in first[:, 0])
        if last == "direction":
            values[last] = tuple(volume_labels(first) or (f.diffusion for f in first[:, 0]))
            findings = (*findings, *unsure_finding(first, where))
    return Arrangement(frames, leading, values, ordered_by, findings)


def _contrast_axes(slices: Sequence[Sequence[Frame]]) -> list[str]:
    """Contrasts that vary and form a full product at every slice."""
    names: list[str] = []
    for name in _CONTRASTS:
        trial = [*names, name]
        keys = [{_key(f, trial) for f in frames} for frames in slices]
        everything = set().union(*keys)
        sizes = [len({key[i] for key in everything}) for i in range(len(trial))]
        if None in {part for key in everything for part in key}:
            continue
        full = all(key == everything for key in keys) and len(everything) == int(np.prod(sizes))
        if full and 1 < sizes[-1] <= _MOST_CONTRASTS:
            names = trial
    return names


def _key(frame: Frame, names: Sequence[str]) -> tuple[float | None, ...]:
    return tuple(frame.contrasts.get(name) for name in names)


def _cells(
    slices: Sequence[Sequence[Frame]], names: Sequence[str]
) -> dict[tuple[Any, ...], list[list[Frame]]]:
    """Frames by contrast key, then by slice."""
    cells: dict[tuple[Any, ...], list[list[Frame]]] = {}
    for s, frames in enumerate(slices):
        for frame in frames:
            rows = cells.setdefault(_key(frame, names), [[] for _ in slices])
            rows[s].append(frame)
    return cells


def _order_cells(
    cells: dict[tuple[Any, ...], list[list[Frame]]], weighted: bool, where: str
) -> tuple[dict[tuple[Any, ...], list[list[Frame]]], str, tuple[Finding, ...]]:
    """Every cell's frames in the common order, the attribute used, and what was noticed."""
    findings: list[Finding] = []
    rows = list(cells.values())
    if len({len(cell) for row in rows for cell in row}) > 1:
        cells, finding = _without_incomplete(cells, where)
        findings.append(finding)
        rows = list(cells.values())
    ordered_by = _telling_attribute(rows, weighted)
    if weighted and any(unsure(f) for row in rows for cell in row for f in cell):
        put = [found for row in rows if (found := _by_attribute(row)) is not None]
        if len(put) == len(rows):
            ordered = {key: part for key, (part, _) in zip(cells, put, strict=True)}
            return ordered, put[0][1], tuple(findings)
    if ordered_by is None:
        ordered_by = "InstanceNumber"
        if not weighted:
            findings.append(
                Finding(
                    "warning",
                    "undistinguished-repeats",
                    f"each slice of {where} has {len(rows[0][0])} images that no time, echo or "
                    "diffusion attribute tells apart; they are shown as an axis 'repeat' in the "
                    "order of their instance numbers",
                    where,
                )
            )
    done: dict[tuple[Any, ...], list[list[Frame]]] = {}
    for key, row in cells.items():
        done[key] = _common_order(row, ordered_by, weighted, where)
    return done, ordered_by, tuple(findings)


def _by_attribute(row: list[list[Frame]]) -> tuple[list[list[Frame]], str] | None:
    """Frames of each slice by what counts them, where some do not tell their weighting.

    None where nothing counts them so that the slices of each volume tell the same.
    """
    for name in (*_ORDERS, "InstanceNumber"):
        if not all(_tells(cell, name, False) for cell in row):
            continue
        ordered = [sorted(cell, key=lambda f, by=name: _order(f, by)) for cell in row]
        frames = _objects(
            [f for line in zip(*ordered, strict=True) for f in line], (len(row[0]), len(row))
        )
        if volume_labels(frames) is not None:
            return ordered, name
    return None


def _telling_attribute(rows: list[list[list[Frame]]], weighted: bool) -> str | None:
    """First attribute whose values are all there and all differ among the repeats."""
    for name in _ORDERS:
        if all(_tells(cell, name, weighted) for row in rows for cell in row):
            return name
    return None


def _tells(cell: list[Frame], name: str, weighted: bool) -> bool:
    values = [f.times.get(name) for f in cell]
    if None in values:
        return False
    if weighted:
        return len({(f.diffusion, v) for f, v in zip(cell, values, strict=True)}) == len(cell)
    return len(set(values)) == len(cell)


def _common_order(
    row: list[list[Frame]], ordered_by: str, weighted: bool, where: str
) -> list[list[Frame]]:
    """Frames of each slice so that the same place in the list is the same time or weighting."""
    if not weighted:
        return [sorted(cell, key=lambda f: _order(f, ordered_by)) for cell in row]
    labelled: list[dict[tuple[Any, int], Frame]] = []
    for cell in row:
        same: dict[Any, list[Frame]] = defaultdict(list)
        for frame in sorted(cell, key=lambda f: _order(f, ordered_by)):
            same[frame.diffusion].append(frame)
        labelled.append({(d, k): f for d, fs in same.items() for k, f in enumerate(fs)})
    if any(set(labels) != set(labelled[0]) for labels in labelled):
        raise ReadError(
            "the slices of the diffusion series do not all have the same b-values and directions",
            where=where,
            remedy="Fetch the whole series again from its archive",
        )
    order = sorted(labelled[0], key=lambda label: _order(labelled[0][label], ordered_by))
    return [[labels[label] for label in order] for labels in labelled]


def _order(frame: Frame, name: str) -> tuple[Any, float, float]:
    instance = frame.times.get("InstanceNumber", frame.number)
    found = frame.times.get(name)
    return (instance if found is None else found, float(instance), float(frame.number))


def _without_incomplete(
    cells: dict[tuple[Any, ...], list[list[Frame]]], where: str
) -> tuple[dict[tuple[Any, ...], list[list[Frame]]], Finding]:
    """Drop time points that lack slices, where a counted attribute tells which those are."""
    rows = list(cells.values())
    for name in _COUNTED:
        if not all(_tells(cell, name, False) for row in rows for cell in row):
            continue
        seen = [{f.times[name] for f in cell} for row in rows for cell in row]
        whole, every = set.intersection(*seen), set.union(*seen)
        if not whole:
            continue
        kept = {
            key: [[f for f in cell if f.times[name] in whole] for cell in row]
            for key, row in cells.items()
        }
        lost = ", ".join(f"{v:g}" for v in sorted(every - whole)[:8])
        return kept, Finding(
            "warning",
            "incomplete-time-points",
            f"{len(every - whole)} of {len(every)} time points of {where} lack slices and were "
            f"left out ({name} {lost})",
            where,
        )
    counts = sorted({len(cell) for row in rows for cell in row})
    raise ReadError(
        f"its slices hold between {counts[0]} and {counts[-1]} images each, and nothing in the "
        "headers tells which are missing or which are doubled",
        where=where,
        remedy="Fetch the whole series again from its archive, or remove the images that do not "
        "belong to it",
    )


def _product(axes: list[list[Any]]) -> list[tuple[Any, ...]]:
    keys: list[tuple[Any, ...]] = [()]
    for axis in axes:
        keys = [(*key, v) for key in keys for v in axis]
    return keys


def _objects(flat: Sequence[Frame], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    array = np.empty(len(flat), dtype=object)
    array[:] = flat
    return array.reshape(shape)
