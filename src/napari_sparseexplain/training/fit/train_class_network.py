"""Training of networks that tell four tissue classes apart: JF-ML-ISTA and a U-Net beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ...errors import ModelError
from ...networks.modules.architectures import build_network
from ...networks.modules.jf_ml_ista_network import JfMlIstaNetwork
from ...progress import Progress, Work
from ..tumour_classes import TUMOUR_CLASSES, class_channels
from .checkpoint import load_checkpoint, save_checkpoint
from .class_losses import class_loss, residual_loss, specificity_loss
from .corruption import flip_and_rotate, shade, stretch_contrast
from .crops import LESION_CENTRED, draw_crop
from .phantom_slices import PhantomSlices
from .training_log import TrainingLog

LOG_EVERY = 25

#: Crops that a JF-ML-ISTA's atoms and thresholds start from.
INITIAL_CROPS = 48


@dataclass(frozen=True)
class ClassRecipe:
    """Hyperparameters of one training.

    Attributes
    ----------
    architecture, arguments
        As in a model card.
    samples, batch : int
        Crops seen in all, and crops a step.
    scales : tuple of (share, factor, crop)
        Parts of the training, in order: each sees crops of ``crop`` pixels averaged over blocks of
        ``factor`` pixels a side. Dictionaries carry over to the finer grid, and a
        coarse crop shows more of the brain for its price.
    plain_share, plain_scales : float, tuple
        Last share of the steps, with scales of its own, in which crops are drawn as they come:
        before, lesions are drawn and weighted above their share, and a network that ended there
        would see them everywhere.
    plain_balance : float
        `class_loss` 's ``balance`` in that part. At 0 and at 0.5 faint oedema is unlearnt (of the
        whole tumour on held-out phantoms, recall .27 and .25).
    learning_rate : float
        Of Adam, as the paper's literature recommends; rises over the first 5 % of the steps and
        falls to 0 along a cosine, then once more from a third of it in the plain part.
    weight_decay : float
        On dictionaries only: thresholds would be pulled to 0.
    gradient_norm : float
        Gradients are clipped to it.
    residual, specificity : float
        Weights of `residual_loss` and `specificity_loss`; 0 for the paper's training and U-Nets.
    threshold_share : float
        See `JfMlIstaNetwork.initialise`.
    classifier_rate : float
        Times the learning rate, for the classifier of a JF-ML-ISTA: it starts on unit-norm
        dictionaries, which give small codes, so its weights are some ten times theirs and must
        move as far.
    scalar_rate : float
        Times the learning rate, for thresholds and steps.
    gradient_rounds : int
        See `jf_ml_ista`.
    leak, leak_share : float
        `jf_ml_ista` 's ``leak`` at the start, and after which share of the first part it has
        fallen to 0. Without it the rarest class can fall silent early and for good.
    contrast, shading
        As in the SUM's `Recipe`, drawn for each modality apart.
    """

    architecture: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    samples: int = 15_000
    batch: int = 8
    scales: tuple[tuple[float, int, int], ...] = ((0.5, 4, 128), (0.35, 2, 96), (0.15, 1, 64))
    plain_share: float = 0.2
    plain_scales: tuple[tuple[float, int, int], ...] = ((0.5, 2, 128), (0.5, 1, 80))
    plain_balance: float = 1.0
    learning_rate: float = 3e-3
    weight_decay: float = 0.0
    gradient_norm: float = 1.0
    residual: float = 0.0
    specificity: float = 0.0
    threshold_share: float = 0.02
    classifier_rate: float = 60.0
    scalar_rate: float = 0.5
    gradient_rounds: int = 1
    leak: float = 0.1
    leak_share: float = 0.5
    contrast: tuple[float, float] = (0.85, 1.4)
    shading: float = 0.1

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return max(1, self.samples // self.batch)

    def progress(self, step: int) -> tuple[bool, float]:
        """Whether a step lies in the plain part, and how much of its part is done."""
        first = round((1.0 - self.plain_share) * self.steps)
        if step < first:
            return False, step / first
        return True, (step - first) / max(1, self.steps - first)

    def leak_at(self, step: int) -> float:
        """The leak of a step: falls linearly to 0 within the first part."""
        plain, done = self.progress(step)
        if plain or done >= self.leak_share:
            return 0.0
        return self.leak * (1.0 - done / self.leak_share)


_DECOMPOSES: dict[str, Any] = {"residual": 0.1, "specificity": 0.1}

#: The rarest class is coded first: coded last, it would find nothing left to explain.
_RARE_FIRST: dict[str, Any] = {"order": [3, 2, 1, 0]}

#: What can be trained; each name is also the name of the bundle.
CLASS_RECIPES: dict[str, ClassRecipe] = {
    "jf-ml-ista": ClassRecipe("jf-ml-ista", _RARE_FIRST, **_DECOMPOSES),
    "jf-ml-ista-separate": ClassRecipe(
        "jf-ml-ista", {**_RARE_FIRST, "separate": True}, **_DECOMPOSES
    ),
    "jf-ml-ista-unconstrained": ClassRecipe(
        "jf-ml-ista", {**_RARE_FIRST, "constrained": False}, **_DECOMPOSES
    ),
    "jf-ml-ista-separate-unconstrained": ClassRecipe(
        "jf-ml-ista", {**_RARE_FIRST, "separate": True, "constrained": False}, **_DECOMPOSES
    ),
    "unet-classes": ClassRecipe(
        "unet",
        {"in_channels": 4, "classes": 4, "maps": 8, "head": "softmax"},
        samples=8_000,
        scales=((1.0, 1, 128),),
        plain_scales=((1.0, 1, 128),),
        learning_rate=2e-3,
        weight_decay=1e-4,
    ),
}


@dataclass(frozen=True, eq=False)
class ClassTrained:
    """What a training ends in: the network in evaluation mode, its recipe, and the log."""

    network: nn.Module
    recipe: ClassRecipe
    seed: int
    seen: int
    log: tuple[dict[str, float], ...]


def train_class_network(
    recipe: ClassRecipe,
    data: PhantomSlices,
    *,
    seed: int = 0,
    folder: Path | None = None,
    device: str | torch.device = "cpu",
) -> Work[ClassTrained]:
    """Train on crops of multimodal slices.

    Parameters
    ----------
    data : PhantomSlices
        Labels 0, 1, 2, 4 (or 3 for 4), as many modalities as the network takes.
    folder : Path, optional
        Where checkpoint and log go; a training found there is resumed.

    Yields
    ------
    Progress
        In crops seen.

    Raises
    ------
    ModelError
        The data do not fit the network, or the loss is no longer finite.
    """
    torch.manual_seed(seed)
    network = build_network(recipe.architecture, dict(recipe.arguments)).to(torch.device(device))
    wanted = getattr(network, "modalities", getattr(network, "in_channels", 0))
    if len(data) == 0 or data.x.shape[1] != wanted:
        raise ModelError(
            f"the network takes {wanted} modalities and the {len(data)} slices have "
            f"{data.x.shape[1]}",
            remedy="Train on slices with t1, t1ce, t2 and flair",
        )
    decomposes = isinstance(network, JfMlIstaNetwork)
    optimizer = _optimizer(network, recipe)
    identity = {"seed": seed, "recipe": asdict(recipe), "data": data.checksum()}
    step = 0
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        step = load_checkpoint(folder, network, optimizer, identity)
        if step and decomposes:
            network.constrain()  # the scales are no parameters, and no part of a checkpoint
    if step == 0 and decomposes:
        first, truth, _ = _batch(data, recipe, seed, 0, INITIAL_CROPS)
        network.initialise(first.to(device), truth.to(device), recipe.threshold_share)
    log = TrainingLog(folder, step)
    network.train()
    every = max(LOG_EVERY, recipe.steps // 20)
    while step < recipe.steps:
        entry = _step(network, optimizer, data, recipe, seed, step)
        step += 1
        if step % LOG_EVERY == 0 or step == recipe.steps:
            log.add({"step": step, "seen": step * recipe.batch, **entry})
        if folder is not None and step % every == 0:
            save_checkpoint(folder, network, optimizer, step, identity)
        yield Progress(
            step * recipe.batch, recipe.steps * recipe.batch, f"loss {entry['loss']:.3f}"
        )
    log.close()
    network.to("cpu").eval().requires_grad_(False)
    if decomposes:
        network.normalise()
    return ClassTrained(network, recipe, seed, step * recipe.batch, tuple(log.entries))


def _optimizer(network: nn.Module, recipe: ClassRecipe) -> torch.optim.Optimizer:
    """Adam with rates of their own for the sparse model's scalars and for the classifier."""
    if not isinstance(network, JfMlIstaNetwork):
        return torch.optim.AdamW(
            network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
    scalars = [network.thresholds, network.steps]
    heads = [network.classifier, network.bias]
    rest = [p for p in network.parameters() if all(p is not s for s in (*scalars, *heads))]
    return torch.optim.AdamW(
        [
            {"params": rest, "weight_decay": recipe.weight_decay, "share": 1.0},
            {"params": scalars, "weight_decay": 0.0, "share": recipe.scalar_rate},
            {"params": heads, "weight_decay": 0.0, "share": recipe.classifier_rate},
        ],
        lr=recipe.learning_rate,
    )


def _batch(
    data: PhantomSlices, recipe: ClassRecipe, seed: int, step: int, count: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Crops (B, C, h, w), channel numbers (B, h, w) and brain (B, h, w) of one step."""
    rng = np.random.default_rng([seed, step])
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    plain, _ = recipe.progress(step)
    chosen = rng.integers(0, len(data), count) if plain else _choose(data, count, rng)
    factor, side = _scale(recipe, step)
    centred = 0.0 if plain else LESION_CENTRED
    parts = [draw_crop(data.x[i], data.y[i], side, rng, centred) for i in chosen]
    x = torch.from_numpy(np.stack([p[0] for p in parts])).float() / 255.0
    y = torch.from_numpy(class_channels(np.stack([p[1] for p in parts])))[:, None]
    if factor > 1:
        x, y = torch.nn.functional.avg_pool2d(x, factor), y[:, :, ::factor, ::factor]
    x, y = flip_and_rotate(x, y, generator)
    shape = x.shape
    # Every modality is another scan: contrast and coil are drawn for each apart.
    x = x.reshape(-1, 1, *shape[2:])
    x = stretch_contrast(x, recipe.contrast, generator)
    x = shade(x, recipe.shading, generator).reshape(shape)
    return x, y[:, 0].long(), (x > 0).any(dim=1)


def _scale(recipe: ClassRecipe, step: int) -> tuple[int, int]:
    """Block and crop of a step."""
    plain, done = recipe.progress(step)
    scales = recipe.plain_scales if plain else recipe.scales
    ends = np.cumsum([share for share, _, _ in scales])
    part = int(np.searchsorted(ends, done, side="right"))
    _, factor, crop = scales[min(part, len(ends) - 1)]
    return factor, crop


#: Share of the crops that come from slices with a tumour.
TUMOUR_SLICES = 0.8


def _choose(data: PhantomSlices, count: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Slices of one step, most of them with a tumour."""
    with_tumour = data.with_lesion()
    pools = (np.flatnonzero(with_tumour), np.flatnonzero(~with_tumour))
    chosen = []
    for _ in range(count):
        pool = pools[0] if rng.random() < TUMOUR_SLICES and pools[0].size else pools[1]
        pool = pool if pool.size else pools[0]
        chosen.append(pool[rng.integers(pool.size)])
    return np.asarray(chosen)


def _step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: PhantomSlices,
    recipe: ClassRecipe,
    seed: int,
    step: int,
) -> dict[str, float]:
    device = next(network.parameters()).device
    x, y, inside = (t.to(device) for t in _batch(data, recipe, seed, step, recipe.batch))
    x = x.contiguous(memory_format=torch.channels_last)
    plain, done = recipe.progress(step)
    rate = (recipe.learning_rate / 3 if plain else recipe.learning_rate) * min(
        1.0, (done + 0.002) / 0.05
    )
    rate *= 0.5 * (1.0 + float(np.cos(np.pi * done)))
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("share", 1.0)
    optimizer.zero_grad(set_to_none=True)
    balance = recipe.plain_balance if plain else 1.0
    entry: dict[str, float] = {}
    if isinstance(network, JfMlIstaNetwork):
        found = network.decompose(
            x, gradient_rounds=recipe.gradient_rounds, leak=recipe.leak_at(step)
        )
        segmented = class_loss(found.logits, y, inside, balance=balance)
        left = residual_loss(found.decomposition.residual, x)
        stray = specificity_loss(found.decomposition.components, y, x)
        loss = segmented + recipe.residual * left + recipe.specificity * stray
        entry = {"residual": float(left.detach()), "stray": float(stray.detach())}
    else:
        _, logits = network(x)
        loss = segmented = class_loss(logits, y, inside, balance=balance)
    if not bool(torch.isfinite(loss)):
        raise ModelError(
            f"the loss is no longer finite after {step * recipe.batch} crops",
            remedy="Train again with a lower learning rate or another --seed",
        )
    loss.backward()
    norm = nn.utils.clip_grad_norm_(network.parameters(), recipe.gradient_norm)
    optimizer.step()
    if isinstance(network, JfMlIstaNetwork):
        network.constrain()
        entry["smallest threshold"] = float(network.thresholds.detach().min())
    return {
        "loss": float(loss.detach()),
        "class": float(segmented.detach()),
        "gradient_norm": float(norm),
        **entry,
    }


#: Names by channel for a card, whose keys are texts.
def card_classes() -> dict[str, str]:
    """Label value (as text) to name, in channel order."""
    return {str(value): name for value, name in TUMOUR_CLASSES.items()}
