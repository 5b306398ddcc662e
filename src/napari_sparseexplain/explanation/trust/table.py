"""How far to trust one explanation: a table of figures, red where it fails, and why.

Three things make a map fail: it does not add up to what it explains; it finds the target no
better than the outlines of the image do; or it stays the same when the network has forgotten all.
Everything else is a figure to compare, without a threshold that could be defended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SparseExplainError
from ...evidence import Explanation
from ...evidence.attribution_scores import (
    LOCALISATION,
    Localisation,
    localisation,
    mean_localisation,
)
from ...evidence.tables import text_table
from ...networks.bundle.model import Model
from ...progress import Work, drain
from ...volumes import Study
from ...volumes.frames import looked_at, study_at_frame
from ...volumes.intensity.normalisation import Normalisation
from ..attribution.frame import GAP_LIMIT
from ..attribution.gap_advice import MORE_STEPS, advice_in
from ..catalogue import Scans, explained_model
from ..target import Target
from .explained_slices import explained_slices, method_with_model, true_region
from .map_figures import FIGURES, Effort, Heat, MapFigures, map_figures
from .weight_randomisation import SURVIVES, Randomisation

#: The score that decides whether a map finds the target: it looks at ranks alone, so a blurred
#: map and a sharp one are judged alike.
DECIDING = "AUPRC"

_GAP = "completeness error"


@dataclass(frozen=True)
class TrustRow:
    """One figure.

    Attributes
    ----------
    name : str
    value : float or None
        None where it does not apply.
    random, edge : float or None
        The same figure of random maps and of the image's edges, where they have one.
    failed : bool
        Shown in red.
    sentence : str
        Why it failed, or why it does not apply.
    """

    name: str
    value: float | None
    random: float | None = None
    edge: float | None = None
    failed: bool = False
    sentence: str = ""


@dataclass(frozen=True)
class Trust:
    """The table of one explanation.

    Attributes
    ----------
    title : str
        Method and target.
    rows : tuple of TrustRow
    notes : tuple of str
    """

    title: str
    rows: tuple[TrustRow, ...]
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> TrustRow:
        """The row called ``name``; KeyError lists what there is."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"{name!r} is not in this table: {[row.name for row in self.rows]}")

    @property
    def failures(self) -> tuple[str, ...]:
        """One sentence for every way in which the map fails."""
        return tuple(row.sentence for row in self.rows if row.failed)

    def text(self) -> str:
        """The table as text, then the sentences."""
        rows = [
            (
                row.name + (" !" if row.failed else ""),
                _number(row.value),
                _number(row.random),
                _number(row.edge),
            )
            for row in self.rows
        ]
        lines = [self.title, "", text_table(("score", "map", "random map", "edge map"), rows), ""]
        lines += [f"{row.name}: {row.sentence}" for row in self.rows if row.sentence]
        return "\n".join([*lines, *self.notes]).rstrip() + "\n"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "title": self.title,
            "rows": [vars(row) for row in self.rows],
            "failures": list(self.failures),
            "notes": list(self.notes),
        }


def trust_rows(
    located: Localisation | None,
    figures: Mapping[str, float | None],
    randomisation: Randomisation | None = None,
    advice: str = MORE_STEPS,
) -> tuple[TrustRow, ...]:
    """The rows of what was measured, each with its verdict.

    Parameters
    ----------
    located : Localisation or None
        Against the reference segmentation; None where there is none.
    figures : mapping
        By the names of `map_figures.FIGURES`; only those there are get a row.
    advice : str
        What would close a completeness error: see `gap_advice`.
    """
    rows = []
    for name in FIGURES:
        if name in figures:
            value = figures[name]
            if name == _GAP:
                rows.append(_gap_row(value, advice))
            elif name == "parameter randomisation":
                rows.append(_randomised_row(value, randomisation))
            else:
                missing = "" if value is not None else "Does not apply to these slices."
                rows.append(TrustRow(name, value, sentence=missing))
    if located is None:
        said = "Does not apply: there is no reference segmentation of the target."
        return (*rows, *(TrustRow(name, None, sentence=said) for name in LOCALISATION))
    return (*rows, *(_localisation_row(name, located) for name in LOCALISATION))


