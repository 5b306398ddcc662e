"""The kernels of a network's first convolution: what it compares every place of the image with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import nn

from ...errors import ModelError
from ...networks.bundle.model import Model
from ...networks.running.exported_parts import TAKEN_APART, exported_parts, unseen_error
from ...networks.running.layer_outputs import leaf_layers


@dataclass(frozen=True, eq=False)
class FirstKernels:
    """Kernels of the first convolution of a network.

    Attributes
    ----------
    layer : str
    model : str
        The model's title.
    kernels : ndarray, shape (maps, inputs, rows, columns)
    inputs : tuple of str
        What each input is: the roles of the scans where there is one input a scan.
    """

    layer: str
    model: str
    kernels: npt.NDArray[np.float32]
    inputs: tuple[str, ...]


def first_kernels(model: Model) -> FirstKernels:
    """The kernels of a model's first convolution.

    Raises
    ------
    ModelError
        It has no convolution that can be seen.
    """
    for name, module in leaf_layers(model.network).items():
        if isinstance(module, nn.Conv2d):
            kernels = module.weight.detach().float().cpu().numpy()
            roles = model.card.inputs.roles
            inputs = kernels.shape[1]
            names = roles if len(roles) == inputs else tuple(f"input {i}" for i in range(inputs))
            return FirstKernels(
                name, model.card.title or model.card.name, np.array(kernels), tuple(names)
            )
    if exported_parts(model.network).get("", "") not in ("", TAKEN_APART):
        raise unseen_error(model.network, model.name)
    raise ModelError(
        "it has no two-dimensional convolution whose kernels could be shown",
        where=model.name,
        remedy="Choose a convolutional model",
    )
