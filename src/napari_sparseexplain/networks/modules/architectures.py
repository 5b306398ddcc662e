"""The architectures that a bundle may name, each loaded when first used."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...errors import ModelError

if TYPE_CHECKING:
    from torch import nn

#: Name in a card -> ``module:class`` on this floor. The class takes the card's ``arguments``,
#: and its ``forward(x, alpha=1.0)`` returns ``(mask, signal)``.
ARCHITECTURES: dict[str, str] = {
    "sum": "sum_network:SumNetwork",
    "unet": "unet:UNet",
    "jf-ml-ista": "jf_ml_ista_network:JfMlIstaNetwork",
    "left-ventricle-fcn": "left_ventricle_fcn:LeftVentricleFcn",
    "alexnet-fcn": "alexnet_fcn:AlexNetFcn",
    "small-resnet": "small_resnet:SmallResNet",
    "known-classifier": "known_classifier:KnownClassifierNetwork",
}


#: Whole numbers up to this need not be found among the weights: rounds, kernels, levels.
_SMALL = 1000


def build_network(
    architecture: str,
    arguments: Mapping[str, Any],
    *,
    where: str | None = None,
    largest: int | None = None,
) -> nn.Module:
    """A network with its initial weights.

    Parameters
    ----------
    largest : int, optional
        The largest dimension of the weights that are to go into it: no argument asks for more.

    Raises
    ------
    ModelError
        The architecture is not registered, or does not take these arguments.
    """
    constructor = _constructor(architecture, where)
    remedy = "Correct 'arguments' in the card, or get the bundle again"
    if fault := _fault(constructor, arguments, largest):
        raise ModelError(
            f"the architecture {architecture!r} does not take the card's arguments ({fault})",
            where=where,
            remedy=remedy,
        )
    try:
        return constructor(**arguments)
    except ValueError as error:
        raise ModelError(
            f"the architecture {architecture!r} does not take the card's arguments ({error})",
            where=where,
            remedy=remedy,
        ) from error
    except (TypeError, RuntimeError, OverflowError, MemoryError) as error:
        raise ModelError(
            f"the architecture {architecture!r} cannot be built from the card's arguments",
            where=where,
            remedy=remedy,
        ) from error


def weight_shapes_of(
    architecture: str,
    arguments: Mapping[str, Any],
    *,
    where: str | None = None,
    largest: int | None = None,
) -> dict[str, tuple[int, ...]]:
    """Shapes of the weights that a network would have; no memory is taken for them.

    Raises
    ------
    ModelError
        As `build_network`.
    """
    import torch

    with torch.device("meta"):
        network = build_network(architecture, arguments, where=where, largest=largest)
    return {name: tuple(weight.shape) for name, weight in network.state_dict().items()}


def _constructor(architecture: str, where: str | None) -> type[nn.Module]:
    if architecture not in ARCHITECTURES:
        raise ModelError(
            f"the architecture {architecture[:80]!r} is not known",
            where=where,
            remedy="Known are " + ", ".join(ARCHITECTURES) + "; update the package for newer ones",
        )
    module, _, name = ARCHITECTURES[architecture].partition(":")
    return getattr(import_module(f".{module}", __package__), name)


def _fault(
    constructor: type[nn.Module], arguments: Mapping[str, Any], largest: int | None
) -> str | None:
    """What is wrong with arguments, before anything is built from them."""
    known = inspect.signature(constructor).parameters
    if unknown := sorted(set(arguments) - set(known)):
        return f"it has none called {', '.join(unknown)[:200]}; it has {', '.join(known)}"
    for name, value in arguments.items():
        default = known[name].default
        values = value if isinstance(value, list | tuple) else [value]
        if len(values) > _SMALL or not all(_is_like(v, default) for v in values):
            return f"{name} is not of the kind of {default!r}"
        most = max(_SMALL, largest or 0)
        if largest is not None and any(isinstance(v, int) and v > most for v in values):
            return f"{name} is more than the weights are for"
    return None


def _is_like(value: Any, default: Any) -> bool:
    """Whether a value is of the kind of a default; None stands for a list of whole numbers."""
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int) or default is None:
        return value is None if default is None and value is None else isinstance(value, int)
    if isinstance(default, float):
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, type(default))
