"""The scalar that an attribution method explains, as a function of the image.

One number an image: a classifier's logit; a segmentation network's logit summed over a mask that
is predicted once, on the image itself, and then held fixed; over a drawn region; or at a voxel. A
mask that moved with the image would add a term that no input pixel is responsible for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..errors import ModelError, StudyError
from ..networks.bundle.model import Model
from ..networks.device import is_out_of_memory
from ..networks.running.inference import (
    ACCELERATOR_MICRO_BATCH,
    CPU_PIXELS,
    few_threads,
    weight_dtype,
)
from ..networks.running.preparation import Prepared
from ..progress import Progress, Work
from ..volumes import Study
from ..volumes.captions import slice_caption, voxel_caption
from .class_regions import class_channels
from .network_logits import network_images, network_logits
from .target import Target
from .target_region import drawn_mask, meant_region, predicted_mask

Rows = Sequence[int] | npt.NDArray[np.integer] | torch.Tensor | None

#: Pixels that are differentiated in one call on a CPU. Measured on one thread at 128²: a gradient
#: of SUM_Rec takes 21.7 ms in calls of two images, 19.6 of four, 18.4 of eight, 21.1 of sixteen;
#: of the U-Net 45, 40, 43 and 42 ms.
GRADIENT_PIXELS = 8 * 128**2

#: What a person can do when a model has no gradient.
WITHOUT_GRADIENT = "Methods that need none still work: occlusion, partition-shap, segmentation"

#: What torch says where a tensor with a gradient is handed to NumPy.
_NO_GRADIENT_THERE = "on Tensor that requires grad"


@dataclass(frozen=True, eq=False)
class ScoreFunction:
    """One differentiable number an image; made by `score_function`.

    Attributes
    ----------
    model : Model
    channels : tuple of int
        Output channels whose logits are added.
    weights : Tensor or None
        Shape (N, H, W) or (N, D, H, W): the fixed mask of every prepared slice, on the model's
        device; None for a classifier.
    label : str
        What is explained, for a person.
    alpha : float
        Factor on the network's thresholds.
    probability : bool
        A classifier's probability (after its output layer) in place of its logit.
    inside : Tensor or None
        Shape (N, H, W): the pixels that the network is fed. Whatever an image holds elsewhere (a
        blurred baseline, noise) is 0 to the network, as it is of the scan, so that no method
        credits what was never shown.
    """

    model: Model
    channels: tuple[int, ...]
    weights: torch.Tensor | None
    label: str
    alpha: float = 1.0
    probability: bool = False
    inside: torch.Tensor | None = None

    @property
    def active(self) -> npt.NDArray[np.bool_] | None:
        """Which prepared slices hold any of the target, shape (N,); None for a classifier (all)."""
        if self.weights is None:
            return None
        return (self.weights != 0).flatten(1).any(dim=1).cpu().numpy()

    @property
    def dtype(self) -> torch.dtype:
        """Precision in which the network computes."""
        return weight_dtype(self.model.network)

    def micro_batch(self, pixels: int, *, gradients: bool = True) -> int:
        """Images of ``pixels`` pixels in one call on this device, differentiated or only run."""
        if self.model.device.type == "cpu":
            return max(1, (GRADIENT_PIXELS if gradients else CPU_PIXELS) // pixels)
        return max(1, ACCELERATOR_MICRO_BATCH * 256**2 // max(pixels, 64**2))

    def __call__(self, x: torch.Tensor, rows: Rows = None) -> torch.Tensor:
        """Scores (B,) of images (B, C, H, W) or (B, C, D, H, W), differentiable.

        Parameters
        ----------
        rows : sequence of int, optional
            Which prepared slice each image stands for; 0, 1, 2 … when not given.

        Raises
        ------
        ModelError
            The model gives something else than scores of its card's classes.
        """
        device = self.model.device
        images = x.to(device=device, dtype=self.dtype)
        if self.weights is not None and self.inside is not None:
            index = _row_index(rows, len(x), len(self.inside)).to(device)
            images = images * self.inside.index_select(0, index)[:, None].to(images.dtype)
        if images.ndim == 4:
            images = images.contiguous(memory_format=torch.channels_last)
        logits = network_logits(self.model, images, self.alpha, self.probability)
        chosen = logits[:, list(self.channels)].sum(dim=1)
        if self.weights is None:
            return chosen
        index = _row_index(rows, len(x), len(self.weights)).to(device)
        weights = self.weights.index_select(0, index)
        if chosen.shape != weights.shape:
            raise ModelError(
                f"the model gives an output of shape {tuple(logits.shape[2:])} for a mask of "
                f"shape {tuple(weights.shape[1:])}",
                where=self.model.name,
                remedy="Its output must have the rows and columns of its input",
            )
        return (chosen * weights.to(chosen.dtype)).flatten(1).sum(dim=1)

    def gradient(
        self, x: torch.Tensor, rows: Rows = None, *, step: str = "the gradient"
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores (B,) and their gradients, shaped, placed and typed like ``x``.

        Parameters
        ----------
        step : str
            What is being done, for the message when the gradient is not finite.

        Raises
        ------
        ModelError
            The model has no gradient, or it is NaN or infinite.
        """
        images = x.detach().requires_grad_(True)
        with torch.enable_grad(), few_threads():
            try:
                values = self(images, rows)
            except (ModelError, RuntimeError) as error:
                # What leaves torch on its way (NumPy, a file) says so only here.
                if _NO_GRADIENT_THERE in str(error):
                    raise _no_gradient(self.model) from error
                raise
            if not values.requires_grad:
                raise _no_gradient(self.model)
            try:
                (gradients,) = torch.autograd.grad(values.sum(), images, allow_unused=True)
            except RuntimeError as error:
                if is_out_of_memory(error):
                    raise
                raise _no_gradient(self.model) from error
        if gradients is None:
            raise _no_gradient(self.model)
        values = values.detach()
        # One number tells for both whether anything is not finite: sums carry NaN and infinity.
        if not torch.isfinite(gradients.sum() + values.sum().to(gradients)):
            self._refuse(values, gradients, step)
        return values.to(x.device), gradients

    def scores(self, images: npt.NDArray[Any], rows: Rows = None) -> npt.NDArray[np.float64]:
        """Scores (B,) of an array (B, C, H, W), without gradients, in micro-batches."""
        index = _row_index(rows, len(images), None)
        size = self.micro_batch(int(np.prod(images.shape[2:])), gradients=False)
        found = np.empty(len(images))
        for start in range(0, len(images), size):
            part = torch.from_numpy(np.ascontiguousarray(images[start : start + size]))
            with torch.no_grad():
                found[start : start + size] = self(part, index[start : start + size]).cpu()
        return found

    def _refuse(self, values: torch.Tensor, gradients: torch.Tensor, step: str) -> None:
        """Say what is not finite; a sum that overflowed over finite numbers passes."""
        what = "score" if not torch.isfinite(values).all() else "gradient"
        if what == "gradient" and torch.isfinite(gradients).all():
            return
        raise ModelError(
            f"the {what} is NaN or infinite at {step}",
            where=self.model.name,
            remedy="Check the input for extreme values, or try another baseline or model",
        )


