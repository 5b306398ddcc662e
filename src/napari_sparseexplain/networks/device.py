"""Where a network runs: the devices of this machine."""

from __future__ import annotations

import torch

from ..arguments import shown
from ..errors import ModelError


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
    if not isinstance(wanted, str):
        raise ModelError(f"{shown(wanted)} is not a device", remedy="Give a text, as 'cpu'")
    if wanted == "auto":
        return torch.device(have[0])
    remedy = "This machine has: " + ", ".join(have)
    try:
        device = torch.device(wanted)
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"{shown(wanted)} is not a device", remedy=remedy) from error
    usable = {
        "cpu": True,
        "cuda": (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not usable.get(device.type, False):
        raise ModelError(f"the device {shown(wanted)} is not available", remedy=remedy)
    return device


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device's memory is full (MPS raises a bare RuntimeError)."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "out of memory" in str(error).lower()
