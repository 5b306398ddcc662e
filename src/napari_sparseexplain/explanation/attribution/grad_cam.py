"""Grad-CAM: feature maps weighed by the mean of their gradient.

Selvaraju et al., *Grad-CAM*, ICCV 2017; for a segmentation's score Vinogradova, Dibrov & Myers,
2020.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ...networks.bundle.model import Model
from ...networks.running.preparation import Resolution
from ...progress import Work
from ...volumes import Study
from ..method_result import MethodResult
from ..score_function import ScoreFunction
from ..target import Target
from .class_activation import class_activation, class_activation_work
from .frame import Attribution


def grad_cam(
    score: ScoreFunction,
    x: torch.Tensor,
    rows: npt.NDArray[np.int64],
    numbers: npt.NDArray[np.int64] | None = None,
    *,
    layer: str = "",
) -> Work[Attribution]:
    """Grad-CAM of images (B, C, H, W), shape (B, 1, H, W), at least 0.

    Parameters
    ----------
    layer : str
        See `class_activation`.

    Raises
    ------
    ModelError
        The network has no such layer, or none whose activations can be seen.
    """
    return (yield from class_activation(score, x, rows, _mean_gradient, "Grad-CAM", layer=layer))


def _mean_gradient(activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Selvaraju et al., Eq. 1."""
    return gradient.mean(dim=tuple(range(2, activation.ndim)), keepdim=True)


def grad_cam_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    resolution: Resolution,
    **parameters: Any,
) -> Work[MethodResult]:
    """The method ``grad-cam``; see `class_activation_work`."""
    return (
        yield from class_activation_work(
            study, model, "grad-cam", "Grad-CAM", grad_cam,
            target=target, slices=slices, resolution=resolution, parameters=parameters,
        )
    )  # fmt: skip
