"""The diffusion tensor as a method: anisotropy, diffusivity, direction and its colours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...evidence import ExplanationMap
from ...microstructure.protocol.peaks import csd_shell
from ...microstructure.protocol.tensor import (
    TENSOR_B_MOST,
    TensorMaps,
    direction_colours,
    fit_tensor_work,
)
from ...progress import Progress, Work
from ...volumes import Study
from ..method_result import MethodResult
from .corrections import correction_notes, signals_work
from .diffusion_scan import DiffusionScan, diffusion_scan

#: Letters of the study's axes, and where they run.
_AXES = {"s": "superior", "p": "posterior", "l": "the left"}

#: What red, green and blue stand for.
_COLOURS = {1: "left-right", 2: "front-back", 3: "head-foot"}

#: Diffusivities are shown from 0 to that of free water at body temperature, 10⁻³ mm²/s.
_FREE_WATER = 3.0


def tensor_work(
    study: Study,
    model: None,
    *,
    target: None,
    slices: slice,
    scan: str,
    corrected: str,
    denoise: bool,
) -> Work[MethodResult]:
    """The method ``tensor``.

    Returns
    -------
    MethodResult
        ``colours`` (FA times the direction's components), ``fa``, ``md`` in 10⁻³ mm²/s, and the
        principal direction ``direction-1-s``, ``-p``, ``-l``, a unit vector in the axes of the
        study. Not a number where nothing was fitted.

    Raises
    ------
    SparseExplainError
        No diffusion scan or no gradients, directions that tell no tensor, or dipy is not installed.
    """
    yield Progress(0, 0, "Reading the gradients")
    of = diffusion_scan(study, scan, resampled=True)
    placed = of.placed(slices)
    here = of.mask[placed.rows] & placed.needed
    signals = yield from signals_work(of, placed.rows, denoise=denoise)
    fitted = None
    if here.any():
        fitted = yield from fit_tensor_work(of.table, signals, mask=here)
    scalars = placed.maps_onto(_maps(fitted, here))
    by_name = {item.name: np.asarray(item.data) for item in scalars}
    ways = np.stack([by_name[f"direction-1-{axis}"] for axis in _AXES], axis=-1)
    colours = ExplanationMap(
        "colours",
        np.rint(255 * np.nan_to_num(direction_colours(ways, by_name["fa"]))).astype(np.uint8),
        "colours",
        "FA in the colours of direction",
        value_range=(0.0, 255.0),
        range_scope="shared",
        classes=_COLOURS,
    )
    fa = by_name["fa"][np.isfinite(by_name["fa"])]
    scores = {
        "voxels": float(here.sum()),
        "median FA": float(np.median(fa)) if fa.size else None,
    }
    return MethodResult(
        (colours, *scalars),
        scores,
        (*of.notes, *correction_notes(corrected, denoise=denoise), *_notes(of, fitted)),
        decided={"scan": of.role, **of.checksums},
        inputs=(of.role,),
    )


def _maps(fitted: TensorMaps | None, here: npt.NDArray[np.bool_]) -> list[ExplanationMap]:
    """FA, mean diffusivity and direction in the scan's voxels."""

    def filled(values: npt.NDArray[np.floating] | None) -> npt.NDArray[np.float32]:
        if values is None:
            return np.full(here.shape, np.nan, dtype=np.float32)
        return np.where(here, values, np.nan).astype(np.float32)

    fa = filled(None if fitted is None else fitted.fa)
    md = filled(None if fitted is None else 1e3 * fitted.md)
    kind, shared = "parameter map", "shared"
    maps = [
        ExplanationMap(
            "fa", fa, kind, "Fractional anisotropy FA", value_range=(0.0, 1.0), range_scope=shared
        ),
        ExplanationMap(
            "md", md, kind, "Mean diffusivity MD", unit="10⁻³ mm²/s",
            value_range=(0.0, _FREE_WATER), range_scope=shared,
        ),
    ]  # fmt: skip
    for n, (axis, way) in enumerate(_AXES.items()):
        values = filled(None if fitted is None else fitted.principal[..., n])
        maps.append(
            ExplanationMap(
                f"direction-1-{axis}", values, kind, f"Principal direction to {way}",
                value_range=(-1.0, 1.0), range_scope=shared, signed=True,
            )
        )  # fmt: skip
    return maps


def _notes(of: DiffusionScan, fitted: TensorMaps | None) -> list[str]:
    found = [
        "A tensor has one direction a voxel: where fibres cross it is between them, and FA is low."
    ]
    if fitted is not None and len(fitted.rows) < len(of.table):
        found.append(
            f"Of {len(of.table)} volumes {len(fitted.rows)} were fitted, of b up to "
            f"{of.table.b[fitted.rows].max():.0f} s/mm²: above {TENSOR_B_MOST:.0f} signals of "
            "tissue do not follow a tensor."
        )
    if csd_shell(of.table) is None:
        found.append("It has too few directions to tell crossing fibres apart.")
    return found
