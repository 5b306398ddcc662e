"""A training in epochs: what each step sees, at which rate, and what is kept after each epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ...errors import ModelError
from ...progress import Progress, Work
from .checkpoint import load_checkpoint, save_checkpoint
from .training_log import TrainingLog


def train_epochs(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    take_step: Callable[[int], float],
    *,
    each: int,
    last: int,
    folder: Path | None,
    identity: dict[str, object],
    score: Callable[[], Mapping[str, float]] | None = None,
    after: Callable[[int], None] | None = None,
) -> Work[tuple[int, tuple[dict[str, float], ...]]]:
    """Take steps up to the last one, from where an interrupted training stood.

    Parameters
    ----------
    network : Module
        What the checkpoint holds; set to training.
    take_step : callable
        Given the number of a step, from 0; its loss.
    each, last : int
        Steps of an epoch, and the step at which to stop.
    folder : Path or None
        Where log and checkpoint go.
    identity : dict
        See `save_checkpoint`.
    score : callable, optional
        What stands in the log after each epoch, besides step, rate and mean loss.
    after : callable, optional
        Given the number of each epoch, before its checkpoint is written.

    Returns
    -------
    epochs : int
        That lie behind.
    log : tuple of dict

    Yields
    ------
    Progress
        In steps.

    Raises
    ------
    ModelError
        The checkpoint is damaged, or belongs to another training.
    """
    step = 0
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        step = load_checkpoint(folder, network, optimiser, identity)
    log = TrainingLog(folder, step)
    network.train()
    losses: list[float] = []
    try:
        while step < last:
            losses.append(take_step(step))
            step += 1
            if step % each == 0:
                entry = {
                    "step": step,
                    "epoch": step // each,
                    "learning rate": float(optimiser.param_groups[0]["lr"]),
                    "loss": float(np.mean(losses)),
                }
                losses = []
                log.add(entry if score is None else {**entry, **score()})
                if after is not None:
                    after(step // each)
                if folder is not None:
                    save_checkpoint(folder, network, optimiser, step, identity)
            message = f"loss {losses[-1]:.3f}" if losses else f"epoch {step // each}"
            yield Progress(step, last, message)
    finally:
        log.close()
    return step // each, tuple(log.entries)


def rows_of_step(count: int, batch: int, seed: int, step: int) -> npt.NDArray[np.intp]:
    """Which of the items a step sees, each once an epoch; follows from seed and step."""
    epoch, place = divmod(step, max(1, count // batch))
    order = np.random.default_rng([seed, epoch]).permutation(count)
    return order[place * batch : (place + 1) * batch]


def rise_and_cosine(done: float, rise: float) -> float:
    """Share of the largest rate when a share of the steps lies behind.

    It rises over the first ``rise`` of them and falls to almost 0 along a cosine.
    """
    if done < rise:
        return 0.04 + 0.96 * done / rise
    return 1e-4 + 0.5 * (1.0 + float(np.cos(np.pi * (done - rise) / (1 - rise))))


def descend(
    loss: torch.Tensor,
    optimiser: torch.optim.Optimizer,
    parameters: Iterable[nn.Parameter],
    *,
    norm: float,
    step: int,
) -> float:
    """Take a step against the gradient of a loss; its value.

    Parameters
    ----------
    norm : float
        The gradient is clipped to it; 0 for not at all.

    Raises
    ------
    ModelError
        The loss is no longer finite.
    """
    if not bool(torch.isfinite(loss)):
        raise ModelError(
            f"the loss is no longer finite after {step} steps",
            remedy="Train again with a lower learning rate or another --seed",
        )
    loss.backward()
    if norm:
        nn.utils.clip_grad_norm_(parameters, norm)
    optimiser.step()
    return float(loss.detach())
