"""From a folder of studies to a bundle: read, train, score on patients held out, save."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ...errors import ModelError, SparseExplainError
from ...evidence.scores import Counts
from ...files.atomic_write import check_writable, make_folders
from ...networks.bundle.card_file import CARD_FILE
from ...networks.bundle.model_card import Inputs, ModelCard
from ...networks.bundle.saving import save_bundle
from ...networks.device import choose_device
from ...progress import Progress, Work
from .corruption import add_noise
from .phantom_slices import PhantomSlices
from .recipes import TITLES, Recipe, recipe_of
from .study_slices import read_slices
from .train_sum import Trained, train_sum

#: Share of the patients (or phantoms) that training does not see and the score is measured on.
HELD_OUT = 0.1

#: The fewest patients of which `HELD_OUT`, rounded, is one.
_SMALLEST_SET = next(n for n in range(1, 1000) if round(HELD_OUT * n) > 0)

_MICRO_BATCH = 4


def train_bundle(
    kind: str,
    data: str | Path,
    out: str | Path,
    *,
    seed: int = 0,
    samples: int | None = None,
    device: str = "auto",
    positive_thresholds: bool = False,
) -> Work[ModelCard]:
    """Train one of the paper's networks and save it as a bundle.

    Parameters
    ----------
    kind : str
        ``sum-seg``, ``sum-rec``, ``sum-denoise``, ``unet`` or ``unet-nobn``.
    data : str or Path
        What `read_slices` reads.
    out : str or Path
        Folder of the bundle; checkpoint and log lie in ``training`` inside it, and a training
        that was interrupted there goes on.
    samples : int, optional
        Slices seen in all.
    device : str
        As in `choose_device`.
    positive_thresholds : bool
        Thresholds positive by construction (SUM only).

    Raises
    ------
    ModelError
        The output died (every mask is 0); nothing is saved then.
    """
    recipe = recipe_of(kind, **({} if samples is None else {"samples": samples}))
    if positive_thresholds:
        recipe = with_positive_thresholds(recipe)
    chosen = choose_device(device)
    claim_folder(Path(out))
    slices = yield from read_slices(data)
    training, held_out = slices.split(HELD_OUT)
    trained = yield from train_sum(
        kind, training, seed=seed, recipe=recipe, folder=Path(out) / "training", device=chosen
    )
    if trained.dead:
        raise ModelError(
            f"the output died after {trained.seen} slices: every mask is 0",
            where=out,
            remedy="Train again with another --seed",
        )
    yield Progress(0, 0, "scoring on what was held out")
    metrics = held_out_scores(trained.network, recipe, held_out) if len(held_out) else {}
    card = card_of(kind, trained, slices, data=f"slices of {Path(data).name}", metrics=metrics)
    if not len(held_out):
        card = replace(card, notes=(*card.notes, unscored_note(slices)))
    return save_bundle(out, card, trained.network)


def unscored_note(slices: PhantomSlices) -> str:
    """What a card says of a set too small to hold a patient out of."""
    patients = np.unique(slices.geometry).size
    return (
        f"Never scored: of {patients} patients or phantoms none was held out, which needs "
        f"{_SMALLEST_SET}."
    )


def claim_folder(out: Path) -> None:
    """Make the bundle's folder before the work begins, and leave a finished bundle alone.

    Raises
    ------
    ModelError
        As `check_bundle_folder`.
    """
    check_bundle_folder(out)
    check_bundle_folder(out / "training")
    make_folders(out / "training")


def check_bundle_folder(out: Path) -> None:
    """Say before the training, and not after it, that its bundle could not be saved.

    Raises
    ------
    ModelError
        The folder cannot be made or written, or holds a finished bundle.
    """
    if (out / CARD_FILE).is_file():  # what was interrupted has no card yet
        raise ModelError(
            "the folder already holds a bundle",
            where=out,
            remedy="Choose another folder with --out, or remove that bundle first",
        )
    try:
        check_writable(out)
    except SparseExplainError as error:
        raise ModelError(error.what, where=error.where, remedy=error.remedy) from error


def with_positive_thresholds(recipe: Recipe) -> Recipe:
    """The recipe with thresholds that are positive by construction."""
    if recipe.architecture != "sum":
        raise ModelError(
            "a U-Net has no thresholds to keep positive", remedy="Leave --positive-thresholds out"
        )
    arguments = {**recipe.arguments, "positive_thresholds": True}
    return Recipe(**{**recipe.__dict__, "arguments": arguments})


def held_out_scores(network: nn.Module, recipe: Recipe, slices: PhantomSlices) -> dict[str, Any]:
    """Micro Dice and IoU at 0.5, or the L1 error and the noise's own for a denoiser."""
    counts, error, noise = Counts(), 0.0, 0.0
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        for start in range(0, len(slices), _MICRO_BATCH):
            clean = torch.from_numpy(slices.x[start : start + _MICRO_BATCH]).float() / 255.0
            x = add_noise(clean, recipe.noise, generator) if recipe.denoise else clean
            mask, _ = network(x)
            if recipe.denoise:
                error += float((mask - clean).abs().sum())
                noise += float((x - clean).abs().sum())
            else:
                truth = slices.y[start : start + _MICRO_BATCH] > 0
                counts += Counts.of((mask[:, 0] > 0.5).numpy(), truth)
    if recipe.denoise:
        pixels = slices.x.size
        return {"L1": round(error / pixels, 5), "L1 of the noisy input": round(noise / pixels, 5)}
    scores = {"dice": counts.dice, "iou": counts.iou}
    return {f"held-out {n}": round(v, 4) for n, v in scores.items() if v is not None}


def card_of(
    kind: str, trained: Trained, slices: PhantomSlices, *, data: str, metrics: dict[str, Any]
) -> ModelCard:
    """The card of a trained network, its weights' checksum still to come."""
    recipe = trained.recipe
    size = int(slices.x.shape[-1])
    notes = [
        "Research only: not a medical device, never validated on patients.",
        "Takes axial, skull-stripped FLAIR slices; one merged lesion class.",
    ]
    if recipe.architecture == "sum":
        notes.append(
            "The encoder-decoder is odd for every alpha: it cannot treat the two polarities of a "
            "contrast differently."
        )
    return ModelCard(
        name=kind,
        title=TITLES[kind],
        architecture=recipe.architecture,
        arguments=dict(recipe.arguments),
        task="denoising" if recipe.denoise else "segmentation",
        inputs=Inputs(slices.roles, "brain-range", slices.spacing_mm, size),
        classes={} if recipe.denoise else {"1": "whole tumour"},
        training={
            "data": data,
            "slices": len(slices),
            "subjects": int(np.unique(slices.geometry).size),
            "slices seen": trained.seen,
            "seed": trained.seed,
            "recipe": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in recipe.__dict__.items()
                if name not in ("architecture", "arguments")
            },
        },
        metrics=metrics,
        notes=tuple(notes),
    )
