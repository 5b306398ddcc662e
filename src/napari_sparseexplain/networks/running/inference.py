"""Running a network over the slices of a study: fast on a CPU, cancellable, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ...errors import ModelError
from ...progress import Progress, Work
from ..bundle.model import Model
from .cpu_fallback import with_cpu_fallback
from .preparation import Prepared

#: Pixels in one call on a CPU (one slice of 240², two of 128²): their activations stay in its
#: cache, those of a whole volume do not. Measured on one thread against one call on 155 x 240²:
#: 5 times faster for the SUM, 3 times for the U-Net; four slices in a call lose a third of it.
CPU_PIXELS = 2 * 128**2

#: Threads for one call on a CPU. A single slice has too few pixels to feed more; they would only
#: wait for each other.
CPU_THREADS = 8

#: Slices in one call on an accelerator, where a single slice leaves most of it idle.
ACCELERATOR_MICRO_BATCH = 16


class Prediction(NamedTuple):
    """What a network gave, on its own pixels (`Prepared.to_study` takes them back).

    Attributes
    ----------
    mask : ndarray, shape (N, classes, H, W), float32
        After the output layer: probabilities in (0, 1), or the restored image of a denoiser.
    signal : ndarray, shape (N, classes, H, W), float32
        Before the output layer.
    device : str
        Where it ran.
    notes : tuple of str
        Said when the device was left for want of memory.
    """

    mask: npt.NDArray[np.float32]
    signal: npt.NDArray[np.float32]
    device: str
    notes: tuple[str, ...] = ()


def predict(
    model: Model, prepared: Prepared, *, alpha: float = 1.0, micro_batch: int | None = None
) -> Work[Prediction]:
    """Run ``model`` on every prepared slice; see `predict_array`."""
    return predict_array(model, prepared.array, alpha=alpha, micro_batch=micro_batch)


def predict_array(
    model: Model, array: npt.ArrayLike, *, alpha: float = 1.0, micro_batch: int | None = None
) -> Work[Prediction]:
    """Run ``model`` on slices, yielding after each micro-batch.

    Slices without brain (all 0) are one and the same image, so the network runs on one of them
    and the result stands for all: nothing differs from running it on every slice.

    Parameters
    ----------
    array : array-like, shape (N, channels, H, W)
        Network input in (0, 1).
    alpha : float
        Factor on the learned thresholds.
    micro_batch : int, optional
        Slices in one call; chosen for the device when not given.

    Raises
    ------
    ModelError
        The network is one for volumes, takes another number of channels, or has no thresholds
        and ``alpha`` is not 1.
    """
    values = np.asarray(array, dtype=np.float32)
    card = model.card
    if card.inputs.spatial_dims != 2:
        raise ModelError(
            "the network takes whole volumes, and here slices are run one by one",
            where=card.name,
            remedy="Choose a model for slices",
        )
    if values.ndim != 4 or values.shape[1] != len(card.inputs.roles) or not len(values):
        raise ModelError(
            f"the network takes slices with {len(card.inputs.roles)} channels, and the array has "
            f"the shape {values.shape}",
            where=card.name,
            remedy="Give an array (slices, channels, rows, columns)",
        )
    found, notes = yield from with_cpu_fallback(
        model, lambda m: _predict_on(m, values, alpha, micro_batch)
    )
    return found._replace(notes=notes)


def network_tensor(array: npt.NDArray[np.float32], device: torch.device) -> torch.Tensor:
    """Slices (N, channels, H, W) on ``device``, channels last: what convolutions read fastest."""
    return torch.from_numpy(array).to(device).contiguous(memory_format=torch.channels_last)


def weight_dtype(network: nn.Module) -> torch.dtype:
    """Precision of a network's weights; torch's own where it has none."""
    for weight in network.parameters():
        if weight.is_floating_point():
            return weight.dtype
    return torch.get_default_dtype()


@contextmanager
def few_threads() -> Iterator[None]:
    """At most `CPU_THREADS` torch threads, and the person's own setting again afterwards."""
    before = torch.get_num_threads()
    if before <= CPU_THREADS:
        yield
        return
    torch.set_num_threads(CPU_THREADS)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _predict_on(
    model: Model,
    array: npt.NDArray[np.float32],
    alpha: float,
    micro_batch: int | None,
) -> Work[Prediction]:
    on_cpu = model.device.type == "cpu"
    fitting = max(1, CPU_PIXELS // (array.shape[2] * array.shape[3]))
    size = micro_batch or (fitting if on_cpu else ACCELERATOR_MICRO_BATCH)
    held = array.any(axis=(1, 2, 3))
    blank = np.flatnonzero(~held)
    # The first empty slice is run with the others and stands for the rest.
    chosen = np.sort(np.concatenate([np.flatnonzero(held), blank[:1]]))
    mask = signal = np.empty(0, dtype=np.float32)
    for start in range(0, len(chosen), size):
        rows = chosen[start : start + size]
        # Entered anew for each batch: held across a yield, inference mode would leak to whoever
        # runs between two steps.
        with torch.inference_mode(), few_threads():
            given_mask, given_signal = model.network(
                network_tensor(array[rows], model.device).to(weight_dtype(model.network)), alpha
            )
            if start == 0:
                mask = np.empty((len(array), *given_mask.shape[1:]), dtype=np.float32)
                signal = np.empty((len(array), *given_signal.shape[1:]), dtype=np.float32)
            mask[rows] = given_mask.float().cpu().numpy()
            signal[rows] = given_signal.float().cpu().numpy()
        done = min(start + size, len(chosen))
        yield Progress(done, len(chosen), f"{model.card.title}: slice {done} of {len(chosen)}")
    mask[blank[1:]] = mask[blank[:1]]
    signal[blank[1:]] = signal[blank[:1]]
    return Prediction(mask, signal, str(model.device))
