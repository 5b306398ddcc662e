"""How far to trust one explanation: a table of figures, red where it fails, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
import numpy.typing as npt

from ...arguments import check_kind, is_whole
from ...errors import SparseExplainError
from ...evidence import Explanation
from ...evidence.attribution_scores import (
    localisation,
    mean_localisation,
)
from ...evidence.tables import text_table
from ...networks.bundle.model import Model
from ...progress import Work, drain
from ...volumes import Study
from ...volumes.frames import looked_at, study_at_frame
from ...volumes.head_mask import head_in_slices
from ...volumes.intensity.normalisation import Normalisation
from ..attribution.gap_advice import advice_in
from ..catalogue import Scans, explained_model
from ..noted_run import noted_target
from ..target import Target
from .explained_slices import explained_slices, method_with_model, true_region
from .heat import Heat
from .map_figures import Effort, MapFigures, map_figures
from .verdicts import TrustRow, trust_rows


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
                _number(row.centre),
                _number(row.untrained),
            )
            for row in self.rows
        ]
        heads = ("score", "map", "random map", "edge map", "head centre", "random weights")
        if all(row.untrained is None for row in self.rows):
            heads, rows = heads[:-1], [cells[:-1] for cells in rows]
        lines = [self.title, "", text_table(heads, rows), ""]
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


def trust_of(
    study: Study,
    explanation: Explanation,
    model: Model | None = None,
    *,
    seed: int = 0,
    truth: npt.NDArray[np.bool_] | None = None,
) -> Trust:
    """What can be said without asking the network: the error, and the map against the reference.

    Parameters
    ----------
    model : Model, optional
        For the modalities whose edges are shown beside; all images of the study without it.
    truth : ndarray of bool, shape of the map, optional
        Compared with this in place of the study's own mask.

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
    truth = true_region(study, target, span) if truth is None else truth
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
            localisation(
                heat.values[k],
                truth[k],
                images[k],
                head=head_in_slices(study, slice(span.start + k, span.start + k + 1))[0],
                signed=heat.signed,
                seed=seed,
            )
            for k in explained
        ]
        located = mean_localisation(several) if several else None
    rows = trust_rows(located, heat.sums(), advice=advice_in(explanation.notes))
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
    """How far to trust one explanation: figures beside those of maps that know no model.

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

    check_kind(explanation, Explanation, "explanation", "what se.explain gave")
    check_kind(effort, (Effort, NoneType), "effort", "an Effort")
    if count is not None:
        check_kind(count, _counts, "count of slices", "a number from 1, or None for all")
    record, info = explanation.provenance, method_with_model(explanation.method)
    if not isinstance(model, Model | str | Path):
        roles = tuple(record.inputs) if roles is None else roles
        if normalisation is None:
            normalisation = record.parameters.get("normalisation")
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


def _counts(given: object) -> bool:
    return isinstance(given, Integral) and is_whole(given) and int(given) >= 1


def explained_target(explanation: Explanation) -> Target:
    """The target of an explanation, from its provenance.

    Raises
    ------
    SparseExplainError
        It has none.
    """
    target = noted_target(explanation.provenance.parameters)
    if target is None:
        raise SparseExplainError(
            f"the explanation by {explanation.method!r} names no target, so nothing says what "
            "its map should find",
            remedy="Choose the result of an attribution method",
        )
    return target


def _in_head(study: Study, role: str, span: slice) -> Any:
    """A modality's slices with NaN and infinity as 0, which is outside the head."""
    values = np.asarray(study[role].spatial()[span], dtype=np.float64)
    return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)


def _title(explanation: Explanation) -> str:
    return " · ".join(part for part in (explanation.method, explanation.target) if part)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