def _gap_row(gap: float | None, advice: str) -> TrustRow:
    if gap is None:
        return TrustRow(
            _GAP, None, sentence="Does not apply: the map does not claim to add up to a score."
        )
    if gap <= GAP_LIMIT:
        return TrustRow(_GAP, gap)
    return TrustRow(
        _GAP,
        gap,
        failed=True,
        sentence=f"The map leaves {gap:.0%} of the change of score unexplained "
        f"(at most {GAP_LIMIT:.0%} is fine). {advice}",
    )


def _randomised_row(value: float | None, randomisation: Randomisation | None) -> TrustRow:
    name = "parameter randomisation"
    if randomisation is not None and not randomisation.stages:
        said = "Does not apply: the model shows no weights that could be drawn anew."
        return TrustRow(name, None, sentence=said)
    if value is None:
        return TrustRow(
            name,
            None,
            sentence="The network with random weights answers nothing, so its map is constant and "
            "ranks nothing: it did not survive.",
        )
    if abs(value) < SURVIVES:
        return TrustRow(name, value)
    stages = "" if randomisation is None else f" after {len(randomisation.stages)} stages"
    return TrustRow(
        name,
        value,
        failed=True,
        sentence=f"With every weight random{stages} the map still ranks the target's pixels alike "
        f"(ρ = {value:.2f}): it shows the image, not what the network learned.",
    )


def _localisation_row(name: str, located: Localisation) -> TrustRow:
    value, chance, edge = located.map[name], located.random[name], located.edge[name]
    if value is None:
        return TrustRow(
            name,
            None,
            chance,
            edge,
            sentence="Does not apply: the map is constant, or the mask empty, on every slice.",
        )
    if name != DECIDING:
        return TrustRow(name, value, chance, edge)
    for other, what in ((chance, "a random map"), (edge, "the outlines of the image")):
        if other is not None and value <= other:
            return TrustRow(
                name,
                value,
                chance,
                edge,
                failed=True,
                sentence=f"The map finds the target no better than {what} "
                f"({value:.3f} to {other:.3f}).",
            )
    return TrustRow(name, value, chance, edge)


def trust_of(
    study: Study, explanation: Explanation, model: Model | None = None, *, seed: int = 0
) -> Trust:
    """What can be said without asking the network: the error, and the map against the reference.

    Parameters
    ----------
    model : Model, optional
        For the modalities whose edges are shown beside; all images of the study without it.

    Raises
    ------
    SparseExplainError
        The explanation holds no heat map on this study's grid.
    """
    roles = tuple(study.images) if model is None else model.card.inputs.roles
    study = looked_at(study, explanation.frame)
    heat = Heat.of(explanation, roles)
    span = explanation.slices
    target = explained_target(explanation)
    truth = true_region(study, target, span)
    if truth is not None and truth.shape != heat.values.shape:
        raise SparseExplainError(
            f"the map has the shape {heat.values.shape} and these slices of the study "
            f"{truth.shape}",
            where=study.name,
            remedy="Give the study that was explained",
        )
    located = None
    if truth is not None:
        images = np.stack([_in_head(study, role, span) for role in roles], axis=1)
        # A slice that holds none of the target was not explained: its map is empty by rule.
        explained = [k for k in range(len(truth)) if heat.values[k].any()]
        several = [
            localisation(heat.values[k], truth[k], images[k], signed=heat.signed, seed=seed)
            for k in explained
        ]
        located = mean_localisation(several) if several else None
    rows = trust_rows(located, {_GAP: heat.gap}, advice=advice_in(explanation.notes))
    return Trust(_title(explanation), rows)


