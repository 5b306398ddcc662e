"""Running a network over the slices of a study: fast on a CPU, cancellable, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ..errors import ModelError
from ..progress import Progress, Work
from .bundle import Model
from .device import with_cpu_fallback
from .preparation import Prepared

#: Slices in one call on a CPU: the activations of one slice stay in its cache, those of a whole
#: volume do not.
CPU_MICRO_BATCH = 1

#: Slices in one call on an accelerator, where a single slice leaves most of it idle.
ACCELERATOR_MICRO_BATCH = 16


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network gave, on its own pixels (`Prepared.to_study` takes them back).

    Attributes
    ----------
    mask : ndarray, shape (N, classes, H, W), float32
        After the output layer: probabilities in (0, 1), or the restored image of a denoiser.
    signal : ndarray, shape (N, classes or 1, H, W), float32
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
    """Run ``model`` on every prepared slice, yielding after each micro-batch.

    Slices without brain are all the same image, so the network runs on one of them only and the
    result stands for all: nothing differs from running it on every slice.

    Parameters
    ----------
    alpha : float
        Factor on the learned thresholds; networks without thresholds ignore it.
    micro_batch : int, optional
        Slices in one call; chosen for the device when not given.

    Raises
    ------
    ModelError
        The network is one for volumes.
    """
    if model.card.inputs.spatial_dims != 2:
        raise ModelError(
            "the network takes whole volumes, and here slices are run one by one",
            where=model.card.name,
            remedy="Choose a model for slices",
        )
    found, notes = yield from with_cpu_fallback(
        model, lambda m: _predict_on(m, prepared.array, prepared.empty, alpha, micro_batch)
    )
    if notes:
        return Prediction(found.mask, found.signal, found.device, notes)
    return found


def network_tensor(array: npt.NDArray[np.float32], device: torch.device) -> torch.Tensor:
    """Slices (N, channels, H, W) on ``device``, channels last: what convolutions read fastest."""
    return torch.from_numpy(array).to(device).contiguous(memory_format=torch.channels_last)


def _predict_on(
    model: Model,
    array: npt.NDArray[np.float32],
    empty: npt.NDArray[np.bool_],
    alpha: float,
    micro_batch: int | None,
) -> Work[Prediction]:
    on_cpu = model.device.type == "cpu"
    size = micro_batch or (CPU_MICRO_BATCH if on_cpu else ACCELERATOR_MICRO_BATCH)
    blank = np.flatnonzero(empty)
    # The first empty slice is run with the others and stands for the rest.
    chosen = np.sort(np.concatenate([np.flatnonzero(~empty), blank[:1]]))
    mask = signal = None
    for start in range(0, len(chosen), size):
        rows = chosen[start : start + size]
        # Entered anew for each batch: held across a yield, inference mode would leak to whoever
        # runs between two steps.
        with torch.inference_mode():
            given_mask, given_signal = model.network(
                network_tensor(array[rows], model.device), alpha
            )
            if mask is None or signal is None:
                mask = np.empty((len(array), *given_mask.shape[1:]), dtype=np.float32)
                signal = np.empty((len(array), *given_signal.shape[1:]), dtype=np.float32)
            mask[rows] = given_mask.float().cpu().numpy()
            signal[rows] = given_signal.float().cpu().numpy()
        done = min(start + size, len(chosen))
        yield Progress(done, len(chosen), f"{model.card.title}: slice {done} of {len(chosen)}")
    if mask is None or signal is None:
        raise ModelError("there is no slice to run the network on", where=model.card.name)
    mask[blank[1:]] = mask[blank[:1]]
    signal[blank[1:]] = signal[blank[:1]]
    return Prediction(mask, signal, str(model.device))
