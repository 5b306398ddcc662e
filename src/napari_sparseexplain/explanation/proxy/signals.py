"""The signals inside a segmentation network: the five columns of Fig. 2, for any α.

Source: Zavala-Mondragón et al., "Segmentation CNNs are denoising models", Fig. 2, 5 and 7 and
Appendix D: input · Lin. ED (the encoder-decoder with its thresholds at zero) · Inp. sig. O.L.
(ĉ, what it hands to the output layer at the chosen α) · estimated mask · reference segmentation.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ...evidence import ExplanationMap
from ...networks.bundle.model import Model
from ...networks.running.inference import ACCELERATOR_MICRO_BATCH, network_tensor
from ...networks.running.preparation import Prepared, Resolution, prepare
from ...progress import Progress, Work
from ...volumes import Study
from ..class_maps import class_maps, class_report
from ..method_result import MethodResult
from ..segmentation import scores_against_study, true_mask
from ..target import Target
from .band_signals import Band, by_level, joined, listening
from .responses import ODDNESS_NOTE, output_names

Maps = npt.NDArray[np.float32]

#: Display limits of a signal leave out this share of its voxels at each end.
_TAIL = 0.002

NO_LINEAR_PART = (
    "No linear ED: this network is not linear at any setting, so only its input, the signal "
    "before the output layer and the mask are shown."
)


@dataclass(frozen=True, eq=False)
class Signals:
    """Signals of some slices at one α, on the network's pixels.

    Attributes
    ----------
    alpha : float
        Factor on the thresholds.
    input : ndarray, shape (N, roles, H, W)
        In (0, 1).
    linear : ndarray, shape (N, classes, H, W), or None
        Lin. ED; None for a network that has no linear part.
    signal : ndarray, shape (N, classes, H, W)
        ĉ, before the output layer.
    mask : ndarray, shape (N, classes, H, W)
        After it: probabilities, or the restored image of a denoiser.
    bands : mapping of str to Band
        Empty when they were not asked for, and for a network without shrinkages.
    """

    alpha: float
    input: Maps
    linear: Maps | None
    signal: Maps
    mask: Maps
    bands: Mapping[str, Band] = field(default_factory=dict)


#: Lin. ED of prepared slices, for as long as they and their network live: it does not depend on
#: α, so a slider need not compute it twice. Weights are taken not to change under inference.
_LINEAR: weakref.WeakKeyDictionary[Prepared, weakref.WeakKeyDictionary[nn.Module, Maps | None]] = (
    weakref.WeakKeyDictionary()
)


def slice_signals(
    model: Model, prepared: Prepared, alpha: float = 1.0, *, bands: bool = True
) -> Signals:
    """Signals of a few prepared slices, at once: the path of the α slider.

    After the first call on ``prepared``, a new α costs exactly one forward pass.

    Parameters
    ----------
    prepared : Prepared
        One slice as `prepare` gives it (``prepare(study, card, slice(80, 81))``).
    bands : bool
        Also listen to the bands of every level, during the same pass.

    Raises
    ------
    ModelError
        ``alpha`` is not 1 for a network that has no thresholds.
    """
    linear = linear_signal(model, prepared)
    with torch.inference_mode():
        mask, signal, heard = _pass(model, prepared.array, alpha, bands)
    return Signals(alpha, prepared.array, linear, signal, mask, heard)


def linear_signal(model: Model, prepared: Prepared) -> Maps | None:
    """Lin. ED of prepared slices (N, classes, H, W), computed once; None without a linear part."""
    shelf = _LINEAR.setdefault(prepared, weakref.WeakKeyDictionary())
    if model.network not in shelf:
        with torch.inference_mode():
            shelf[model.network] = _linear_pass(model, prepared.array)
    return shelf[model.network]


def signal_maps(
    model: Model, prepared: Prepared, signals: Signals, *, threshold: float = 0.5
) -> list[ExplanationMap]:
    """The columns of Fig. 2 on the study's pixels (N, P, L), without the reference segmentation.

    The names are those that `signals_work` gives, so a viewer can put a new α into the layers
    that it already shows.

    Parameters
    ----------
    threshold : float
        Probability from which a voxel is in the mask.
    """
    card, roles = model.card, model.card.inputs.roles
    maps: list[ExplanationMap] = []

    def add(name: str, title: str, array: Maps, **options: Any) -> None:
        data = prepared.to_study(array)
        if "value_range" not in options:
            options["value_range"] = _limits(data, options.get("signed", False))
        maps.append(ExplanationMap(name, data, "signal", title, **options))

    unit: dict[str, Any] = {"value_range": (0.0, 1.0), "range_scope": "shared"}
    for channel, role in enumerate(roles):
        name, title = ("input", "Input") if len(roles) == 1 else (f"input-{role}", f"Input {role}")
        add(name, title, signals.input[:, channel], **unit)
    for channel, (ending, of) in enumerate(_endings(model, signals.signal.shape[1])):
        if signals.linear is not None:
            add("lin-ed" + ending, "Linear ED (α = 0)" + of, signals.linear[:, channel])
        add(
            "signal" + ending,
            f"Signal before the output layer (α = {signals.alpha:g}){of}",
            signals.signal[:, channel],
            signed=card.task == "segmentation",
        )
    if card.task == "segmentation":
        mapped = class_maps(model, prepared, signals.mask, threshold)
        title = "Estimated mask"
        maps.append(
            ExplanationMap(
                "mask", mapped.labels, "segmentation", title, classes=dict(mapped.classes)
            )
        )
    else:
        for channel, (ending, of) in enumerate(_endings(model, signals.mask.shape[1])):
            add("restored" + ending, "Restored image" + of, signals.mask[:, channel], **unit)
    for band in signals.bands.values():
        if band.before is None or band.after is None:
            continue
        limits = _limits(np.stack([band.before, band.after]), False)
        shared: dict[str, Any] = {"value_range": (0.0, limits[1]), "range_scope": "shared"}
        level = f"Band {band.level}"
        add(f"band-{band.level}-before", f"{level} before shrinkage", band.before, **shared)
        add(f"band-{band.level}-after", f"{level} after shrinkage", band.after, **shared)
    return maps


def signals_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    alpha: float,
    threshold: float,
    bands: bool,
    resolution: Resolution,
) -> Work[MethodResult]:
    """The method ``signals``: the columns of Fig. 2 for a range of slices.

    Returns
    -------
    MethodResult
        Maps ``input``, ``lin-ed``, ``signal``, ``mask`` (or ``restored`` of a denoiser) and
        ``reference-segmentation`` when the study has one; for several roles or classes with their
        names behind.
        With ``bands`` also ``band-L-before`` and ``band-L-after`` of every level, and the share
        that each level suppressed.

    Raises
    ------
    StudyError, ModelError
        The study does not fit the model, or α is not 1 for a network without thresholds.
    """
    yield Progress(0, 0, "Preparing the slices")
    prepared = prepare(study, model.card, slices, resolution=resolution)
    found = yield from _run(model, prepared, alpha, bands)
    maps = signal_maps(model, prepared, found, threshold=threshold)
    scores: dict[str, float | None] = {}
    notes = [*prepared.notes]
    if model.card.task == "segmentation":
        true, _ = true_mask(study, slices)
        if true is not None:
            maps.append(_true_mask(true))
        labels = next(item.data for item in maps if item.name == "mask")
        mask_map = next(item for item in maps if item.name == "mask")
        dropped = class_maps(model, prepared, found.mask, threshold).dropped
        volumes, about = class_report(prepared, labels, mask_map.classes, dropped)
        scores, said = scores_against_study(study, labels, slices)
        scores |= volumes
        notes += [*about, *said]
    scores |= suppression_scores(found.bands)
    notes.append(NO_LINEAR_PART if found.linear is None else ODDNESS_NOTE)
    return MethodResult(tuple(maps), scores, tuple(notes), region=prepared.region)


def suppression_scores(bands: Mapping[str, Band]) -> dict[str, float | None]:
    """What each level suppressed, as scores with names for a person."""
    scores: dict[str, float | None] = {}
    for side, levels in by_level(bands).items():
        for level, (energy, zeroed) in levels.items():
            scores[f"{side} level {level}: energy suppressed"] = energy
            scores[f"{side} level {level}: coefficients zeroed"] = zeroed
    return scores


def _run(model: Model, prepared: Prepared, alpha: float, bands: bool) -> Work[Signals]:
    """All slices in micro-batches; a slice without brain is run once and stands for all."""
    size = 1 if model.device.type == "cpu" else ACCELERATOR_MICRO_BATCH
    held = prepared.array.any(axis=(1, 2, 3))
    blank = np.flatnonzero(~held)
    chosen = np.sort(np.concatenate([np.flatnonzero(held), blank[:1]]))
    # Where each slice finds its result: itself, or the first blank one.
    place = np.zeros(len(prepared.array), dtype=np.intp)
    place[chosen] = np.arange(len(chosen))
    if blank.size:
        place[blank] = place[blank[0]]
    parts: list[tuple[Maps | None, Maps, Maps]] = []
    heard: list[dict[str, Band]] = []
    for start in range(0, len(chosen), size):
        array = prepared.array[chosen[start : start + size]]
        with torch.inference_mode():
            linear = _linear_pass(model, array)
            mask, signal, found = _pass(model, array, alpha, bands)
        parts.append((linear, signal, mask))
        heard.append(found)
        done = min(start + size, len(chosen))
        yield Progress(done, len(chosen), f"{model.card.title}: slice {done} of {len(chosen)}")

    def gathered(item: int) -> Maps | None:
        values = [part[item] for part in parts]
        if any(v is None for v in values):
            return None
        return np.concatenate(cast(list[Maps], values))[place]

    signal, mask = gathered(1), gathered(2)
    assert signal is not None
    assert mask is not None
    spread = {name: _spread(band, place) for name, band in joined(heard).items()}
    return Signals(alpha, prepared.array, gathered(0), signal, mask, spread)


def _spread(band: Band, place: npt.NDArray[np.intp]) -> Band:
    """A band whose pictures are repeated for slices that share one; its sums are left as run."""
    if band.before is None or band.after is None:
        return band
    return Band(
        band.name,
        band.level,
        band.energy_before,
        band.energy_after,
        band.zeroed,
        band.nonzero,
        band.before[place],
        band.after[place],
    )


def _linear_pass(model: Model, array: Maps) -> Maps | None:
    linear = getattr(model.network, "linear", None)
    if not callable(linear):
        return None
    x = network_tensor(array, model.device)
    return cast(torch.Tensor, linear(x)).float().cpu().numpy()


def _pass(
    model: Model, array: Maps, alpha: float, bands: bool
) -> tuple[Maps, Maps, dict[str, Band]]:
    """Mask, signal and bands of one forward pass."""
    with listening(model.network) if bands else nullcontext({}) as heard:
        mask, signal = model.network(network_tensor(array, model.device), alpha)
    return mask.float().cpu().numpy(), signal.float().cpu().numpy(), dict(heard)


def _endings(model: Model, outputs: int) -> list[tuple[str, str]]:
    """What tells the maps of several classes apart, in names and in titles; nothing for one."""
    if outputs == 1:
        return [("", "")]
    names = output_names(model, outputs)
    return [("-" + name.lower().replace(" ", "-"), f" · {name}") for name in names]


def _true_mask(true: npt.NDArray[np.bool_]) -> ExplanationMap:
    return ExplanationMap(
        "reference-segmentation",
        true.astype(np.uint8),
        "segmentation",
        "Reference segmentation",
        classes={1: "lesion"},
    )


def _limits(array: npt.NDArray[Any], signed: bool) -> tuple[float, float]:
    """Limits that leave out the tails; symmetric about zero for a signed map."""
    low, high = (float(v) for v in np.quantile(array, (_TAIL, 1 - _TAIL)))
    if signed:
        top = max(abs(low), abs(high), 1e-12)
        return -top, top
    return (low, high) if high > low else (low, low + 1.0)
