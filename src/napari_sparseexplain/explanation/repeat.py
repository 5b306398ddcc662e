"""Run an explanation again from the record that was kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import SparseExplainError
from ..evidence import Explanation
from ..progress import Work
from ..volumes import Study
from .catalogue import explain_work, method_info
from .method import MethodInfo
from .method_result import FROM_FILE
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
        The one it was made with; found by the checksum of its weights when not given. None of a
        method without a model.

    Raises
    ------
    SparseExplainError
        The record names no model, and its method takes one, or one whose weights are not known
        here; it names a method that this program does not have; a file took part in it; or what was
        explained (a drawn region) is not in the study.
    """
    info = method_info(str(record.get("method", "")))
    noted = info.in_present_names(record.get("parameters", {}))
    _check_repeatable(info, record, noted)
    if info.takes_model:
        model = _model(record, device, model)
    span = noted.get("slices")
    return (
        yield from explain_work(
            study,
            model,
            info.name,
            target=_target(noted.get("target")),
            slices=None if span is None else slice(int(span[0]), int(span[1])),
            device=device,
            frame=_frame(noted.get("frame")),
            **_values(info, noted),
        )
    )


def _check_repeatable(
    info: MethodInfo, record: Mapping[str, Any], noted: Mapping[str, Any]
) -> None:
    if info.takes_model and not record.get("model"):
        raise SparseExplainError(
            "the record names no model, so it cannot be run again",
            where=info.name,
            remedy="Run the method in its own tab",
        )
    if given := noted.get(FROM_FILE):
        raise SparseExplainError(
            f"it was made with a {', '.join(given)} from a file, which the record does not hold",
            where=info.name,
            remedy="Give the file to the command that made it",
        )


def _model(record: Mapping[str, Any], device: str | None, model: Model | None) -> Model:
    """The model of the record, or the one given, which must have its weights."""
    from ..networks.bundle.known_models import model_of_record, weights_sha256

    sha256 = str(record.get("weights_sha256", ""))
    if model is None:
        origin = str(record.get("model_origin", ""))
        return model_of_record(str(record["model"]), sha256, origin, device or "auto")
    if weights_sha256(model) != sha256:
        raise SparseExplainError(
            f"the model {model.name!r} has other weights ({weights_sha256(model)[:12]}…) than the "
            f"record says ({sha256[:12] or 'none'}…)",
            where=str(record.get("method", "")),
            remedy="Give the model that it was made with",
        )
    return model


def _values(info: MethodInfo, noted: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as they are called now. What was None was left to the method."""
    values: dict[str, Any] = {}
    for parameter in info.parameters:
        was = (new for name, old, new in parameter.in_records if noted.get(name) == old)
        if (value := noted.get(parameter.name, next(was, parameter.before))) is not None:
            values[parameter.name] = value
    return values


def _frame(noted: Any) -> list[int] | None:
    return [int(point) for point in noted] if isinstance(noted, list | tuple) else None


def _target(noted: Any) -> Target | None:
    if not isinstance(noted, Mapping):
        return None
    index = noted.get("index")
    place = None if index is None else (int(index[0]), int(index[1]), int(index[2]))
    return Target(noted["kind"], noted.get("name", ""), place)
