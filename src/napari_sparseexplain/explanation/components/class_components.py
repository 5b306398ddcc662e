"""What each class contributed to a scan: the method ``components`` of JF-ML-ISTA models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import SparseExplainError
from ...evidence import ExplanationMap
from ...evidence.class_ids import class_ids
from ...evidence.largest_component import in_largest_component
from ...evidence.scores import dice
from ...networks.bundle.model import Model
from ...networks.device import is_out_of_memory
from ...networks.running.inference import ACCELERATOR_MICRO_BATCH
from ...networks.running.preparation import Prepared, Resolution, prepare
from ...progress import Progress, Work
from ...volumes import Study
from ...volumes.labels.reference_mask import ReferenceMask, reference_mask
from ...volumes.labels.tumour import REGIONS
from ..class_maps import class_report
from ..class_regions import predicted_region
from ..method_result import MethodResult
from ..segmentation import no_truth_note
from ..target import Target
from .scores import in_class_energy, mutual_coherence
from .slice_decomposition import SliceDecomposition, decompose_slices
from .sparse_parameters import class_names, parameter_table, sparse_network

Array = npt.NDArray[np.float32]

_PIECE = "mask-largest-component"


@dataclass
class _Gathered:
    """What is kept of a volume while its slices pass: pictures and sums, never its codes."""

    components: Array
    residual: Array
    logits: Array
    active: list[Array] = field(default_factory=list)
    infeasibility: list[Array] = field(default_factory=list)


def components_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    alpha: float,
    outer: int,
    resolution: Resolution,
) -> Work[MethodResult]:
    """Decompose some slices of a study.

    Returns
    -------
    MethodResult
        ``component-<class>-<role>`` for every class and modality, ``residual-<role>``,
        ``reconstruction-<role>``, ``logit-<class>``, ``mask``, of several slices also
        ``mask-largest-component``, and the mutual coherence of the dictionaries. Components of a
        modality and its residual add to the scan normalised to (0, 1). Scores say how specific
        the components are.

    Raises
    ------
    StudyError, ModelError
        The study does not fit the model, or the model has no components.
    """
    network = sparse_network(model)
    names = class_names(model)
    yield Progress(0, 0, "Preparing the slices")
    prepared = prepare(study, model.card, slices, resolution=resolution)
    notes = [*prepared.notes]
    found = yield from _decompose(model, prepared, alpha, outer, notes)
    maps, logits = decomposition_maps(
        model, prepared, found.components, found.residual, found.logits
    )
    if slices.stop - slices.start > 1:
        maps.append(_piece_map(next(item for item in maps if item.name == "mask")))
    maps.append(_coherence_map(mutual_coherence(network), names))
    silent = np.asarray(
        decompose_slices(model, np.zeros_like(prepared.array[:1])).silent_logits, dtype=np.float32
    )
    scores, said = component_scores(study, model, prepared, maps, logits, silent)
    scores |= _sums(found, prepared, names, network.classes)
    notes += said
    shares = np.mean(found.active, axis=0) if found.active else None
    table = parameter_table(model, None if shares is None else shares.tolist())
    for row in table:
        for flag, sentence in zip(row.flags, row.sentences, strict=True):
            notes.append(f"{row.class_name}, layer {row.layer}: {flag}. {sentence}")
    return MethodResult(
        tuple(maps),
        scores,
        tuple(notes),
        region=prepared.region,
        decided={"outer": outer or network.outer},
    )


def decomposition_maps(
    model: Model, prepared: Prepared, components: Array, residual: Array, logits: Array
) -> tuple[list[ExplanationMap], Array]:
    """Every map of a decomposition on the study's pixels, and the logits there (N, m, P, L).

    Parameters
    ----------
    components : ndarray, shape (N, m, n, H, W)
    residual : ndarray, shape (N, n, H, W)
    logits : ndarray, shape (N, m, H, W)

    Raises
    ------
    ModelError
        The card names another number of classes than the network has.
    """
    names = class_names(model)
    maps = component_maps(prepared, components, residual, names, model.card.inputs.roles)
    # Outside there is no class: all logits are 0 there, which is that of no class.
    values = prepared.heat_to_study(logits)
    for c, (name, short) in enumerate(zip(names, class_ids(names), strict=True)):
        maps.append(
            ExplanationMap(
                f"logit-{short}", values[:, c], "signal", f"Logit of {name}", signed=True
            )
        )
    named = {int(v): n for v, n in model.card.classes.items() if int(v) != 0}
    title = f"{model.card.title} mask"
    labels = likeliest_labels(model, values, prepared.inside)
    maps.append(ExplanationMap("mask", labels, "segmentation", title, classes=named))
    return maps, values


def component_maps(
    prepared: Prepared,
    components: Array,
    residual: Array,
    names: tuple[str, ...],
    roles: tuple[str, ...],
) -> list[ExplanationMap]:
    """Components, reconstruction and residual on the study's pixels, with one scale a modality.

    Parameters
    ----------
    components : ndarray, shape (N, m, n, H, W)
    residual : ndarray, shape (N, n, H, W)
    """
    maps = []
    ids = class_ids(names)
    for i, role in enumerate(roles):
        # All classes of a modality share one scale about 0, so that they can be compared.
        parts = [prepared.to_study(components[:, c, i]) for c in range(len(names))]
        limit = max(float(np.abs(p).max()) for p in parts) or 1.0
        shared: dict[str, Any] = {"value_range": (-limit, limit), "range_scope": "shared"}
        for c, name in enumerate(names):
            maps.append(
                ExplanationMap(
                    f"component-{ids[c]}-{role}",
                    parts[c],
                    "component",
                    f"{name.capitalize()} in {role}",
                    signed=True,
                    **shared,
                )
            )
        left = prepared.to_study(residual[:, i])
        rebuilt = prepared.to_study(components[:, :, i].sum(axis=1))
        maps.append(
            ExplanationMap(
                f"reconstruction-{role}",
                rebuilt,
                "signal",
                f"Reconstruction of {role}",
                value_range=(0.0, 1.0),
                range_scope="shared",
            )
        )
        maps.append(
            ExplanationMap(
                f"residual-{role}",
                left,
                "component",
                f"Not explained in {role}",
                signed=True,
                **shared,
            )
        )
    return maps


def component_scores(
    study: Study,
    model: Model,
    prepared: Prepared,
    maps: list[ExplanationMap],
    logits: Array,
    silent: Array,
) -> tuple[dict[str, float | None], list[str]]:
    """In-class energy, Dice of the regions, and what each loses without one class's codes.

    Returns
    -------
    scores, notes
    """
    names, ids = class_names(model), class_ids(class_names(model))
    roles = model.card.inputs.roles
    values = [int(v) for v in model.card.classes]
    by_name: Mapping[str, ExplanationMap] = {m.name: m for m in maps}
    mask = np.asarray(by_name["mask"].data)
    scores, notes = class_report(prepared, mask, by_name["mask"].classes)
    truth = reference_mask(study, prepared.slices)
    if truth is None:
        labels = mask
        notes.append(
            "In-class energy is against the model's own classes: there is no reference "
            "segmentation."
        )
        notes += [said] if (said := no_truth_note(study)) else []
    else:
        labels = truth.own_labels()
        notes.append(f"Scores are against the mask {truth.role!r}.")
        notes += [truth.note] if truth.note else []
    brain = np.zeros(mask.shape, dtype=np.bool_)
    for r in roles:
        brain |= np.asarray(by_name[f"reconstruction-{r}"].data) != 0
    if prepared.inside is not None:
        brain &= prepared.inside
    if truth is None or truth.tells_parts:
        table = np.zeros(256, dtype=np.intp)
        for c, value in enumerate(values):
            table[value] = c
        channels = table[labels.astype(np.uint8)]
        for c, name in enumerate(names):
            energy = sum(
                np.square(np.asarray(by_name[f"component-{ids[c]}-{r}"].data)) for r in roles
            )
            share = in_class_energy(np.asarray(energy), channels, c)
            scores[f"in-class energy, {name}"] = share
            inside = (channels == c) & brain
            scores[f"area share, {name}"] = float(inside.sum() / max(1, brain.sum()))
    if truth is None:
        return scores, notes
    whole = region_dice(model, likeliest_labels(model, logits, prepared.inside), truth)
    scores |= {f"Dice {r}": value for r, value in whole.items()}
    if _PIECE in by_name:
        found = region_dice(model, np.asarray(by_name[_PIECE].data), truth)
        scores |= {f"Dice {r}, largest connected component": value for r, value in found.items()}
    for c, name in enumerate(names):
        without = logits.copy()
        without[:, c] = silent[c]
        left = region_dice(model, likeliest_labels(model, without, prepared.inside), truth)
        for r, before in whole.items():
            value = left[r]
            lost = None if value is None or before is None else before - value
            scores[f"Dice {r} lost without {name}"] = lost
    return scores, notes


def region_dice(
    model: Model, labels: npt.NDArray[np.integer], truth: ReferenceMask
) -> dict[str, float | None]:
    """Dice of those regions that the model and the mask both tell apart."""
    found = {r: (predicted_region(model.card, labels, r), truth.region(r)) for r in REGIONS}
    return {
        r: dice(predicted, true)
        for r, (predicted, true) in found.items()
        if predicted is not None and true is not None
    }


def likeliest_labels(
    model: Model, logits: Array, inside: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.uint8]:
    """Label value of the likeliest class, from logits (N, m, rows, columns); 0 outside.

    Parameters
    ----------
    inside : ndarray of bool, shape (N, rows, columns), or None
        `Prepared.inside`: None for everywhere.
    """
    values = np.asarray([int(v) for v in model.card.classes], dtype=np.uint8)
    labels = values[logits.argmax(axis=1)]
    return labels if inside is None else np.where(inside, labels, np.uint8(0))


def _sums(
    found: _Gathered, prepared: Prepared, names: tuple[str, ...], classes: int
) -> dict[str, float | None]:
    scores: dict[str, float | None] = {}
    power = float(np.square(prepared.array, dtype=np.float64).sum())
    left = float(np.square(found.residual, dtype=np.float64).sum())
    scores["residual, share of the norm"] = float(np.sqrt(left / power)) if power > 0 else None
    if found.active:
        active = np.mean(found.active, axis=0)
        below = np.mean(found.infeasibility, axis=0)
        for c in range(classes):
            scores[f"codes in use, {names[c]}"] = float(active[c, -1])
            scores[f"infeasibility, {names[c]}"] = float(below[c])
    return scores


def _piece_map(mask: ExplanationMap) -> ExplanationMap:
    """The mask without the pieces apart from the largest one: what single slices mistook."""
    return ExplanationMap(
        _PIECE,
        in_largest_component(np.asarray(mask.data)),
        "segmentation",
        f"{mask.title}, largest connected component",
        classes=mask.classes,
    )


def _coherence_map(coherence: npt.NDArray[np.float64], names: tuple[str, ...]) -> ExplanationMap:
    return ExplanationMap(
        "mutual-coherence",
        coherence.astype(np.float32),
        "parameter map",
        "Mutual coherence of the classes' dictionaries: " + ", ".join(names),
        space="dictionary",
        value_range=(0.0, 1.0),
        range_scope="shared",
    )


def _decompose(
    model: Model, prepared: Prepared, alpha: float, outer: int, notes: list[str]
) -> Work[_Gathered]:
    """All slices in pieces that fit the device; a slice without brain is run once for all."""
    array = prepared.array
    held = array.any(axis=(1, 2, 3))
    if not held.any():
        raise SparseExplainError(
            "the chosen slices hold no brain, so there is nothing to decompose",
            remedy="Choose other slices",
        )
    blank = np.flatnonzero(~held)
    chosen = np.sort(np.concatenate([np.flatnonzero(held), blank[:1]]))
    size = 1 if model.device.type == "cpu" else ACCELERATOR_MICRO_BATCH
    kept: _Gathered | None = None
    start = 0
    while start < len(chosen):
        rows = chosen[start : start + size]
        found = _smaller_when_full(
            lambda rows=rows: decompose_slices(model, array[rows], alpha=alpha, outer=outer), size
        )
        if found is None:
            size = max(1, size // 2)
            note = f"The memory of {model.device} was not enough; {size} slices at a time."
            notes.append(note)
            yield Progress(start, len(chosen), note)
            continue
        if kept is None:
            kept = _empty_like(found, len(array))
        kept.components[rows] = found.components
        kept.residual[rows] = found.residual
        kept.logits[rows] = found.logits
        if array[rows].any():
            kept.active.append(found.active)
            kept.infeasibility.append(found.infeasibility)
        start += len(rows)
        message = f"{model.card.title}: slice {start} of {len(chosen)}"
        yield Progress(start, len(chosen), message)
    assert kept is not None
    for maps in (kept.components, kept.residual, kept.logits):
        maps[blank[1:]] = maps[blank[:1]]
    return kept


def _smaller_when_full(
    run: Callable[[], SliceDecomposition], size: int
) -> SliceDecomposition | None:
    """The result, or None when memory ran out and a smaller piece may fit."""
    try:
        return run()
    except RuntimeError as error:
        if size == 1 or not is_out_of_memory(error):
            raise  # a single slice that does not fit is run on the CPU by whoever called
    return None


def _empty_like(found: SliceDecomposition, count: int) -> _Gathered:
    def room(array: Array) -> Array:
        return np.empty((count, *array.shape[1:]), dtype=np.float32)

    return _Gathered(room(found.components), room(found.residual), room(found.logits))
