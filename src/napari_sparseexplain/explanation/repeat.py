"""Run an explanation again from the record that was kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import SparseExplainError
from ..evidence import Explanation, Provenance
from ..progress import Work
from ..volumes import Study
from .catalogue import explain_work, method_info
from .method import MethodInfo
from .noted_run import NotedRun, RecordPlace, noted_run

if TYPE_CHECKING:
    from ..networks.bundle.model import Model


def repeat_work(
    record: Mapping[str, Any],
    study: Study,
    device: str | None = None,
    model: Model | None = None,
    *,
    place: RecordPlace | None = None,
) -> Work[Explanation]:
    """Make an explanation anew, yielding its progress.

    Parameters
    ----------
    record : mapping
        As `Provenance.to_json`.
    study : Study
        The explained one.
    device : str, optional
        Where it runs; the best device of this machine when not given.
    model : Model, optional
        The one it was made with; found by the checksum of its weights when not given. None of a
        method without a model.
    place : RecordPlace, optional
        Where the record stands, for errors.

    Raises
    ------
    ReadError
        A field of the record is missing, unknown or cannot be; names it.
    SparseExplainError
        The record names no model, and its method takes one, or one whose weights are not known
        here; it names a method that this program does not have; a file took part in it; or what was
        explained (a drawn region) is not in the study.
    """
    run = noted_run(record, place)
    info = method_info(run.record.method)
    _check_repeatable(info, run)
    values: dict[str, Any] = {**run.checked(info)}
    if info.takes_model:
        model = _model(run.record, device, model)
    return (
        yield from explain_work(
            study,
            model,
            info.name,
            target=run.target,
            slices=run.slices,
            device=device,
            frame=run.frame or None,
            **values,
        )
    )


def _check_repeatable(info: MethodInfo, run: NotedRun) -> None:
    if info.takes_model and not run.record.model:
        raise SparseExplainError(
            "the record names no model, so it cannot be run again",
            where=info.name,
            remedy="Run the method in its own tab",
        )
    if run.files:
        raise SparseExplainError(
            f"it was made with a {', '.join(run.files)} from a file, which the record does not "
            "hold",
            where=info.name,
            remedy="Give the file to the command that made it",
        )


def _model(record: Provenance, device: str | None, model: Model | None) -> Model:
    """The model of the record, or the one given, which must have its weights."""
    from ..networks.bundle.known_models import model_of_record, weights_sha256

    sha256 = record.weights_sha256
    if model is None:
        return model_of_record(record.model, sha256, record.model_origin, device or "auto")
    if weights_sha256(model) != sha256:
        raise SparseExplainError(
            f"the model {model.name!r} has other weights ({weights_sha256(model)[:12]}…) than the "
            f"record says ({sha256[:12] or 'none'}…)",
            where=record.method,
            remedy="Give the model that it was made with",
        )
    return model
