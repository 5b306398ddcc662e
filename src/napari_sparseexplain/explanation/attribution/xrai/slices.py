"""XRAI on slices: which regions of a slice matter, each with its gain and its rank.

Source: Kapishnikov et al., "XRAI: Better attributions through regions" (ICCV 2019): attribution
from two baselines (`path_attribution`), segments at six scales (`segment_scales`), growth
(`segment_growth`). The paper's "Fast XRAI 30 %" is ``mode="fast"`` with ``top=0.3``: two
parameters, since either is of use alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ....errors import StudyError
from ....evidence import ExplanationMap
from ....evidence.heat_threshold import top_share
from ....evidence.region_table import REGIONS, VOLUME
from ....networks.bundle.model import Model
from ....networks.running.preparation import Prepared, Resolution, prepare
from ....progress import Progress, Work
from ....volumes import Study
from ....volumes.captions import slice_caption
from ...bounded_cache import BoundedCache, checksum
from ...method_result import MethodResult
from ...score_function import ScoreFunction, score_function
from ...target import Target
from ..frame import GAP_LIMIT, target_span
from ..gap_advice import MOST, share_near_start
from ..kept_attributions import SliceAttribution
from ..path_attribution import ENDS, attribute_slices
from .segment_growth import MIN_SIZE, Growth, Mode, grow
from .segment_membership import SegmentMembership, ball_offsets
from .segment_scales import DISK, slice_scales

NO_GAP = (
    "No completeness error: XRAI ranks regions. The gap given is that of the integrated gradients "
    "it is grown from."
)

_GROWN: BoundedCache[Growth] = BoundedCache(
    128 * 2**20, lambda growth: growth.gains.nbytes + growth.ranks.nbytes
)


def xrai_work(
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
    resolution: Resolution,
) -> Work[MethodResult]:
    """The method ``xrai``.

    Returns
    -------
    MethodResult
        ``heatmap``: the gain of each pixel's region; ``top``: its highest share; ``regions``: the
        rank of each pixel's region, from 1 in every slice, with gain and size of each in
        ``axes["regions"][str(slice)]``. Slices without the target hold 0.

    Raises
    ------
    StudyError
        The target is empty, or no slice shows anything.
    """
    prepared, score, rows = yield from explained_slices(
        study, model, "xrai", target, slices, resolution
    )
    shown = [int(row) for row in rows if np.ptp(prepared.array[row]) > 0]
    if not shown:
        raise StudyError(
            "the slices are constant, so they have no segments",
            where=study.name,
            remedy="Choose slices that show something",
        )
    found = yield from attribute_slices(
        score, prepared, np.array(shown), n_steps=n_steps, rule=rule, tolerance=tolerance
    )
    heat = np.zeros((len(prepared.array), *prepared.array.shape[2:]))
    ranks = np.zeros(heat.shape, dtype=np.int32)
    tables = {}
    for step, row in enumerate(shown):
        number = prepared.slices.start + row
        place = slice_caption(slice(number, number + 1))
        yield Progress(step, len(shown), f"Growing regions, {place}")
        values = merged(found[row].values, merge)
        growth = grown_slice(prepared.array[row], values, mode=mode, exact=exact, min_size=min_size)
        heat[row], ranks[row] = growth.gains, growth.ranks
        tables[str(number)] = table(growth)
    notes = []
    if blank := len(prepared.array) - len(shown):
        notes.append(
            f"{blank} of {len(prepared.array)} slices hold none of the target, or nothing at all: "
            "0 there."
        )
    maps = region_maps(prepared, heat, ranks, tables, top_fraction, per_slice=True)
    return regional_result(prepared, score, found, maps, notes)


def grown_slice(
    image: npt.NDArray[np.floating],
    attribution: npt.NDArray[np.float64],
    *,
    mode: Mode = "full",
    exact: bool = True,
    min_size: int = MIN_SIZE,
) -> Growth:
    """Segments of a slice (channels, H, W) and regions by an attribution (H, W); kept.

    Raises
    ------
    SparseExplainError
        A constant image, or an attribution that is not finite.
    """
    key = checksum("xrai", image, attribution, mode, exact, min_size)
    growth = _GROWN.get(key)
    if growth is None:
        membership = SegmentMembership.of_labels(slice_scales(image), ball_offsets(DISK, (1, 1)))
        growth = grow(attribution, membership, mode=mode, exact=exact, min_size=min_size)
        keep(key, growth)
    return growth


def forget() -> None:
    """Forget every kept growth."""
    _GROWN.clear()


def keep(key: str, growth: Growth) -> None:
    """Keep a growth, which nobody may change any more."""
    growth.gains.setflags(write=False)
    growth.ranks.setflags(write=False)
    _GROWN.put(key, growth)


def kept(key: str) -> Growth | None:
    """A growth that was kept."""
    return _GROWN.get(key)


def merged(values: npt.NDArray[np.float64], how: str) -> npt.NDArray[np.float64]:
    """One attribution (..., H, W) of several modalities (channels, ..., H, W)."""
    if how == "sum":
        return values.sum(axis=0)
    if how == "max":
        return values.max(axis=0)
    raise ValueError(f"merge must be 'sum' or 'max', not {how!r}")


def explained_slices(
    study: Study,
    model: Model,
    method: str,
    target: Target | None,
    slices: slice,
    resolution: Resolution,
) -> Work[tuple[Prepared, ScoreFunction, npt.NDArray[np.int64]]]:
    """Prepared slices, the score on them, and the rows that hold any of the target."""
    if target is None:
        raise StudyError(f"{method} needs a target", remedy="Give one, for example WT")
    span = target_span(target, slices)
    yield Progress(0, 0, "Preparing the slices")
    prepared = prepare(study, model.card, span, resolution=resolution)
    score = yield from score_function(model, prepared, target, study=study)
    active = score.active
    rows = np.arange(len(prepared.array)) if active is None else np.flatnonzero(active)
    return prepared, score, rows


def _advice(score: ScoreFunction, prepared: Prepared, found: Mapping[int, SliceAttribution]) -> str:
    """What would make them add up: the path starts at both ends of the image's range."""
    rows = np.array(sorted(found))[:4]
    near = max(share_near_start(score, prepared, rows, end) for end in ENDS)
    if near <= MOST:
        return "Take more steps."
    return (
        f"{min(near, 1.0):.0%} of the change lies in the first hundredth of a path, as with "
        "networks that have instance normalisation: more steps do not help. See "
        "integrated-gradients from a blurred baseline beside it."
    )


