"""What a network answers before its output layer: logits, one or one map a class.

Networks give one tensor or two (the mask, and the signal that it was made of); whatever else one
gives is refused here, in one sentence, before a method starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..errors import ModelError
from ..networks.bundle.model import Model
from ..networks.modules.clip_head import ClipHead
from ..networks.running.inference import weight_dtype


def network_logits(
    model: Model, images: torch.Tensor, alpha: float, probability: bool
) -> torch.Tensor:
    """Logits, or what the output layer makes of them: (B, classes) or (B, classes, H, W).

    The clip head's logit is the signal times the head's own factor, so that growing towards the
    class is positive whichever sign a training gave the signal.

    Raises
    ------
    ModelError
        The network gives several outputs, or another number of classes than its card names.
    """
    given = model.network(images, alpha)
    if isinstance(given, torch.Tensor):
        mask = signal = given
    elif isinstance(given, tuple | list) and len(given) == 2 and _same_shape(given):
        mask, signal = given
    else:
        raise ModelError(
            f"the model gives {_described(given)} where scores of its classes are wanted",
            where=model.name,
            remedy="Give a model that returns logits (B, classes) or (B, classes, rows, columns); "
            "of several outputs, the card's arguments choose one: {'output': 0}",
        )
    classes = len(model.card.classes)
    if signal.ndim not in (2, images.ndim) or len(signal) != len(images):
        fault = f"an output of shape {tuple(signal.shape)} for an input of {tuple(images.shape)}"
    elif classes and signal.shape[1] != classes:
        fault = f"{signal.shape[1]} outputs, and its card names {classes} classes"
    else:
        head = getattr(model.network, "head", None)
        if probability:
            return mask
        return head.unclipped(signal) if isinstance(head, ClipHead) else signal
    raise ModelError(
        f"the model gives {fault}",
        where=model.name,
        remedy="It must give one score (or one map of scores) for each class that its card names",
    )


def _same_shape(given: Sequence[Any]) -> bool:
    tensors = all(isinstance(item, torch.Tensor) for item in given)
    return tensors and given[0].shape == given[1].shape


def _described(given: Any) -> str:
    if isinstance(given, tuple | list):
        parts = ", ".join(
            str(tuple(g.shape)) if isinstance(g, torch.Tensor) else type(g).__name__ for g in given
        )
        return f"{len(given)} outputs ({parts})"
    return f"a {type(given).__name__}"


def network_images(model: Model, array: npt.NDArray[np.float32]) -> torch.Tensor:
    """An array on the model's device, in the precision in which the network computes."""
    images = torch.from_numpy(np.ascontiguousarray(array)).to(model.device)
    return images.to(weight_dtype(model.network))
