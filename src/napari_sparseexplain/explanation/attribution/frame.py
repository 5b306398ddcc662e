"""From a study to heat maps and back: the frame that all attribution methods share.

A method gives a function from a few images to their attributions; slices, masks, memory, progress,
the completeness error and the maps on the study's voxels are dealt with here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ...errors import StudyError
from ...evidence import ExplanationMap
from ...networks.bundle.model import Model
from ...networks.running.preparation import Prepared, Resolution, prepare
from ...progress import Progress, Work
from ...volumes import Study
from ...volumes.captions import slice_caption
from ..method_result import MethodResult
from ..score_function import ScoreFunction, score_function
from ..target import Target
from .gap_advice import NOT_ADDING_UP, gap_advice, more_samples
from .kept_attributions import KeptAttributions

#: Gap from which a map is said not to add up to what it explains.
GAP_LIMIT = 0.10

#: Score of a method that samples: standard error of the map's sum about the change of score that it
#: should add up to, relative to that change.
SUM_ERROR = "standard error of the sum"

#: Share of the voxels whose heat lies inside the display limits.
SHOWN_SHARE = 0.999


@dataclass(frozen=True, eq=False)
class Attribution:
    """What a method found for a few images.

    Attributes
    ----------
    values : Tensor, shape (B, channels, H, W), or (B, 1, H, W) of a method that tells no
        modalities apart
    change : Tensor or None, shape (B,)
        f(x) - f(x₀), to which the values of a path method should add; None where that does not
        apply.
    error : Tensor or None, shape (B,)
        Of a method that samples its path: standard error of the sum of the values about
        ``change``, so that a gap of that size is told from one that more samples do not close.
    """

    values: torch.Tensor
    change: torch.Tensor | None = None
    error: torch.Tensor | None = None

    def gaps(self) -> npt.NDArray[np.float64]:
        """``|Σ values - change|`` of every image, shape (B,).

        Raises
        ------
        ValueError
            The method has no change to add up to.
        """
        if self.change is None:
            raise ValueError("this attribution has no change of score to add up to")
        total = self.values.double().flatten(1).sum(dim=1)
        return (total - self.change.to(total)).abs().cpu().numpy()


#: A method: score, images (B, C, H, W), the prepared slices that they stand for, and their numbers
#: in the study (which seed their noise) to attributions.
Compute = Callable[
    [ScoreFunction, torch.Tensor, npt.NDArray[np.int64], npt.NDArray[np.int64]], Work[Attribution]
]


def attribution_work(
    study: Study,
    model: Model,
    method: str,
    compute: Compute,
    *,
    target: Target | None,
    slices: slice,
    resolution: Resolution,
    parameters: Mapping[str, Any],
    signed: bool = True,
    no_gap: str = "",
    given: npt.NDArray[np.float32] | None = None,
    notes: tuple[str, ...] = (),
) -> Work[MethodResult]:
    """Run ``compute`` on the slices that hold the target, a few at a time.

    Parameters
    ----------
    parameters : mapping
        The method's own, by which finished maps are kept; with a ``seed`` where it draws noise.
    no_gap : str
        Why there is no completeness error, for a method that has none.
    given : ndarray, shape (slices of the study, channels, H, W), optional
        The user's baseline, on which the maps depend.

    Returns
    -------
    MethodResult
        ``heatmap``: the sum over modalities, and with several modalities ``heatmap-ROLE`` for
        each; on the study's voxels, per network pixel. Slices without the target hold 0. Scores:
        the completeness error, pooled over slices and of the worst; of a method that samples, the
        standard error of the sum, pooled likewise.
    """
    if target is None:
        raise StudyError(f"{method} needs a target", remedy="Give one, for example WT")
    span = target_span(target, slices)
    yield Progress(0, 0, "Preparing the slices")
    prepared = prepare(study, model.card, span, resolution=resolution)
    score = yield from score_function(model, prepared, target, study=study)
    active = score.active
    rows = np.arange(len(prepared.array)) if active is None else np.flatnonzero(active)
    found = yield from _explained(
        score, prepared, rows, compute, (method, dict(parameters)), "seed" in parameters, given
    )
    said = [*prepared.notes, *notes]
    if len(rows) < len(prepared.array):
        empty = len(prepared.array) - len(rows)
        said.append(f"{empty} of {len(prepared.array)} slices hold none of the target: 0 there.")
    scores, about = _gap_scores(
        found, no_gap, lambda: gap_advice(score, prepared, rows, parameters, given)
    )
    return MethodResult(
        _maps(prepared, found.values, rows, model.card.inputs.roles, signed),
        scores,
        (*said, *about),
        target=score.label,
        slices=span,
        region=prepared.region,
    )


def _explained(
    score: ScoreFunction,
    prepared: Prepared,
    rows: npt.NDArray[np.int64],
    compute: Compute,
    parts: tuple[Any, ...],
    seeded: bool,
    given: npt.NDArray[np.float32] | None,
) -> Work[Attribution]:
    """``compute`` on those slices that nobody asked for before; the others as they are kept."""
    each = {}
    for row in rows.tolist():
        number = row + prepared.slices.start
        # Only noise depends on which slice of the study this is.
        each[row] = (number if seeded else None, None if given is None else given[number])
    kept = KeptAttributions(score, prepared, rows, parts, each)

    def keeping(
        score: ScoreFunction,
        x: torch.Tensor,
        chunk: npt.NDArray[np.int64],
        numbers: npt.NDArray[np.int64],
    ) -> Work[Attribution]:
        found = yield from compute(score, x, chunk, numbers)
        kept.keep(chunk, found.values, found.change, found.error)
        return found

    if kept.missing.size:
        yield from explain_slices(score, prepared, kept.missing, keeping)
    items = [kept.found[row] for row in rows.tolist()]
    changes = [item.change for item in items if item.change is not None]
    errors = [item.error for item in items if item.error is not None]
    return Attribution(
        torch.from_numpy(np.stack([item.values for item in items])),
        torch.tensor(changes, dtype=torch.float64) if changes else None,
        torch.tensor(errors, dtype=torch.float64) if errors else None,
    )


def explain_slices(
    score: ScoreFunction, prepared: Prepared, rows: npt.NDArray[np.int64], compute: Compute
) -> Work[Attribution]:
    """``compute`` on some prepared slices, as many at once as the device takes.

    Returns
    -------
    Attribution
        In the order of ``rows``, on the CPU.
    """
    size = score.micro_batch(int(np.prod(prepared.array.shape[2:])))
    values: list[torch.Tensor] = []
    changes: list[torch.Tensor] = []
    errors: list[torch.Tensor] = []
    chunks = [rows[start : start + size] for start in range(0, len(rows), size)]
    for place, chunk in enumerate(chunks):
        x = path_tensor(prepared.array[chunk], score.model.device)
        numbers = chunk + prepared.slices.start
        where = slice_caption(slice(int(numbers[0]), int(numbers[-1]) + 1))
        work = compute(score, x, chunk, numbers)
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                found: Attribution = end.value
                break
            total = step.total * len(chunks)
            yield replace(
                step,
                done=place * step.total + step.done,
                total=total,
                message=f"{step.message}, {where}",
            )
        values.append(found.values.detach().cpu())
        if found.change is not None:
            changes.append(found.change.detach().cpu())
        if found.error is not None:
            errors.append(found.error.detach().cpu())
    return Attribution(
        torch.cat(values),
        torch.cat(changes) if changes else None,
        torch.cat(errors) if errors else None,
    )


def path_tensor(array: npt.NDArray[Any], device: torch.device) -> torch.Tensor:
    """Images on the device, in double precision where it has any.

    A path's steps are differences of nearly equal images; only the network computes in its own
    precision.
    """
    double = torch.float32 if device.type == "mps" else torch.float64
    return torch.from_numpy(np.ascontiguousarray(array)).to(device=device, dtype=double)


def target_span(target: Target, slices: slice) -> slice:
    """The slices to explain: of a voxel its own."""
    if target.kind != "voxel" or target.index is None:
        return slices
    s = target.index[0]
    if not slices.start <= s < slices.stop:
        raise StudyError(
            f"{target.label} does not lie on {slice_caption(slices)}",
            remedy="Choose slices that hold the voxel, or leave them out",
        )
    return slice(s, s + 1)


def _gap_scores(
    found: Attribution, no_gap: str, advice: Callable[[], str]
) -> tuple[dict[str, float | None], list[str]]:
    if found.change is None:
        return {"completeness error": None}, [f"No completeness error: {no_gap}."]
    gaps, change = found.gaps(), found.change.double().abs().numpy()
    if not change.any():
        return {"completeness error": None}, [
            "No completeness error: the score does not change between baseline and image."
        ]
    gap = float(gaps.sum() / change.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(change > 0, gaps / change, 0.0)
    scores: dict[str, float | None] = {"completeness error": gap}
    if len(each) > 1:
        scores["completeness error, worst slice"] = float(each.max())
    about = None
    if found.error is not None:
        about = scores[SUM_ERROR] = float(found.error.double().sum() / change.sum())
    said = []
    if gap > GAP_LIMIT:
        helps = advice() if about is None else more_samples(about)
        said.append(f"{NOT_ADDING_UP}: the completeness error is {gap:.0%}. {helps}")
    return scores, said


def _maps(
    prepared: Prepared,
    values: torch.Tensor,
    rows: npt.NDArray[np.int64],
    roles: tuple[str, ...],
    signed: bool,
) -> tuple[ExplanationMap, ...]:
    """The sum over modalities, then each modality; the same limits for all of them."""
    heat = np.zeros((len(prepared.array), *values.shape[1:]), dtype=np.float32)
    heat[rows] = values.numpy()
    named = [("heatmap", "Heat map", heat.sum(axis=1))]
    if heat.shape[1] > 1:
        named[0] = ("heatmap", "Heat map, sum over modalities", named[0][2])
        named += [
            (f"heatmap-{role}", f"Heat map · {role}", heat[:, c]) for c, role in enumerate(roles)
        ]
    on_study = [(name, title, prepared.heat_to_study(data)) for name, title, data in named]
    top = max(_limit(data) for _, _, data in on_study)
    return tuple(
        ExplanationMap(
            name=name,
            data=data,
            kind="heatmap",
            title=title,
            value_range=(-top, top) if signed else (0.0, top),
            range_scope="shared" if len(on_study) > 1 else "volume",
            signed=signed,
        )
        for name, title, data in on_study
    )


def _limit(data: npt.NDArray[np.float32]) -> float:
    """Limit of display: nearly the largest heat, where there is any."""
    heat = np.abs(data[data != 0])
    return float(np.quantile(heat, SHOWN_SHARE)) if heat.size else 1.0
