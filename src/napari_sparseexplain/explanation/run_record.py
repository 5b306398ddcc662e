"""The provenance of one run: which files, which weights, which parameters, where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..evidence import Provenance
from ..volumes import Source, Study
from .target import Target

if TYPE_CHECKING:
    from ..networks.bundle import Model


def run_record(
    study: Study | None,
    model: Model,
    method: str,
    parameters: Mapping[str, Any],
    *,
    slices: slice | None = None,
    target: Target | None = None,
    roles: Iterable[str] | None = None,
    seed: int | None = None,
    device: str = "",
) -> Provenance:
    """What a person needs to run ``method`` again and get the same array.

    Parameters
    ----------
    study : Study or None
        None for a method that looks at the model alone (an impulse response).
    roles : iterable of str, optional
        Volumes used; those that the card asks for when not given.
    device : str
        Where it ran, if that was not the model's own device in the end.
    """
    used = model.card.inputs.roles if roles is None else tuple(roles)
    noted = dict(parameters)
    if slices is not None:
        noted["slices"] = [slices.start, slices.stop]
    if target is not None:
        noted["target"] = {
            "kind": target.kind,
            "name": target.name,
            "index": None if target.index is None else list(target.index),
        }
    inputs = {} if study is None else {r: input_record(study, r) for r in used if r in study}
    return Provenance(
        method=method,
        parameters=noted,
        model=model.card.name,
        weights_sha256=model.card.weights_sha256,
        inputs=inputs,
        seed=seed,
        device=device or str(model.device),
    )


def input_record(study: Study, role: str) -> dict[str, str]:
    """File name and checksum of a volume, as it was on file before any resampling."""
    volume = study.originals.get(role, study[role])
    paths = volume.source.paths
    if not paths:
        return {"path": volume.source.description or role, "sha256": ""}
    name = paths[0].name if len(paths) == 1 else f"{paths[0].parent.name}/ ({len(paths)} files)"
    if not all(path.is_file() for path in paths):
        return {"path": name, "sha256": ""}  # moved away since it was opened: not known
    stamps = tuple((str(path), path.stat().st_mtime_ns) for path in paths)
    return {"path": name, "sha256": _checksum(_Hashed(volume.source, stamps))}


class _Hashed:
    """A source compared by its files and their times, so that each is read for its sum once."""

    def __init__(self, source: Source, stamps: tuple[tuple[str, int], ...]) -> None:
        self.source = source
        self.stamps = stamps

    def __hash__(self) -> int:
        return hash(self.stamps)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and other.stamps == self.stamps


@lru_cache(maxsize=256)
def _checksum(key: _Hashed) -> str:
    return key.source.checksum()
