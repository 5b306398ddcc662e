"""The architectures that a bundle may name, each loaded when first used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import ModelError

if TYPE_CHECKING:
    from torch import nn

#: Name in a card -> ``module:class`` on this floor. The class takes the card's ``arguments``,
#: and its ``forward(x, alpha=1.0)`` returns ``(mask, signal)``.
ARCHITECTURES: dict[str, str] = {
    "sum": "sum_network:SumNetwork",
    "unet": "unet:UNet",
    "jf-ml-ista": "jf_ml_ista_network:JfMlIstaNetwork",
}


def build_network(
    architecture: str, arguments: Mapping[str, Any], *, where: str | None = None
) -> nn.Module:
    """A network with its initial weights.

    Raises
    ------
    ModelError
        The architecture is not registered, or does not take these arguments.
    """
    if architecture not in ARCHITECTURES:
        raise ModelError(
            f"the architecture {architecture!r} is not known",
            where=where,
            remedy="Known are " + ", ".join(ARCHITECTURES) + "; update the package for newer ones",
        )
    module, _, name = ARCHITECTURES[architecture].partition(":")
    constructor = getattr(import_module(f".{module}", __package__), name)
    try:
        return constructor(**arguments)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"the architecture {architecture!r} does not take the card's arguments ({error})",
            where=where,
            remedy="Correct 'arguments' in the card, or get the bundle again",
        ) from error
