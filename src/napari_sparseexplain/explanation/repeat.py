"""Run an explanation again from the record that was kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import SparseExplainError
from ..evidence import Explanation
from ..progress import Work
from ..volumes import Study
from .catalogue import explain_work, method_info
from .target import Target


def repeat_work(
    record: Mapping[str, Any], study: Study, device: str | None = None
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

    Raises
    ------
    SparseExplainError
        The record names no model or a method that this program does not have, or what was
        explained (a drawn region) is not in the study.
    """
    method, model = str(record.get("method", "")), str(record.get("model", ""))
    if not model:
        raise SparseExplainError(
            "the record names no model, so it cannot be run again",
            where=method or "explanation",
            remedy="Run the method in its own tab",
        )
    noted = dict(record.get("parameters", {}))
    known = {parameter.name for parameter in method_info(method).parameters}
    span = noted.get("slices")
    return (
        yield from explain_work(
            study,
            model,
            method,
            target=_target(noted.get("target")),
            slices=None if span is None else slice(int(span[0]), int(span[1])),
            device=device or "auto",
            **{name: value for name, value in noted.items() if name in known},
        )
    )


def _target(noted: Any) -> Target | None:
    if not isinstance(noted, Mapping):
        return None
    index = noted.get("index")
    place = None if index is None else (int(index[0]), int(index[1]), int(index[2]))
    return Target(noted["kind"], noted.get("name", ""), place)
