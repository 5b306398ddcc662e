"""A device whose memory is not enough: the same work again, on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

import torch

from ...progress import Progress, Work
from ..bundle.model import Model
from ..device import is_out_of_memory

Result = TypeVar("Result")


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
