"""What an attribution study found: means with intervals, and which methods beat what is blind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import wilcoxon

from ...evidence.tables import text_table
from ...explanation.trust.performance_information_curve import LEAST_ANSWER
from ...files.atomic_write import write_together
from .study_records import BLIND, ON_RANDOM, StudyRecord

FILES = ("study.txt", "summary.json")

#: Figures in the order of tables, and which way is better.
FIGURES = {
    "pointing game": "↑",
    "relevance mass": "↑",
    "relevance rank": "↑",
    "AUPRC": "↑",
    "insertion AUC": "↑",
    "deletion AUC": "↓",
    "ROAD": "↑",
    "SIC": "↑",
    "AIC": "↑",
}

#: The figure by which methods are compared with what is blind.
JUDGED_BY = "AUPRC"

#: A test below this says that the difference is none of chance.
LEVEL = 0.05


@dataclass(frozen=True)
class Mean:
    """A mean over pictures with its 95 % interval (pictures drawn anew), and of how many."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Comparison:
    """A method against one that knows nothing, picture by picture.

    Attributes
    ----------
    difference : Mean
        Of `JUDGED_BY`.
    p : float
        Of Wilcoxon's signed-rank test, one-sided, after Holm's correction over all comparisons of
        the study.
    """

    model: str
    method: str
    against: str
    difference: Mean
    p: float

    @property
    def beaten(self) -> bool:
        """Whether the method is better and not by chance."""
        return self.p < LEVEL and self.difference.low > 0


@dataclass(frozen=True, eq=False)
class StudySummary:
    """The tables.

    Attributes
    ----------
    means : mapping of (model, method) to means by figure
    by_class : mapping of (model, method) to the mean of `JUDGED_BY` by class
    chance : mapping of class to `JUDGED_BY` of a coin
    comparisons : tuple of Comparison
    right : mapping of model to the share of the pictures that it calls right
    pictures : int
    faults : tuple of str
    boxed : int
        Pictures with a box or a mask: only against one of these is a map scored.
    layers : mapping of (model, method) to the layer that the method looks at
    how : str
        How the pictures were chosen.
    notes : tuple of str
        Which pictures were left out, and what the models have seen of the others.
    """

    means: dict[tuple[str, str], dict[str, Mean]]
    by_class: dict[tuple[str, str], dict[str, float]]
    chance: dict[str, float]
    comparisons: tuple[Comparison, ...]
    right: dict[str, float]
    pictures: int
    faults: tuple[str, ...] = ()
    boxed: int = 0
    layers: dict[tuple[str, str], str] = field(default_factory=dict)
    how: str = ""
    notes: tuple[str, ...] = ()

    def winners(self, model: str) -> list[str]:
        """Methods that beat everything blind, and themselves on random weights."""
        methods = dict.fromkeys(c.method for c in self.comparisons if c.model == model)
        return [
            method
            for method in methods
            if all(c.beaten for c in self.comparisons if (c.model, c.method) == (model, method))
        ]

    def text(self) -> str:
        """The tables, as they are printed."""
        parts = [
            f"{self.pictures} pictures{self.how and ' ' + self.how}. "
            "Means over pictures; every figure of a map against the box of the finding, or of what "
            "the network makes of the picture when the map's pixels come or go; (n) "
            "where a figure is of n of them alone: SIC and AIC need an answer of "
            f"{LEAST_ANSWER:g} or more for the whole picture. Intervals: pictures drawn anew. "
            "Intervals and tests take pictures for independent; those of one patient resemble each "
            "other, so that true intervals are wider and true p larger.",
            *(f"⚠ Pictures to judge by: {note}." for note in self.notes),
        ]
        if self.boxed < self.pictures:
            parts.append(
                f"{self.pictures - self.boxed} of the pictures have neither a box nor a mask: "
                "nothing says of them whether a map points at the finding, and only the figures "
                "that ask the network are given."
            )
        for (model, method), layer in self.layers.items():
            parts.append(f"{method} of {model} looks at {layer}.")
        for model, right in self.right.items():
            rows = [
                [
                    method,
                    *(_cell(found.get(name), name == JUDGED_BY, self.pictures) for name in FIGURES),
                ]
                for (own, method), found in self.means.items()
                if own == model
            ]
            head = ["method", *(f"{name} {way}" for name, way in FIGURES.items())]
            parts.append(f"{model}: {right:.0%} of the pictures are called right.")
            parts.append(text_table(head, rows))
            if not self.boxed:
                continue
            classes = list(self.chance)
            parts.append(
                f"{JUDGED_BY} by class of {model}; chance is the share that the box covers."
            )
            lines = [["chance", *(f"{self.chance[name]:.3f}" for name in classes)]]
            lines += [
                [method, *(_number(found.get(name)) for name in classes)]
                for (own, method), found in self.by_class.items()
                if own == model
            ]
            parts.append(text_table(["method", *classes], lines))
            against = dict.fromkeys(
                c.against for c in self.comparisons if c.model == model and c.against in BLIND
            )
            compared = []
            for method in dict.fromkeys(c.method for c in self.comparisons if c.model == model):
                own = {
                    c.against if c.against in BLIND else "itself on random weights": c
                    for c in self.comparisons
                    if (c.model, c.method) == (model, method)
                }
                names = (*against, "itself on random weights")
                compared.append([method, *(_compared(own.get(name)) for name in names)])
            parts.append(
                f"Difference of {JUDGED_BY} to what knows nothing [95 %], and p of Wilcoxon's "
                "signed-rank test with Holm's correction; * where it is beaten."
            )
            parts.append(text_table(["method", *against, "itself on random weights"], compared))
            winners = self.winners(model)
            parts.append(
                f"{model}: {', '.join(winners) if winners else 'no method'} "
                f"beat{'s' if len(winners) == 1 or not winners else ''} all of these."
            )
        return "\n\n".join([*parts, *self.faults])

    def save(self, folder: Path, *, overwrite: bool = True) -> list[Path]:
        """Write the tables as text and JSON."""
        values: dict[str, Any] = {
            "pictures": self.pictures,
            "how": self.how,
            "notes": list(self.notes),
            "with a box or a mask": self.boxed,
            "layers": {" / ".join(key): layer for key, layer in self.layers.items()},
            "right": self.right,
            "chance": self.chance,
            "means": {
                f"{model} / {method}": {name: asdict(mean) for name, mean in found.items()}
                for (model, method), found in self.means.items()
            },
            "comparisons": [{**asdict(c), "beaten": c.beaten} for c in self.comparisons],
            "faults": list(self.faults),
        }
        contents = (self.text() + "\n", json.dumps(values, indent=1, allow_nan=False) + "\n")
        return write_together(folder, dict(zip(FILES, contents, strict=True)), overwrite=overwrite)


