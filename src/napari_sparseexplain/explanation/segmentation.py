"""The model's mask on the study's own grid, with its scores when there is a true one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from ..evidence import Explanation, ExplanationMap
from ..evidence.scores import dice, segmentation_scores, union
from ..networks.bundle import Model
from ..networks.inference import predict
from ..networks.preparation import Resolution, prepare
from ..progress import Progress, Work
from ..volumes import Study
from .run_record import run_record
from .target import Target


def segmentation_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    threshold: float = 0.5,
    alpha: float = 1.0,
    resolution: Resolution = "model",
) -> Work[Explanation]:
    """Segment some slices of a study.

    The probabilities are brought to the study's pixels by linear interpolation and thresholded
    there, so the outline is smooth at any pixel size.

    Returns
    -------
    Explanation
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
    probability = prepared.to_study(found.mask)
    classes = segmented_classes(model, probability.shape[1])
    labels = label_map(probability, list(classes), threshold)
    notes = [*prepared.notes, *found.notes]
    scores, said = scores_against_study(study, labels, slices)
    scores |= region_scores(study, labels, slices, set(classes))
    notes += said
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
    values = {"threshold": threshold, "alpha": alpha, "resolution": resolution}
    return Explanation(
        method="segmentation",
        maps=tuple(maps),
        provenance=run_record(
            study, model, "segmentation", values, slices=slices, device=found.device
        ),
        grid=study.grid,
        slices=slices,
        scores=scores,
        notes=tuple(notes),
    )


def region_scores(
    study: Study, labels: npt.NDArray[np.uint8], slices: slice, values: set[int]
) -> dict[str, float | None]:
    """Dice of ET, TC and WT for a model that tells the BraTS classes apart; else nothing."""
    true, role = true_mask(study, slices)
    if true is None or not {1, 2, 4} <= values:
        return {}
    truth = study.labels[role].spatial()[slices]
    if not np.isin(np.unique(truth), (0, 1, 2, 3, 4)).all() or {3, 4} <= set(np.unique(truth)):
        return {}  # not the classes of BraTS
    return {f"Dice {r}": dice(union(labels, r), union(truth, r)) for r in ("ET", "TC", "WT")}


def segmented_classes(model: Model, channels: int) -> dict[int, str]:
    """Label value and name of every output channel, in channel order.

    Raises
    ------
    ModelError
        The card names another number of classes than the network has outputs.
    """
    named: Mapping[str, str] = model.card.classes
    # A card that names 0 has a channel for background: its classes exclude each other.
    classes = {int(value): name for value, name in named.items()}
    if len(classes) != channels:
        raise ModelError(
            f"the card names {len(classes)} classes and the network gives {channels}",
            where=model.card.name,
            remedy="Correct 'classes' in card.json: one entry for each output",
        )
    return classes


def label_map(
    probability: npt.NDArray[np.float32], values: list[int], threshold: float
) -> npt.NDArray[np.uint8]:
    """Label of the likeliest class; 0 where none reaches ``threshold``.

    The threshold does not apply to exclusive classes, of which background is one.

    Parameters
    ----------
    probability : ndarray, shape (N, classes, rows, columns)
    values : list of int
        Label value of each class.
    """
    best = probability.argmax(axis=1)
    labels = np.asarray(values, dtype=np.uint8)[best]
    if 0 not in values:  # with a channel for background the likeliest class decides
        labels[probability.max(axis=1) < threshold] = 0
    return labels


def true_mask(study: Study, slices: slice) -> tuple[npt.NDArray[np.bool_] | None, str]:
    """The study's own lesion mask as one merged class, and its role.

    The label volume ``seg`` when there is one, else the only one there is; with several others
    none is guessed.
    """
    if "seg" in study.labels:
        role = "seg"
    elif len(study.labels) == 1:
        role = next(iter(study.labels))
    else:
        return None, ""
    return study.labels[role].spatial()[slices] != 0, role


def scores_against_study(
    study: Study, labels: npt.NDArray[np.uint8], slices: slice
) -> tuple[dict[str, float | None], list[str]]:
    """Scores of a mask against the study's own, and what must be said about them."""
    true, role = true_mask(study, slices)
    if true is None:
        if not study.labels:
            return {}, []
        have = ", ".join(study.labels)
        return {}, [f"No scores: none of the masks ({have}) has the role seg."]
    voxel_ml = float(np.prod(study.grid.spacing)) / 1000 if study.grid.calibrated else None
    notes = [f"Scores are against the mask {role!r}, all its labels merged into one lesion class."]
    misplaced = [f for f in study.warnings if f.code == "mask-outside-brain"]
    notes += [f"Do not trust the scores: {finding.message}" for finding in misplaced]
    return segmentation_scores(labels, true, voxel_ml), notes
