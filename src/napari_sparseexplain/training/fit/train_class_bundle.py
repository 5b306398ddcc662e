"""From studies or phantom slices to a bundle of a network that tells tumour classes apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError
from ...explanation.class_maps import network_classes, shown_pixels
from ...networks.bundle.model import Model
from ...networks.bundle.model_card import Inputs, ModelCard
from ...networks.bundle.saving import save_bundle
from ...networks.device import choose_device
from ...networks.running.inference import predict_array
from ...progress import Progress, Work, drain
from ...volumes.labels.tumour import REGIONS
from ..evaluate.class_evaluation import RegionScores
from .phantom_slices import PhantomSlices
from .study_slices import read_slices
from .train_bundle import HELD_OUT, claim_folder, unscored_note
from .train_class_network import CLASS_RECIPES, ClassTrained, card_classes, train_class_network

ROLES = ("t1", "t1ce", "t2", "flair")
SPACING_MM = 1.0
SIZE = 240

TITLES: dict[str, str] = {
    "jf-ml-ista": "Merged JF-ML-ISTA",
    "jf-ml-ista-separate": "Separate JF-ML-ISTA",
    "jf-ml-ista-unconstrained": "Merged JF-ML-ISTA, unconstrained",
    "jf-ml-ista-separate-unconstrained": "Separate JF-ML-ISTA, unconstrained",
    "unet-classes": "U-Net, four classes",
}


def train_class_bundle(
    kind: str,
    data: str | Path,
    out: str | Path,
    *,
    seed: int = 0,
    samples: int | None = None,
    device: str = "auto",
    paper: bool = False,
) -> Work[ModelCard]:
    """Train one network on four modalities and save it as a bundle.

    Parameters
    ----------
    kind : str
        A key of `CLASS_RECIPES`.
    data : str or Path
        What `read_slices` reads, with t1, t1ce, t2, flair and labels.
    out : str or Path
        Folder of the bundle; checkpoint and log lie in ``training`` inside it.
    samples : int, optional
        Crops seen in all.
    paper : bool
        The paper's loss alone: no terms for residual and specificity.

    Raises
    ------
    ModelError
        No such kind, data that do not fit, or a loss that is not finite.
    """
    if kind not in CLASS_RECIPES:
        known = ", ".join(CLASS_RECIPES)
        raise ModelError(f"there is no recipe {kind!r}", remedy=f"Known are {known}")
    recipe = CLASS_RECIPES[kind]
    if samples is not None:
        recipe = replace(recipe, samples=samples)
    if paper:
        recipe = replace(recipe, residual=0.0, specificity=0.0)
    chosen = choose_device(device)
    claim_folder(Path(out))
    slices = yield from read_slices(data, roles=ROLES, size=SIZE, spacing_mm=SPACING_MM)
    training, held_out = slices.split(HELD_OUT)
    trained = yield from train_class_network(
        recipe, training, seed=seed, folder=Path(out) / "training", device=chosen
    )
    yield Progress(0, 0, "scoring on what was held out")
    card = class_card(kind, trained, slices, data=f"slices of {Path(data).name}")
    metrics = held_out_scores(Model.of_network(card, trained.network), held_out)
    notes = card.notes if len(held_out) else (*card.notes, unscored_note(slices))
    return save_bundle(out, replace(card, metrics=metrics, notes=notes), trained.network)


def held_out_scores(model: Model, slices: PhantomSlices) -> dict[str, Any]:
    """Mean Dice of ET, WT and TC over subjects that training did not see."""
    scores = RegionScores()
    for subject in np.unique(slices.geometry):
        rows = np.flatnonzero(slices.geometry == subject)
        found = []
        for start in range(0, len(rows), 8):
            x = slices.x[rows[start : start + 8]].astype(np.float32) / np.float32(255)
            mask = drain(predict_array(model, x)).mask
            found.append(network_classes(model.card, mask, shown_pixels(x)))
        scores.add(str(subject), np.concatenate(found), slices.y[rows])
    metrics: dict[str, Any] = {"held-out subjects": int(np.unique(slices.geometry).size)}
    for region in (*REGIONS, "average"):
        value = scores.mean("volumes", region)
        if value is not None:
            metrics[f"held-out dice {region}"] = round(value, 4)
    return metrics


def class_card(kind: str, trained: ClassTrained, slices: PhantomSlices, *, data: str) -> ModelCard:
    """The card of a trained network, its scores and its weights' checksum still to come."""
    recipe = trained.recipe
    notes = [
        "Research only: not a medical device, never validated on patients.",
        "Takes axial, skull-stripped, co-registered T1, T1ce, T2 and FLAIR of 1 mm.",
    ]
    if recipe.architecture == "jf-ml-ista":
        notes.append(
            "A component is what the model's dictionary of a class explains of the scan; it is "
            "evidence of the model, not of the tissue."
        )
    return ModelCard(
        name=kind,
        title=TITLES[kind],
        architecture=recipe.architecture,
        arguments=dict(recipe.arguments),
        task="segmentation",
        inputs=Inputs(ROLES, "brain-range", SPACING_MM, SIZE),
        classes=card_classes(),
        training={
            "data": data,
            "slices": len(slices),
            "subjects": int(np.unique(slices.geometry).size),
            "crops seen": trained.seen,
            "seed": trained.seed,
            "recipe": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in recipe.__dict__.items()
                if name not in ("architecture", "arguments")
            },
        },
        notes=tuple(notes),
    )
