"""The mask that a target stands for, fixed before anything is explained: drawn, given or predicted.

A mask that moved with the image would add a term that no input pixel is responsible for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..errors import StudyError
from ..networks.bundle.model import Model
from ..networks.running.inference import ACCELERATOR_MICRO_BATCH, CPU_PIXELS
from ..networks.running.preparation import Prepared
from ..progress import Progress, Work
from ..volumes import Study
from ..volumes.labels.tumour import WHOLE_TUMOUR
from .class_regions import class_channels, has_class
from .network_logits import network_images, network_logits
from .target import Target

#: Probability from which a pixel counts as predicted, for classes that do not exclude each other.
PREDICTED_FROM = 0.5


def meant_region(
    model: Model, target: Target, study: Study | None, *, drawn: bool
) -> tuple[tuple[int, ...], str]:
    """Channels and, for a label volume, its role."""
    name, sign, role = target.name.partition("@")
    labels = () if study is None else tuple(study.labels)
    if sign:
        if role not in labels:
            raise StudyError(
                f"the study has no mask {role!r}",
                remedy="It has " + (", ".join(labels) or "none"),
            )
        return class_channels(model.card, name), role
    if target.kind == "region" and name in labels and not has_class(model.card, name):
        return class_channels(model.card, WHOLE_TUMOUR), name
    if drawn and not has_class(model.card, name):
        return class_channels(model.card, WHOLE_TUMOUR), ""
    return class_channels(model.card, name), ""


def drawn_mask(prepared: Prepared, region: npt.NDArray[Any], what: str) -> npt.NDArray[np.float32]:
    """A drawn region on the network's pixels: those at least half inside, else those it touches."""
    mask = np.asarray(region) != 0
    shape = prepared.grid.shape
    if mask.shape == tuple(shape):
        mask = mask[prepared.slices]
    wanted = (len(prepared.array), *shape[1:])
    if mask.shape != wanted:
        raise StudyError(
            f"{what} has the shape {mask.shape}, and the slices have {wanted}",
            remedy="Draw it on the study's own grid",
        )
    share = prepared.to_network(mask.astype(np.float32))
    inside = share >= 0.5
    # A region thinner than a network pixel fills no half of any: it must not vanish.
    thin = mask.any(axis=(1, 2)) & ~inside.any(axis=(1, 2))
    inside[thin] = share[thin] > 1e-6
    return inside.astype(np.float32)


def predicted_mask(
    model: Model,
    prepared: Prepared,
    channels: tuple[int, ...],
    alpha: float,
    first: torch.Tensor,
) -> Work[npt.NDArray[np.float32]]:
    """The predicted mask of ``channels``, shape (N, H, W)."""
    array = prepared.array
    exclusive = "0" in {str(label) for label in model.card.classes}
    size = max(1, CPU_PIXELS // int(np.prod(array.shape[2:])))
    size = size if model.device.type == "cpu" else ACCELERATOR_MICRO_BATCH
    found = np.zeros((len(array), *first.shape[2:]), dtype=np.float32)
    for start in range(0, len(array), size):
        with torch.no_grad():
            images = network_images(model, array[start : start + size])
            mask = network_logits(model, images, alpha, True)
        if exclusive:
            best = mask.argmax(dim=1)
            inside = torch.isin(best, torch.tensor(channels, device=best.device))
        else:
            inside = (mask[:, list(channels)] >= PREDICTED_FROM).any(dim=1)
        found[start : start + size] = inside.cpu().numpy()
        done = min(start + size, len(array))
        yield Progress(done, len(array), f"Predicting: slice {done} of {len(array)}")
    return found
