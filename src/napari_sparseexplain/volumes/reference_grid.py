"""Which volume's grid a study lies on, when the volumes do not share one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import StudyError
from .roles import ROLES
from .volume import Volume


def choose_reference(
    volumes: Mapping[str, Volume], wanted: str | None, *, where: str | Path
) -> str:
    """Role of the volume whose grid the study takes.

    The one that is ``wanted``; else the scan whose grid most scans share, so that as little as
    possible is interpolated; among equals the one with the smallest voxels; among those the order
    of `ROLES`, then the order of the files. A label map is chosen only where there is no scan.

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
        return wanted
    scans = {role: v for role, v in volumes.items() if v.kind == "image"} or dict(volumes)
    order = {role: place for place, role in enumerate(ROLES)}

    def rank(item: tuple[int, str]) -> tuple[float, float, int, int]:
        place, role = item
        grid = scans[role].grid
        sharing = sum(grid.matches(other.grid) for other in scans.values())
        voxel = round(float(np.prod(grid.spacing)), 6)
        return (-sharing, voxel, order.get(role, len(order)), place)

    return min(enumerate(scans), key=rank)[1]
