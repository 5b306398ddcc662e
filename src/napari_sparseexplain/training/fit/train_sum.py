"""The training loop of the SUM paper's networks, one step at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ...errors import ModelError
from ...networks.modules.architectures import build_network
from ...progress import Progress, Work
from ...sparse.thresholds import Shrinkage
from .checkpoint import load_checkpoint, save_checkpoint
from .corruption import (
    add_noise,
    brain_window,
    flip_and_rotate,
    jitter_range,
    shade,
    stretch_contrast,
)
from .half_precision import half_precision
from .losses import clipped_share, denoising_loss, is_silent, reconstruction_loss, soft_iou_loss
from .recipes import Recipe, recipe_of
from .training_log import TrainingLog

#: Steps between two lines of the log.
LOG_EVERY = 50


class Slices(Protocol):
    """Training slices: what `PhantomSlices` is, and any object that has these."""

    @property
    def x(self) -> npt.NDArray[np.uint8]:
        """Images, shape (N, C, H, H), 8 bit; 0 … 255 stands for (0, 1)."""
        ...

    @property
    def y(self) -> npt.NDArray[np.uint8]:
        """Labels, shape (N, H, H); every value above 0 is lesion."""
        ...

    def checksum(self) -> str:
        """Identity of the data: a checkpoint of other data is not gone on from."""
        ...


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training ends in.

    Attributes
    ----------
    network : torch.nn.Module
        In evaluation mode, on the CPU.
    recipe : Recipe
        As used.
    seed : int
        Of weights, order and augmentation.
    seen : int
        Slices seen.
    dead : bool
        The output fell silent and the training was stopped; try another seed, and say so.
    log : tuple of dict
        Loss, terms, clipped share, gradient norm, every `LOG_EVERY` steps.
    """

    network: nn.Module
    recipe: Recipe
    seed: int
    seen: int
    dead: bool
    log: tuple[dict[str, float], ...]


