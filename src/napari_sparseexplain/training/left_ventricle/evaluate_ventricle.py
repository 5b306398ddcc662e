"""Tables of the left-ventricle networks: Dice beside accuracy, contours, and what is found where
nothing is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import ModelError, ParameterError
from ...evidence.consistent_component import consistent_components
from ...evidence.largest_component import labelled, largest_component
from ...networks.bundle.loading import load_model
from ...networks.bundle.model import Model
from ...progress import Progress, Work
from .contour_distance import GOOD_MM, GOOD_PX, contour_distance
from .segmentation_counts import SliceCounts
from .short_axis_slices import NORMALISATION, ShortAxisSlices
from .slice_spacing import served_probabilities
from .slices_without import has_surroundings, moved_away, painted_out
from .ventricle_model import check_ventricle_model, seen_patients
from .ventricle_tables import FOUND_PX, FalseRow, VentricleEvaluation, VentricleRow

#: Which component of a slice is taken.
CHOICES = ("all", "largest", "consistent")


def evaluate_ventricle(
    slices: ShortAxisSlices, models: Sequence[str | Path | Model], *, device: str = "auto"
) -> Work[VentricleEvaluation]:
    """Every network with every choice of component, beside a constant mask and none at all.

    Networks see slices as they are served: where the pixel size is known at that of their card.
    Masks are compared on the slices' own pixels.

    Parameters
    ----------
    slices : ShortAxisSlices
        Of patients that no network was trained on.
    models : sequence of str, Path or Model

    Raises
    ------
    ModelError
        A model does not find the left ventricle in single slices normalised by themselves.
    ParameterError
        There are no slices.
    """
    if not len(slices):
        raise ParameterError(
            "there is no slice to judge", remedy="Choose other patients, or fewer --folds"
        )
    rows, false = [], []
    seen: dict[str, int] = {}
    masks = slices.masks
    rows.append(_row("all background", "-", np.zeros_like(masks), slices))
    rows.append(_constant_row(slices))
    for place, given in enumerate(models, 1):
        model = given if isinstance(given, Model) else load_model(given, device=device)
        check_ventricle_model(model)
        _check_normalisation(model)
        known = seen_patients(model.card, slices.patients)
        if known:
            seen[model.name] = len(known)
        yield Progress(place - 1, len(models), f"running {model.name}")
        found = served_probabilities(model, slices.images, slices.spacings)
        for choice in CHOICES:
            rows.append(_row(model.name, choice, chosen_masks(found, slices, choice), slices))
        false.append(_false(model, slices))
    yield Progress(len(models), len(models), "done")
    return VentricleEvaluation(
        tuple(rows), tuple(false), len(slices), len(set(slices.patients)), seen
    )


def _check_normalisation(model: Model) -> None:
    if model.card.inputs.normalisation != NORMALISATION:
        raise ModelError(
            "the slices are normalised each by itself (z-score), and it is fed otherwise",
            where=model.name,
            remedy="Judge it with `sparseexplain evaluate` on studies with masks",
        )


def constant_mask(slices: ShortAxisSlices) -> npt.NDArray[np.bool_]:
    """One mask for all slices that never looks at them: where at least half have their ventricle,
    by the patients other than the slice's own."""
    made = np.zeros_like(slices.masks)
    names = np.asarray(slices.patients)
    total = slices.masks.sum(axis=0, dtype=np.int64)
    for patient in dict.fromkeys(slices.patients):
        own = names == patient
        others = total - slices.masks[own].sum(axis=0, dtype=np.int64)
        count = int((~own).sum())
        if count:
            made[own] = others * 2 >= count
    return made


def chosen_masks(
    probability: npt.NDArray[np.float32], slices: ShortAxisSlices, choice: str
) -> npt.NDArray[np.bool_]:
    """Masks with all components, the largest of each slice, or the patient's consistent one."""
    marked = probability > 0.5
    if choice == "all":
        return marked
    if choice == "largest":
        return np.stack([largest_component(mask) for mask in marked])
    chosen = np.zeros_like(marked)
    names = np.asarray(slices.patients)
    for patient in dict.fromkeys(slices.patients):
        own = names == patient
        chosen[own] = consistent_components(probability[own])
    return chosen


