"""Grad-CAM++: Grad-CAM with weighted gradients, so that a small object counts like a large one.

Chattopadhyay, Sarkar, Howlader & Balasubramanian, *Grad-CAM++*, WACV 2018. Grad-CAM weighs a
feature map by the mean of its gradient, which dwindles with the share of the picture where it is
active; Grad-CAM++ by a weighted sum of the positive gradients, after Eqs. 10 and 19.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional

from ...networks.bundle.model import Model
from ...networks.running.preparation import Resolution
from ...progress import Work
from ...volumes import Study
from ..method_result import MethodResult
from ..score_function import ScoreFunction
from ..target import Target
from .class_activation import class_activation, class_activation_work
from .frame import Attribution


def grad_cam_plus_plus(
    score: ScoreFunction,
    x: torch.Tensor,
    rows: npt.NDArray[np.int64],
    numbers: npt.NDArray[np.int64] | None = None,
    *,
    layer: str = "",
) -> Work[Attribution]:
    """Grad-CAM++ of images (B, C, H, W), shape (B, 1, H, W), at least 0.

    Parameters
    ----------
    layer : str
        See `class_activation`.

    Raises
    ------
    ModelError
        The network has no such layer, or none whose activations can be seen.
    """
    return (
        yield from class_activation(score, x, rows, weighted_gradient, "Grad-CAM++", layer=layer)
    )


def weighted_gradient(activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """The weight of each feature map: ``Σ α relu(g)`` with ``α = 1 / (2 + g Σ relu(A))``.

    The paper's ``α = g² / (2 g² + g³ ΣA)`` (Eq. 19, of a score that is the exponential of the one
    explained, behind which the network is piecewise linear), shortened by g², which leaves it
    unchanged wherever the gradient counts. Two things differ. The exponential, one positive factor
    for the whole map, is left out: of a sum of logits over a mask it is no number. And of a layer
    whose maps have not been rectified only the positive part is summed: the paper knows rectified
    maps alone, and with negative ones the denominator passes through 0.

    Parameters
    ----------
    activation, gradient : Tensor, shape (B, features, h, w), or with a depth

    Returns
    -------
    Tensor, shape (B, features, 1, 1), or with a depth
    """
    spatial = tuple(range(2, activation.ndim))
    active = functional.relu(activation).sum(dim=spatial, keepdim=True)
    positive = functional.relu(gradient)
    return (positive / (2 + positive * active)).sum(dim=spatial, keepdim=True)


def grad_cam_plus_plus_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    resolution: Resolution,
    **parameters: Any,
) -> Work[MethodResult]:
    """The method ``grad-cam-plus-plus``; see `class_activation_work`."""
    return (
        yield from class_activation_work(
            study, model, "grad-cam-plus-plus", "Grad-CAM++", grad_cam_plus_plus,
            target=target, slices=slices, resolution=resolution, parameters=parameters,
        )
    )  # fmt: skip
