"""A training that was interrupted goes on where it stood, and ends the same.

Weights and optimiser moments lie in one safetensors file (nothing is pickled), the step and the
recipe in its header. Order and augmentation are functions of seed and step, so they need no state.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from ...errors import ModelError
from ...files.atomic_write import hidden_file, move_file, ordinary_mode
from ...files.regular_file import is_regular

CHECKPOINT_FILE = "checkpoint.safetensors"


def save_checkpoint(
    folder: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    step: int,
    identity: dict[str, object],
) -> None:
    """Write the state after ``step`` steps, whole or not at all.

    Parameters
    ----------
    identity : dict
        What must be equal for the training to be resumed (kind, seed, recipe, data).
    """
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    for index, parameter in enumerate(_parameters(optimizer)):
        for name, value in optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{index}.{name}"] = value
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    header = {"step": str(step), "identity": json.dumps(identity, sort_keys=True)}
    temporary = hidden_file(folder, ".writing-")
    try:
        save_file(tensors, temporary, metadata=header)
        ordinary_mode(temporary)
        move_file(temporary, folder / CHECKPOINT_FILE, overwrite=True)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"the checkpoint cannot be written ({getattr(error, 'strerror', None) or error})",
            where=folder,
            remedy="Make room on the disk and start the same training again: it goes on",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def load_checkpoint(
    folder: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    identity: dict[str, object],
) -> int:
    """Put the saved state into network and optimiser; returns the step, 0 without a checkpoint.

    Raises
    ------
    ModelError
        The checkpoint is damaged, or belongs to another training.
    """
    path = folder / CHECKPOINT_FILE
    if not path.is_file():
        return 0
    try:
        with safe_open(path, framework="pt") as stream:
            header = stream.metadata() or {}
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"the checkpoint cannot be read ({error})",
            where=path,
            remedy="Delete it to train from the start",
        ) from error
    if header.get("identity") != json.dumps(identity, sort_keys=True):
        raise ModelError(
            "the checkpoint belongs to a training with another recipe, seed or data",
            where=path,
            remedy="Delete it to train from the start, or choose another folder",
        )
    prefix = "network."
    own = {n[len(prefix) :]: value for n, value in tensors.items() if n.startswith(prefix)}
    try:
        step = int(header["step"])
        network.load_state_dict(own)
    except (RuntimeError, LookupError, ValueError) as error:
        raise ModelError(
            "the checkpoint is damaged: its weights are not those of the network",
            where=path,
            remedy="Delete it to train from the start",
        ) from error
    for index, parameter in enumerate(_parameters(optimizer)):
        start = f"optimizer.{index}."
        state = {n[len(start) :]: v for n, v in tensors.items() if n.startswith(start)}
        if state:
            optimizer.state[parameter] = state
    return step


def read_log(path: Path, step: int) -> list[dict[str, float]]:
    """Lines of an interrupted training's log up to its checkpoint; none without a log.

    Read by Python's own parser, since a loss that ran away is logged as ``Infinity``.

    Raises
    ------
    ModelError
        The log is damaged.
    """
    if not is_regular(path):
        return []
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [line for line in lines if line["step"] <= step]
    except (OSError, ValueError, RecursionError, LookupError, TypeError) as error:
        raise ModelError(
            "the log of the training is damaged",
            where=path,
            remedy="Delete it and the checkpoint to train from the start",
        ) from error


def _parameters(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
