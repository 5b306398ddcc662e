"""Which frames make one volume: by series, kind of image, size and orientation.

Frames of one series that differ in any of these are separate volumes, and that is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ...errors import ReadError
from ..finding import Finding
from .cine_series import join_single_slices, missing_time_points
from .frames import Frame
from .stack import Stack, frame_affine, stack_frames

#: Largest difference of a direction cosine between images of one orientation.
_SAME_DIRECTION = 2e-3

#: Largest relative difference of PixelSpacing between images of one size.
_SAME_SPACING = 1e-3

_PLANES = ("sagittal", "coronal", "axial")


@dataclass
class Sorted:
    """Volumes to be, in series order, and what kept others from being one."""

    stacks: list[Stack] = field(default_factory=list)
    refused: list[ReadError] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def sort_frames(frames: Sequence[Frame], names: dict[str, str]) -> Sorted:
    """Turn all frames of a path into stacks.

    Parameters
    ----------
    frames : sequence of Frame
        In any order.
    names : dict of str to str
        What to call each series, by SeriesInstanceUID, in messages.

    Returns
    -------
    Sorted
        A series that cannot be stacked stands in ``refused``; the others are not touched by it.
    """
    result = Sorted()
    kept, copies = _without_copies(frames)
    if copies:
        result.findings.append(
            Finding(
                "info",
                "duplicate-files",
                f"{len(copies)} files carry the SOPInstanceUID of another file and were left out "
                f"as copies ({copies[0].name} first)",
                str(copies[0]),
            )
        )
    series: dict[tuple[str, str], list[Frame]] = defaultdict(list)
    for frame in kept:
        series[frame.series_uid, frame.series_uid or str(frame.path)].append(frame)
    for (uid, _), members in series.items():
        where = _series_where(members, names.get(uid, ""))
        stacks: list[Stack] = []
        for group in _alike(members):
            try:
                stacks.extend(_stacks_of(group, where))
            except ReadError as error:
                result.refused.append(error)
        result.findings.extend(_split_finding(stacks, where))
        result.stacks.extend(_named_parts(stacks))
    result.stacks, joined = join_single_slices(result.stacks)
    result.findings.extend(joined)
    result.findings.extend(missing_time_points(result.stacks))
    return result


def _without_copies(frames: Sequence[Frame]) -> tuple[list[Frame], list[Path]]:
    """Frames with each SOP instance taken from one file only, and the files left out."""
    owner: dict[str, Path] = {}
    kept, copies = [], []
    for frame in frames:
        if frame.sop_uid and owner.setdefault(frame.sop_uid, frame.path) != frame.path:
            if frame.path not in copies:
                copies.append(frame.path)
        else:
            kept.append(frame)
    return kept, copies


def _alike(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Frames grouped by signature, size, spacing and orientation, in order of first sight."""
    groups: list[list[Frame]] = []
    for frame in frames:
        for group in groups:
            if _same_make(group[0], frame):
                group.append(frame)
                break
        else:
            groups.append([frame])
    return groups


def _same_make(a: Frame, b: Frame) -> bool:
    if (a.alone or b.alone) and a.path != b.path:
        return False
    if (a.signature, a.rows, a.columns) != (b.signature, b.rows, b.columns):
        return False
    return (
        _near(a.orientation, b.orientation, _SAME_DIRECTION)
        and _near(a.pixel_spacing, b.pixel_spacing, _SAME_SPACING * max(a.pixel_spacing or (1.0,)))
        and (a.position is None) == (b.position is None)
    )


def _near(a: tuple[float, ...] | None, b: tuple[float, ...] | None, tolerance: float) -> bool:
    """Both absent, or equal to ``tolerance`` in every part."""
    if a is None or b is None:
        return a is b
    return max(abs(x - y) for x, y in zip(a, b, strict=True)) <= tolerance


def _stacks_of(group: Sequence[Frame], where: str) -> list[Stack]:
    """Stacks of like frames: one, or one an echo when there are two (each has a role then)."""
    if group[0].position is None or group[0].orientation is None:
        return _unplaced(group, where)
    echoes = sorted({f.contrasts.get("echo", -1.0) for f in group})
    if len(echoes) == 2:
        parts = [[f for f in group if f.contrasts.get("echo", -1.0) == echo] for echo in echoes]
        if len({_heights(part) for part in parts}) == 1:
            return [
                replace(stack_frames(part, where), part=f"echo {i + 1}")
                for i, part in enumerate(parts)
            ]
    try:
        return [stack_frames(group, where)]
    except ReadError:
        parts = _by_thickness(group, where)
        if not parts:
            raise
        return parts