def train_sum(
    kind: str,
    data: Slices,
    *,
    seed: int = 0,
    recipe: Recipe | None = None,
    folder: Path | None = None,
    device: str | torch.device = "cpu",
) -> Work[Trained]:
    """Train one of the networks of the SUM paper.

    Parameters
    ----------
    kind : str
        A key of `RECIPES`.
    data : Slices
        Square slices.
    recipe : Recipe, optional
        Instead of the kind's own.
    folder : Path, optional
        Where checkpoint and log go; a training found there is resumed.

    Yields
    ------
    Progress
        In slices seen.

    Raises
    ------
    ModelError
        No such kind, or data that cannot be trained on.
    """
    recipe = recipe_of(kind) if recipe is None else recipe
    _check(data)
    torch.manual_seed(seed)
    network = build_network(recipe.architecture, recipe.arguments)
    _lay_out(network.to(torch.device(device)), torch.channels_last)
    optimizer = _optimizer(network, recipe)
    identity: dict[str, object] = {"kind": kind, "seed": seed, "recipe": asdict(recipe)}
    step = 0
    if folder is not None:
        identity["data"] = data.checksum()
        folder.mkdir(parents=True, exist_ok=True)
        step = load_checkpoint(folder, network, optimizer, identity)
    log = TrainingLog(folder, step)
    network.train()
    silent = 0
    checkpoint_every = max(LOG_EVERY, recipe.steps // 20)
    while step < recipe.steps and silent < recipe.silent_steps:
        entry = _step(network, optimizer, data, recipe, seed, step)
        step += 1
        silent = silent + 1 if entry.pop("silent") else 0
        if step % LOG_EVERY == 0 or step == recipe.steps:
            log.add({"step": step, "seen": step * recipe.batch, **entry})
        if folder is not None and step % checkpoint_every == 0:
            save_checkpoint(folder, network, optimizer, step, identity)
        yield Progress(
            step * recipe.batch, recipe.steps * recipe.batch, f"{kind}: loss {entry['loss']:.3f}"
        )
    log.close()
    network.to("cpu").eval().requires_grad_(False)
    _lay_out(network, torch.contiguous_format)
    dead = silent >= recipe.silent_steps
    return Trained(network, recipe, seed, step * recipe.batch, dead, tuple(log.entries))


def _lay_out(network: Any, order: torch.memory_format) -> None:
    """Weights in another memory order; torch's stubs do not know this form of ``to``."""
    network.to(memory_format=order)


def _check(data: Slices) -> None:
    if len(data.x) == 0 or data.x.shape[-1] != data.x.shape[-2]:
        raise ModelError(
            f"slices of shape {tuple(data.x.shape)} cannot be trained on",
            remedy="Give at least one slice, as wide as it is high",
        )
    if data.x.shape[0] != data.y.shape[0] or data.x.shape[2:] != data.y.shape[1:]:
        raise ModelError(
            f"images {tuple(data.x.shape)} and labels {tuple(data.y.shape)} do not belong together"
        )


def _optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW with weight decay on everything but thresholds."""
    thresholds = [m.raw for m in network.modules() if isinstance(m, Shrinkage)]
    known = {id(p) for p in thresholds}
    weights = [p for p in network.parameters() if id(p) not in known]
    groups = [{"params": weights, "weight_decay": recipe.weight_decay}]
    if thresholds:
        groups.append({"params": thresholds, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)


def _batches(count: int, recipe: Recipe, seed: int, step: int) -> Iterator[int]:
    """Slices of one step: every slice once before any comes again, reshuffled each time."""
    for place in range(step * recipe.batch, (step + 1) * recipe.batch):
        epoch, index = divmod(place, count)
        yield int(_order(count, seed, epoch)[index])


_ORDERS: dict[tuple[int, int, int], npt.NDArray[np.intp]] = {}


def _order(count: int, seed: int, epoch: int) -> npt.NDArray[np.intp]:
    key = (count, seed, epoch)
    if key not in _ORDERS:
        if len(_ORDERS) > 1:  # a batch spans two epochs at most
            _ORDERS.clear()
        _ORDERS[key] = np.random.default_rng([seed, epoch]).permutation(count)
    return _ORDERS[key]


def _step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: Slices,
    recipe: Recipe,
    seed: int,
    step: int,
) -> dict[str, Any]:
    """One optimiser step; returns what the log keeps, and whether the mask was silent."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    device = next(network.parameters()).device
    chosen = list(_batches(len(data.x), recipe, seed, step))
    x = torch.from_numpy(np.ascontiguousarray(data.x[chosen])).float() / 255.0
    y = torch.from_numpy(np.ascontiguousarray(data.y[chosen]) > 0).float()[:, None]
    if recipe.window is not None:
        x, y = brain_window(x, y, recipe.window, generator)
    x, y = flip_and_rotate(x, y, generator)
    x = stretch_contrast(x, recipe.contrast, generator)
    x = shade(x, recipe.shading, generator)
    clean = jitter_range(x, recipe.range_jitter, generator)
    x = add_noise(clean, recipe.noise, generator) if recipe.denoise else clean
    x, y, clean = (
        t.to(device).contiguous(memory_format=torch.channels_last) for t in (x, y, clean)
    )
    rate = recipe.learning_rate * (1.0 - step / recipe.steps)
    for group in optimizer.param_groups:
        group["lr"] = rate
    parts: Any = network  # signal, linear and head: what the networks of the paper share
    optimizer.zero_grad(set_to_none=True)
    with half_precision(device.type, recipe.half):
        signal = parts.signal(x)
    z = parts.head.unclipped(signal.float())
    mask = parts.head.clip(z)
    entry: dict[str, Any] = {"clipped": clipped_share(z)}
    if recipe.denoise:
        loss = denoising_loss(mask, clean)
        entry["silent"] = not bool(mask.any())
    else:
        loss = soft_iou_loss(mask, y, recipe.miss_weight)
        iou = 1.0 - float(soft_iou_loss(mask.detach(), y))
        entry |= {"iou": iou, "silent": is_silent(mask.detach(), y)}
        if recipe.reconstruction > 0:
            part = x[: max(1, round(recipe.reconstruction_share * len(x)))]
            with half_precision(device.type, recipe.half):
                linear = parts.linear(part)
            rebuilt = reconstruction_loss(linear.float(), part)
            entry["reconstruction"] = float(rebuilt.detach())
            loss = loss + recipe.reconstruction * rebuilt
    loss.backward()
    norm = nn.utils.clip_grad_norm_(network.parameters(), recipe.gradient_norm)
    optimizer.step()
    return entry | {"loss": float(loss.detach()), "gradient_norm": float(norm), "rate": rate}
