"""Run an explanation again from the record that was kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import SparseExplainError
from ..evidence import Explanation
from ..progress import Work
from ..volumes import Study
from .catalogue import explain_work, method_info
from .target import Target

if TYPE_CHECKING:
    from ..networks.bundle.model import Model


def repeat_work(
    record: Mapping[str, Any],
    study: Study,
    device: str | None = None,
    model: Model | None = None,
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
        The one it was made with; found by the checksum of its weights when not given.

    Raises
    ------
    SparseExplainError
        The record names no model, or one whose weights are not known here; it names a method that
        this program does not have; or what was explained (a drawn region) is not in the study.
    """
    method, name = str(record.get("method", "")), str(record.get("model", ""))
    if not name:
        raise SparseExplainError(
            "the record names no model, so it cannot be run again",
            where=method or "explanation",
            remedy="Run the method in its own tab",
        )
    from ..networks.bundle.known_models import model_of_record, weights_sha256

    sha256 = str(record.get("weights_sha256", ""))
    if model is None:
        model = model_of_record(name, sha256, str(record.get("model_origin", "")), device or "auto")
    elif weights_sha256(model) != sha256:
        raise SparseExplainError(
            f"the model {model.name!r} has other weights ({weights_sha256(model)[:12]}…) than the "
            f"record says ({sha256[:12] or 'none'}…)",
            where=method,
            remedy="Give the model that it was made with",
        )
    noted = method_info(method).in_present_names(record.get("parameters", {}))
    known = {parameter.name for parameter in method_info(method).parameters}
    for parameter in method_info(method).parameters:
        if parameter.before is not None:
            noted.setdefault(parameter.name, parameter.before)
    span = noted.get("slices")
    return (
        yield from explain_work(
            study,
            model,
            method,
            target=_target(noted.get("target")),
            slices=None if span is None else slice(int(span[0]), int(span[1])),
            device=device,
            **{name: value for name, value in noted.items() if name in known},
        )
    )


def _target(noted: Any) -> Target | None:
    if not isinstance(noted, Mapping):
        return None
    index = noted.get("index")
    place = None if index is None else (int(index[0]), int(index[1]), int(index[2]))
    return Target(noted["kind"], noted.get("name", ""), place)
