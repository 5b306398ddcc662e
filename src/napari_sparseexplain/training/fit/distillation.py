"""Distillation: fit a SUM to a frozen network, so that its linear part can be looked at.

Beyond the SUM paper, which names it as future work (Section 6). The SUM learns the teacher's
mask and its signal before the clip; no reference segmentation is used. What a SUM can be fitted
to is
bounded by its oddness, so the fidelity is measured on slices held out and kept on the card.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...errors import ModelError
from ...explanation.proxy.fidelity import FIDELITY_FLOOR, Fidelity, fidelity_of
from ...networks.bundle.loading import load_model
from ...networks.bundle.model import Model
from ...networks.bundle.model_card import ModelCard
from ...networks.bundle.saving import save_bundle
from ...networks.device import choose_device
from ...networks.modules.sum_network import SumNetwork
from ...progress import Progress, Work
from ...sparse.thresholds import Shrinkage
from .corruption import flip_and_rotate
from .losses import soft_iou_loss
from .study_slices import read_slices
from .train_bundle import HELD_OUT, check_bundle_folder, unscored_note

#: Before the clip only (0, 1) decides anything; the signal is matched a little past it.
SIGNAL_RANGE = (-1.0, 2.0)

Images = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class DistillationRecipe:
    """Hyperparameters of one distillation.

    Attributes
    ----------
    maps, levels : int
        Of the SUM.
    samples, batch : int
        Slices seen in all, and in a step.
    learning_rate : float
        Of AdamW; falls linearly to 0.
    weight_decay : float
        On all weights but the thresholds.
    signal_weight : float
        Weight of the signal's L1 beside the mask's soft IoU.
    gradient_norm : float
        Gradients are clipped to it.
    """

    maps: int = 8
    levels: int = 4
    samples: int = 24_000
    batch: int = 8
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    signal_weight: float = 0.5
    gradient_norm: float = 1e-3

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return max(1, self.samples // self.batch)


def distil_work(
    teacher: Model, images: npt.NDArray[Any], recipe: DistillationRecipe, *, seed: int = 0
) -> Work[SumNetwork]:
    """Fit a SUM to a frozen teacher.

    Parameters
    ----------
    images : ndarray, shape (N, C, H, W)
        8 bit (0 … 255 stands for (0, 1)) or floats in (0, 1). No masks: the teacher gives them.

    Raises
    ------
    ModelError
        The teacher does not segment, or there are no images.
    """
    _check(teacher, images)
    torch.manual_seed(seed)
    device = teacher.device
    classes = cast(Any, teacher.network).classes
    student = SumNetwork(images.shape[1], classes, maps=recipe.maps, levels=recipe.levels)
    # torch's type stubs do not know this keyword of `to`.
    cast(Any, student).to(device=device, memory_format=torch.channels_last).train()
    optimiser = _optimiser(student, recipe)
    generator = torch.Generator().manual_seed(seed)
    for step in range(recipe.steps):
        chosen = torch.randint(len(images), (recipe.batch,), generator=generator).numpy()
        x = _unit(images[chosen])
        x, _ = flip_and_rotate(x, torch.zeros_like(x[:, :1]), generator)
        x = x.to(device).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            mask, wanted = _outputs(teacher.network, x)
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * (1 - step / recipe.steps)
        with torch.enable_grad():
            z = _before_clip(student, student.signal(x))
            given = cast(Any, student.head).clip(z)
            apart = (z.clamp(*SIGNAL_RANGE) - wanted.clamp(*SIGNAL_RANGE)).abs().mean()
            loss = soft_iou_loss(given, mask) + recipe.signal_weight * apart
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(student.parameters(), recipe.gradient_norm)
        optimiser.step()
        seen = (step + 1) * recipe.batch
        yield Progress(seen, recipe.steps * recipe.batch, f"loss {float(loss.detach()):.3f}")
    cast(Any, student).to(memory_format=torch.contiguous_format)
    return student.eval().requires_grad_(False)


def measure_fidelity(
    student: nn.Module,
    teacher: Model,
    images: npt.NDArray[Any],
    true: npt.NDArray[Any] | None = None,
    *,
    batch: int = 4,
) -> Fidelity:
    """Agreement of a student with its teacher on images, masks at one half.

    Parameters
    ----------
    true : ndarray, shape (N, H, W), optional
        Reference segmentations, all classes merged; for the accuracy beside the fidelity.
    """
    masks: tuple[list[Images], list[Images]] = ([], [])
    signals: tuple[list[Images], list[Images]] = ([], [])
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            x = _unit(images[start : start + batch]).to(teacher.device)
            for place, network in enumerate((student, teacher.network)):
                mask, before = _outputs(network, x)
                # Where an image shows nothing there is no class, whatever a network answers.
                found = (mask > 0.5).any(dim=1) & (x != 0).any(dim=1)
                masks[place].append(found.cpu().numpy())
                signals[place].append(before.clamp(*SIGNAL_RANGE).cpu().numpy())
    mine, theirs = (np.concatenate(part) for part in masks)
    return fidelity_of(
        mine,
        theirs,
        true=None if true is None else true != 0,
        proxy_signal=np.concatenate(signals[0]),
        teacher_signal=np.concatenate(signals[1]),
    )


def distil_bundle(
    teacher: str | Path | Model,
    data: str | Path,
    out: str | Path,
    *,
    seed: int = 0,
    samples: int | None = None,
    floor: float = FIDELITY_FLOOR,
    device: str = "auto",
) -> Work[ModelCard]:
    """Distil a bundle into a SUM and save it; the fidelity on held-out patients is on its card.

    A proxy below ``floor`` is saved too, so that its masks can be looked at; what interprets it
    refuses to (`explanation.fidelity.require_faithful`).

    Parameters
    ----------
    teacher : str, Path or Model
        Bundled name, folder, or a loaded model.
    data : str or Path
        What `read_slices` reads.
    samples : int, optional
        Slices seen in all.
    """
    check_bundle_folder(Path(out))
    master = teacher if isinstance(teacher, Model) else load_model(teacher)
    master = master.on(choose_device(device))
    recipe = DistillationRecipe()
    if samples is not None:
        recipe = replace(recipe, samples=samples)
    slices = yield from read_slices(data, roles=master.card.inputs.roles)
    training, held_out = slices.split(HELD_OUT)
    student = yield from distil_work(master, training.x, recipe, seed=seed)
    yield Progress(0, 0, "measuring the fidelity on what was held out")
    found = measure_fidelity(student, master, held_out.x, held_out.y) if len(held_out) else None
    name = str(teacher) if isinstance(teacher, str | Path) else master.card.name
    card = proxy_card(master.card, recipe, found, teacher=name, seed=seed, floor=floor)
    if found is None:
        card = replace(card, notes=(*card.notes, unscored_note(slices)))
    return save_bundle(out, card, student.cpu())


def proxy_card(
    teacher_card: ModelCard,
    recipe: DistillationRecipe,
    found: Fidelity | None,
    *,
    teacher: str,
    seed: int,
    floor: float = FIDELITY_FLOOR,
) -> ModelCard:
    """The card of a distilled SUM; a fidelity that was not measured counts as none."""
    measured = found or Fidelity(None)
    classes = {k: v for k, v in teacher_card.classes.items() if int(k) != 0}
    return replace(
        teacher_card,
        name=f"{teacher_card.name}-proxy",
        title=f"Proxy of {teacher_card.title}",
        architecture="sum",
        arguments={
            "in_channels": len(teacher_card.inputs.roles),
            "classes": max(1, len(classes)),
            "maps": recipe.maps,
            "levels": recipe.levels,
        },
        training={
            "teacher": teacher,
            "teacher weights": teacher_card.weights_sha256,
            "seed": seed,
            "recipe": dict(recipe.__dict__),
        },
        metrics={
            "fidelity": {
                "dice_to_teacher": measured.dice_to_teacher,
                "floor": floor,
                "signal_correlation": measured.signal_correlation,
            },
            "dice": measured.proxy_accuracy,
            "teacher's dice": measured.teacher_accuracy,
        },
        weights_sha256="",
        notes=(
            "Fitted to another network's masks and signals: it says something about that network "
            "only as far as the two agree.",
        ),
    )


def _check(teacher: Model, images: npt.NDArray[Any]) -> None:
    if teacher.card.task != "segmentation":
        raise ModelError(
            f"a network that does {teacher.card.task} has no masks to distil",
            where=teacher.card.name,
            remedy="Choose one that segments",
        )
    if images.ndim != 4 or len(images) == 0:
        raise ModelError(
            f"there are no slices to distil with (shape {images.shape})",
            remedy="Give at least one slice (slices, channels, rows, columns)",
        )


def _unit(images: npt.NDArray[Any]) -> Tensor:
    """Images in (0, 1) as float32."""
    x = torch.from_numpy(np.ascontiguousarray(images)).float()
    return x / 255.0 if images.dtype == np.uint8 else x


def _before_clip(network: nn.Module, signal: Tensor) -> Tensor:
    """The scaled signal, as the clip receives it: comparable between networks."""
    return cast(Any, network.head).unclipped(signal)


def _outputs(network: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Mask and scaled signal of a network."""
    mask, signal = network(x)
    return mask, _before_clip(network, signal)


def _optimiser(student: SumNetwork, recipe: DistillationRecipe) -> torch.optim.Optimizer:
    thresholds = [m.raw for m in student.modules() if isinstance(m, Shrinkage)]
    known = {id(p) for p in thresholds}
    weights = [p for p in student.parameters() if id(p) not in known]
    groups = [
        {"params": weights, "weight_decay": recipe.weight_decay},
        {"params": thresholds, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)
