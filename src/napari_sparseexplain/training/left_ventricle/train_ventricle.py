"""Training of a network that finds the left ventricle: interrupted, it goes on where it stood."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ...networks.modules.architectures import build_network
from ...progress import Work
from ..fit.epochs import descend, rise_and_cosine, rows_of_step, train_epochs
from ..fit.half_precision import half_precision
from .augmentation import augmented
from .patient_split import refuse_shared
from .recipe import VentricleRecipe
from .segmentation_counts import SliceCounts
from .short_axis_slices import ShortAxisSlices
from .ventricle_loss import ventricle_loss
from .watched_slice import save_watched, watch_slice

#: Share of the steps in which AdamW's rate rises.
_RISE = 0.15

#: Slices in one call of a network that is only run.
_MICRO_BATCH = 4


@dataclass(frozen=True, eq=False)
class VentricleTrained:
    """What a training ends in: the network in evaluation mode, and the log."""

    network: nn.Module
    recipe: VentricleRecipe
    seed: int
    epochs: int
    log: tuple[dict[str, float], ...]


def train_ventricle(
    recipe: VentricleRecipe,
    training: ShortAxisSlices,
    held_out: ShortAxisSlices | None = None,
    *,
    seed: int = 0,
    folder: Path | None = None,
    device: str | torch.device = "cpu",
    leaking: bool = False,
    epochs: int | None = None,
) -> Work[VentricleTrained]:
    """Train on slices; accuracy *and* Dice of those held out stand in the log after each epoch.

    Parameters
    ----------
    held_out : ShortAxisSlices, optional
        Of other patients; nothing is chosen by them here.
    folder : Path, optional
        Where log, checkpoint and the watched slice's layer maps go.
    leaking : bool
        Allow patients on both sides, as in the paper.
    epochs : int, optional
        Stop after so many of the recipe's epochs, as successive halving does; the training goes on
        from there when it is called again with more.

    Yields
    ------
    Progress
        In steps.

    Raises
    ------
    ModelError
        The loss is no longer finite, or the checkpoint is of another training.
    ParameterError
        A patient stands on both sides.
    """
    if held_out is not None and not leaking:
        refuse_shared(training.patients, held_out.patients)
    torch.manual_seed(seed)
    network = build_network(recipe.architecture, dict(recipe.arguments)).to(torch.device(device))
    optimiser = _optimiser(network, recipe)
    each = max(1, len(training) // recipe.batch)
    total, last = recipe.epochs * each, min(epochs or recipe.epochs, recipe.epochs) * each
    identity: dict[str, object] = {}
    if folder is not None:
        identity = {"seed": seed, "recipe": asdict(recipe), "data": training.checksum()}
    watched = held_out if held_out is not None and len(held_out) else training
    image = watched.images[int(watched.masks.sum(axis=(1, 2)).argmax())]
    score = None
    if held_out is not None and len(held_out):
        score = partial(_held_out, network, held_out)

    def take_step(step: int) -> float:
        return _step(network, optimiser, training, recipe, seed, step, total)

    def watch(epoch: int) -> None:
        if folder is not None:
            save_watched(folder, epoch, watch_slice(network, image))

    done, log = yield from train_epochs(
        network, optimiser, take_step, each=each, last=last, folder=folder, identity=identity,
        score=score, after=watch,
    )  # fmt: skip
    network.to("cpu").eval().requires_grad_(False)
    return VentricleTrained(network, recipe, seed, done, log)


def probabilities(network: nn.Module, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Probability of the ventricle in images (N, rows, columns) as the network is fed them."""
    device = next(network.parameters()).device
    found = np.empty(images.shape, dtype=np.float32)
    was_training = network.training
    network.eval()
    with torch.inference_mode():
        for start in range(0, len(images), _MICRO_BATCH):
            part = torch.from_numpy(images[start : start + _MICRO_BATCH])[:, None].to(device)
            mask, _ = network(part.contiguous(memory_format=torch.channels_last))
            found[start : start + _MICRO_BATCH] = mask[:, 1].float().cpu().numpy()
    network.train(was_training)
    return found


def _held_out(network: nn.Module, slices: ShortAxisSlices) -> dict[str, float]:
    predicted = probabilities(network, slices.images) > 0.5
    counts = SliceCounts.of(predicted, slices.masks, slices.patients)
    return {
        "pixel accuracy": counts.accuracy,
        "micro Dice": counts.micro,
        "slice Dice": counts.slice_mean,
        "patient Dice": counts.patient_mean,
        "empty slices": float(counts.empty),
    }


def _optimiser(network: nn.Module, recipe: VentricleRecipe) -> torch.optim.Optimizer:
    parameters = list(network.parameters())
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(
            parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
    return torch.optim.AdamW(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)


def learning_rate(recipe: VentricleRecipe, step: int, total: int) -> float:
    """The rate of a step: stairs of SGD, or a rise and a cosine."""
    if recipe.optimiser == "sgd":
        return recipe.learning_rate * recipe.decay ** (step // recipe.decay_steps)
    return recipe.learning_rate * rise_and_cosine(step / max(1, total), _RISE)


def _step(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    slices: ShortAxisSlices,
    recipe: VentricleRecipe,
    seed: int,
    step: int,
    total: int,
) -> float:
    device = next(network.parameters()).device
    x, y = (part.to(device) for part in _batch(slices, recipe, seed, step, total))
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(recipe, step, total)
    optimiser.zero_grad(set_to_none=True)
    with half_precision(device.type, recipe.half):
        _, signal = network(x.contiguous(memory_format=torch.channels_last))
    loss = ventricle_loss(signal.float(), y[:, 0], recipe.dice)
    return descend(loss, optimiser, network.parameters(), norm=recipe.gradient_norm, step=step)


def _batch(
    slices: ShortAxisSlices, recipe: VentricleRecipe, seed: int, step: int, total: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and masks (B, 1, h, w) of a step; order and changes follow from seed and step."""
    rows = rows_of_step(len(slices), recipe.batch, seed, step)
    x = torch.from_numpy(slices.images[rows])[:, None]
    y = torch.from_numpy(slices.masks[rows].astype(np.float32))[:, None]
    if recipe.augmentation is None:
        return x, y
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    return augmented(x, y, recipe.side(step / max(1, total)), recipe.augmentation, generator)
