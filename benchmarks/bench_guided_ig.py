"""Guided integrated gradients of one slice from end to end, against the authors' package.

Ours is the whole call of ``explain``: preparing the scan, predicting the mask that is explained,
the path; nothing is kept from run to run. The peer's is its ``GetMask`` on the prepared slice with
its 200 steps, one gradient each. Beside it ours with the same 200 equal steps, which is what the
gradients alone leave to win. Timed in CPU time of one thread. The maps are compared with the same
method's from 2,000 equal steps.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import saliency.core.guided_ig as guided_ig
import torch
from saliency.core import INPUT_OUTPUT_GRADIENTS, GuidedIG
from scipy.stats import spearmanr

from napari_sparseexplain.explanation.attribution import kept_attributions
from napari_sparseexplain.explanation.attribution.guided_integrated_gradients import (
    guided_integrated_gradients,
)
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
#: Steps of the path that the maps are compared with.
REFERENCE = 2000
#: Slices whose maps are compared, by their share of those that hold the target.
SHARES = (0.2, 0.5, 0.8)
FASTER, ALIKE = 5.0, 0.99


class _Numpy:
    """NumPy as the package knows it: it calls ``np.quantile(interpolation=)``."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def quantile(a: Any, q: float, interpolation: Any) -> Any:
        return np.quantile(a, q, method=interpolation)


guided_ig.np = _Numpy()


def ours(study: Study, model: Model, number: int, **how: Any) -> np.ndarray:
    """The whole call."""
    kept_attributions.forget()
    return explain(study, model, "guided-ig", target="WT", slices=number, **how)["heatmap"].data


def peers(score: ScoreFunction, prepared: Prepared, row: int) -> np.ndarray:
    """The authors' map of a prepared slice, from the baseline 0."""
    image = np.moveaxis(np.asarray(prepared.array[row], np.float64), 0, -1)

    def call(several: Any, call_model_args: Any = None, expected_keys: Any = None) -> Any:
        images = torch.from_numpy(np.moveaxis(np.asarray(several), -1, 1).copy())
        _, gradients = score.gradient(images, np.full(len(images), row))
        return {INPUT_OUTPUT_GRADIENTS: np.moveaxis(gradients.numpy(), 1, -1)}

    return GuidedIG().GetMask(image, call)


def mapped(score: ScoreFunction, prepared: Prepared, rows: np.ndarray, **how: Any) -> np.ndarray:
    """Our maps of some prepared slices, from the baseline 0."""
    x = torch.from_numpy(prepared.array[rows]).double()
    work = guided_integrated_gradients(score, x, torch.zeros_like(x), rows, **how)
    return drain(work).values.sum(dim=1).numpy()


def measure(repeats: int) -> list[Row]:
    """The time of one slice, then how exact the maps of several are."""
    study, model = open_study(sample_path()), load_model(NETWORK, device="cpu")
    prepared = prepare(study, model.card)
    score = drain(score_function(model, prepared, Target.parse("WT"), study=study))
    assert score.weights is not None
    held = np.flatnonzero((score.weights != 0).flatten(1).sum(dim=1).numpy() > 30)
    numbers = np.array([held[int(share * (len(held) - 1))] for share in SHARES])
    middle = int(numbers[len(numbers) // 2])
    x = torch.from_numpy(prepared.array[middle : middle + 1]).double()

    def gradients() -> None:
        for _ in range(200):
            score.gradient(x, np.array([middle]))

    rows = []
    for name, wanted, run in (
        ("adaptive steps", FASTER, lambda: ours(study, model, middle)),
        ("200 equal steps", 0.0, lambda: ours(study, model, middle, rule="equal")),
        ("200 gradients alone", 0.0, gradients),
    ):
        mine, other, ratio = paired(
            run, lambda: peers(score, prepared, middle), repeats, clock=time.process_time
        )
        rows.append(
            Row(
                f"guided IG of one slice, {NETWORK}, 128², {name}",
                milliseconds(mine),
                f"saliency, 200 steps, {other:.2f} s",
                f"{ratio:.1f}× faster",
                f"≥ {wanted:g}×" if wanted else "beside",
                ratio >= wanted,
            )
        )
    many = mapped(score, prepared, numbers, n_steps=REFERENCE)
    few = mapped(score, prepared, numbers, rule="adaptive")
    equal = mapped(score, prepared, numbers)
    for name, alike, wanted in (
        ("correlation", lambda a, b: np.corrcoef(a.ravel(), b.ravel())[0, 1], ALIKE),
        ("rank correlation", lambda a, b: spearmanr(a.ravel(), b.ravel())[0], 0.0),
    ):
        mine = [float(alike(one, other)) for one, other in zip(few, many, strict=True)]
        theirs = [float(alike(one, other)) for one, other in zip(equal, many, strict=True)]
        rows.append(
            Row(
                f"{name} with {REFERENCE} equal steps, {len(numbers)} slices",
                ", ".join(f"{value:.4f}" for value in mine),
                "200 equal steps " + ", ".join(f"{value:.4f}" for value in theirs),
                f"least {min(mine):.4f}",
                f"≥ {wanted:g}" if wanted else "beside",
                min(mine) >= wanted,
            )
        )
    return rows
