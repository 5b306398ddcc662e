"""Grad-CAM: where the deep feature maps that raise the score are active.

Selvaraju et al., *Grad-CAM*, ICCV 2017; for a segmentation's score Vinogradova, Dibrov & Myers,
2020. Coarse: its pixels are those of the layer it looks at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import nn

from ...errors import ModelError
from ...networks.bundle.model import Model
from ...networks.running.preparation import Resolution
from ...progress import Progress, Work
from ...volumes import Study
from ..method_result import MethodResult
from ..score_function import WITHOUT_GRADIENT, ScoreFunction
from ..target import Target
from .frame import Attribution, attribution_work

_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def convolutional_layers(network: nn.Module) -> dict[str, nn.Module]:
    """The convolutions of a network by name, in the order in which they were made."""
    return {n: m for n, m in network.named_modules() if isinstance(m, _CONVOLUTIONS)}


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
        Name of a convolution; the last one at the lowest resolution when empty.

    Raises
    ------
    ModelError
        The network has no such layer, or none whose activations can be seen.
    """
    yield Progress(0, 1, "Grad-CAM")
    network = score.model.network
    layers = convolutional_layers(network)
    if layer and layer not in layers:
        raise ModelError(
            f"the network has no convolution called {layer!r}",
            where=score.model.name,
            remedy="It has " + (", ".join(layers) or "none"),
        )
    wanted = {layer: layers[layer]} if layer else layers
    # The image must need a gradient, or the activations of frozen weights would have none.
    with torch.enable_grad(), _watched(wanted) as seen:
        values = score(x.detach().requires_grad_(True), rows)
    if not seen or not values.requires_grad:
        raise ModelError(
            "Grad-CAM sees no convolutional layer inside this network",
            where=score.model.name,
            remedy="Choose a network made of torch layers, or integrated-gradients; "
            + WITHOUT_GRADIENT,
        )
    smallest = min(a[0, 0].numel() for a in seen.values())
    name = [n for n, a in seen.items() if a[0, 0].numel() == smallest][-1]
    activation = seen[name]
    (gradient,) = torch.autograd.grad(values.sum(), activation, allow_unused=True)
    if gradient is None or not torch.isfinite(gradient).all():
        raise ModelError(
            f"the gradient at the layer {name!r} is missing, NaN or infinite",
            where=score.model.name,
            remedy="Choose another layer",
        )
    spatial = tuple(range(2, activation.ndim))
    weights = gradient.mean(dim=spatial, keepdim=True)
    heat = functional.relu((weights * activation.detach()).sum(dim=1, keepdim=True))
    mode = "bilinear" if x.ndim == 4 else "trilinear"
    heat = functional.interpolate(heat.to(x), size=x.shape[2:], mode=mode, align_corners=False)
    yield Progress(1, 1, f"Grad-CAM at {name}")
    return Attribution(heat)


@contextmanager
def _watched(layers: dict[str, nn.Module]) -> Iterator[dict[str, torch.Tensor]]:
    """Outputs (B, features, H, W) of the layers that are called, in the order of the calls."""
    seen: dict[str, torch.Tensor] = {}

    def keep(name: str, module: nn.Module, given: Any, output: Any) -> None:
        if isinstance(output, torch.Tensor) and output.ndim >= 4 and output.requires_grad:
            seen.pop(name, None)
            seen[name] = output

    handles = [module.register_forward_hook(partial(keep, n)) for n, module in layers.items()]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def grad_cam_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    resolution: Resolution,
    **parameters: Any,
) -> Work[MethodResult]:
    """The method ``grad-cam``; see `attribution_work`. It has one map for all modalities."""
    return (
        yield from attribution_work(
            study,
            model,
            "grad-cam",
            partial(grad_cam, **parameters),
            target=target,
            slices=slices,
            resolution=resolution,
            parameters=parameters,
            signed=False,
            no_gap="Grad-CAM's map is relative",
            notes=("Grad-CAM does not tell modalities apart: one map stands for all.",),
        )
    )
