"""The model's mask on the study's own grid, with its scores when there is a true one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..evidence import ExplanationMap
from ..evidence.scores import dice, segmentation_scores
from ..networks.bundle.model import Model
from ..networks.running.inference import predict
from ..networks.running.preparation import Resolution, prepare
from ..progress import Progress, Work
from ..volumes import Study
from ..volumes.labels.purpose import can_be_truth, is_brain_mask
from ..volumes.labels.reference_mask import reference_mask
from ..volumes.labels.tumour import BRATS_ORDER, CAVITY, ENHANCING, TUMOUR_CORE
from .class_maps import class_maps, class_report
from .class_regions import has_class, predicted_region
from .method_result import MethodResult
from .target import Target


def segmentation_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    threshold: float,
    alpha: float,
    resolution: Resolution,
) -> Work[MethodResult]:
    """Segment some slices of a study.

    Returns
    -------
    MethodResult
        Maps ``"mask"`` (label values of the card's classes) and ``"probability"`` (one for each
        class). Scores against the study's own mask when it has one, as of one merged lesion class.

    Raises
    ------
    StudyError, ModelError
        The study does not fit the model, or the card names no class for an output.
    """
    yield Progress(0, 0, "Preparing the slices")
    prepared = prepare(study, model.card, slices, resolution=resolution)
    found = yield from predict(model, prepared, alpha=alpha)
    mapped = class_maps(model, prepared, found.mask, threshold)
    classes, labels, probability = mapped.classes, mapped.labels, mapped.probability
    volumes, about = class_report(prepared, labels, classes, mapped.dropped)
    scores, said = scores_against_study(study, labels, slices)
    scores |= region_scores(study, model, labels, slices)
    scores |= volumes
    notes = [*prepared.notes, *about, *found.notes, *said, *class_notes(study, model, slices)]
    maps = [
        ExplanationMap(
            name="mask",
            data=labels,
            kind="segmentation",
            title=f"{model.card.title} mask",
            classes={value: name for value, name in classes.items() if value != 0},
        )
    ]
    for channel, (value, name) in enumerate(classes.items()):
        single = len(classes) == 1
        maps.append(
            ExplanationMap(
                name="probability" if single else f"probability-{value}",
                data=probability[:, channel],
                kind="signal",
                title="Probability" if single else f"Probability of {name}",
                value_range=(0.0, 1.0),
                range_scope="shared",
            )
        )
    return MethodResult(
        tuple(maps), scores, tuple(notes), region=prepared.region, device=found.device
    )


def region_scores(
    study: Study, model: Model, labels: npt.NDArray[np.uint8], slices: slice
) -> dict[str, float | None]:
    """Dice of ET, TC and WT, of those that the model and the study's own mask both tell apart."""
    truth = reference_mask(study, slices)
    if truth is None:
        return {}
    scores: dict[str, float | None] = {}
    for name in BRATS_ORDER:
        true, found = truth.region(name), predicted_region(model.card, labels, name)
        if true is not None and found is not None:
            scores[f"Dice {name}"] = dice(found, true)
    return scores if len(model.card.classes) > 1 else {}


def class_notes(study: Study, model: Model, slices: slice) -> list[str]:
    """Why a model that tells a tumour's parts apart gets no scores of them."""
    truth = reference_mask(study, slices)
    tells = all(has_class(model.card, name) for name in (ENHANCING, TUMOUR_CORE))
    return [truth.note] if tells and truth is not None and truth.note else []


def true_mask(study: Study, slices: slice) -> tuple[npt.NDArray[np.bool_] | None, str]:
    """The study's own lesion mask as one merged class, and its role.

    A brain mask, or a map that this program wrote, is no truth; see `volumes.label_roles`.
    """
    found = reference_mask(study, slices)
    return (None, "") if found is None else (found.lesion, found.role)


def scores_against_study(
    study: Study, labels: npt.NDArray[np.uint8], slices: slice
) -> tuple[dict[str, float | None], list[str]]:
    """Scores of a mask against the study's own, and what must be said about them."""
    truth = reference_mask(study, slices)
    if truth is None:
        return {}, [said] if (said := no_truth_note(study)) else []
    voxel_ml = float(np.prod(study.grid.spacing)) / 1000 if study.grid.calibrated else None
    notes = [
        f"Scores are against the mask {truth.role!r}, all its labels merged into one lesion class."
    ]
    if truth.numbering is not None and (cavity := truth.numbering.labels([CAVITY])):
        notes.append(f"Label {cavity[0]}, the resection cavity, is no lesion.")
    if said := misplaced(study, truth.role):
        notes.append(f"Do not trust the scores: {said}")
    return segmentation_scores(labels, truth.lesion, voxel_ml), notes


def misplaced(study: Study, role: str) -> str:
    """What was noticed of a mask's place on opening the study; empty where it is right."""
    description = study.originals.get(role, study[role]).source.description
    found = (f for f in study.warnings if f.code == "mask-outside-brain")
    return next((f.message for f in found if f.where == description), "")


def no_truth_note(study: Study) -> str:
    """Why a study's masks score nothing; empty where it has none."""
    if not study.labels:
        return ""
    if all(not can_be_truth(role, volume) for role, volume in study.labels.items()):
        brain = all(is_brain_mask(role) for role in study.labels)
        what = "a brain mask says" if brain else "brain masks and this program's own results say"
        return f"No scores: {what} nothing about lesions."
    have = ", ".join(study.labels)
    return f"No scores: none of the masks ({have}) has the role seg."
