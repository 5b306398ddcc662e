"""Methods beside each other: every figure of trust, over one study or several, failures included.

The rows of maps that know nothing of the network stand in the same table (a random map, the image's
edges, a Gaussian at the centre of the head), and where weights were drawn anew the same methods on
those: a method that does not beat all of them shows nothing of what the network learned.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...errors import CancelledError, SparseExplainError
from ...evidence.attribution_scores import LOCALISATION, mean_figures, mean_localisation
from ...evidence.provenance import package_versions
from ...evidence.tables import text_table
from ...files.atomic_write import write_together
from ...networks.bundle.model import Model
from ...progress import Progress, Work
from ...volumes import Study
from ..attribution.gap_advice import MORE_STEPS
from ..catalogue import slice_range
from ..target import Target
from .explained_slices import ExplainedSlices, explained_slices, method_with_model
from .map_figures import (
    ALL_FIGURES,
    REFERENCES,
    UNTRAINED,
    Effort,
    MapFigures,
    baseline_figures,
    map_figures,
)
from .verdicts import DECIDING, TrustRow, trust_rows
from .weight_randomisation import Randomisation

#: Slices of each study that are scored when not told otherwise: neighbours are alike.
SLICES = 8


#: Files that the table and all numbers are written to.
FILES: tuple[str, str] = ("faithfulness.txt", "faithfulness.json")


@dataclass(frozen=True)
class MethodFaithfulness:
    """One row: a method's figures over all studies.

    Attributes
    ----------
    method : str
    rows : tuple of TrustRow
        Every figure with its verdict, means over studies.
    studies : mapping of str to MapFigures
        By the study's name.
    """

    method: str
    rows: tuple[TrustRow, ...]
    studies: Mapping[str, MapFigures]

    def row(self, name: str) -> TrustRow | None:
        """The figure called ``name``, where it was asked for."""
        return next((row for row in self.rows if row.name == name), None)


@dataclass(frozen=True)
class Faithfulness:
    """The table.

    Attributes
    ----------
    model, target : str
    slices : mapping of str to tuple of int
        Slices scored, by the study's name.
    methods : tuple of MethodFaithfulness
        As asked for, then the maps that know no network, then the same methods on random weights.
    parameters : mapping
        Of the run, for the JSON.
    notes : tuple of str
        Methods and studies that could not be scored, and why.
    """

    model: str
    target: str
    slices: Mapping[str, tuple[int, ...]]
    methods: tuple[MethodFaithfulness, ...]
    parameters: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Figures that any row has, localisation first."""
        have = {row.name for method in self.methods for row in method.rows}
        return tuple(name for name in (*LOCALISATION, *ALL_FIGURES) if name in have)

    def called(self, names: Mapping[str, str], said: Callable[[str], str]) -> Faithfulness:
        """The same table with other names of the studies, for files in which nobody is named.

        Parameters
        ----------
        names : mapping
            What stands for each study's name.
        said : callable
            What is written of a note.
        """
        new: dict[str, str] = {}
        for name in self.slices:
            new[name] = _new_name(names.get(name, "study"), dict.fromkeys(new.values()))
        return replace(
            self,
            slices={new[name]: numbers for name, numbers in self.slices.items()},
            methods=tuple(
                replace(m, studies={new.get(n, n): found for n, found in m.studies.items()})
                for m in self.methods
            ),
            parameters={name: _with_texts(v, said) for name, v in self.parameters.items()},
            notes=tuple(said(note) for note in self.notes),
        )

    def text(self) -> str:
        """The table, then one sentence for every failure (marked ``!``)."""
        names = self.columns
        lines = []
        for method in self.methods:
            cells = [method.method]
            for name in names:
                row = method.row(name)
                shown = "-" if row is None or row.value is None else f"{row.value:.3f}"
                cells.append(shown + ("!" if row is not None and row.failed else ""))
            lines.append(cells)
        headings = [name + {"higher": " ↑", "lower": " ↓"}.get(_way(name), "") for name in names]
        count = sum(len(numbers) for numbers in self.slices.values())
        where = ", ".join(
            f"{name} (slices {', '.join(map(str, numbers))}, from 0)"
            for name, numbers in self.slices.items()
        )
        parts = [
            f"{self.model}, target {self.target}, {count} slices: {where}",
            "",
            text_table(("method", *headings), lines),
            "",
        ]
        for method in self.methods:
            parts += [f"{method.method}: {r.sentence}" for r in method.rows if r.failed]
        for method in self.methods:
            row = method.row(DECIDING)
            if row is not None and row.sentence and row.value is not None and not row.failed:
                parts.append(f"{method.method}: {DECIDING} {row.value:.3f}. {row.sentence}")
        return "\n".join([*parts, *self.notes]).rstrip() + "\n"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: means with verdicts, every study, and what is needed to repeat it."""
        return {
            "model": self.model,
            "target": self.target,
            "slices": {name: list(numbers) for name, numbers in self.slices.items()},
            "parameters": dict(self.parameters),
            "versions": package_versions(),
            "methods": [
                {
                    "method": method.method,
                    "figures": [vars(row) for row in method.rows],
                    "studies": {n: _study_json(found) for n, found in method.studies.items()},
                }
                for method in self.methods
            ],
            "notes": list(self.notes),
        }

    def save(self, folder: str | Path, *, overwrite: bool = False) -> list[Path]:
        """Write ``faithfulness.txt`` and ``faithfulness.json``; gives their paths.

        Raises
        ------
        SparseExplainError
            A file is there already and ``overwrite`` is off, or the folder cannot be written.
        """
        numbers = json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n"
        texts = dict(zip(FILES, (self.text(), numbers), strict=True))
        return write_together(Path(folder), texts, overwrite=overwrite)


def faithfulness_work(
    studies: Iterable[Study],
    model: Model,
    methods: Sequence[str],
    target: Target,
    *,
    slices: slice | int | None = None,
    count: int = SLICES,
    parameters: Mapping[str, Any] | None = None,
    effort: Effort | None = None,
) -> Work[Faithfulness]:
    """Score methods on the slices of one or several studies.

    Parameters
    ----------
    studies : iterable of Study
        Opened one after the other, when it is a generator.
    methods : sequence of str
        Names of the catalogue.
    slices : slice or int, optional
        Of every study; all when not given.
    count : int
        At most so many of them, evenly spread over those that hold the target.
    parameters : mapping, optional
        Given to every method that has a parameter of the name.

    Raises
    ------
    SparseExplainError
        An unknown method or parameter, or nothing could be scored; the first reason is given.
    """
    chosen, model = effort or Effort(), model.at_rest()
    given = _by_method(methods, parameters or {})
    found: dict[str, dict[str, MapFigures]] = {name: {} for name in (*given, *REFERENCES)}
    numbers: dict[str, tuple[int, ...]] = {}
    notes: list[str] = []
    for study in studies:
        yield Progress(0, 0, f"{study.name}: finding the target")
        try:
            part = yield from explained_slices(
                study, model, target, slice_range(study, slices), count=count
            )
        except CancelledError:
            raise
        except SparseExplainError as error:
            notes.append(f"{study.name} was left out: {error}")
            continue
        name = _new_name(study.name, numbers)
        for method in found:
            try:
                scored = yield from _scored(part, method, given.get(method), chosen)
            except CancelledError:
                raise
            except SparseExplainError as error:
                notes.append(f"{method} was left out on {name}: {error}")
                continue
            found[method][name] = scored
            notes += [f"{name}, {method}: {note}" for note in scored.notes]
        if any(name in found[method] for method in given):
            numbers[name] = tuple(int(n) for n in part.numbers)
    if not numbers:
        raise SparseExplainError(
            "nothing could be scored" + (f" ({notes[0]})" if notes else ""),
            remedy="Choose slices that hold the target, and methods that fit the model",
        )
    rows = [_method_row(method, several) for method, several in found.items() if several]
    return Faithfulness(
        model=model.card.name,
        target=target.label,
        slices=numbers,
        methods=(*rows, *_untrained_rows(rows)),
        parameters={"given": dict(parameters or {}), **vars(chosen), "count": count},
        notes=tuple(notes),
    )


def _scored(
    part: ExplainedSlices, method: str, parameters: Mapping[str, Any] | None, effort: Effort
) -> Work[MapFigures]:
    if method in REFERENCES:
        return (yield from baseline_figures(part, method, effort))
    return (yield from map_figures(part, method, parameters, effort))


def _by_method(methods: Sequence[str], parameters: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The parameters that each method takes, checked before anything is computed."""
    if not methods:
        raise SparseExplainError("no method was given", remedy="See sparseexplain methods")
    taken: dict[str, dict[str, Any]] = {}
    unused = set(parameters)
    for name in methods:
        info = method_with_model(name)
        own = {p.name for p in info.parameters}
        values = {key: value for key, value in parameters.items() if key in own}
        info.checked(values)
        taken[info.name] = values
        unused -= own
    if unused:
        raise SparseExplainError(
            f"none of these methods has a parameter {sorted(unused)[0]!r}",
            remedy="See sparseexplain methods",
        )
    return taken


