"""What an evaluation of the SUM paper's networks found, and its tables beside the paper's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...evidence.provenance import package_versions
from ...evidence.scores import Counts, Mean, mean_with_interval
from ...evidence.tables import mean_and_deviation, text_table
from ...files.atomic_write import write_together
from .intensity_rule import READINGS, RULE
from .paper_numbers import (
    FIGURE_4_SDS,
    LINEARISABLE,
    NEAREST_COLUMN,
    RESPONSE_COLUMNS,
    SEGMENTERS,
    TABLE_2,
)

CONDITIONS = {
    "clean": "Not distorted",
    "blur": "Gaussian blur, σ = 1 pixel",
    "noise": "Gaussian noise, σ = 10 % of the range",
}

#: Files that the tables and all numbers are written to.
FILES: tuple[str, str] = ("evaluation.md", "evaluation.json")

#: Below so many patients an interval over them means nothing: their values are listed.
FEWEST_PATIENTS = 5

_PIECE = "largest connected component"

#: Cases listed one by one; more are only summed up.
_LISTED_CASES = 40


@dataclass(frozen=True, eq=False)
class CaseScores:
    """One case, one network.

    Attributes
    ----------
    case : str
    dice, volume_dice : float or None
        At the network's pixels: over lesion slices, over all slices.
    native : mapping
        `evidence.scores.segmentation_scores` on the scan's own voxels, all slices; empty for
        phantom slices.
    piece : float or None
        Dice there of the largest connected component of the mask.
    """

    case: str
    dice: float | None
    volume_dice: float | None
    native: Mapping[str, float | None]
    piece: float | None = None


@dataclass(frozen=True, eq=False)
class Run:
    """One trained network (or the rule).

    Attributes
    ----------
    name, seed : str
        Bundle name; seed of its training, empty for a shipped one.
    counts : mapping
        Condition to pixel counts over all lesion slices.
    slice_dice : ndarray
        Dice of every lesion slice, not distorted.
    cases : sequence of CaseScores
    metrics : mapping
        SDS, FDV, FDS of its impulse response.
    ranges : mapping
        The same as (smallest, mean, largest) over all phases.
    psnr : tuple of float or None
        In dB, of the noisy slices and of what a denoiser made of them.
    """

    name: str
    seed: str
    counts: Mapping[str, Counts] = field(default_factory=dict)
    slice_dice: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    cases: Sequence[CaseScores] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    psnr: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class SumEvaluation:
    """Everything that one evaluation found.

    Attributes
    ----------
    data : str
        Name of the file or folder evaluated on.
    seed : int
        Of the added noise.
    segmenters : tuple of Run
        Networks in the paper's order, the rules last.
    responses : tuple of Run
        Networks with an impulse response.
    groups : ndarray of int
        Patient of every lesion slice.
    notes : tuple of str
        Cases left out, and why.
    models : mapping
        Bundle to sha256 of its weights.
    recipes : str
        Which networks were trained alike (`recipe_summary`).
    """

    data: str
    seed: int
    segmenters: tuple[Run, ...]
    responses: tuple[Run, ...]
    groups: npt.NDArray[np.int64]
    notes: tuple[str, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    recipes: str = ""

    @property
    def names(self) -> list[str]:
        """Columns of the segmentation tables, in the paper's order, the rules last."""
        return list(dict.fromkeys(run.name for run in self.segmenters))

    def runs_of(self, name: str) -> list[Run]:
        """Runs of one network."""
        return [run for run in self.segmenters if run.name == name]

    def score(self, name: str, condition: str, score: str) -> list[float | None]:
        """``"Dice"`` or ``"IoU"`` of every run of a network under a condition."""
        counts = [run.counts[condition] for run in self.runs_of(name)]
        return [c.dice if score == "Dice" else c.iou for c in counts]

    def slice_mean(self, name: str) -> Mean | None:
        """Mean Dice a slice (each slice's mean over runs), interval over patients."""
        scores = np.mean([run.slice_dice for run in self.runs_of(name)], axis=0)
        return mean_with_interval(scores, groups=self.groups.tolist())

    def slice_means(self, name: str) -> list[float]:
        """The same of each patient alone."""
        scores = np.mean([run.slice_dice for run in self.runs_of(name)], axis=0)
        return [float(scores[self.groups == one].mean()) for one in np.unique(self.groups)]

    def text(self) -> str:
        """All tables, as Markdown that reads well in a terminal."""
        patients = np.unique(self.groups).size
        whose = "1 patient" if patients == 1 else f"{patients} patients or phantoms"
        head = [
            f"Evaluation on {self.data}: {self.groups.size} lesion slices of {whose}.",
            self._about_runs(),
            *([self.recipes] if self.recipes else []),
            f"Rule: {RULE}, of the volume (3-D) or of each slice (2-D).",
            *self.notes,
        ]
        parts = [
            "\n".join(head),
            *self._paper_tables(),
            self._response_table(),
            self._denoising_line(),
            self._beyond_table(),
            self._case_table(),
        ]
        return "\n\n".join(part for part in parts if part)

    def save(self, out: str | Path, *, overwrite: bool = False) -> list[Path]:
        """Write the tables (``evaluation.md``) and all numbers (``evaluation.json``).

        Raises
        ------
        SparseExplainError
            A file is there already and ``overwrite`` is off, or the folder cannot be written.
        """
        values = json.dumps(self.to_json(), indent=2, ensure_ascii=False)
        texts = (self.text() + "\n", values + "\n")
        return write_together(Path(out), dict(zip(FILES, texts, strict=True)), overwrite=overwrite)

    def to_json(self) -> dict[str, Any]:
        """All numbers, as plain JSON values."""
        return {
            "data": self.data,
            "noise_seed": self.seed,
            "lesion_slices": int(self.groups.size),
            "patients": int(np.unique(self.groups).size),
            "weights_sha256": dict(self.models),
            "versions": package_versions(),
            "notes": list(self.notes),
            "segmentation": [
                {
                    "network": run.name,
                    "seed": run.seed,
                    "scores": {
                        condition: {"dice": counts.dice, "iou": counts.iou}
                        for condition, counts in run.counts.items()
                    },
                    "slice_dice": float(run.slice_dice.mean()),
                    "cases": [
                        {
                            "case": case.case,
                            "dice": case.dice,
                            "volume_dice": case.volume_dice,
                            "native": dict(case.native),
                            "largest_component_dice": case.piece,
                        }
                        for case in run.cases
                    ],
                }
                for run in self.segmenters
            ],
            "responses": [
                {
                    "network": run.name,
                    "seed": run.seed,
                    "metrics": dict(run.metrics),
                    "over_phases": {key: list(span) for key, span in run.ranges.items()},
                    "psnr": None if run.psnr is None else list(run.psnr),
                }
                for run in self.responses
            ],
        }

    def _about_runs(self) -> str:
        counts = {n: len(self.runs_of(n)) for n in self.names if n in SEGMENTERS}
        if not counts:
            return "No segmentation network was evaluated."
        if max(counts.values()) == 1:
            return (
                "One training of each network: no standard deviation (give several with --runs). "
                "The paper's ± is over five trainings."
            )
        listed = ", ".join(f"{SEGMENTERS[name]} {count}" for name, count in counts.items())
        return f"± is the standard deviation over trainings ({listed}); the paper's is over five."

    def _titles(self) -> list[str]:
        return [{**SEGMENTERS, **READINGS}[name] for name in self.names]

    def _paper_tables(self) -> list[str]:
        """Table 1, then Table 2 with its three blocks."""
        where = "micro over lesion slices at 128² pixels of 1.875 mm"
        blocks = [
            f"Table 1. Dice and IoU, {where}.\n\n{self._condition_table('clean')}",
        ]
        second = [f"Table 2. The same, blurred and with noise ({where})."]
        for condition, title in CONDITIONS.items():
            second.append(f"{title}\n\n{self._condition_table(condition)}")
        return [*blocks, "\n\n".join(second)]

    def _condition_table(self, condition: str) -> str:
        rows = []
        for score in ("Dice", "IoU"):
            ours = [mean_and_deviation(self.score(n, condition, score)) for n in self.names]
            paper = []
            for name in self.names:
                value = TABLE_2[condition][score].get(name)
                paper.append("-" if value is None else f"{value[0]:.3f} ± {value[1]:.3f}")
            rows += [[score, *ours], [f"{score}, paper (BraTS 2021)", *paper]]
        return text_table(["", *self._titles()], rows)

    def _response_table(self) -> str:
        """SDS, FDV, FDS of ours, then the paper's SUM_Seg from Tables 3 and 4."""
        if not self.responses:
            return ""
        rows = []
        for name in LINEARISABLE:
            runs = [run for run in self.responses if run.name == name]
            if not runs:
                continue
            cells = [mean_and_deviation([r.metrics[k] for r in runs], 1) for k in _METRICS]
            rows.append([f"{LINEARISABLE[name]}, ours", *cells])
            spans = [_span(runs, key) for key in _METRICS]
            rows.append(["  smallest to largest over phases", *spans])
        for title, values in RESPONSE_COLUMNS.items():
            mark = " (nearest to ours)" if title == NEAREST_COLUMN else ""
            cells = [f"{mean:.1f} ± {deviation:.1f}" for mean, deviation in values]
            rows.append([f"SUM_Seg, paper {title}{mark}", cells[0], "-", *cells[1:]])
        for name, value in FIGURE_4_SDS.items():
            rows.append([f"{LINEARISABLE[name]}, paper Fig. 4", f"{value:.1f}", "-", "-", "-"])
        return (
            "Table 3/4, response rows (128² crop; T3: by augmentation, T4: by weight decay).\n\n"
            + text_table(["", *_METRICS], rows)
        )

    def _denoising_line(self) -> str:
        found = [run.psnr for run in self.responses if run.psnr is not None]
        if not found:
            return ""
        before = mean_and_deviation([pair[0] for pair in found], 1)
        after = mean_and_deviation([pair[1] for pair in found], 1)
        return (
            "SUM_Denoise on the lesion slices with that noise: peak signal to noise "
            f"{before} dB before, {after} dB after."
        )

    def _beyond_table(self) -> str:
        """Per slice, whole volume, false positives: what the paper does not give."""
        if np.unique(self.groups).size < FEWEST_PATIENTS:
            title = "Dice a slice, mean of each patient"
            cells = [", ".join(f"{v:.3f}" for v in self.slice_means(n)) for n in self.names]
        else:
            title = "Dice a slice, 95 % interval over patients"
            means = [self.slice_mean(name) for name in self.names]
            cells = ["-" if mean is None else _interval(mean) for mean in means]
        rows = [[title, *cells]]
        at_128: list[tuple[str, Callable[[CaseScores], float | None], int]] = [
            ("Dice of all slices at 128², mean over cases", lambda c: c.volume_dice, 3)
        ]
        native = [
            ("Own voxels: Dice on lesion slices", "dice on lesion slices", 3),
            ("Own voxels: whole volume Dice", "dice", 3),
            ("Own voxels: sensitivity", "sensitivity", 3),
            ("Own voxels: precision", "precision", 3),
            ("Own voxels: false-positive ml", "false-positive ml", 1),
        ]
        for title, pick, digits in at_128:
            rows.append([title, *[self._case_mean(n, pick, digits) for n in self.names]])
        if any(case.native for run in self.segmenters for case in run.cases):
            for title, key, digits in native:
                rows.append(
                    [title, *[self._case_mean(n, _native(key), digits) for n in self.names]]
                )
            pieces = [self._case_mean(n, lambda case: case.piece, 3) for n in self.names]
            rows.insert(4, [f"Own voxels: whole volume Dice, {_PIECE}", *pieces])
        return (
            "Beyond the paper (not distorted; mean over cases, ± over trainings).\n\n"
            + text_table(["", *self._titles()], rows)
        )

    def _case_mean(self, name: str, pick: Callable[[CaseScores], float | None], digits: int) -> str:
        means: list[float | None] = []
        for run in self.runs_of(name):
            values = [value for case in run.cases if (value := pick(case)) is not None]
            means.append(float(np.mean(values)) if values else None)
        return mean_and_deviation(means, digits)

    def _case_table(self) -> str:
        """Each case by itself: on its lesion slices at 128², and whole on its own voxels."""
        cases = self.segmenters[0].cases
        if not 1 < len(cases) <= _LISTED_CASES:
            return ""
        asked: list[tuple[str, Callable[[CaseScores], float | None]]] = [
            ("lesion slices at 128²", lambda case: case.dice)
        ]
        if any(case.native for case in cases):
            asked += [
                ("whole volume, own voxels", _native("dice")),
                (f"whole volume, {_PIECE}", lambda case: case.piece),
            ]
        rows = []
        for number, case in enumerate(cases):
            for words, pick in asked:
                cells = [
                    mean_and_deviation([pick(run.cases[number]) for run in self.runs_of(name)])
                    for name in self.names
                ]
                rows.append([f"{case.case}: {words}", *cells])
        return "Dice, case by case.\n\n" + text_table(["", *self._titles()], rows)


_METRICS = ("SDS", "SDS (energy)", "FDV", "FDS")


def _span(runs: Sequence[Run], key: str) -> str:
    """Smallest and largest value over phases and trainings."""
    low = min(run.ranges[key][0] for run in runs)
    high = max(run.ranges[key][2] for run in runs)
    return f"{low:.1f} to {high:.1f}"


def _interval(mean: Mean) -> str:
    if np.isnan(mean.low):
        return f"{mean.value:.3f}"
    return f"{mean.value:.3f} [{mean.low:.3f}, {mean.high:.3f}]"


def _native(key: str) -> Callable[[CaseScores], float | None]:
    return lambda case: case.native.get(key)