def score_function(
    model: Model,
    prepared: Prepared,
    target: Target,
    *,
    study: Study | None = None,
    region: npt.NDArray[Any] | None = None,
    alpha: float = 1.0,
) -> Work[ScoreFunction]:
    """The score that ``target`` means on prepared slices, predicting its mask where it needs one.

    Parameters
    ----------
    prepared : Prepared
        The slices that will be explained.
    target : Target
        A class: its logit, of a segmentation network summed over the whole image. A
        probability: a classifier's, of a class. A region: the
        logit of a class or union over its predicted mask; or the name of a label volume of
        ``study``, or ``"ET@seg"``, the logit of ET over the label volume ``seg``. A voxel: the
        logit there, of the named class, or of the strongest one but background.
    study : Study, optional
        For its label volumes.
    region : ndarray of bool, shape (S, P, L), optional
        A drawn region on the study's grid, in place of any mask: of the whole study or of the
        prepared slices. The target then names the class.

    Raises
    ------
    StudyError
        The model has no such class, the region is empty, the voxel is not on a prepared slice.
    ModelError
        The model does not give scores of its card's classes.
    """
    yield Progress(0, 0, "Predicting what is to be explained")
    if len(prepared.array) == 0:
        raise StudyError("there is no slice to explain", remedy="Choose at least one slice")
    with torch.no_grad():
        first = network_logits(model, network_images(model, prepared.array[:1]), alpha, False)
    if first.ndim == 2:
        return _classifier_score(model, target, region, alpha)
    if target.kind == "probability":
        raise StudyError(
            "a probability is explained of classifiers alone; this model segments",
            where=model.name,
            remedy=f"Choose the class ({target.name}) over its region, or class:{target.name}",
        )
    if target.kind == "voxel":
        return _voxel_score(model, prepared, target, alpha)
    channels, role = meant_region(model, target, study, drawn=region is not None)
    if region is None and role and study is not None:
        region = study.labels[role].spatial() != 0
    if region is not None:
        weights = drawn_mask(prepared, region, role or "the drawn region")
        label = f"{target.label}" if role else f"{target.label} in the drawn region"
    elif target.kind == "class":
        weights, label = np.ones((len(prepared.array), *first.shape[2:]), np.float32), target.label
    else:
        weights = yield from predicted_mask(model, prepared, channels, alpha, first)
        label = target.label
    inside = prepared.inside_network
    # Outside there is no class, so nothing of one to explain.
    weights = weights * inside
    if not weights.any():
        raise StudyError(
            f"the target region {label!r} is empty on these slices, so there is nothing to explain",
            where=None if study is None else study.name,
            remedy="Choose other slices or another target, or draw a region",
        )
    return ScoreFunction(
        model,
        channels,
        torch.from_numpy(weights).to(model.device),
        label,
        alpha,
        inside=_fed(prepared, model.device),
    )


