"""Class activation: where the deep feature maps that raise a score are active, each by its weight.

What weight a map has tells Grad-CAM from Grad-CAM++. Coarse: the pixels are those of the layer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from threading import get_ident
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import nn

from ...errors import ModelError
from ...networks.bundle.model import Model
from ...networks.running.exported_parts import TAKEN_APART, exported_parts, unseen_error
from ...networks.running.layer_geometry import layer_geometries
from ...networks.running.layer_outputs import leaf_layers
from ...networks.running.preparation import Resolution
from ...progress import Progress, Work
from ...volumes import Study
from ..method_result import MethodResult
from ..score_function import WITHOUT_GRADIENT, ScoreFunction
from ..target import Target
from .frame import Attribution, attribution_work

_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)

#: Layers that a remedy names.
_NAMED = 6

#: A layer and which of its calls is meant, as ``"relu (2)"``.
_CALL = re.compile(r"^(.*\S) \((\d{1,9})\)$")


#: Activations and gradients of a layer, (B, features, h, w) or with a depth, to the weight of each
#: feature map, (B, features, 1, 1).
MapWeights = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def default_layer(network: nn.Module) -> str:
    """The layer that a network names as the one to look at; empty of one that names none.

    A residual block adds its short cut after its last convolution: what the block gives is its
    rectified sum, and Selvaraju et al. look at rectified maps too (``relu5_3`` of VGG16).
    """
    named = getattr(network, "map_layer", "")
    return named if isinstance(named, str) else ""


def class_activation(
    score: ScoreFunction,
    x: torch.Tensor,
    rows: npt.NDArray[np.int64],
    map_weights: MapWeights,
    title: str,
    *,
    layer: str = "",
) -> Work[Attribution]:
    """The positive part of a layer's weighted feature maps, shape (B, 1, H, W).

    Parameters
    ----------
    map_weights : callable
        What tells the methods of this kind apart; see `MapWeights`.
    title : str
        The method's name, for messages.
    layer : str
        Name of a layer with maps; `default_layer`, else the last convolution at the lowest
        resolution, when empty. Of a layer that is called several times the last call, or the k-th
        as ``"relu (k)"``.

    Raises
    ------
    ModelError
        The network has no such layer, or none whose activations can be seen.
    """
    yield Progress(0, 1, title)
    network = score.model.network
    layers = leaf_layers(network)
    if exported_parts(network).get("", TAKEN_APART) != TAKEN_APART:
        raise unseen_error(network, score.model.name, layer)
    asked = layer.strip() or default_layer(network)
    chosen, wanted_call = _layer_and_call(asked.removeprefix("inner."), layers)
    if chosen and chosen not in layers:
        raise ModelError(
            f"the network has no layer called {layer.strip()!r}",
            where=score.model.name,
            remedy="It has " + (", ".join(layers) or "none that can be seen"),
        )
    names = [chosen] if chosen else [n for n, m in layers.items() if isinstance(m, _CONVOLUTIONS)]
    wanted = {name: layers[name] for name in names}
    # The image must need a gradient, or the activations of frozen weights would have none.
    with torch.enable_grad(), _watched(wanted, wanted_call) as seen:
        values = score(x.detach().requires_grad_(True), rows)
    if not seen and chosen:
        raise ModelError(
            f"the layer {layer.strip()!r} has no maps that move the score",
            where=score.model.name,
            remedy="Choose a layer with maps; `sparseexplain explain --method layer-maps` lists "
            "them",
        )
    if not seen or not values.requires_grad:
        raise ModelError(
            f"{title} sees no convolutional layer inside this network",
            where=score.model.name,
            remedy=_instead(list(layers)),
        )
    smallest = min(a[0, 0].numel() for a, _ in seen.values())
    name = [n for n, (a, _) in seen.items() if a[0, 0].numel() == smallest][-1]
    activation, call = seen[name]
    (gradient,) = torch.autograd.grad(values.sum(), activation, allow_unused=True)
    called = name if call == 1 and not wanted_call else f"{name} ({call})"
    if gradient is None:
        raise ModelError(
            f"the score does not depend on what the layer {called!r} gives",
            where=score.model.name,
            remedy="Choose another layer, or another of its calls",
        )
    if not torch.isfinite(gradient).all():
        raise ModelError(
            f"the gradient at the layer {called!r} is NaN or infinite",
            where=score.model.name,
            remedy="Choose another layer",
        )
    activation = activation.detach()
    weights = map_weights(activation, gradient)
    heat = functional.relu((weights * activation).sum(dim=1, keepdim=True))
    heat = _on_image(heat.to(x), x, network, name if call == 1 else f"{name} ({call})")
    yield Progress(1, 1, f"{title} at {name}")
    return Attribution(heat)


def _instead(layers: list[str]) -> str:
    """What to do where no convolution is known to be one."""
    named = (
        f"Name one of its layers (layer={', '.join(layers[:_NAMED])}), or choose "
        if layers
        else "Choose "
    )
    return f"{named}a network made of torch layers, or integrated-gradients; {WITHOUT_GRADIENT}"


def _on_image(heat: torch.Tensor, x: torch.Tensor, network: nn.Module, layer: str) -> torch.Tensor:
    """A layer's map (B, 1, h, w) at the pixels of the images: where the layer sees them.

    Volumes (five axes) are laid from edge to edge.
    """
    if x.ndim != 4:
        return functional.interpolate(heat, size=x.shape[2:], mode="trilinear", align_corners=False)
    shape, size = (x.shape[2], x.shape[3]), (heat.shape[2], heat.shape[3])
    geometry = layer_geometries(network, x.shape[1], shape, {layer: size})[layer]
    return torch.from_numpy(geometry.resampled(heat.detach().cpu().numpy(), shape)).to(x)


def _layer_and_call(name: str, layers: Mapping[str, nn.Module]) -> tuple[str, int]:
    """A layer's own name and which call is meant, from 1; 0 where none is named."""
    found = _CALL.match(name)
    if name in layers or found is None:
        return name, 0
    return found[1], int(found[2])


