"""Cines of one series a slice: put together where they agree in all but position, and what is
missing of them.

Short-axis cines are often written so. One that lacks an image, or a slice between others, is not
put together, and its series are not silently volumes of their own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ...errors import ReadError
from ..finding import Finding
from .stack import Stack, slices_along_normal, stack_frames

#: Milliseconds that trigger times of one heart beat span at most; longer series are of many beats.
_BEAT_MS = 3000.0

#: A step between time points that is this many times the usual one has lost some.
_GAP = 1.5


def join_single_slices(stacks: Sequence[Stack]) -> tuple[list[Stack], list[Finding]]:
    """Put one-slice time series of equal make, that differ in position alone, into one volume.

    They are joined when study, size, spacing, orientation, frame of reference and number of phases
    agree and the positions are evenly spaced; else they stay apart, and that is said.
    """
    groups: dict[tuple[object, ...], list[Stack]] = defaultdict(list)
    for stack in stacks:
        first = stack.first
        if stack.leading == ("time",) and stack.frames.shape[-1] == 1 and first.position:
            key = (
                first.signature[0],
                first.signature[2:],
                first.rows,
                first.columns,
                first.frame_of_reference,
                np.round(first.pixel_spacing or (0.0, 0.0), 4).tobytes(),
                (np.round(np.asarray(first.orientation), 2) + 0.0).tobytes(),
            )
            groups[key].append(stack)
    result, findings = list(stacks), []
    for alike in groups.values():
        by_points: dict[int, list[Stack]] = defaultdict(list)
        for stack in alike:
            by_points[len(stack.frames)].append(stack)
        apart = len(by_points) > 1
        for members in by_points.values():
            joined = _joined(members) if len(members) > 1 else None
            if joined is None:
                apart = apart or len(members) > 1
                continue
            at = result.index(members[0])
            result = [stack for stack in result if stack not in members]
            result.insert(at, joined)
            findings.append(
                Finding(
                    "info",
                    "joined-series",
                    f"{len(members)} series of one slice and {joined.frames.shape[0]} time points "
                    "each differ only in position and were put together as one volume over time",
                    str(members[0].first.path.parent.parent),
                )
            )
        if apart and (said := _apart(alike)):
            where = str(alike[0].first.path.parent.parent)
            findings.append(Finding("warning", "apart-series", said, where))
    return result, findings


def missing_time_points(stacks: Sequence[Stack]) -> list[Finding]:
    """Time points of a heart beat that are not there, by their times and the headers."""
    findings = []
    for stack in stacks:
        if stack.leading != ("time",):
            continue
        points, slices = stack.frames.shape
        said: Counter[str] = Counter()
        for index in range(slices):
            frames = stack.frames[:, index]
            times = [frame.times.get("TriggerTime") for frame in frames]
            counted = frames[0].times.get("CardiacNumberOfImages")
            gaps = [] if None in times else _gaps(np.asarray(times, dtype=np.float64))
            lost = sum(count for _, count in gaps)
            if counted is not None and counted - points > lost and _is_beat(times):
                said[f"{points} of the {counted:g} time points that the headers count"] += 1
            elif gaps:
                places = ", ".join(f"{count} after point {place}" for place, count in gaps)
                said[f"{points} of about {points + lost} time points (missing: {places})"] += 1
        where = str(stack.first.path.parent)
        findings += [
            Finding(
                "warning",
                "missing-time-points",
                f"{'each slice has' if count == slices else f'{count} of {slices} slices have'} "
                f"{words}, so that end-diastole or end-systole may not be among them",
                where,
            )
            for words, count in said.items()
        ]
    return findings


def _is_beat(times: Sequence[float | None]) -> bool:
    known = [time for time in times if time is not None]
    return len(known) == len(times) > 1 and 0 < max(known) - min(known) <= _BEAT_MS


def _gaps(times: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """After which time points, from 1, others are missing, and how many."""
    times = np.sort(times)
    if len(times) < 4 or not _is_beat(times.tolist()):
        return []
    steps = np.diff(times)
    usual = float(np.median(steps))
    if usual <= 0:
        return []
    return [
        (int(place) + 1, round(float(steps[place] / usual)) - 1)
        for place in np.flatnonzero(steps > _GAP * usual)
    ]


def _apart(alike: Sequence[Stack]) -> str:
    """Why series that belong together stay apart; empty where they show one place again."""
    firsts = [stack.first for stack in alike]
    if len(slices_along_normal(firsts)) != len(alike):
        return ""
    head = f"{len(alike)} series of one slice belong together and stay apart: "
    points = Counter(len(stack.frames) for stack in alike)
    if len(points) > 1:
        most = max(points, key=lambda number: (points[number], number))
        odd = [
            f"{stack.first.path.parent.name} has {len(stack.frames)}"
            for stack in alike
            if len(stack.frames) != most
        ]
        return (
            f"{head}{points[most]} of them have {most} time points, {', '.join(odd)}. Fetch the "
            "missing images again"
        )
    normal = np.asarray(firsts[0].normal)
    heights = np.sort([float(np.asarray(first.position) @ normal) for first in firsts])
    steps = ", ".join(f"{step:.1f}" for step in np.diff(heights))
    return f"{head}they lie {steps} mm apart. A slice between them may be missing; fetch it again"


def _joined(members: Sequence[Stack]) -> Stack | None:
    """One stack of several one-slice ones; None when their positions are not even or not apart."""
    firsts = [stack.first for stack in members]
    if len(slices_along_normal(firsts)) != len(members):
        return None
    ordered = sorted(
        members, key=lambda s: float(np.asarray(s.first.position) @ np.asarray(firsts[0].normal))
    )
    where = str(firsts[0].path.parent.parent)
    try:
        line = stack_frames([stack.first for stack in ordered], where)
    except ReadError:
        # Uneven positions mean that the series were not planned as one stack: they stay apart.
        return None
    frames = np.concatenate([stack.frames for stack in ordered], axis=-1)
    earlier = tuple(f for stack in ordered for f in stack.findings)
    return replace(
        ordered[0],
        frames=frames,
        affine=line.affine,
        positions=line.positions,
        findings=(*earlier, *line.findings),
    )