def _by_thickness(group: Sequence[Frame], where: str) -> list[Stack]:
    """Evenly spaced parts of one thickness, of slices uneven as a whole; empty when there are none.

    Head CT is often scanned thin through the skull base and thick above under one series. Every
    part must be an even stack of three slices or more, so a missing slice is never hidden.
    """
    parts: dict[float | None, list[Frame]] = defaultdict(list)
    for frame in group:
        parts[frame.thickness].append(frame)
    if len(parts) < 2 or min(len(_heights(part)) for part in parts.values()) < 3:
        return []
    try:
        return [
            replace(stack_frames(part, where), part=f"{thickness or 0:g} mm slices")
            for thickness, part in parts.items()
        ]
    except ReadError:
        # Thickness does not explain the uneven slices: the error on the whole is reported.
        return []


def _heights(frames: Sequence[Frame]) -> tuple[float, ...]:
    normal = np.asarray(frames[0].normal)
    return tuple(sorted({round(float(np.asarray(f.position) @ normal), 2) for f in frames}))


def _unplaced(group: Sequence[Frame], where: str) -> list[Stack]:
    """Images without a place in the patient: a leading axis, never a made-up slice axis."""
    files = sorted({f.path for f in group})
    if len(files) > 1 and len(files) < len(group):
        return [s for file in files for s in _unplaced([f for f in group if f.path == file], where)]
    name = "frame" if len(files) == 1 else "image"
    ordered = sorted(group, key=lambda f: (f.times.get("InstanceNumber", 0.0), f.number, f.path))
    frames = np.empty((len(ordered), 1), dtype=object)
    frames[:, 0] = ordered
    findings: tuple[Finding, ...] = ()
    if len(ordered) > 1:
        findings = (
            Finding(
                "warning" if name == "image" else "info",
                "no-position",
                f"the {len(ordered)} images of {where} do not say where in the patient they lie; "
                f"they are shown one after the other as an axis '{name}', not as slices",
                where,
            ),
        )
    first = ordered[0]
    oriented = first.orientation is not None
    placed = first if oriented else replace(first, orientation=(1.0, 0, 0, 0, 1.0, 0))
    step = np.asarray(placed.normal) * (first.thickness or 1.0)
    leading = (name,) if len(ordered) > 1 else ()
    return [
        Stack(
            frames=frames if leading else frames[0],
            leading=leading,
            affine=frame_affine(placed, first.position or (0.0, 0.0, 0.0), step),
            calibrated=first.pixel_spacing is not None,
            oriented=oriented,
            findings=findings,
        )
    ]


def _named_parts(stacks: list[Stack]) -> list[Stack]:
    """Stacks of one series, each with what tells it from its siblings."""
    if len(stacks) < 2:
        return stacks
    described = [_description(stack) for stack in stacks]
    differing = [i for i in range(len(described[0])) if len({d[i] for d in described}) > 1]
    parts = [", ".join(d[i] for i in differing if d[i]) for d in described]
    named = []
    for i, (stack, part) in enumerate(zip(stacks, parts, strict=True)):
        if not part or parts.count(part) > 1:
            part = f"{part} {1 + parts[:i].count(part)}".strip()
        named.append(replace(stack, part=part))
    return named


def _description(stack: Stack) -> tuple[str, ...]:
    first = stack.first
    plane = ""
    if first.normal is not None:
        plane = _PLANES[int(np.abs(first.normal).argmax())]
    kinds = [str(v) for part in first.signature[5:] if isinstance(part, tuple) for v in part]
    return (
        plane,
        f"{first.columns} x {first.rows}",
        stack.part,
        " ".join(k for k in kinds if k not in ("ORIGINAL", "PRIMARY", "NONE", "")),
        str(first.signature[-1]) if len(first.signature) > 7 else "",
    )


def _split_finding(stacks: list[Stack], where: str) -> list[Finding]:
    if len(stacks) < 2 or all(stack.first.alone for stack in stacks):
        return []
    orientations: list[Frame] = []
    for stack in stacks:
        if not any(
            _near(stack.first.orientation, other.orientation, _SAME_DIRECTION)
            for other in orientations
        ):
            orientations.append(stack.first)
    if len(orientations) > 1:
        return [
            Finding(
                "warning",
                "mixed-orientation",
                f"{where} mixes images of {len(orientations)} orientations; they were opened as "
                f"{len(stacks)} separate volumes",
                where,
            )
        ]
    return [
        Finding(
            "info",
            "split-series",
            f"{where} holds {len(stacks)} kinds of images (echo, image type, size or "
            "slice thickness); they were opened as separate volumes",
            where,
        )
    ]


def _series_where(frames: Sequence[Frame], name: str) -> str:
    """The file when there is one, else the folder; with the series' name."""
    paths = {f.path for f in frames}
    if len(paths) == 1:
        return str(next(iter(paths)))
    folder = str(sorted(paths)[0].parent)
    return f"{folder} ({name})" if name else folder
