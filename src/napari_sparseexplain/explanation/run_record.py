"""The record of one run: which files, which weights, which parameters, where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import StudyError
from ..evidence import Explanation, Provenance
from ..evidence.provenance import package_versions
from ..families import OWN
from ..volumes import Study
from ..volumes.checksum import volume_checksum
from .method import MethodInfo
from .method_result import MethodResult
from .target import Target

if TYPE_CHECKING:
    from ..networks.bundle.model import Model
    from ..networks.bundle.model_card import ModelCard
    from ..networks.running.input_region import InputRegion


def recorded(
    info: MethodInfo,
    study: Study | None,
    model: Model | None,
    values: Mapping[str, Any],
    found: MethodResult,
    *,
    slices: slice | None,
    target: Target | None,
    package: str,
    frame: Sequence[int] = (),
) -> Explanation:
    """What a method found, with the record of its run.

    Parameters
    ----------
    model : Model or None
        None of a method without one.
    values : mapping
        Every parameter of the method, as it was run.
    slices : slice or None
        Those asked for.
    package : str
        The distribution that brings the method; its version is noted.
    frame : sequence of int
        The one asked for; noted where it was.

    Raises
    ------
    ValueError
        The method makes a heat map and does not say what its values are.
    """
    if info.heat is None and any(item.kind == "heatmap" for item in found.maps):
        raise ValueError(
            f"the method {info.name!r} makes a heat map, so its MethodInfo must say what its "
            "values are: heat='contribution' or heat='gradient'"
        )
    span = found.slices or slices
    looked_at = study if info.takes_study else None
    noted = {**values, **found.decided}
    record = run_record(
        looked_at,
        model,
        info.name,
        noted,
        slices=span if info.takes_slices else None,
        target=target,
        seed=noted.get("seed"),
        device=found.device,
        region=found.region,
        package=package,
        inputs=found.inputs,
        frame=frame,
    )
    return Explanation(
        method=info.name,
        maps=found.maps,
        provenance=record,
        grid=None if looked_at is None else looked_at.grid,
        slices=slice(0, 0) if looked_at is None or span is None else span,
        target=found.target,
        scores=found.scores,
        notes=found.notes,
    )


def run_record(
    study: Study | None,
    model: Model | None,
    method: str,
    parameters: Mapping[str, Any],
    *,
    slices: slice | None = None,
    target: Target | None = None,
    seed: int | None = None,
    device: str = "",
    region: InputRegion | None = None,
    package: str = OWN,
    inputs: Sequence[str] | None = None,
    frame: Sequence[int] = (),
) -> Provenance:
    """What a person needs to run ``method`` again and get the same array.

    Parameters
    ----------
    study : Study or None
        None for a method that looks at the model alone (an impulse response).
    model : Model or None
        None of a method without one.
    device : str
        Where it ran, if that was not the model's own device in the end.
    region : InputRegion, optional
        Where the network was fed the scans: `Prepared.region`.
    package : str
        The distribution that brings the method.
    inputs : sequence of str, optional
        Roles of the scans used; those of the model, or all without one, when not given.
    frame : sequence of int
        Point along the leading axes; noted where one was chosen.
    """
    from ..networks.bundle.known_models import model_origin, weights_sha256

    noted = dict(parameters)
    if slices is not None:
        noted["slices"] = [slices.start, slices.stop]
    if frame:
        noted["frame"] = list(frame)
    if target is not None:
        noted["target"] = {
            "kind": target.kind,
            "name": target.name,
            "index": None if target.index is None else list(target.index),
        }
    shown = () if study is None else tuple(study.images)
    roles = inputs or (shown if model is None else model.card.inputs.roles)
    return Provenance(
        method=method,
        parameters=noted,
        model="" if model is None else model.card.name,
        weights_sha256="" if model is None else weights_sha256(model),
        inputs={} if study is None else {r: input_record(study, r) for r in roles if r in study},
        seed=seed,
        device=device or ("cpu" if model is None else str(model.device)),
        versions=package_versions(package),
        model_origin="" if model is None else model_origin(model),
        input_mask={} if region is None or model is None else fed_as(model.card, region),
    )


def fed_as(card: ModelCard, region: InputRegion) -> dict[str, Any]:
    """How the network was fed the scans: where, and by which normalisation."""
    return {**region.facts, "normalisation": card.inputs.way.plain}


def input_record(study: Study, role: str) -> dict[str, str]:
    """Checksum of a volume as it was on file before any resampling; its file is known by it.

    No name and no path: a record leaves with its maps, and files are called after patients.
    """
    volume = study.originals.get(role, study[role])
    try:
        return {"sha256": volume_checksum(volume)}
    except StudyError:  # moved away since it was opened: not known
        return {"sha256": ""}
