"""Are the weights those of the network, and all of them numbers?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from ...errors import ModelError


def refuse_non_finite(weights: dict[str, torch.Tensor], where: Path) -> None:
    """Refuse weights of which one is NaN or infinite."""
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ModelError(
                f"the weight {name!r} holds NaN or infinite values",
                where=where,
                remedy="Train again with a lower learning rate, or get the bundle again",
            )


def check_shapes(
    wanted: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]], where: Path
) -> None:
    """Refuse weights that are not those of the network, naming the first that differs."""
    remedy = "The card's architecture or arguments are not those of the weights; get both again"
    if missing := sorted(set(wanted) - set(found)):
        raise ModelError(f"the weight {missing[0]!r} is missing", where=where, remedy=remedy)
    if unknown := sorted(set(found) - set(wanted)):
        raise ModelError(f"the weight {unknown[0][:80]!r} is unknown", where=where, remedy=remedy)
    for name, shape in found.items():
        if shape != wanted[name]:
            raise ModelError(
                f"the weight {name!r} has the shape {shape}, and the architecture "
                f"needs {wanted[name]}",
                where=where,
                remedy=remedy,
            )