def trust_work(
    study: Study,
    model: Model,
    explanation: Explanation,
    effort: Effort | None = None,
    *,
    region: Any = None,
    count: int | None = 8,
) -> Work[Trust]:
    """The whole table: the method runs again on the slices explained, with the same parameters.

    Parameters
    ----------
    region : ndarray of bool, optional
        The drawn region that was explained.
    count : int, optional
        At most so many slices.
    """
    model, target = model.at_rest(), explained_target(explanation)
    study = study_at_frame(study, explanation.frame, model.card.inputs.roles)
    noted = explanation.provenance.parameters
    parameters = {
        name: value
        for name, value in noted.items()
        if name not in ("slices", "target", "frame", "resolution", "normalisation")
    }
    slices = yield from explained_slices(
        study,
        model,
        target,
        explanation.slices,
        resolution=noted.get("resolution", "model"),
        region=region,
        count=count,
    )
    found: MapFigures = yield from map_figures(slices, explanation.method, parameters, effort)
    rows = trust_rows(found.localisation, found.figures, found.randomisation, found.advice)
    number = len(slices.rows)
    notes = (f"Over {number} slice{'s' if number != 1 else ''}.", *found.notes)
    return Trust(_title(explanation), rows, notes)


def trust(
    study: Study | Scans,
    model: Model | str | Path | Callable[..., Any],
    explanation: Explanation,
    *,
    roles: str | Sequence[str] | None = None,
    normalisation: str | Mapping[str, Any] | Normalisation | None = None,
    effort: Effort | None = None,
    count: int | None = 8,
) -> Trust:
    """How far to trust one explanation: figures beside those of random and edge maps.

    The method runs again on the slices explained, with the same parameters, on noisy copies and on
    weights drawn anew: minutes, for a method that takes seconds a slice.

    Parameters
    ----------
    study : Study, or arrays as `explain` takes them
        The study explained.
    model : Model, str, Path, or torch.nn.Module
        The model explained.
    explanation : Explanation
        Of an attribution method.
    roles, normalisation : optional
        Of a torch module: as they were given to `explain`. Those of the explanation when not given.
    effort : Effort, optional
        Which figures, and how much is computed for each.
    count : int, optional
        At most so many slices; None for all.

    Returns
    -------
    Trust
        ``print(found.text())`` is the table; ``found.failures`` says in sentences what fails.

    Raises
    ------
    SparseExplainError
        The explanation holds no heat map or names no target, or was made with other weights.

    Examples
    --------
    >>> import torch, numpy as np, napari_sparseexplain as se
    >>> _ = torch.manual_seed(0)
    >>> study = se.study_of_arrays({"flair": np.random.default_rng(0).random((16, 16))})
    >>> module = torch.nn.Conv2d(1, 2, 3, padding=1)
    >>> result = se.explain(study, module, "vanilla-gradient", roles="flair", target=1)
    >>> found = se.trust(study, module, result)
    >>> "insertion AUC" in [row.name for row in found.rows]
    True
    """
    from ...networks.bundle.known_models import weights_sha256

    record, info = explanation.provenance, method_with_model(explanation.method)
    if not isinstance(model, Model | str | Path):
        roles = roles or tuple(record.inputs)
        normalisation = normalisation or record.parameters.get("normalisation")
    loaded, scans, _ = explained_model(
        study,
        model,
        info,
        slices=explanation.slices,
        roles=roles,
        normalisation=normalisation,
        frame=explanation.frame,
    )
    if record.weights_sha256 and weights_sha256(loaded) != record.weights_sha256:
        raise SparseExplainError(
            "the explanation was made with other weights",
            where=loaded.name,
            remedy="Give the model that was explained, or explain again",
        )
    assert scans is not None  # a method that makes a heat map takes a study
    return drain(trust_work(scans, loaded, explanation, effort, count=count))


def explained_target(explanation: Explanation) -> Target:
    """The target of an explanation, from its provenance.

    Raises
    ------
    SparseExplainError
        It has none.
    """
    noted = explanation.provenance.parameters.get("target")
    if not isinstance(noted, Mapping):
        raise SparseExplainError(
            f"the explanation by {explanation.method!r} names no target, so nothing says what "
            "its map should find",
            remedy="Choose the result of an attribution method",
        )
    index = noted.get("index")
    return Target(noted["kind"], noted.get("name", ""), None if index is None else tuple(index))


def _in_head(study: Study, role: str, span: slice) -> Any:
    """A modality's slices with NaN and infinity as 0, which is outside the head."""
    values = np.asarray(study[role].spatial()[span], dtype=np.float64)
    return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)


def _title(explanation: Explanation) -> str:
    return " · ".join(part for part in (explanation.method, explanation.target) if part)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
