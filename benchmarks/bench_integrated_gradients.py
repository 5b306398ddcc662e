"""Integrated gradients: gradients needed for a map error of 1 %, against the authors' package.

On the sample study's slice with the most tumour, cut to 64² pixels about it so that the reference,
4,000 steps, takes seconds. The error is that of the map, ``‖map - reference‖ / ‖reference‖``.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from saliency.core import INPUT_OUTPUT_GRADIENTS, IntegratedGradients

from napari_sparseexplain.explanation.attribution.integrated_gradients import integrated_gradients
from napari_sparseexplain.explanation.score_function import ScoreFunction, score_function
from napari_sparseexplain.explanation.target import Target
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.networks.running.preparation import Prepared, prepare
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes import Study, open_study
from napari_sparseexplain.volumes.opening.sample import sample_path
from paired_timing import Row

REFERENCE = 4000
WANTED = 0.01
SIDE = 64
NETWORKS = ("sum-rec", "unet")

#: Numbers of gradients that are tried.
TRIED = (4, 6, 8, 12, 16, 20, 25, 32, 40, 50, 64, 80, 100, 128, 160, 200, 256, 320, 400, 512, 640)


def about_the_tumour(study: Study, prepared: Prepared) -> Prepared:
    """The slice with the most tumour, cut to `SIDE` pixels."""
    true = prepared.to_network((study["seg"].spatial() != 0).astype(np.float32))
    number = int(true.sum(axis=(1, 2)).argmax())
    rows, columns = np.nonzero(true[number] > 0.5)
    height, width = true.shape[1:]
    top = int(np.clip(rows.mean() - SIDE / 2, 0, height - SIDE))
    left = int(np.clip(columns.mean() - SIDE / 2, 0, width - SIDE))
    part = prepared.array[number : number + 1, :, top : top + SIDE, left : left + SIDE]
    return replace(prepared, array=np.ascontiguousarray(part), slices=slice(number, number + 1))


def ours(rule: str, score: ScoreFunction, x: torch.Tensor, nodes: int) -> np.ndarray:
    """Ours by a rule, with ``nodes`` gradients."""
    row = np.zeros(1, np.int64)
    found = drain(integrated_gradients(score, x, x * 0, row, n_steps=nodes, rule=rule))
    return found.values[0].numpy()


def peers(score: ScoreFunction, x: torch.Tensor, steps: int) -> np.ndarray:
    """The authors' sum with ``steps`` gradients."""

    def call(batch: Any, call_model_args: Any = None, expected_keys: Any = None) -> Any:
        images = torch.from_numpy(np.asarray(batch))
        _, gradients = score.gradient(images, np.zeros(len(images), np.int64))
        return {INPUT_OUTPUT_GRADIENTS: gradients.numpy()}

    return IntegratedGradients().GetMask(x[0].numpy(), call, x_steps=steps, batch_size=8)


def needed(method: Any, score: ScoreFunction, x: torch.Tensor, wanted: np.ndarray) -> int:
    """The fewest gradients of `TRIED` with an error of at most `WANTED`; 0 where none has it."""
    for count in TRIED:
        error = np.linalg.norm(method(score, x, count) - wanted) / np.linalg.norm(wanted)
        if error <= WANTED:
            return count
    return 0


def measure(repeats: int) -> list[Row]:
    """One row a network; nothing is timed, so nothing is repeated."""
    study = open_study(sample_path())
    rows = []
    for name in NETWORKS:
        model = load_model(name)
        prepared = about_the_tumour(study, prepare(study, model.card))
        score = drain(score_function(model, prepared, Target.region("WT")))
        x = torch.from_numpy(prepared.array).double()
        wanted = ours("gauss-legendre", score, x, REFERENCE)
        theirs = needed(peers, score, x, wanted)
        for rule in ("adaptive", "gauss-legendre"):
            mine = needed(partial(ours, rule), score, x, wanted)
            ratio = (theirs or TRIED[-1]) / mine if mine else 0.0
            rows.append(
                Row(
                    f"integrated gradients of {name}, {rule}, gradients for a map error of 1 %",
                    str(mine or f"> {TRIED[-1]}"),
                    f"saliency {theirs or f'> {TRIED[-1]}'}",
                    f"{ratio:.1f}× fewer",
                    "≤ 50 and ≥ 2×" if rule == "adaptive" else "beside",
                    rule != "adaptive" or (0 < mine <= 50 and ratio >= 2),
                )
            )
    return rows
