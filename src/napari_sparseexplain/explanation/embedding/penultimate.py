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


def last_linear(network: nn.Module, where: str, classes: int = 0) -> nn.Module:
    """The layer that gives the scores: linear, or a convolution of 1 × 1 pixels, which is the same.

    The last one by order of definition that gives as many scores as there are classes; else the
    last linear layer.

    Parameters
    ----------
    classes : int
        0 where it is not known.

    Raises
    ------
    ModelError
        There is none.
    """
    found = [module for module in network.modules() if _scores_of(module)]
    fitting = [module for module in found if _scores_of(module) == classes]
    linear = [module for module in found if isinstance(module, nn.Linear)]
    if not fitting and not linear:
        raise _no_end(where)
    return (fitting or linear)[-1]


def _no_end(where: str) -> ModelError:
    return ModelError(
        "the model has no linear layer at its end, so that there is no embedding before it",
        where=where,
        remedy="Choose a classifier that ends in a linear layer",
    )


def _scores_of(module: nn.Module) -> int:
    """How many scores a layer gives that could be the last one; 0 of another."""
    if isinstance(module, nn.Linear):
        return module.out_features
    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d) and module.groups == 1:
        return module.out_channels if set(module.kernel_size) == {1} else 0
    return 0


def penultimate_work(
    model: Model, pictures: npt.NDArray[np.floating]
) -> Work[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Activations before the last layer, and probabilities, of pictures.

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
    layer = last_linear(network, model.name, len(model.card.classes))
    kept: list[torch.Tensor] = []

    def keep(_module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        given = inputs[0].detach().float()
        # A convolution may act before the mean over the picture is taken, or after.
        flat = given.flatten(1) if isinstance(layer, nn.Linear) else given.flatten(2).mean(dim=2)
        kept.append(flat.cpu())

    handle = layer.register_forward_pre_hook(keep)
    answers = []
    try:
        for start in range(0, len(pictures), _MICRO_BATCH):
            part = np.asarray(pictures[start : start + _MICRO_BATCH], dtype=np.float32)
            with torch.inference_mode():
                given = network(torch.from_numpy(part)[:, None].to(device))
            scores = given[0] if isinstance(given, tuple | list) else torch.softmax(given, dim=1)
            if scores.ndim != 2:  # an answer for every pixel: what it ends in tells no picture
                raise _no_end(model.name)
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
