"""XRAI in 3-D: regions of a volume, grown over supervoxels whose sizes are in millimetres.

No published form works on volumes. Growth is that of Kapishnikov et al. (ICCV 2019), which knows
nothing of a pixel's neighbours; what becomes 3-D are the segments (`volume_scales_work`) and their
dilation, a ball in millimetres, so that thick slices are not dilated across. A network of slices is
attributed slice by slice, and the volume of these attributions is grown over at once: a region has
one gain through all of its slices, and ranks hold in the whole volume.
"""

from __future__ import annotations

import numpy as np

from ....errors import StudyError
from ....evidence.region_table import VOLUME
from ....networks.bundle.model import Model
from ....networks.running.preparation import Resolution
from ....progress import Progress, Work
from ....volumes import Study
from ...bounded_cache import checksum
from ...method_result import MethodResult
from ...target import Target
from ..path_attribution import attribute_slices
from .segment_growth import Mode, grow_work
from .segment_membership import SegmentMembership, ball_offsets
from .segment_scales import SIDES_MM, volume_scales_work
from .slices import explained_slices, keep, kept, merged, region_maps, regional_result, table


def xrai_3d_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    mode: Mode,
    top_fraction: float,
    exact: bool,
    merge: str,
    n_steps: int,
    rule: str,
    tolerance: float,
    min_size: int,
    dilation: float,
    resolution: Resolution,
) -> Work[MethodResult]:
    """The method ``xrai-3d``; maps as in `xrai_work`, with these differences.

    ``top`` is a share of the explained volume and not of each slice, ``least`` in voxels of the
    network.

    Returns
    -------
    MethodResult
        Ranks are those of the volume; its one table is ``axes["regions"]["volume"]``.

    Raises
    ------
    StudyError
        A single slice, an empty target, or a volume that is constant.
    """
    if slices.stop - slices.start < 2 or (target is not None and target.kind == "voxel"):
        what = "one slice" if target is None or target.kind != "voxel" else "one voxel's slice"
        raise StudyError(
            f"xrai-3d grows through a volume, and {what} was asked for",
            where=study.name,
            remedy="Choose more slices and a region, or the method xrai, which works on slices",
        )
    prepared, score, rows = yield from explained_slices(
        study, model, "xrai-3d", target, slices, resolution
    )
    spacing = (study.grid.spacing[0], *prepared.spacing)
    volume = np.moveaxis(prepared.array, 1, 0)
    scales = yield from volume_scales_work(volume, spacing)
    found = yield from attribute_slices(
        score, prepared, rows, n_steps=n_steps, rule=rule, tolerance=tolerance
    )
    # Slices without the target are 0 by right: no pixel of theirs is in the score.
    attribution = np.zeros(volume.shape[1:])
    for row, item in found.items():
        attribution[row] = merged(item.values, merge)
    key = checksum(
        "xrai-3d", volume, attribution, mode, exact, min_size, dilation, spacing, SIDES_MM
    )
    growth = kept(key)
    if growth is None:
        yield Progress(0, 0, "Dilating the supervoxels")
        offsets = ball_offsets(dilation, spacing)
        membership = SegmentMembership.of_labels(scales, offsets)
        growth = yield from grow_work(
            attribution, membership, mode=mode, exact=exact, min_size=min_size
        )
        keep(key, growth)
    maps = region_maps(
        prepared, growth.gains, growth.ranks, {VOLUME: table(growth)}, top_fraction, per_slice=False
    )
    notes = (
        []
        if len(rows) == len(prepared.array)
        else [
            f"{len(prepared.array) - len(rows)} of {len(prepared.array)} slices hold none of the "
            "target: their attribution is 0."
        ]
    )
    return regional_result(prepared, score, found, maps, notes)
