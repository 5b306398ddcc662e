"""Figures of the left-ventricle networks as they are printed and written: a row a network."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...evidence.tables import text_table
from ...files.atomic_write import write_together
from .contour_distance import GOOD_MM, GOOD_PX

FILES = ("left-ventricle.txt", "left-ventricle.json")

#: The paper's Dice, micro over all slices, of the FCN and of its AlexNet baseline.
PAPER = {"FCN": 0.863, "AlexNet-FCN": 0.622}

#: Pixels from which something counts as found where nothing is.
FOUND_PX = 50


@dataclass(frozen=True)
class VentricleRow:
    """A network with a choice of component, on all slices; NaN where there is no such figure.

    Attributes
    ----------
    accuracy, micro, slices, patients : float
        Pixel accuracy; Dice over all pixels, mean over slices, mean over patients.
    low, high : float
        95 % interval of ``patients``; NaN of a single one.
    empty : int or None
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
    empty: int | None
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
    skipped : tuple of str
        Slices that could not be painted out, by name: nothing lies around their masks.
    """

    name: str
    painted: int
    painted_found: int
    windows: int
    windows_found: int
    skipped: tuple[str, ...] = ()


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
                row.name, row.choice, _said(row.accuracy), _said(row.micro), _said(row.slices),
                _said(row.patients),
                "-" if math.isnan(row.low) else f"{row.low:.3f}-{row.high:.3f}",
                "-" if row.empty is None else str(row.empty), _said(row.off_target, ".1%"),
                _said(row.distance, ".2f", f" {row.unit}"), _said(row.good, ".1%"),
            ]
            for row in self.rows
        ]  # fmt: skip
        names = list(self.rows[0].areas) if self.rows else []
        areas = [
            [row.name, row.choice]
            + [f"{_said(row.areas[n][1])} / {_said(row.areas[n][2])}" for n in names]
            + [_said(row.parts[p]) for p in row.parts]
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
                *self._skipped(),
            ]
        )

    def _skipped(self) -> list[str]:
        """Slices that could not be painted out; the same for every network."""
        names = self.false[0].skipped if self.false else ()
        if not names:
            return []
        shown = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
        count = "1 slice was" if len(names) == 1 else f"{len(names)} slices were"
        return [f"{count} not painted out, since the mask leaves nothing around it: {shown}."]

    def save(self, folder: Path, *, overwrite: bool = False) -> list[Path]:
        """Write the tables as text and JSON."""
        values: dict[str, Any] = {
            "slices": self.slices,
            "patients": self.patients,
            "patients that a network was trained on": dict(self.seen),
            "rows": [_without_nan(asdict(row)) for row in self.rows],
            "false": [asdict(row) for row in self.false],
        }
        contents = (self.text() + "\n", json.dumps(values, indent=1, allow_nan=False) + "\n")
        folder.mkdir(parents=True, exist_ok=True)
        return write_together(folder, dict(zip(FILES, contents, strict=True)), overwrite=overwrite)


def _share(count: int, of: int) -> str:
    return f"{count / of:.0%}" if of else "-"


def _said(value: float, how: str = ".3f", unit: str = "") -> str:
    """A figure, a dash where there is none."""
    return "-" if math.isnan(value) else f"{value:{how}}{unit}"


def _without_nan(value: Any) -> Any:
    """The same with None in place of NaN, which is no JSON."""
    if isinstance(value, dict):
        return {name: _without_nan(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value
