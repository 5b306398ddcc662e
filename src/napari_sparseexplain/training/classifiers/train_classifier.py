"""Training of a classifier: interrupted, it goes on where it stood."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from ...errors import ModelError
from ...networks.modules.architectures import build_network
from ...progress import Work
from ..fit.epochs import descend, rise_and_cosine, rows_of_step, train_epochs
from ..fit.half_precision import half_precision
from .class_augmentation import augmented_pictures, mixed
from .class_recipe import ClassRecipe
from .class_scores import macro_f1
from .class_slices import ClassSlices

#: Share of the steps in which AdamW's rate rises.
_RISE = 0.1

#: Gradients are clipped to it.
_GRADIENT_NORM = 5.0

#: Pictures in one call of a network that is only run.
_MICRO_BATCH = 16


@dataclass(frozen=True, eq=False)
class ClassifierTrained:
    """What a training ends in: the network in evaluation mode, and the log."""

    network: nn.Module
    recipe: ClassRecipe
    seed: int
    epochs: int
    log: tuple[dict[str, float], ...]


class _WithBoxes(nn.Module):
    """A network, its running mean, and the convolution that says where the boxes lie."""

    def __init__(self, network: nn.Module, recipe: ClassRecipe) -> None:
        super().__init__()
        self.network = network
        self.mean = copy.deepcopy(network).requires_grad_(False) if recipe.average else None
        self.box: nn.Conv2d | None = None
        if recipe.box_weight:
            stages = getattr(network, "stages", None)
            if not isinstance(stages, nn.Sequential):
                raise ModelError(
                    "the network has no stages whose maps could be shown boxes",
                    where=recipe.architecture,
                    remedy="Train it on classes alone (box_weight=0)",
                )
            self.box = nn.Conv2d(int(stages[5].conv2.out_channels), 1, 1)  # type: ignore[union-attr]

    def follow(self, keep: float) -> None:
        """Move the running mean."""
        if self.mean is None:
            return
        with torch.no_grad():
            for kept, now in zip(
                self.mean.state_dict().values(), self.network.state_dict().values(), strict=True
            ):
                if kept.dtype.is_floating_point:
                    kept.lerp_(now, 1 - keep)
                else:
                    kept.copy_(now)

    @property
    def served(self) -> nn.Module:
        """What is kept in the end."""
        return self.network if self.mean is None else self.mean


def train_classifier(
    recipe: ClassRecipe,
    training: ClassSlices,
    held_out: ClassSlices | None = None,
    *,
    seed: int = 0,
    folder: Path | None = None,
    device: str | torch.device = "cpu",
) -> Work[ClassifierTrained]:
    """Train on pictures; the log has accuracy and macro F1 of those held out after each epoch.

    Parameters
    ----------
    held_out : ClassSlices, optional
        Only scored: nothing is chosen by them here.
    folder : Path, optional
        Where log and checkpoint go.

    Yields
    ------
    Progress
        In steps.

    Raises
    ------
    ModelError
        The loss is no longer finite, or the checkpoint is of another training.
    """
    torch.manual_seed(seed)
    arguments = {**recipe.arguments, "classes": len(training.classes)}
    whole = _WithBoxes(build_network(recipe.architecture, arguments), recipe)
    whole.to(torch.device(device))
    optimiser = _optimiser(whole, recipe)
    each = max(1, len(training) // recipe.batch)
    total = recipe.epochs * each
    identity: dict[str, object] = {}
    if folder is not None:
        identity = {"seed": seed, "recipe": asdict(recipe), "data": training.checksum()}
    boxes = _small_boxes(training) if recipe.box_weight else None
    score = None
    if held_out is not None and len(held_out):
        score = partial(_held_out, whole, held_out)

    def take_step(step: int) -> float:
        return _step(whole, optimiser, training, boxes, recipe, seed, step, total)

    epochs, log = yield from train_epochs(
        whole, optimiser, take_step, each=each, last=total, folder=folder, identity=identity,
        score=score,
    )  # fmt: skip
    network = whole.served.to("cpu").eval().requires_grad_(False)
    return ClassifierTrained(network, recipe, seed, epochs, log)


def class_probabilities(
    network: nn.Module, values: npt.NDArray[np.float16]
) -> npt.NDArray[np.float32]:
    """Probabilities (N, classes) of pictures (N, size, size) as the network is fed them."""
    # A file from elsewhere may show no weights.
    weight = next(network.parameters(), None)
    device = torch.device("cpu") if weight is None else weight.device
    was_training = network.training
    network.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(values), _MICRO_BATCH):
            part = torch.from_numpy(values[start : start + _MICRO_BATCH].astype(np.float32))
            x = part[:, None].to(device).contiguous(memory_format=torch.channels_last)
            found.append(network(x)[0].float().cpu().numpy())
    network.train(was_training)
    return np.concatenate(found)


def _held_out(whole: _WithBoxes, slices: ClassSlices) -> dict[str, float]:
    predicted = class_probabilities(whole.served, slices.values).argmax(axis=1)
    return {
        "accuracy": float((predicted == slices.targets).mean()),
        "macro F1": macro_f1(predicted, slices.targets, len(slices.classes)),
    }


def _small_boxes(slices: ClassSlices) -> npt.NDArray[np.uint8]:
    return np.stack([slices.boxes(i) for i in range(len(slices))]).astype(np.uint8)


def _optimiser(network: nn.Module, recipe: ClassRecipe) -> torch.optim.Optimizer:
    weights = [p for p in network.parameters() if p.requires_grad]
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(
            weights,
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
        )
    return torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)


def _rate(recipe: ClassRecipe, step: int, total: int) -> float:
    if recipe.optimiser == "sgd":
        return recipe.learning_rate
    return recipe.learning_rate * rise_and_cosine(step / max(1, total), _RISE)


def _step(
    whole: _WithBoxes,
    optimiser: torch.optim.Optimizer,
    slices: ClassSlices,
    boxes: npt.NDArray[np.uint8] | None,
    recipe: ClassRecipe,
    seed: int,
    step: int,
    total: int,
) -> float:
    device = next(whole.network.parameters()).device
    rows = rows_of_step(len(slices), recipe.batch, seed, step)
    count = len(slices.classes)
    x = torch.from_numpy(slices.values[rows].astype(np.float32))[:, None]
    targets = functional.one_hot(torch.from_numpy(slices.targets[rows]), count).float()
    drawn = torch.zeros_like(x) if boxes is None else torch.from_numpy(boxes[rows])[:, None].float()
    if recipe.augmentation is not None:
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        x, drawn = augmented_pictures(x, drawn, recipe.augmentation, generator)
        # Where a mixture is of two pictures it has the boxes of neither alone.
        if recipe.augmentation.mix and not (boxes is not None and step % 2):
            x, targets = mixed(x, targets, recipe.augmentation.mix, generator)
            boxes = None
    weight = torch.ones(count)
    if recipe.balanced:
        have = np.bincount(slices.targets, minlength=count)
        weight = torch.from_numpy(len(slices) / (count * np.maximum(have, 1))).float()
    for group in optimiser.param_groups:
        group["lr"] = _rate(recipe, step, total)
    optimiser.zero_grad(set_to_none=True)
    x = x.to(device).contiguous(memory_format=torch.channels_last)
    # What dropout draws follows from seed and step, so that a training can go on.
    with torch.random.fork_rng(), half_precision(device.type, recipe.half):
        torch.manual_seed(seed * 1_000_003 + step)
        if whole.box is not None and boxes is not None:
            network = whole.network
            middle = network.stages[:6](network.stem(x))  # type: ignore[union-attr, index, operator]
            logits = network.scores(network.stages[6:](middle))  # type: ignore[union-attr, index, operator]
            where = whole.box(middle)
        else:
            logits, where = whole.network(x)[1], None
    loss = functional.cross_entropy(
        logits.float(), targets.to(device), weight.to(device), label_smoothing=recipe.smoothing
    )
    if where is not None:
        share = functional.adaptive_avg_pool2d(drawn, where.shape[-2:]).to(device)
        loss = loss + recipe.box_weight * _box_loss(where.float(), share)
    value = descend(loss, optimiser, whole.parameters(), norm=_GRADIENT_NORM, step=step)
    # The mean is of few steps at first.
    whole.follow(min(recipe.average, (1 + step) / (10 + step)))
    return value


def _box_loss(where: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Cross-entropy with the share of each place that lies in a box, and a soft Dice beside it."""
    entropy = functional.binary_cross_entropy_with_logits(where, share)
    found = torch.sigmoid(where)
    overlap = (found * share).sum(dim=(1, 2, 3))
    dice = (2 * overlap + 1) / (found.sum(dim=(1, 2, 3)) + share.sum(dim=(1, 2, 3)) + 1)
    return entropy + 1 - dice.mean()
