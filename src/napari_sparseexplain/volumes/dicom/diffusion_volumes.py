"""Images of a diffusion series that are no measurement along a direction, or do not tell theirs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy.typing as npt

from ..finding import Finding
from .diffusion import B0_MOST, Weighting
from .frames import Frame


def without_averages(
    slices: Sequence[Sequence[Frame]], where: str
) -> tuple[list[list[Frame]], tuple[Finding, ...]]:
    """Leave out the volumes that a scanner computed from a series' directions (trace, mean).

    They are weighted and tell no direction, at every slice, where other images of the series tell
    one. Where only some slices are so, these have lost an element, and that is noted with them.

    Parameters
    ----------
    slices : sequence of sequences of Frame
        All frames of one series, by slice.
    where : str
        The series, for messages.
    """
    kept = [list(cell) for cell in slices]
    told = [f.weighting for cell in slices for f in cell if f.weighting is not None]
    if not any(w.directional for w in told):
        return kept, ()
    out: Counter[float] = Counter()
    for b in sorted({w.b for w in told if w.without_direction and w.b is not None}):
        counts = {sum(_average_of(f, b) for f in cell) for cell in kept}
        said = any(w.averaged for w in told if w.b == b)
        if len(counts) == 1 or said:
            out[b] = max(counts)
            kept = [[f for f in cell if not _average_of(f, b)] for cell in kept]
        else:
            kept = [[_lost(f) if _average_of(f, b) else f for f in cell] for cell in kept]
    if not out:
        return kept, ()
    values = ", ".join(f"{count} at b = {b:g}" for b, count in out.items())
    volumes = "volume" if sum(out.values()) == 1 else "volumes"
    finding = Finding(
        "info",
        "averages-left-out",
        f"{values}: {volumes} of {where} without a direction beside others that have one, which a "
        "scanner computes from these (trace, mean); left out of the scan",
        where,
    )
    return kept, (finding,)


def _average_of(frame: Frame, b: float) -> bool:
    weighting = frame.weighting
    return weighting is not None and weighting.without_direction and weighting.b == b


def _lost(frame: Frame) -> Frame:
    assert frame.weighting is not None
    problem = "it tells a b-value and no direction"
    return replace(frame, weighting=replace(frame.weighting, problem=problem))


def are_weighted(frames: Sequence[Frame]) -> bool:
    """Whether images at one place differ by their diffusion weighting."""
    labels = {f.diffusion for f in frames}
    told = labels - {None}
    return len(told) > 1 or (len(labels) > 1 and any(label[0] > B0_MOST for label in told if label))


def unsure(frame: Frame) -> bool:
    """Whether a frame does not tell its weighting, or not all of it."""
    return frame.weighting is None or bool(frame.weighting.problem) or frame.diffusion is None


def volume_labels(frames: npt.NDArray[Any]) -> list[tuple[float, ...] | None] | None:
    """b-value and direction of each volume, as most of its slices tell it.

    Parameters
    ----------
    frames : ndarray of Frame, shape (volumes, slices)

    Returns
    -------
    list or None
        An entry is None where no slice tells it. None when slices of one volume tell different
        ones: they were not put together rightly.
    """
    labels: list[tuple[float, ...] | None] = []
    for row in frames:
        sure = {f.diffusion for f in row if not unsure(f)}
        if len(sure) > 1:
            return None
        half = Counter(f.diffusion for f in row if f.diffusion is not None)
        labels.append(sure.pop() if sure else half.most_common(1)[0][0] if half else None)
    return labels


def unsure_finding(frames: npt.NDArray[Any], where: str) -> tuple[Finding, ...]:
    """What to say of images that do not tell their weighting.

    Parameters
    ----------
    frames : ndarray of Frame, shape (volumes, slices)
    """
    lost = [f for f in frames.flat if unsure(f)]
    if not lost:
        return ()
    first = lost[0]
    weighting = first.weighting or Weighting(None)
    reason = weighting.problem or "no element of it is there"
    alone: dict[bool, list[int]] = defaultdict(list)
    for number, row in enumerate(frames):
        if any(unsure(f) for f in row):
            alone[all(unsure(f) for f in row)].append(number + 1)
    parts = []
    if alone[False]:
        parts.append(f"{_volumes(alone[False])} taken to have that of the other slices")
    if alone[True]:
        parts.append(f"{_volumes(alone[True])} without a gradient that is known")
    of = f"{first.path.name}, frame {first.number + 1}" if first.number else first.path.name
    return (
        Finding(
            "warning",
            "gradient-tags-missing",
            f"{len(lost)} of {frames.size} images of {where} do not tell their diffusion weighting "
            f"(first {of}: {reason}): {'; '.join(parts)}",
            where,
        ),
    )


def _volumes(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(n) for n in numbers[:8])
    more = f" and {len(numbers) - 8} more" if len(numbers) > 8 else ""
    return f"volume{'s' if len(numbers) > 1 else ''} {shown}{more}"
