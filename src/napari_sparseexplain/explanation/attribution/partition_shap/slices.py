"""Partition SHAP of slices: which regions of an image the score comes from. Needs no gradient.

Owen values over a hierarchy of regions, as the Partition explainer with an image masker of the
package `shap` (Lundberg & Lee, NeurIPS 2017): a region that is hidden shows the baseline.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ....errors import ModelError, StudyError
from ....networks.bundle.model import Model
from ....networks.running.inference import few_threads
from ....networks.running.preparation import Resolution
from ....progress import Work
from ....volumes import Study
from ...method_result import MethodResult
from ...score_function import ScoreFunction
from ...target import Target
from ..baselines import baseline_images, user_baseline
from ..frame import Attribution, attribution_work
from ..xrai.segment_scales import slice_scales
from .owen_values import owen_values
from .region_tree import RegionTree, halved_box, halved_segments

#: How an image is cut.
REGIONS = ("halves", "segments")


def partition_shap(
    score: ScoreFunction,
    x: torch.Tensor,
    baseline: torch.Tensor,
    rows: npt.NDArray[np.int64],
    *,
    evaluations: int = 500,
    regions: str = "halves",
    smallest: int = 4,
    modalities: str = "together",
) -> Work[Attribution]:
    """Owen values of the regions of images (B, C, H, W), each spread evenly over its pixels.

    Parameters
    ----------
    baseline : Tensor, shape (B, C, H, W)
        What a hidden region shows.
    rows : ndarray of int, shape (B,)
        Prepared slices that the images stand for.
    evaluations : int
        Scores an image, at most.
    regions : {"halves", "segments"}
        Boxes halved down to ``smallest`` pixels, or XRAI's finest segments halved by their centres.
    modalities : {"together", "apart"}
        Hidden together, which gives one map (B, 1, H, W), or each by itself.

    Returns
    -------
    Attribution
        Adds up to the change of score but for rounding, however few the evaluations.

    Raises
    ------
    ModelError
        The score is NaN or infinite.
    """
    apart = modalities == "apart"
    values, changes = [], []
    for place in range(len(x)):
        image, start, row = x[place], baseline[place], rows[place]
        tree = _tree(image, start, regions, smallest, apart)
        size = score.micro_batch(int(np.prod(x.shape[2:])), gradients=False)

        def value(
            leaves: npt.NDArray[np.bool_],
            tree: RegionTree = tree,
            image: torch.Tensor = image,
            start: torch.Tensor = start,
            row: int = row,
            size: int = size,
        ) -> npt.NDArray[np.float64]:
            found = []
            for begin in range(0, len(leaves), size):
                shown = torch.from_numpy(tree.shown(leaves[begin : begin + size])).to(x.device)
                images = torch.where(shown, image, start)
                with torch.no_grad(), few_threads():
                    found.append(score(images, np.full(len(images), row)).double().cpu().numpy())
            scores = np.concatenate(found)
            if not np.isfinite(scores).all():
                raise ModelError(
                    "the score is NaN or infinite with a part of the image hidden",
                    where=score.model.name,
                    remedy="Check the input for extreme values, or try another baseline",
                )
            return scores

        work = owen_values(value, tree, evaluations=evaluations)
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                owen = end.value
                break
            yield replace(step, done=place * step.total + step.done, total=len(x) * step.total)
        each = np.append(owen.leaves / np.maximum(tree.sizes, 1), 0.0)
        values.append(torch.from_numpy(each[tree.labels]).to(x))
        changes.append(owen.change)
    return Attribution(torch.stack(values), torch.tensor(changes, dtype=torch.float64))


def _tree(
    image: torch.Tensor, start: torch.Tensor, regions: str, smallest: int, apart: bool
) -> RegionTree:
    differs = (image != start).cpu().numpy()
    if regions == "segments" and differs.any():
        return halved_segments(differs, slice_scales(image.cpu().numpy())[0], apart=apart)
    if regions not in REGIONS:
        raise StudyError(f"no regions {regions!r}", remedy="There are " + " and ".join(REGIONS))
    return halved_box(differs, smallest, apart=apart)


def partition_shap_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    baseline: str,
    baseline_image: str,
    resolution: Resolution,
    **parameters: Any,
) -> Work[MethodResult]:
    """The method ``partition-shap``; see `attribution_work` for what it returns."""
    given = user_baseline(study, model, baseline, baseline_image, resolution)

    def compute(score: ScoreFunction, x: torch.Tensor, rows, numbers) -> Work[Attribution]:
        start = baseline_images(baseline, x, numbers, given)
        return partition_shap(score, x, start, rows, **parameters)

    notes = ["It adds up by construction, whether or not its regions are fine enough."]
    if parameters["modalities"] == "together":
        notes.append("Modalities are hidden together: one map stands for all.")
    return (
        yield from attribution_work(
            study,
            model,
            "partition-shap",
            compute,
            target=target,
            slices=slices,
            resolution=resolution,
            given=given,
            parameters={**parameters, "baseline": baseline, "baseline_image": baseline_image},
            notes=tuple(notes),
        )
    )
