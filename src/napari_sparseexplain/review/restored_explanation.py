"""An explanation of a restored review: its arrays, if they are there and may be read."""

from __future__ import annotations

from pathlib import Path

from ..errors import ReadError
from ..evidence import Explanation
from ..evidence.store import load_explanation
from ..networks.catalogue import models
from ..plain_data import to_plain
from ..volumes import Finding, Study
from .review import ExplanationReference


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
    found = _loaded(root, reference)
    if found is None:
        said = Finding(
            "warning",
            "explanation-missing",
            f"the maps of {title} were not saved with the review and are not where they were; "
            f"{again}",
            key,
        )
        return None, [*findings, said]
    if study is not None and found.grid is not None and not found.grid.matches(study.grid):
        said = Finding(
            "warning",
            "explanation-missing",
            f"the maps of {title} do not lie on the grid of the study and are left out; {again}",
            key,
        )
        return None, [*findings, said]
    if to_plain(found.provenance) != to_plain(reference.provenance):
        said = Finding(
            "warning",
            "explanation-replaced",
            f"the maps of {title} come from a later run than the one that was reviewed",
            key,
        )
        findings.append(said)
    return found, findings


def _loaded(root: Path, reference: ExplanationReference) -> Explanation | None:
    if not reference.folder:
        return None
    try:
        return load_explanation(root / reference.folder, reference.entry or None)
    except ReadError:
        return None


def _model_findings(reference: ExplanationReference) -> list[Finding]:
    name = reference.provenance.get("model", "")
    sha = reference.provenance.get("weights_sha256", "")
    card = models().get(name)
    if card is None or not sha or card.weights_sha256 == sha:
        return []
    return [
        Finding(
            "warning",
            "model-differs",
            f"{name} has other weights now ({card.weights_sha256[:12]}) than when the review was "
            f"saved ({sha[:12]}); results run again will differ",
            name,
        )
    ]
