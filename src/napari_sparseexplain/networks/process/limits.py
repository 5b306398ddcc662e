"""How much memory and time a model from a file may take: by its weights and by its input.

A network needs memory for its weights and, for every pixel, for its activations; a file that asks
for gigabytes over a small image is a mistake or an attack. The two environment variables let a
person's own network have more. Loads no torch.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

#: Gigabytes that a model from a file may use, in place of what is worked out here.
MEMORY_VARIABLE = "SPARSEEXPLAIN_MODEL_MEMORY_GB"

#: Seconds of computing that one call may take, in place of what is worked out here.
SECONDS_VARIABLE = "SPARSEEXPLAIN_MODEL_SECONDS"

_GIGABYTE = 1 << 30
_OVER_WEIGHTS, _BYTES_A_PIXEL = 4, 32 << 10
_SECONDS, _SECONDS_A_PIXEL, _SECONDS_A_BYTE = 5.0, 1e-3, 1e-7

#: Wall-clock seconds for one second of computing: other programs may have the processor.
_PATIENCE, _LEAST_PATIENCE = 3.0, 10.0

#: Seconds for Python and torch to load, before the file is opened.
START_SECONDS = 120.0


@dataclass(frozen=True)
class Limits:
    """What one call may take.

    Attributes
    ----------
    bytes : int
        Memory beyond that of Python and torch themselves.
    seconds : float
        Of computing (processor time, shared among its threads).
    """

    bytes: int
    seconds: float

    @property
    def wall_seconds(self) -> float:
        """After which a call that computes nothing has failed, too."""
        return max(_PATIENCE * self.seconds, _LEAST_PATIENCE)


def limits_for(weight_bytes: int, pixels: int = 0) -> Limits:
    """Limits of one call of a model with so many bytes of weights, on so many pixels.

    1 GB, four times the weights, and 32 KB a pixel (a large U-Net with its gradients takes 20),
    but no more than three quarters of the machine; 5 s, 1 ms a pixel, and 0.1 s a megabyte.
    """
    memory = _GIGABYTE + _OVER_WEIGHTS * weight_bytes + _BYTES_A_PIXEL * pixels
    if (machine := _machine_bytes()) is not None:
        memory = min(memory, machine * 3 // 4)
    seconds = _SECONDS + _SECONDS_A_PIXEL * pixels + _SECONDS_A_BYTE * weight_bytes
    given_memory, given_seconds = _number(MEMORY_VARIABLE), _number(SECONDS_VARIABLE)
    return Limits(
        memory if given_memory is None else int(given_memory * _GIGABYTE),
        seconds if given_seconds is None else given_seconds,
    )


def _number(variable: str) -> float | None:
    try:
        value = float(os.environ.get(variable, ""))
    except ValueError:
        return None
    return value if 0 < value < 1e6 else None


def _machine_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
