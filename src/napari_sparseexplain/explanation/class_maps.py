"""What a network says of every voxel of a study: probabilities, one label, and what lies where.

The one place where a network's output becomes classes. Outside of what the network was fed (the
brain, of a brain network) there is no class: whatever its output layer gives there, it answers to
zeros. Networks trained on stripped scans never learned that air is background.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from ..networks.bundle.model import Model
from ..networks.bundle.model_card import ModelCard
from ..networks.running.preparation import Prepared

Array = npt.NDArray[np.float32]

#: How the note on what lies where begins.
FOUND = "Found: "


@dataclass(frozen=True, eq=False)
class ClassMaps:
    """Classes of some slices on the study's pixels.

    Attributes
    ----------
    classes : mapping of int to str
        Label value and name of every channel, in channel order.
    probability : ndarray, shape (N, classes, P, L)
        Outside, background is certain where it is a class, and all others are 0.
    labels : ndarray of uint8, shape (N, P, L)
        0 outside.
    dropped : float
        Share of the voxels outside that the network alone would have called something.
    """

    classes: Mapping[int, str]
    probability: Array
    labels: npt.NDArray[np.uint8]
    dropped: float


def class_maps(
    model: Model, prepared: Prepared, mask: npt.NDArray[Any], threshold: float = 0.5
) -> ClassMaps:
    """Classes from a network's output on its own pixels.

    The probabilities are brought to the study's pixels by linear interpolation and thresholded
    there, so the outline is smooth at any pixel size.

    Parameters
    ----------
    mask : ndarray, shape (N, classes, H, W)
        After the output layer: `Prediction.mask`.
    threshold : float
        Probability from which a voxel is of a class, where classes do not exclude each other.

    Raises
    ------
    ModelError
        The card names another number of classes than the network has outputs.
    """
    probability = prepared.to_study(mask)
    classes = segmented_classes(model, probability.shape[1])
    labels = label_map(probability, list(classes), threshold)
    inside = prepared.inside
    if inside is None:
        return ClassMaps(classes, probability, labels, 0.0)
    outside = ~inside
    count = int(np.count_nonzero(outside))
    dropped = np.count_nonzero(labels[outside]) / count if count else 0.0
    labels[outside] = 0
    kept = prepared.kept_inside(probability)
    if 0 in classes:
        kept[:, list(classes).index(0)][outside] = 1.0
    return ClassMaps(classes, kept, labels, float(dropped))


def network_classes(
    card: ModelCard, mask: npt.NDArray[Any], inside: npt.NDArray[np.bool_], threshold: float = 0.5
) -> npt.NDArray[np.uint8]:
    """Label of every pixel of the network's own grid, 0 outside.

    Parameters
    ----------
    mask : ndarray, shape (N, classes, H, W)
    inside : ndarray of bool, shape (N, H, W)
        `Prepared.inside_network`, or where a slice that was prepared elsewhere is not 0.
    """
    labels = label_map(mask, [int(value) for value in card.classes], threshold)
    return np.where(inside, labels, np.uint8(0))


def shown_pixels(array: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Pixels (N, H, W) in which slices (N, channels, H, W) show anything: their brain."""
    return np.asarray(array.any(axis=1), dtype=np.bool_)


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


def class_report(
    prepared: Prepared,
    labels: npt.NDArray[np.integer],
    classes: Mapping[int, str],
    dropped: float = 0.0,
) -> tuple[dict[str, float | None], list[str]]:
    """How much of every class lies inside and outside of what the network was fed.

    Parameters
    ----------
    labels : ndarray, shape (N, P, L)
        As shown and scored.

    Returns
    -------
    scores
        ``ml NAME`` for every class but background, and ``ml outside the brain`` (of a picture
        without a pixel size: ``pixels …``).
    notes
    """
    calibrated = prepared.grid.calibrated
    size = float(np.prod(prepared.grid.spacing)) / 1000 if calibrated else 1.0
    unit = "ml" if calibrated else "pixels"
    inside = prepared.inside
    found = {
        name: float(np.count_nonzero(labels == value)) * size
        for value, name in classes.items()
        if value != 0
    }
    scores: dict[str, float | None] = {f"{unit} {name}": ml for name, ml in found.items()}
    said = ", ".join(f"{name} {_amount(ml)} {unit}" for name, ml in found.items())
    if len(labels) < prepared.grid.shape[0]:
        # A volume of millilitres would be taken for the lesion's.
        said = f"in {'one slice' if len(labels) == 1 else f'{len(labels)} slices'} {said}"
    if inside is None:
        return scores, [f"{FOUND}{said}."] if found else []
    outside = float(np.count_nonzero(labels[~inside])) * size
    scores[f"{unit} outside the {prepared.region.name}"] = outside
    note = f"{FOUND}{said}; {_amount(outside)} {unit} outside the {prepared.region.name}."
    if dropped:
        wrong = dropped * float(np.count_nonzero(~inside)) * size
        note += (
            f" The network also marked {_amount(wrong)} {unit} there, where its input was set "
            "to 0; this was removed."
        )
    return scores, [note]


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.3g}"
