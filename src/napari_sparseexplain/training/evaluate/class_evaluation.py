"""Scores of networks that tell tumour classes apart, and the tables they are printed in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...evidence.confusion import Confusion, confusion_rows
from ...evidence.scores import Counts, union
from ...evidence.tables import mean_and_deviation, text_table
from ...explanation.components.sparse_parameters import FLAGS, ParameterRow
from ...files.atomic_write import write_together
from ...volumes.labels.tumour import REGIONS
from ..tumour_classes import TUMOUR_CLASSES, class_channels
from .jf_paper_numbers import TABLE_2, TABLE_3

_PIECE = "largest connected component"

#: Longest table of single subjects that is printed; all numbers lie in the JSON file.
_MOST_ROWS = 36

_NOTHING = Confusion(np.zeros((len(TUMOUR_CLASSES), len(TUMOUR_CLASSES)), dtype=np.int64))


#: Files that the tables and all numbers are written to.
FILES: tuple[str, str] = ("jf-ml-ista.md", "jf-ml-ista.json")


@dataclass
class RegionScores:
    """Dice of ET, WT and TC of one network (or rule) over cases.

    Attributes
    ----------
    volumes : mapping of region to list of float
        Dice of every subject, all its pixels together; subjects without the region are left out.
    slices : mapping of region to list of float
        Dice of every slice that truly shows the region.
    micro : mapping of region to Counts
        All slices that truly show tumour, of all subjects together.
    cases : mapping of case name to region to Dice over its tumour slices and over the volume
    confusions : mapping of case name to Confusion
        Of the exclusive classes, inside the brain and over the whole volume.
    """

    volumes: dict[str, list[float]] = field(default_factory=lambda: {r: [] for r in REGIONS})
    slices: dict[str, list[float]] = field(default_factory=lambda: {r: [] for r in REGIONS})
    micro: dict[str, Counts] = field(default_factory=lambda: dict.fromkeys(REGIONS, Counts()))
    cases: dict[str, dict[str, dict[str, float | None]]] = field(default_factory=dict)
    confusions: dict[str, Confusion] = field(default_factory=dict)

    def add(
        self,
        name: str,
        predicted: npt.NDArray[np.integer],
        truth: npt.NDArray[np.integer],
        regions: Sequence[str] = REGIONS,
    ) -> None:
        """Score one subject's label values, shape (N, rows, columns)."""
        tumour = (truth != 0).any(axis=(1, 2))
        self.cases[name] = {}
        for region in regions:
            found, true = union(predicted, region), union(truth, region)
            shown = true.any(axis=(1, 2))
            whole = Counts.of(found, true)
            near = Counts.of(found[tumour], true[tumour])
            self.micro[region] = self.micro[region] + near
            if shown.any() and whole.dice is not None:
                self.volumes[region].append(whole.dice)
            for n in np.flatnonzero(shown):
                value = Counts.of(found[n], true[n]).dice
                if value is not None:
                    self.slices[region].append(value)
            self.cases[name][region] = {"tumour slices": near.dice, "volume": whole.dice}

    def confuse(
        self,
        name: str,
        predicted: npt.NDArray[np.integer],
        truth: npt.NDArray[np.integer],
        inside: npt.NDArray[np.bool_],
    ) -> None:
        """Count which class every true class was given inside the brain, of one subject."""
        given, true = class_channels(predicted), class_channels(truth)
        self.confusions[name] = Confusion.of(given, true, len(TUMOUR_CLASSES), inside)

    def mean(self, which: str, region: str) -> float | None:
        """Mean over volumes or slices, or the micro Dice; ``average`` is that of the regions."""
        if region == "average":
            values = [self.mean(which, r) for r in REGIONS]
            known = [v for v in values if v is not None]
            return float(np.mean(known)) if len(known) == len(REGIONS) else None
        if which == "micro":
            return self.micro[region].dice
        values = getattr(self, which)[region]
        return float(np.mean(values)) if values else None

    def cell(self, which: str, region: str) -> str:
        """Mean ± standard deviation over volumes or slices."""
        if region == "average":
            every = [v for r in REGIONS for v in getattr(self, which)[r]]
            return mean_and_deviation(every) if self.mean(which, region) is not None else "-"
        return mean_and_deviation(getattr(self, which)[region])