def table(growth: Growth) -> list[list[float]]:
    """Gain and pixels of every region by rank, as plain numbers for a file."""
    return [[region.gain, region.pixels] for region in growth.regions]


def region_maps(
    prepared: Prepared,
    heat: npt.NDArray[np.float64],
    ranks: npt.NDArray[np.int32],
    tables: Mapping[str, Any],
    top_fraction: float,
    *,
    per_slice: bool,
) -> tuple[ExplanationMap, ...]:
    """Heat map, top and regions on the study's voxels: nearest, so that no gain is made up."""
    data = prepared.kept_inside(prepared.nearest_to_study(heat).astype(np.float32))
    limit = float(np.abs(data).max()) or 1.0
    best = top_share(data, top_fraction, per_slice=per_slice).astype(np.uint8)
    title = "3-D XRAI" if VOLUME in tables else "XRAI"
    return (
        ExplanationMap("heatmap", data, "heatmap", title, value_range=(-limit, limit), signed=True),
        ExplanationMap(
            "top",
            best,
            "segmentation",
            f"{title}, highest {top_fraction:.0%}",
            classes={1: f"highest {top_fraction:.0%}"},
        ),
        ExplanationMap(
            REGIONS,
            prepared.kept_inside(prepared.nearest_to_study(ranks)),
            "segmentation",
            f"{title} regions by rank",
            axes={REGIONS: dict(tables)},
        ),
    )


def regional_result(
    prepared: Prepared,
    score: ScoreFunction,
    found: Mapping[int, SliceAttribution],
    maps: tuple[ExplanationMap, ...],
    notes: list[str],
) -> MethodResult:
    """The maps with the gap of the attribution below them."""
    change = sum(abs(item.change or 0.0) for item in found.values())
    gap = sum(item.gap for item in found.values()) / change if change else None
    said = [*prepared.notes, *notes, NO_GAP]
    if gap is not None and gap > GAP_LIMIT:
        said.append(
            f"The integrated gradients do not add up: their gap is {gap:.0%} of the change of "
            f"score. {_advice(score, prepared, found)}"
        )
    return MethodResult(
        maps,
        {"completeness error": None, "completeness error of the integrated gradients": gap},
        tuple(said),
        target=score.label,
        slices=prepared.slices,
        region=prepared.region,
    )
