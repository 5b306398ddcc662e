"""Tables of the left-ventricle networks: Dice beside accuracy, contours, and what is found where
nothing is."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelError, ParameterError
from ...evidence.consistent_component import consistent_components
from ...evidence.largest_component import labelled, largest_component
from ...evidence.tables import text_table
from ...files.atomic_write import write_together
from ...networks.bundle.loading import load_model
from ...networks.bundle.model import Model
from ...progress import Progress, Work
from .contour_distance import GOOD_MM, GOOD_PX, contour_distance
from .segmentation_counts import SliceCounts
from .short_axis_slices import NORMALISATION, ShortAxisSlices
from .slices_without import moved_away, painted_out
from .train_ventricle import probabilities
from .ventricle_model import check_ventricle_model, seen_patients

FILES = ("left-ventricle.txt", "left-ventricle.json")

#: The paper's Dice, micro over all slices, of the FCN and of its AlexNet baseline.
PAPER = {"FCN": 0.863, "AlexNet-FCN": 0.622}

#: Pixels from which something counts as found where nothing is.
FOUND_PX = 50

#: Which component of a slice is taken.
CHOICES = ("all", "largest", "consistent")


@dataclass(frozen=True)
class VentricleRow:
    """A network with a choice of component, on all slices.

    Attributes
    ----------
    accuracy, micro, slices, patients : float
        Pixel accuracy; Dice over all pixels, mean over slices, mean over patients.
    low, high : float
        95 % interval of ``patients``.
    empty : int
        Slices with a ventricle in which nothing was found.
    areas : mapping of str to (int, float, float)
        Slices, micro Dice and mean Dice by the area of the reference.
    distance : float
        Median average distance of the contours.
    good : float
        Share of all slices with a good contour.
    unit : str
        Of ``distance``: mm, or px where the files do not tell.
    off_target : float
        Share of the marked pixels in components that do not touch the reference.
    parts : mapping of str to float
        Mean Dice of basal, mid and apical slices by their order within the patient.
    """

    name: str
    choice: str
    accuracy: float
    micro: float
    slices: float
    patients: float
    low: float
    high: float
    empty: int
    areas: dict[str, tuple[int, float, float]]
    distance: float
    good: float
    unit: str
    off_target: float
    parts: dict[str, float]


@dataclass(frozen=True)
class FalseRow:
    """What a network marks where there is no ventricle.

    Attributes
    ----------
    painted, painted_found : int
        Slices whose ventricle was painted out, and those with more than `FOUND_PX` marked.
    windows, windows_found : int
        Windows without one, likewise.
    """

    name: str
    painted: int
    painted_found: int
    windows: int
    windows_found: int


@dataclass(frozen=True, eq=False)
class VentricleEvaluation:
    """What `evaluate_ventricle` found.

    Attributes
    ----------
    seen : mapping of str to int
        Of networks that were trained on some of these patients: on how many.
    """

    rows: tuple[VentricleRow, ...]
    false: tuple[FalseRow, ...]
    slices: int
    patients: int
    seen: Mapping[str, int] = field(default_factory=dict)

    def text(self) -> str:
        """The tables, as they are printed."""
        head = [
            "network", "component", "accuracy", "micro", "slices", "patients", "95 %", "empty",
            "off target", "contour", "good",
        ]  # fmt: skip
        lines = [
            [
                row.name, row.choice, f"{row.accuracy:.3f}", f"{row.micro:.3f}",
                f"{row.slices:.3f}", f"{row.patients:.3f}", f"{row.low:.3f}-{row.high:.3f}",
                str(row.empty), f"{row.off_target:.1%}",
                "-" if np.isnan(row.distance) else f"{row.distance:.2f} {row.unit}",
                f"{row.good:.1%}",
            ]
            for row in self.rows
        ]  # fmt: skip
        names = list(self.rows[0].areas) if self.rows else []
        areas = [
            [row.name, row.choice]
            + [f"{row.areas[n][1]:.3f} / {row.areas[n][2]:.3f}" for n in names]
            + [f"{row.parts[p]:.3f}" for p in row.parts]
            for row in self.rows
        ]
        counts = [f"{n} ({self.rows[0].areas[n][0]})" for n in names]
        parts = list(self.rows[0].parts) if self.rows else []
        false = [
            [
                row.name,
                f"{row.painted_found} of {row.painted} ({_share(row.painted_found, row.painted)})",
                f"{row.windows_found} of {row.windows} ({_share(row.windows_found, row.windows)})",
            ]
            for row in self.false
        ]
        limit = f"{GOOD_MM:g} mm" if self.rows and self.rows[0].unit == "mm" else f"{GOOD_PX:g} px"
        paper = ", ".join(f"{name} {value}" for name, value in PAPER.items())
        return "\n\n".join(
            [
                f"{self.slices} slices of {self.patients} patients. Dice: micro (all pixels "
                "together, as in the paper), mean over slices, mean over patients with its 95 % "
                "interval (patients drawn anew). Empty: nothing found although there is a "
                "ventricle. Off target: share of the marked pixels in components that do not "
                "touch the reference. Contour: median of the average distance; good: below "
                f"{limit}, of all slices.",
                text_table(head, lines),
                *(
                    f"NOTE: {name} was trained on {count} of these {self.patients} patients, so "
                    "that its figures do not judge it. Give others, or the fold that was held out "
                    "(--fold)."
                    for name, count in self.seen.items()
                ),
                f"The paper, on slices of its own split: micro {paper}.",
                "Dice by the area of the reference (micro / mean over slices), and by the order "
                "of a slice within its patient (mean; basal, mid and apical thirds are an "
                "assumption: the names count images, nothing tells their place).",
                text_table(["network", "component", *counts, *parts], areas),
                f"Slices without a ventricle in which more than {FOUND_PX} pixels are marked.",
                text_table(["network", "painted out", "windows beside it"], false),
            ]
        )

    def save(self, folder: Path, *, overwrite: bool = False) -> list[Path]:
        """Write the tables as text and JSON."""
        values: dict[str, Any] = {
            "slices": self.slices,
            "patients": self.patients,
            "patients that a network was trained on": dict(self.seen),
            "rows": [asdict(row) for row in self.rows],
            "false": [asdict(row) for row in self.false],
        }
        contents = (self.text() + "\n", json.dumps(values, indent=1, allow_nan=True) + "\n")
        folder.mkdir(parents=True, exist_ok=True)
        return write_together(folder, dict(zip(FILES, contents, strict=True)), overwrite=overwrite)


def _share(count: int, of: int) -> str:
    return f"{count / of:.0%}" if of else "-"


def evaluate_ventricle(
    slices: ShortAxisSlices, models: Sequence[str | Path | Model], *, device: str = "auto"
) -> Work[VentricleEvaluation]:
    """Every network with every choice of component, beside a constant mask and none at all.

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
    for name, mask in (
        ("all background", np.zeros_like(masks)),
        ("constant mask", constant_mask(slices)),
    ):
        rows.append(_row(name, "-", mask, slices))
    for place, given in enumerate(models, 1):
        model = given if isinstance(given, Model) else load_model(given, device=device)
        check_ventricle_model(model)
        _check_normalisation(model)
        known = seen_patients(model.card, slices.patients)
        if known:
            seen[model.name] = len(known)
        yield Progress(place - 1, len(models), f"running {model.name}")
        found = probabilities(model.network, slices.images)
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
    spacing = slices.spacing or (1.0, 1.0)
    unit, good = ("mm", GOOD_MM) if slices.spacing else ("px", GOOD_PX)
    distances = [
        contour_distance(ours, theirs, spacing)
        for ours, theirs in zip(predicted, slices.masks, strict=True)
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
    if not chosen:
        return FalseRow(model.name, 0, 0, 0, 0)
    painted = np.stack([painted_out(slices.images[i], slices.masks[i]) for i in chosen])
    marked = (probabilities(model.network, painted) > 0.5).sum(axis=(1, 2))
    windows = [w for i in chosen for w in moved_away(slices.images[i], slices.masks[i])]
    found = [int((probabilities(model.network, w[None]) > 0.5).sum()) for w in windows]
    return FalseRow(
        model.name,
        len(chosen),
        int((marked > FOUND_PX).sum()),
        len(windows),
        sum(count > FOUND_PX for count in found),
    )
