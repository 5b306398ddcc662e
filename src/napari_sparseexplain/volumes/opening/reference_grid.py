"""Which volume's grid a study lies on, when the volumes do not share one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...errors import StudyError
from ..finding import Finding
from ..grid import Grid
from ..roles.roles import ROLES
from ..roles.sequence_timing import parts
from ..roles.sequence_words import scout_word
from ..volume import Volume

#: A volume of so few slices is a look at the patient, not a scan, where others have more.
FEW_SLICES = 3

#: Slices this many times as far apart as their pixels are wide, and so few, are a survey.
_SURVEY_RATIO, _SURVEY_SLICES = 8.0, 15

#: So few slices, and so many times fewer than another scan has, lose too much of the others.
_FEW, _TIMES_FEWER = 15, 3

#: A field of view below this part of the largest one shows a piece of what others show whole.
SMALL_FIELD = 0.25

#: A scan of which the grid shows less than this part is cropped, and that is said.
MIN_COVERED = 0.6

#: Points along each axis at which a scan's field of view is looked at.
_POINTS = 12


def choose_reference(
    volumes: Mapping[str, Volume], wanted: str | None, *, where: str | Path
) -> tuple[str, list[Finding]]:
    """Role of the volume whose grid the study takes, and what is to be said of the choice.

    The one that is ``wanted``; else a scan that is no scout (`scout_reason`) before one that is,
    and one with a whole field of view, and not far fewer slices than another, before a small piece
    and a survey. Among these the scan whose grid most
    scans share, so that as little as possible is interpolated; among equals the one with the
    smallest voxels; among those the order of `ROLES`, then the order of the files. A label map is
    chosen only where there is no scan.

    Raises
    ------
    StudyError
        No volume has the role ``wanted``.
    """
    if wanted is not None:
        if wanted not in volumes:
            raise StudyError(
                f"no volume has the role {wanted!r} (there is {', '.join(volumes)})",
                where=where,
                remedy="Choose one of these as the reference",
            )
        return wanted, []
    scans = {role: v for role, v in volumes.items() if v.kind == "image"} or dict(volumes)
    order = {role: place for place, role in enumerate(ROLES)}
    stacks = any(_slices(v) > FEW_SLICES for v in scans.values())
    scouts = {
        role: reason
        for role, v in scans.items()
        if (reason := scout_reason(v, beside_a_stack=stacks))
    }
    fields = {role: _field(v.grid) for role, v in scans.items()}
    placed = [role for role in scans if scans[role].grid.calibrated]
    largest = max((fields[r] for r in placed if r not in scouts), default=0.0)

    most = max((_slices(scans[r]) for r in placed if r not in scouts), default=0)

    def rank(item: tuple[int, str]) -> tuple[bool, bool, bool, bool, float, float, int, int]:
        place, role = item
        grid = scans[role].grid
        sharing = sum(grid.matches(other.grid) for other in scans.values())
        voxel = round(float(np.prod(grid.spacing)), 6)
        # A scan without a place in the patient cannot give one to the others.
        lost = bool(placed) and not (grid.calibrated and grid.oriented)
        small = fields[role] < SMALL_FIELD * largest
        small = small or "map" in scans[role].details  # a map lies on the scan it was made of
        count = _slices(scans[role])
        few = count <= _FEW and count * _TIMES_FEWER <= most
        known = order.get(role, len(order))
        return (role in scouts, lost, small, few, -sharing, voxel, known, place)

    chosen = min(enumerate(scans), key=rank)[1]
    aside = {role: reason for role, reason in scouts.items() if role != chosen}
    if not aside or chosen in scouts:
        return chosen, []
    listed = ", ".join(f"{role!r} ({reason})" for role, reason in aside.items())
    count = scans[chosen].grid.shape[0]
    text = f"the grid is that of {chosen!r}, {count} slices; set aside as scouts: {listed}"
    return chosen, [Finding("info", "scout-set-aside", text, chosen)]


def scout_reason(volume: Volume, *, beside_a_stack: bool) -> str:
    """Why a scan looks like a scout or localizer, empty when it does not.

    Parameters
    ----------
    volume : Volume
        A scan, as it was on file.
    beside_a_stack : bool
        Whether the study holds a scan of more slices; only then do few slices tell a scout.
    """
    details = volume.details
    if "LOCALIZER" in parts(details.get("ImageType") or details.get("image_type")):
        return "its image type is LOCALIZER"
    for text in (volume.source.description, str(details.get("SeriesDescription") or "")):
        if word := scout_word(text):
            return f"its name says {word!r}"
    count = _slices(volume)
    if beside_a_stack and count <= FEW_SLICES and volume.source.format != "image":
        return f"it has only {count} slice{'s' if count > 1 else ''}"
    spacing = sorted(volume.grid.spacing)
    apart = spacing[2] > _SURVEY_RATIO * spacing[0] and spacing[2] >= 10.0
    named = volume.role in ROLES  # a scan with gaps is a scan, if it says which
    if beside_a_stack and apart and count <= _SURVEY_SLICES and not (volume.leading or named):
        return f"its {count} slices are {spacing[2]:.0f} mm apart"
    return ""


def little_covered(volumes: Mapping[str, Volume], chosen: str) -> list[Finding]:
    """A warning for every scan that the chosen grid shows little of: the rest is cut off."""
    grid = volumes[chosen].grid
    if not (grid.oriented and grid.calibrated):
        return []
    stacks = any(_slices(v) > FEW_SLICES for v in volumes.values() if v.kind == "image")
    findings = []
    for role, volume in volumes.items():
        own = volume.grid
        if role == chosen or volume.kind != "image" or not (own.oriented and own.calibrated):
            continue
        if scout_reason(volume, beside_a_stack=stacks):
            continue
        share = covered_share(own, grid)
        if 0.0 < share < MIN_COVERED:
            text = (
                f"the grid of {chosen!r} covers only {share:.0%} of {role!r}; the rest of it is "
                f"cut off, so choose {role!r} as the reference to see it whole"
            )
            findings.append(Finding("warning", "little-covered", text, role))
    return findings


def covered_share(own: Grid, grid: Grid) -> float:
    """Part of the field of view of ``own`` that lies within ``grid``, 0 to 1."""
    axes = [(np.arange(_POINTS) + 0.5) / _POINTS * n - 0.5 for n in own.shape]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    index = grid.index(own.world(points))
    inside = (index >= -0.5 - 1e-6) & (index <= np.asarray(grid.shape) - 0.5 + 1e-6)
    return float(inside.all(axis=1).mean())


def _slices(volume: Volume) -> int:
    """How many slices a volume has: the fewest voxels along any axis."""
    return min(volume.grid.shape)


def _field(grid: Grid) -> float:
    """Volume of the field of view, mm³."""
    return float(np.prod(grid.spacing) * np.prod(grid.shape))
