"""An explanation of a restored review: its arrays, if they are there and may be read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import ReadError, StudyError
from ..evidence import Explanation
from ..evidence.store import load_explanation
from ..networks.bundle.catalogue import models
from ..networks.bundle.model_card import ModelCard
from ..volumes import Finding, Study
from .review import ExplanationReference

#: What was read by folder, entry and study; None where it cannot be.
Loaded = dict[tuple[Path, str, str], Explanation | None]


def lies_elsewhere(root: Path, folder: str) -> bool:
    """Whether a folder lies outside the review's folder ``root``, links followed."""
    try:
        return not (root / folder).resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a name that is none
        return True


def restore_explanation(
    key: str,
    reference: ExplanationReference,
    root: Path,
    study: Study | None,
    loaded: Loaded,
    *,
    elsewhere: bool,
) -> tuple[Explanation | None, list[Finding]]:
    """The explanation with its arrays, if they are still somewhere, and what to say of it.

    Parameters
    ----------
    key : str
        Its key in the review.
    reference : ExplanationReference
    root : Path
        The review's folder.
    study : Study or None
        The study that it must lie on.
    loaded : dict
        What was read already; gets what is read.
    elsewhere : bool
        Whether arrays are also read from outside the review's folder.
    """
    title = " ".join(part for part in (reference.method, reference.target) if part)
    findings = _model_findings(reference)
    again = "run it again with the parameters that the review holds"
    if reference.folder and not elsewhere and lies_elsewhere(root, reference.folder):
        said = Finding(
            "warning",
            "explanation-elsewhere",
            f"the maps of {title} would be read from {root / reference.folder}, outside the "
            "review's folder, and were not; allow it with --elsewhere on the command line or "
            "restore_review(…, elsewhere=True) if you trust whoever made the review",
            key,
        )
        return None, [*findings, said]
    try:
        found = _loaded(root, reference, study, loaded)
    except StudyError:
        said = Finding(
            "warning",
            "explanation-missing",
            f"the maps of {title} do not lie on the grid of the study and are left out; {again}",
            key,
        )
        return None, [*findings, said]
    if found is None:
        said = Finding(
            "warning",
            "explanation-missing",
            f"the maps of {title} were not saved with the review and are not where they were; "
            f"{again}",
            key,
        )
        return None, [*findings, said]
    if _run(found.provenance.to_json()) != _run(reference.provenance):
        said = Finding(
            "warning",
            "explanation-replaced",
            f"the maps of {title} come from a later run than the one that was reviewed",
            key,
        )
        findings.append(said)
    return found, findings


def _loaded(
    root: Path, reference: ExplanationReference, study: Study | None, loaded: Loaded
) -> Explanation | None:
    """The arrays that a reference names; those that another one named before are not read again."""
    if not reference.folder:
        return None
    place = (root / reference.folder, reference.entry, reference.study)
    if place not in loaded:
        grid = None if study is None else study.grid
        try:
            found = load_explanation(place[0], reference.entry or None, on=grid)
        except ReadError:
            found = None
        loaded[place] = found
    return loaded[place]


@lru_cache(maxsize=1)
def _known_models() -> Mapping[str, ModelCard]:
    """The models that ship; their cards do not change while the program runs."""
    return models()


def _model_findings(reference: ExplanationReference) -> list[Finding]:
    name = reference.provenance.get("model", "")
    sha = reference.provenance.get("weights_sha256", "")
    card = _known_models().get(name)
    if card is None or not sha or card.weights_sha256 == sha:
        return []
    return [
        Finding(
            "warning",
            "model-differs",
            f"{name} has other weights now ({card.weights_sha256[:12]}) than when the review was "
            f"saved ({sha[:12]}); what was made with those cannot be run again with these",
            name,
        )
    ]


def _run(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells one run from another, whether its words were written with or without names."""
    inputs = record.get("inputs") or {}
    sums = sorted(entry.get("sha256", "") for entry in inputs.values())
    told = (record.get(key) for key in ("method", "weights_sha256", "seed", "device", "created"))
    return (*told, sums, _numbers(record.get("parameters")))


def _numbers(value: Any) -> Any:
    """JSON values without texts: of those an exported record may hold others."""
    if isinstance(value, Mapping):
        return [_numbers(part) for _, part in sorted(value.items())]
    if isinstance(value, list | tuple):
        return [_numbers(part) for part in value]
    return None if isinstance(value, str) else value
