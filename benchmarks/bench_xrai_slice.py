"""XRAI of one slice from end to end, against the authors' package, and how exact both maps are.

Ours is the whole call of ``explain``: preparing the scan, predicting the mask that is explained,
gradients, segmentation, growth; nothing is kept from run to run. The peer's is its ``GetMask`` on
the prepared slice, with 100 gradients a baseline, as it is when not told otherwise: one gradient a
call, and beside it eight a call, which it can be told. Timed in CPU time of one thread. The maps
are compared with the same map from 2,000 gradients a baseline.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from saliency.core import INPUT_OUTPUT_GRADIENTS, XRAI, XRAIParameters
from scipy.stats import spearmanr

from napari_sparseexplain.explanation.attribution import kept_attributions
from napari_sparseexplain.explanation.attribution.path_attribution import attribute_slices
from napari_sparseexplain.explanation.attribution.xrai import segment_scales
from napari_sparseexplain.explanation.attribution.xrai import slices as xrai
from napari_sparseexplain.explanation.catalogue import explain
from napari_sparseexplain.explanation.score_function import ScoreFunction, score_function
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.bundle.model import Model
from napari_sparseexplain.networks.running.preparation import Prepared, prepare
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes import Study, open_study
from napari_sparseexplain.volumes.opening.sample import sample_path
from paired_timing import Row, milliseconds, paired

NETWORK = "sum-rec"
#: Gradients a baseline of the map that the others are compared with.
REFERENCE = 2000
#: Slices whose maps are compared, by their share of those that hold the target.
SHARES = (0.2, 0.35, 0.5, 0.65, 0.8)
FASTER, ALIKE = 5.0, 0.99


def forget() -> None:
    """Nothing is kept of an earlier run."""
    kept_attributions.forget()
    segment_scales.forget()
    xrai.forget()


def ours(study: Study, model: Model, number: int) -> np.ndarray:
    """The whole call."""
    forget()
    return explain(study, model, "xrai", target="WT", slices=number)["heatmap"].data


def peers(score: ScoreFunction, prepared: Prepared, row: int, batch: int) -> np.ndarray:
    """The authors' map of a prepared slice."""
    image = np.moveaxis(np.asarray(prepared.array[row], np.float64), 0, -1)

    def call(several: Any, call_model_args: Any = None, expected_keys: Any = None) -> Any:
        images = torch.from_numpy(np.moveaxis(np.asarray(several), -1, 1).copy())
        _, gradients = score.gradient(images, np.full(len(images), row))
        return {INPUT_OUTPUT_GRADIENTS: np.moveaxis(gradients.numpy(), 1, -1)}

    return XRAI().GetMask(image, call, batch_size=batch, extra_parameters=XRAIParameters(steps=100))


def grown(score: ScoreFunction, prepared: Prepared, row: int, **how: Any) -> np.ndarray:
    """Our map of a prepared slice."""
    found = drain(attribute_slices(score, prepared, np.array([row]), **how))[row]
    return xrai.grown_slice(prepared.array[row], found.values.sum(axis=0)).gains


def alike(one: np.ndarray, other: np.ndarray) -> float:
    """Rank correlation of two maps."""
    return float(spearmanr(one.ravel(), other.ravel())[0])


def measure(repeats: int) -> list[Row]:
    """The time of one slice, then how exact the maps of several are."""
    study, model = open_study(sample_path()), load_model(NETWORK, device="cpu")
    prepared = prepare(study, model.card)
    score = drain(score_function(model, prepared, Target.parse("WT"), study=study))
    assert score.weights is not None
    held = np.flatnonzero((score.weights != 0).flatten(1).sum(dim=1).numpy() > 30)
    numbers = [int(held[int(share * (len(held) - 1))]) for share in SHARES]
    middle = numbers[len(numbers) // 2]
    rows = []
    for batch, wanted in ((1, FASTER), (8, 0.0)):
        mine, other, ratio = paired(
            lambda: ours(study, model, middle),
            lambda b=batch: peers(score, prepared, middle, b),
            repeats,
            clock=time.process_time,
        )
        rows.append(
            Row(
                f"XRAI of one slice, {NETWORK}, 128², whole call",
                milliseconds(mine),
                f"saliency, {batch} gradient{'s' if batch > 1 else ''} a call, {other:.2f} s",
                f"{ratio:.1f}× faster",
                f"≥ {wanted:g}×" if wanted else "beside",
                ratio >= wanted,
            )
        )
    figures: dict[str, list[float]] = {"ours": [], "peer": []}
    for row in numbers:
        exact = grown(score, prepared, row, n_steps=REFERENCE, tolerance=0.0)
        figures["ours"].append(alike(grown(score, prepared, row, n_steps=100), exact))
        figures["peer"].append(alike(peers(score, prepared, row, 8), exact))
    said = {name: ", ".join(f"{value:.3f}" for value in found) for name, found in figures.items()}
    median = float(np.median(figures["ours"]))
    rows.append(
        Row(
            f"rank correlation with {REFERENCE} gradients a baseline, {len(numbers)} slices",
            said["ours"],
            f"saliency {said['peer']}",
            f"median {median:.4f}",
            f"≥ {ALIKE:g}",
            median >= ALIKE,
        )
    )
    return rows