def _row(
    name: str, choice: str, predicted: npt.NDArray[np.bool_], slices: ShortAxisSlices
) -> VentricleRow:
    counts = SliceCounts.of(predicted, slices.masks, slices.patients)
    low, high = counts.patient_interval
    unit, good = ("mm", GOOD_MM) if slices.calibrated else ("px", GOOD_PX)
    distances = [
        contour_distance(ours, theirs, (size if slices.calibrated else None) or (1.0, 1.0))
        for ours, theirs, size in zip(predicted, slices.masks, slices.spacings, strict=True)
    ]
    known = [d for d in distances if d is not None]
    off = marked = 0
    for ours, theirs in zip(predicted, slices.masks, strict=True):
        pieces, count = labelled(ours)
        touched = set(np.unique(pieces[theirs])) - {0}
        sizes = np.bincount(pieces.ravel(), minlength=count + 1)
        marked += int(sizes[1:].sum())
        off += int(sum(sizes[k] for k in range(1, count + 1) if k not in touched))
    return VentricleRow(
        name, choice, counts.accuracy, counts.micro, counts.slice_mean, counts.patient_mean,
        low, high, counts.empty,
        {n: (len(c.overlap), c.micro, c.slice_mean) for n, c in counts.by_area().items()},
        float(np.median(known)) if known else float("nan"),
        sum(d < good for d in known) / max(1, len(distances)),
        unit,
        off / marked if marked else 0.0,
        _parts(counts, slices),
    )  # fmt: skip


def _constant_row(slices: ShortAxisSlices) -> VentricleRow:
    """Of `constant_mask`; without figures where there is nobody else to make it of."""
    row = _row("constant mask", "-", constant_mask(slices), slices)
    if len(set(slices.patients)) > 1:
        return row
    nan = float("nan")
    return VentricleRow(
        row.name, row.choice, nan, nan, nan, nan, nan, nan, None,
        {name: (count, nan, nan) for name, (count, *_) in row.areas.items()},
        nan, nan, row.unit, nan, dict.fromkeys(row.parts, nan),
    )  # fmt: skip


def _parts(counts: SliceCounts, slices: ShortAxisSlices) -> dict[str, float]:
    """Mean Dice of the first, middle and last third of each patient's slices."""
    dice, names = counts.slice_dice, np.asarray(slices.patients)
    found: dict[str, list[float]] = defaultdict(list)
    for patient in dict.fromkeys(slices.patients):
        own = np.flatnonzero(names == patient)
        own = own[np.argsort(slices.orders[own])]
        for part, rows in zip(("basal", "mid", "apical"), np.array_split(own, 3), strict=True):
            found[part] += [float(v) for v in dice[rows]]
    return {part: float(np.mean(values)) for part, values in found.items() if values}


def _false(model: Model, slices: ShortAxisSlices) -> FalseRow:
    # Every third slice: neighbours show the same.
    chosen = [int(i) for i in np.flatnonzero(slices.masks.any(axis=(1, 2)))[::3]]
    bare = [i for i in chosen if not has_surroundings(slices.masks[i])]
    chosen = [i for i in chosen if i not in bare]
    skipped = tuple(slices.names[i] for i in bare)
    if not chosen:
        return FalseRow(model.name, 0, 0, 0, 0, skipped)
    painted = np.stack([painted_out(slices.images[i], slices.masks[i]) for i in chosen])
    sizes = [slices.spacings[i] for i in chosen]
    marked = (served_probabilities(model, painted, sizes) > 0.5).sum(axis=(1, 2))
    found = [
        int((served_probabilities(model, window[None], [size]) > 0.5).sum())
        for i, size in zip(chosen, sizes, strict=True)
        for window in moved_away(slices.images[i], slices.masks[i])
    ]
    return FalseRow(
        model.name,
        len(chosen),
        int((marked > FOUND_PX).sum()),
        len(found),
        sum(count > FOUND_PX for count in found),
        skipped,
    )