@contextmanager
def _watched(
    layers: dict[str, nn.Module], wanted_call: int = 0
) -> Iterator[dict[str, tuple[torch.Tensor, int]]]:
    """Outputs (B, features, H, W) of the layers that are called, in the order of the calls.

    Of a layer that is called several times the wanted call, else the last one, and which it was,
    from 1. What another thread runs meanwhile on the same network is not looked at.
    """
    seen: dict[str, tuple[torch.Tensor, int]] = {}
    calls: dict[str, int] = {}
    here = get_ident()

    def keep(name: str, module: nn.Module, given: Any, output: Any) -> torch.Tensor | None:
        if not isinstance(output, torch.Tensor) or get_ident() != here:
            return None
        calls[name] = calls.get(name, 0) + 1
        if output.ndim < 4 or not output.requires_grad:
            return None
        if wanted_call and calls[name] != wanted_call:
            return None
        seen.pop(name, None)
        seen[name] = output, calls[name]
        # A layer after it that works in place gets a copy.
        return output.clone()

    handles = [module.register_forward_hook(partial(keep, n)) for n, module in layers.items()]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def class_activation_work(
    study: Study,
    model: Model,
    name: str,
    title: str,
    attribution: Callable[..., Work[Attribution]],
    *,
    target: Target | None,
    slices: slice,
    resolution: Resolution,
    parameters: dict[str, Any],
) -> Work[MethodResult]:
    """A method of this kind; see `attribution_work`. It has one map for all modalities.

    Parameters
    ----------
    name, title : str
        Of the method, in the catalogue and for a person.
    attribution : callable
        As `grad_cam`, which takes the parameters.
    """
    return (
        yield from attribution_work(
            study,
            model,
            name,
            partial(attribution, **parameters),
            target=target,
            slices=slices,
            resolution=resolution,
            parameters=parameters,
            signed=False,
            no_gap=f"{title}'s map is relative",
            notes=(f"{title} does not tell modalities apart: one map stands for all.",),
        )
    )