def summarise(
    records: Sequence[StudyRecord], *, seed: int = 0, how: str = "", notes: Sequence[str] = ()
) -> StudySummary:
    """Means, intervals and tests over the pictures of a study.

    Parameters
    ----------
    how : str
        How the pictures were chosen: ``"to judge by: …"``.
    notes : sequence of str
        See `StudySummary`.
    """
    groups: dict[tuple[str, str], list[StudyRecord]] = {}
    for record in records:
        if not record.fault:
            groups.setdefault((record.model, record.method), []).append(record)
    means = {
        key: {
            name: mean_of(values, seed)
            for name in FIGURES
            if (values := [v for r in group if (v := r.figures.get(name)) is not None])
        }
        for key, group in groups.items()
    }
    classes = sorted({record.label for record in records})
    by_class = {
        key: {
            label: float(np.mean(values))
            for label in classes
            if (values := _figures((r for r in group if r.label == label), JUDGED_BY).values())
            and (values := list(values))
        }
        for key, group in groups.items()
    }
    pictures = {record.place for record in records}
    boxed = {
        record.place: (record.label, record.prevalence)
        for record in records
        if record.prevalence or record.figures.get(JUDGED_BY) is not None
    }
    chance = {
        label: float(np.mean([share for own, share in boxed.values() if own == label]))
        for label in sorted({label for label, _ in boxed.values()})
    }
    answers: dict[str, dict[str, bool]] = {}
    for record in records:
        hit = record.predicted.strip().lower() == record.label.lower()
        answers.setdefault(record.model, {})[record.place] = hit
    return StudySummary(
        means,
        by_class,
        chance,
        _comparisons(groups, seed),
        {model: float(np.mean(list(hits.values()))) for model, hits in answers.items()},
        len(pictures),
        tuple(
            f"! {r.method} on {r.label} {r.picture} ({r.model}): {r.fault}"
            for r in records
            if r.fault
        ),
        len(boxed),
        {
            (r.model, r.method): r.layer
            for r in records
            if r.layer and not r.method.endswith(ON_RANDOM)
        },
        how,
        tuple(notes),
    )


def mean_of(values: Sequence[float], seed: int = 0, rounds: int = 2000) -> Mean:
    """Mean with its 95 % interval."""
    array = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(seed).integers(0, len(array), (rounds, len(array)))
    low, high = np.quantile(array[draws].mean(axis=1), (0.025, 0.975))
    return Mean(float(array.mean()), float(low), float(high), len(array))


def holm(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """p values after Holm's step-down correction (Holm 1979)."""
    order = np.argsort(p)
    steps = (len(p) - np.arange(len(p))) * p[order]
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected


def _figures(records: Iterable[StudyRecord], name: str) -> dict[str, float]:
    found = {record.place: record.figures.get(name) for record in records}
    return {picture: value for picture, value in found.items() if value is not None}


def _comparisons(
    groups: dict[tuple[str, str], list[StudyRecord]], seed: int
) -> tuple[Comparison, ...]:
    made: list[tuple[str, str, str, Mean]] = []
    tests: list[float] = []
    for (model, method), group in groups.items():
        if method in BLIND or method.endswith(ON_RANDOM):
            continue
        ours = _figures(group, JUDGED_BY)
        for against in (*BLIND, method + ON_RANDOM):
            theirs = _figures(groups.get((model, against), []), JUDGED_BY)
            both = sorted(set(ours) & set(theirs))
            if not both:
                continue
            gaps = np.array([ours[p] - theirs[p] for p in both])
            made.append((model, method, against, mean_of(gaps.tolist(), seed)))
            test: Any = wilcoxon(gaps, alternative="greater") if np.any(gaps) else None
            tests.append(1.0 if test is None else float(test.pvalue))
    corrected = holm(np.asarray(tests)) if tests else np.zeros(0)
    return tuple(Comparison(*item, float(p)) for item, p in zip(made, corrected, strict=True))


def _cell(mean: Mean | None, whole: bool, pictures: int) -> str:
    if mean is None:
        return "-"
    few = f" ({mean.count})" if mean.count < pictures else ""
    interval = f" [{mean.low:.3f}, {mean.high:.3f}]" if whole else ""
    return f"{mean.value:.3f}{interval}{few}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _compared(found: Comparison | None) -> str:
    if found is None:
        return "-"
    gap = found.difference
    star = "*" if found.beaten else ""
    return f"{gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}] p {found.p:.3f}{star}"