@dataclass(frozen=True, eq=False)
class ClassEvaluation:
    """What `evaluate_class_networks` found.

    Attributes
    ----------
    data : str
    runs : mapping of (bundle name, seed) to RegionScores
        The seed is empty for shipped bundles and for the rule.
    titles : mapping of bundle name to str
    parameters : mapping of (bundle name, seed) to rows
    evidence : mapping of (bundle name, seed) to score name to mean over cases
        In-class energy and what a region loses without a component.
    notes : tuple of str
    pieces : mapping of (bundle name, seed) to RegionScores
        Of the largest connected component of each network's mask, where volumes were scored: what
        the
        rule without learning is given, too.
    recipes : str
        Which networks were trained alike (`recipe_summary`).
    """

    data: str
    runs: Mapping[tuple[str, str], RegionScores]
    titles: Mapping[str, str]
    parameters: Mapping[tuple[str, str], Sequence[ParameterRow]]
    evidence: Mapping[tuple[str, str], Mapping[str, float]]
    notes: tuple[str, ...] = ()
    pieces: Mapping[tuple[str, str], RegionScores] = field(default_factory=dict)
    recipes: str = ""

    def text(self) -> str:
        """All tables as Markdown."""
        parts = [f"Evaluation on {self.data}.", self.recipes, *self.notes, self._table_2()]
        if len({name for name, _ in self.runs}) < len(self.runs):
            parts.append(self._over_runs())
        parts.append(self._by_case())
        parts += self._classes()
        if self.evidence:
            parts.append(self._evidence())
        if self.parameters:
            parts.append(self._table_3())
        return "\n\n".join(part for part in parts if part)

    def save(self, out: Path, *, overwrite: bool = False) -> list[Path]:
        """Write the tables as text and the numbers as JSON; returns the files.

        Raises
        ------
        SparseExplainError
            A file is there already and ``overwrite`` is off, or the folder cannot be written.
        """
        texts = (self.text() + "\n", json.dumps(self._numbers(), indent=1) + "\n")
        return write_together(out, dict(zip(FILES, texts, strict=True)), overwrite=overwrite)

    def card_entry(self, name: str, seed: str = "") -> dict[str, Any]:
        """What a network's card tells of its classes (`evidence.confusion.CARD_ENTRY`).

        Parameters
        ----------
        name, seed : str
            As in ``runs``.
        """
        names, found = list(TUMOUR_CLASSES.values()), self.runs[name, seed].confusions
        cases = {case: one.to_json(names)["dice"] for case, one in found.items()}
        together = sum(found.values(), _NOTHING).to_json(names)
        where = "inside the brain, over the whole volume"
        return {"measured on": f"{', '.join(cases)}, {where}", "cases": cases, **together}

    def _numbers(self) -> dict[str, Any]:
        return {
            "data": self.data,
            "runs": _scores(self.runs),
            "largest connected component": _scores(self.pieces),
            "evidence": [
                {"name": n, "seed": s, **values} for (n, s), values in self.evidence.items()
            ],
        }

    def _title(self, name: str, seed: str) -> str:
        title = self.titles.get(name, name)
        return f"{title}, seed {seed}" if seed else title

    def _table_2(self) -> str:
        header = ["Dice", *REGIONS, "Average"]
        rows = []
        columns = (*REGIONS, "average")
        for (name, seed), run in self.runs.items():
            title = self._title(name, seed)
            for which, words, scored in (
                ("volumes", "over subjects", run),
                ("volumes", f"over subjects, {_PIECE}", self.pieces.get((name, seed))),
                ("slices", "over slices", run),
            ):
                if scored is not None:
                    rows.append([f"{title}, {words}", *[scored.cell(which, r) for r in columns]])
            micro = [run.mean("micro", r) for r in columns]
            rows.append(
                [f"{title}, all tumour slices together", *[_number(value) for value in micro]]
            )
        for name, paper in TABLE_2.items():
            title = f"{self.titles.get(name, name)}, paper (67 BraTS cases)"
            rows.append([title, *[f"{paper[r][0]:.3f} ± {paper[r][1]:.3f}" for r in columns]])
        said = "Table II. Dice by region, mean ± standard deviation."
        return said + "\n\n" + text_table(header, rows)

    def _over_runs(self) -> str:
        rows = []
        columns = (*REGIONS, "average")
        for name in dict.fromkeys(name for name, _ in self.runs):
            every = [run for (other, _), run in self.runs.items() if other == name]
            pieces = [run for (other, _), run in self.pieces.items() if other == name]
            for which, words, scored in (
                ("volumes", "over subjects", every),
                ("volumes", f"over subjects, {_PIECE}", pieces),
                ("micro", "all tumour slices", every),
            ):
                if not scored:
                    continue
                cells = [mean_and_deviation([r.mean(which, c) for r in scored]) for c in columns]
                rows.append([f"{self.titles.get(name, name)} ({len(scored)}), {words}", *cells])
        said = "The same, mean ± standard deviation over trainings (their number in brackets)."
        return said + "\n\n" + text_table(["Dice", *REGIONS, "Average"], rows)

    def _by_case(self) -> str:
        rows = []
        names = list(next(iter(self.runs.values())).cases)
        if len(names) > 12:
            return f"{len(names)} subjects; their scores lie in the JSON file (--out)."
        for case in names:
            for (name, seed), run in self.runs.items():
                cells = []
                for region in REGIONS:
                    found = run.cases[case].get(region, {})
                    parts = [found.get("tumour slices"), found.get("volume")]
                    if (name, seed) in self.pieces and case in self.pieces[name, seed].cases:
                        parts.append(self.pieces[name, seed].cases[case][region]["volume"])
                    cells.append(" / ".join(_number(part) for part in parts))
                rows.append([f"{case}: {self._title(name, seed)}", *cells])
        said = "Each subject: Dice over its tumour slices / over the whole volume"
        said += f" / over the whole volume, {_PIECE}." if self.pieces else "."
        return said + "\n\n" + text_table(["", *REGIONS], rows)

    def _classes(self) -> list[str]:
        """Of every network its classes: Dice by subject, and what each true class was given."""
        names = list(TUMOUR_CLASSES.values())
        runs = {key: run for key, run in self.runs.items() if run.confusions}
        if not runs:
            return []
        rows = []
        for case in next(iter(runs.values())).confusions:
            for (name, seed), run in runs.items():
                values = run.confusions[case].dice()
                rows.append([f"{case}: {self._title(name, seed)}", *map(_number, values)])
        many = len(rows) > _MOST_ROWS
        said = "Dice of each class inside the brain, over the whole volume."
        parts = [] if many else [said + "\n\n" + text_table(["", *names], rows)]
        for (name, seed), run in runs.items():
            told = sum(run.confusions.values(), _NOTHING).to_json(names)
            said = (
                f"Confusion of {self._title(name, seed)} ({len(run.confusions)} subjects together)"
            )
            said += ": the share of each true class that was given each class."
            parts.append(said + "\n\n" + text_table(["true", "Dice", *names], confusion_rows(told)))
        return parts

    def _evidence(self) -> str:
        names = list(dict.fromkeys(k for values in self.evidence.values() for k in values))
        header = ["Mean over subjects", *[self._title(n, s) for n, s in self.evidence]]
        rows = [
            [score, *[_number(values.get(score)) for values in self.evidence.values()]]
            for score in names
        ]
        return "Components as evidence.\n\n" + text_table(header, rows)

    def _table_3(self) -> str:
        parts = []
        flagged: set[str] = set()
        for (name, seed), found in self.parameters.items():
            layers = 1 + max(row.layer for row in found)
            header = ["Class"]
            for layer in range(layers):
                header += ["λ_min", "μ_c"] if layer == 0 else [f"λ_{layer}", f"μ_{layer}"]
            header.append("largest ‖D‖² bound")
            rows = []
            for title in dict.fromkeys(row.class_name for row in found):
                cells, bounds = [title], []
                for row in (r for r in found if r.class_name == title):
                    marks = "".join("!" for flag in row.flags if flag != "dead codes")
                    cells += [f"{row.threshold:.4f}{marks}", f"{row.step:.3f}"]
                    bounds.append(row.norm_bound)
                    flagged.update(row.flags)
                rows.append([*cells, f"{max(bounds):.3f}"])
            said = f"Table III. Thresholds and step sizes of {self._title(name, seed)}."
            parts.append(said + "\n\n" + text_table(header, rows))
        header = ["Class", "λ_min", "μ_c", "λ_1", "μ_1", "λ_2", "μ_2", "λ_3", "μ_3"]
        rows = [[c, *[f"{v:.3f}" for v in values]] for c, values in TABLE_3.items()]
        parts.append("Table III, paper (merged, unconstrained).\n\n" + text_table(header, rows))
        if flagged:
            parts.append(
                "! marks a value with a flag.\n"
                + "\n".join(f"- {flag}: {FLAGS[flag]}" for flag in sorted(flagged))
            )
        return "\n\n".join(parts)


def _scores(runs: Mapping[tuple[str, str], RegionScores]) -> list[dict[str, Any]]:
    return [
        {
            "name": n,
            "seed": s,
            "volumes": r.volumes,
            "slices": r.slices,
            "cases": r.cases,
            "classes": {
                case: found.to_json(list(TUMOUR_CLASSES.values()))
                for case, found in r.confusions.items()
            },
        }
        for (n, s), r in runs.items()
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