def _fed(prepared: Prepared, device: torch.device) -> torch.Tensor | None:
    """Where the network is fed; None for everywhere."""
    inside = prepared.inside_network
    return None if inside.all() else torch.from_numpy(inside).to(device)


def output_name(model: Model, channel: int) -> str:
    """Name of an output channel."""
    names = list(model.card.classes.values())
    return names[channel] if channel < len(names) else f"output {channel}"


def _classifier_score(
    model: Model, target: Target, region: npt.NDArray[Any] | None, alpha: float
) -> ScoreFunction:
    if target.kind == "voxel" or region is not None:
        raise StudyError(
            "the model gives one score an image and none for a voxel or region",
            where=model.name,
            remedy="Choose a class as the target, for example class:"
            + next(iter(model.card.classes.values()), "0"),
        )
    channels = class_channels(model.card, target.name)
    asked = target.kind == "probability"
    return ScoreFunction(model, channels, None, target.label, alpha, asked)


def _voxel_score(model: Model, prepared: Prepared, target: Target, alpha: float) -> ScoreFunction:
    span = prepared.slices
    s, p, l = target.index or (-1, -1, -1)  # noqa: E741
    rows, columns = prepared.grid.shape[1:]
    if not (span.start <= s < span.stop and 0 <= p < rows and 0 <= l < columns):
        raise StudyError(
            f"{target.label} does not lie on {slice_caption(span)} of this study",
            remedy="Click in the image, or choose the slices that hold the voxel",
        )
    row, column = prepared.to_network_index(p, l)
    if prepared.inside is not None and not prepared.inside[s - span.start, p, l]:
        raise StudyError(
            f"{target.label} lies outside the {prepared.region.name} ({prepared.region.words}), "
            "where there is no class to explain",
            remedy="Click inside, or choose a model whose card asks for no mask",
        )
    if target.name:
        channels = class_channels(model.card, target.name)
    else:
        with torch.no_grad():
            images = network_images(model, prepared.array[s - span.start : s - span.start + 1])
            here = network_logits(model, images, alpha, False)[0, :, row, column].clone()
        labels = [str(label) for label in model.card.classes]
        if "0" in labels and len(labels) > 1:
            here[labels.index("0")] = -torch.inf
        channels = (int(here.argmax()),)
    weights = torch.zeros((len(prepared.array), *prepared.array.shape[2:]), device=model.device)
    weights[s - span.start, row, column] = 1.0
    name = target.name or output_name(model, channels[0])
    label = f"{name} at {voxel_caption((s, p, l))}"
    inside = _fed(prepared, model.device)
    return ScoreFunction(model, channels, weights, label, alpha, inside=inside)


def _row_index(rows: Rows, count: int, total: int | None) -> torch.Tensor:
    if rows is None:
        index = torch.arange(count)
    else:
        index = torch.as_tensor(np.asarray(rows, dtype=np.int64))
    if len(index) != count or (total is not None and int(index.max()) >= total):
        raise ValueError(f"{count} images, rows {index.tolist()}, and {total} prepared slices")
    return index


def _no_gradient(model: Model) -> ModelError:
    return ModelError(
        "the model is not differentiable: its score has no gradient on the input",
        where=model.name,
        remedy=WITHOUT_GRADIENT,
    )
