"""What the last layer of a classifier is given: its own description of a picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ...errors import ModelError
from ...networks.bundle.model import Model
from ...progress import Progress, Work

#: Pictures in one call.
_MICRO_BATCH = 16


def last_linear(network: nn.Module, where: str) -> nn.Linear:
    """The linear layer that gives the scores: the last one by order of definition.

    Raises
    ------
    ModelError
        There is none.
    """
    found = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not found:
        raise ModelError(
            "the model has no linear layer at its end, so that there is no embedding before it",
            where=where,
            remedy="Choose a classifier that ends in a linear layer",
        )
    return found[-1]


def penultimate_work(
    model: Model, pictures: npt.NDArray[np.floating]
) -> Work[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Activations before the last linear layer, and probabilities, of pictures.

    Parameters
    ----------
    pictures : ndarray, shape (N, H, W)
        As the network is fed them.

    Returns
    -------
    activations : ndarray, shape (N, U)
    probabilities : ndarray, shape (N, classes)

    Raises
    ------
    ModelError
        The model has no linear layer at its end, or it is not reached.
    """
    network, device = model.network, model.device
    layer = last_linear(network, model.name)
    kept: list[torch.Tensor] = []

    def keep(_module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        kept.append(inputs[0].detach().flatten(1).float().cpu())

    handle = layer.register_forward_pre_hook(keep)
    answers = []
    try:
        for start in range(0, len(pictures), _MICRO_BATCH):
            part = np.asarray(pictures[start : start + _MICRO_BATCH], dtype=np.float32)
            with torch.inference_mode():
                given = network(torch.from_numpy(part)[:, None].to(device))
            scores = given[0] if isinstance(given, tuple | list) else torch.softmax(given, dim=1)
            answers.append(scores.float().cpu().numpy())
            if len(kept) != len(answers) or len(kept[-1]) != len(part):
                raise ModelError(
                    "the last linear layer is not run once for each picture",
                    where=model.name,
                    remedy="Choose a classifier that ends in a linear layer",
                )
            yield Progress(min(start + _MICRO_BATCH, len(pictures)), len(pictures), "pictures")
    finally:
        handle.remove()
    return torch.cat(kept).numpy(), np.concatenate(answers)