def _method_row(method: str, studies: Mapping[str, MapFigures]) -> MethodFaithfulness:
    located = [f.localisation for f in studies.values() if f.localisation is not None]
    figures = mean_figures([f.figures for f in studies.values()])
    randomisations = [f.randomisation for f in studies.values() if f.randomisation is not None]
    randomisation: Randomisation | None = randomisations[0] if randomisations else None
    said = [item.advice for item in studies.values() if item.advice != MORE_STEPS]
    rows = trust_rows(
        mean_localisation(located) if located else None,
        figures,
        randomisation,
        said[0] if said else MORE_STEPS,
    )
    if method in REFERENCES:
        # The yardsticks themselves neither fail nor pass.
        rows = tuple(replace(row, failed=False, sentence="") for row in rows)
    return MethodFaithfulness(method, rows, studies)


def _untrained_rows(methods: Sequence[MethodFaithfulness]) -> list[MethodFaithfulness]:
    """The localisation of every method's maps of the network with random weights."""
    found = []
    for method in methods:
        rows = tuple(
            TrustRow(row.name, row.untrained) for row in method.rows if row.untrained is not None
        )
        if rows:
            found.append(MethodFaithfulness(f"{method.method}, {UNTRAINED}", rows, {}))
    return found


def _with_texts(value: Any, said: Callable[[str], str]) -> Any:
    """JSON values with another text for each text."""
    if isinstance(value, str):
        return said(value)
    if isinstance(value, Mapping):
        return {said(str(name)): _with_texts(part, said) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_with_texts(part, said) for part in value]
    return value


def _study_json(found: MapFigures) -> dict[str, Any]:
    located = found.localisation
    return {
        "figures": dict(found.figures),
        "localisation": None
        if located is None
        else {
            "map": dict(located.map),
            "random": dict(located.random),
            "edge": dict(located.edge),
            "centre": dict(located.centre),
            "untrained": dict(located.untrained),
            "prevalence": located.prevalence,
        },
        "randomisation": None
        if found.randomisation is None
        else [vars(stage) for stage in found.randomisation.stages],
        "notes": list(found.notes),
    }


def _way(name: str) -> str:
    return "higher" if name in LOCALISATION else ALL_FIGURES.get(name, "")


def _new_name(name: str, taken: Mapping[str, Any]) -> str:
    """``name``, numbered where another study has it."""
    number, new = 2, name
    while new in taken:
        new, number = f"{name} ({number})", number + 1
    return new
