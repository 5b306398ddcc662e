"""Prepared slices with their fixed target, as a study of their own.

Scores of trust ask a method again and again about nearly the same thing: with noise on the image,
or with other weights. The slices as the network sees them, and the mask that the target stands
for, become a small study in memory, on which every method of the catalogue runs as on any other:
pixels are not resampled, intensities not measured again, and the mask does not move.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from ...errors import SparseExplainError, StudyError
from ...evidence import Explanation
from ...networks.bundle.digest import digest_of_weights
from ...networks.bundle.model import Model
from ...networks.bundle.model_card import in_unit_range
from ...networks.running.inference import predict_array
from ...networks.running.input_region import AS_FED
from ...networks.running.preparation import Prepared, Resolution, prepare
from ...progress import Work, drain
from ...volumes import Study, study_of_arrays
from ...volumes.head_mask import head_in_slices
from ...volumes.labels.reference_mask import reference_mask
from ...volumes.labels.tumour import PARTS, REGION_PARTS, WHOLE_TUMOUR, part_of_name
from ..catalogue import explain_work, method_info
from ..class_regions import has_class
from ..method import MethodInfo
from ..score_function import ScoreFunction, output_name, score_function
from ..target import Target
from .answered_images import AnsweredImages

#: Role of the fixed mask in the study in memory.
FIXED = "fixed"


@dataclass(frozen=True, eq=False)
class ExplainedSlices:
    """Slices that hold a target, ready to be explained and scored.

    Attributes
    ----------
    model : Model
    score : ScoreFunction
        Of all prepared slices; those explained here are ``rows`` of them.
    prepared : Prepared
    rows : ndarray of int, shape (N,)
        Prepared slices that hold the target.
    target : Target
        As asked for.
    truth : ndarray of bool, shape (N, H, W), or None
        The study's own mask of the target, on the network's pixels.
    head : ndarray of bool, shape (N, H, W), or None
        Where the head is, on the network's pixels.
    answered : AnsweredImages
        What the network was asked before, by whichever method.
    """

    model: Model
    score: ScoreFunction
    prepared: Prepared
    rows: npt.NDArray[np.int64]
    target: Target
    truth: npt.NDArray[np.bool_] | None
    head: npt.NDArray[np.bool_] | None = None
    answered: AnsweredImages = field(default_factory=AnsweredImages, repr=False)

    @property
    def images(self) -> npt.NDArray[np.float32]:
        """What the network is fed, shape (N, C, H, W)."""
        return self.prepared.array[self.rows]

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """Slices of the study."""
        return self.rows + self.prepared.slices.start

    def region(self, place: int) -> npt.NDArray[np.bool_] | None:
        """The fixed mask of the slice at ``place``, shape (H, W); None for a classifier."""
        weights = self.score.weights
        return None if weights is None else weights[int(self.rows[place])].cpu().numpy() != 0

    def largest(self) -> int:
        """Place of the slice with the largest target; the middle one for a classifier."""
        weights = self.score.weights
        if weights is None:
            return len(self.rows) // 2
        return int(weights[self.rows.tolist()].flatten(1).sum(dim=1).argmax())

    def scores(self, place: int, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Scores (B,) of images (B, C, H, W) that stand for the slice at ``place``."""

        def ask(some: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
            return self.score.scores(some, np.full(len(some), self.rows[place]))[:, None]

        return self.answered.answers("score", place, images, ask)[:, 0]

    def fed(self, place: int, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Images (..., H, W) in place of the slice at ``place``, 0 where it is not looked at."""
        if self.prepared.inside is None:
            return images
        inside = self.prepared.inside_network[int(self.rows[place])]
        return np.asarray(np.where(inside, images, np.float32(0.0)), dtype=np.float32)

    def answers(
        self, place: int, images: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Probability of the target, and how far it is recognised, each of shape (B,).

        A segmentation network answers for every pixel: the mean probability over the fixed mask,
        and the share of it that is segmented as the target. A classifier: the class's probability,
        and 1 where it is the likeliest class.
        """

        def ask(some: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
            return np.stack(self._answers(place, some), axis=1)

        probability, right = self.answered.answers("answer", place, images, ask).T
        return probability, right

    def _answers(
        self, place: int, images: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        given = drain(predict_array(self.model, self.fed(place, images))).mask
        channels = list(self.score.channels)
        if "0" in {str(label) for label in self.model.card.classes} or given.ndim == 2:
            probability = given[:, channels].sum(axis=1)
            right = np.isin(given.argmax(axis=1), channels)
        else:
            probability = given[:, channels].max(axis=1)
            right = probability >= 0.5
        region = self.region(place)
        if region is None:
            return probability.astype(np.float64), right.astype(np.float64)
        return (
            probability[:, region].mean(axis=1).astype(np.float64),
            right[:, region].mean(axis=1),
        )

    def explain(
        self,
        method: str,
        parameters: Mapping[str, Any],
        images: npt.NDArray[np.float32] | None = None,
        *,
        places: npt.NDArray[np.int64] | None = None,
        network: nn.Module | None = None,
    ) -> Work[Explanation]:
        """Run a method on these slices, or on other images and weights in their place.

        Parameters
        ----------
        images : ndarray, shape (B, C, H, W), optional
            Values beyond (0, 1) are cut off, of a network that is never fed such. These slices
            when not given.
        places : ndarray of int, shape (B,), optional
            Which slice each image stands for; 0, 1, 2 … when not given.
        network : torch.nn.Module, optional
            With the model's architecture and other weights.
        """
        chosen = np.arange(len(self.rows)) if places is None else np.asarray(places)
        given = self.images[chosen] if images is None else images
        card = self.model.card
        # These slices are normalised and masked already, and carry their mask with them.
        way = "unit" if in_unit_range(card) else "none"
        inside = self.prepared.inside
        everywhere = inside is None or (way == "none" and bool(inside.all()))
        mask = "none" if everywhere else "brain"
        # Their rows and columns are the network's own, too.
        inputs = replace(
            card.inputs, normalisation=way, mask=mask, orientation="", axes_spacing_mm=None
        )
        card = replace(card, inputs=inputs)
        if network is not None:
            # Not the weights that the card vouches for: nothing that remembers maps by their
            # checksum may take one network for another.
            card = replace(card, weights_sha256=digest_of_weights(network))
        model = replace(self.model, card=card, network=network or self.model.network, path=None)
        values = dict(parameters)
        if any(p.name == "resolution" for p in method_info(method).parameters):
            values["resolution"] = "native"
        study = self._study(np.clip(given, 0.0, 1.0) if way == "unit" else given, chosen)
        return (
            yield from explain_work(study, model, method, target=self._fixed_target(), **values)
        )

    def _fixed_target(self) -> Target:
        if self.score.weights is None or self.target.kind == "class":
            return self.target
        name = self.target.name.partition("@")[0]
        if not has_class(self.model.card, name):
            one = len(self.score.channels) == 1
            name = output_name(self.model, self.score.channels[0]) if one else WHOLE_TUMOUR
        return Target.region(f"{name}@{FIXED}")

    def _study(self, images: npt.NDArray[np.float32], places: npt.NDArray[np.int64]) -> Study:
        roles = self.model.card.inputs.roles
        labels = {}
        weights = self.score.weights
        if weights is not None:
            mask = weights[self.rows[places].tolist()].cpu().numpy() != 0
            labels[FIXED] = mask.astype(np.uint8)
        if self.prepared.inside is not None:
            labels[AS_FED] = self.prepared.inside_network[self.rows[places]].astype(np.uint8)
        return study_of_arrays(
            {role: images[:, c] for c, role in enumerate(roles)},
            labels,
            spacing=(1.0, *self.prepared.spacing),
            name="explained slices",
        )


def method_with_model(name: str) -> MethodInfo:
    """A method whose maps can be trusted or not: one that looks into a model.

    Raises
    ------
    SparseExplainError
        There is no such method, or it runs without a model.
    """
    info = method_info(name)
    if not info.takes_model:
        raise SparseExplainError(
            f"the method {info.name!r} runs without a model, so there is nothing that its maps "
            "could be faithful to",
            remedy="Choose an attribution method; sparseexplain methods lists them",
        )
    return info


def explained_slices(
    study: Study,
    model: Model,
    target: Target,
    slices: slice,
    *,
    resolution: Resolution = "model",
    region: npt.NDArray[Any] | None = None,
    count: int | None = None,
) -> Work[ExplainedSlices]:
    """The slices of a study that hold a target.

    Parameters
    ----------
    region : ndarray of bool, optional
        A drawn region; see `score_function`.
    count : int, optional
        At most so many slices, evenly spread over those that hold the target.

    Raises
    ------
    StudyError, ModelError
        The study does not fit the model, or no slice holds the target.
    """
    prepared = prepare(study, model.card, slices, resolution=resolution)
    score = yield from score_function(model, prepared, target, study=study, region=region)
    active = score.active
    rows = np.arange(len(prepared.array)) if active is None else np.flatnonzero(active)
    if count is not None and count < len(rows):
        # The middles of equal parts, so that the ends, where a lesion is smallest, weigh no more.
        rows = rows[((np.arange(count) + 0.5) * len(rows) / count).astype(int)]
    truth = true_region(study, target, slices)
    if truth is not None:
        truth = prepared.to_network(truth.astype(np.float32))[rows] >= 0.5
    numbers = (rows + prepared.slices.start).tolist()
    heads = np.concatenate([head_in_slices(study, slice(n, n + 1)) for n in numbers])
    head = prepared.to_network(heads.astype(np.float32)) >= 0.5
    return ExplainedSlices(model, score, prepared, rows.astype(np.int64), target, truth, head)


def true_region(study: Study, target: Target, slices: slice) -> npt.NDArray[np.bool_] | None:
    """The study's own mask of what a target means, shape (S, P, L); None without one.

    A region or part of the tumour where it is known what the mask's labels stand for, else all of
    the mask; None where it is not known and the mask tells several things apart.

    Raises
    ------
    StudyError
        The target names a mask that the study does not have.
    """
    name, _, role = target.name.partition("@")
    if role and role not in study.labels:
        raise StudyError(
            f"the study has no mask {role!r}",
            where=study.name,
            remedy="It has " + (", ".join(study.labels) or "none"),
        )
    truth = reference_mask(study, slices, role)
    if truth is None:
        return None
    part = name if name in REGION_PARTS else part_of_name(name)
    if part in REGION_PARTS or part in PARTS:
        # A mask with one label of which nothing is told is the lesion, whatever is looked for.
        one = truth.numbering is None and len(truth.occurring) <= 1
        return truth.lesion if one else truth.region(part)
    return truth.lesion
