"""Where a network runs, and what happens when the memory there is not enough."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, TypeVar

import torch

from ..errors import ModelError
from ..progress import Progress, Work

if TYPE_CHECKING:
    from .bundle.model import Model

Result = TypeVar("Result")


def available_devices() -> tuple[str, ...]:
    """Devices of this machine, best first; the CPU is always last."""
    found = [f"cuda:{n}" for n in range(torch.cuda.device_count())]
    if len(found) == 1:
        found = ["cuda"]
    if torch.backends.mps.is_available():
        found.append("mps")
    return (*found, "cpu")


def choose_device(wanted: str = "auto") -> torch.device:
    """The device for ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"`` …

    Raises
    ------
    ModelError
        The device is not a device, or this machine has none.
    """
    have = available_devices()
    if wanted == "auto":
        return torch.device(have[0])
    remedy = "This machine has: " + ", ".join(have)
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise ModelError(f"{wanted!r} is not a device", remedy=remedy) from error
    usable = {
        "cpu": True,
        "cuda": (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not usable.get(device.type, False):
        raise ModelError(f"the device {wanted!r} is not available", remedy=remedy)
    return device


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device's memory is full (MPS raises a bare RuntimeError)."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "out of memory" in str(error).lower()


def with_cpu_fallback(
    model: Model, start: Callable[[Model], Work[Result]]
) -> Generator[Progress, None, tuple[Result, tuple[str, ...]]]:
    """Run ``start(model)``; when its device runs out of memory, start again on the CPU.

    Returns
    -------
    result, notes
        The work's result, and a sentence for the person when the device was left.
    """
    try:
        return (yield from start(model)), ()
    except RuntimeError as error:
        if model.device.type == "cpu" or not is_out_of_memory(error):
            raise
    # Outside the handler, so that the failed run's tensors are no longer held by its traceback.
    note = f"The memory of {model.device} was not enough, so this ran on the CPU"
    if model.device.type == "cuda":
        torch.cuda.empty_cache()
    yield Progress(0, 0, note)
    return (yield from start(model.on("cpu"))), (note + ".",)
