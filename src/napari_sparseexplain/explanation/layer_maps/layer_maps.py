"""What each layer of a network holds for a slice, laid where it belongs on the scan.

The heat map of a layer is the root mean square over its maps; single maps are chosen by their
energy, by how they agree with a mask, or by how much the output needs them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from ...errors import ParameterError
from ...evidence import ExplanationMap
from ...networks.bundle.model import Model
from ...networks.running.preparation import Prepared, Resolution, prepare
from ...progress import Progress, Work
from ...volumes import Study
from ..method_result import MethodResult
from ..network_logits import network_images
from ..score_function import score_function
from ..segmentation import true_mask
from ..target import Target
from .layer_order import MapStatistics, ablation_curve, effects
from .seen_layers import SeenLayers, mask_at_layer, outputs_of_slice, over_slices, seen_layers

Array = npt.NDArray[np.float32]

#: Bytes of the maps of one run; more would fill a laptop's memory.
_MOST_BYTES = 3 * 2**30

#: Share of a map's pixels beyond its display limits, at each end.
_TAIL = 0.002


def layer_maps_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    layers: str,
    maps: int,
    order: str,
    resolution: Resolution,
) -> Work[MethodResult]:
    """The method ``layer-maps``.

    Returns
    -------
    MethodResult
        For every layer, numbered in the order in which they run: ``NN-NAME`` (root mean square
        over its maps) and ``NN-NAME-map-K`` of the chosen ones, on the study's pixels. Ordered by
        effect also ``ablation-curve``: the score without the first k maps of the last layer asked
        for, as a share of the score with all.

    Raises
    ------
    ModelError
        The model shows no layers, or has none of such a name.
    ParameterError
        The maps would take more memory than a laptop has.
    StudyError
        The study does not fit the model; the target is empty.
    """
    yield Progress(0, 0, "Preparing the slices")
    prepared = prepare(study, model.card, slices, resolution=resolution)
    seen = seen_layers(model, prepared)
    chosen = seen.chosen(layers, model.name)
    if order == "effect" and not layers.strip():
        chosen = chosen[_deepest(seen, chosen) :][:1]
    _check_memory(prepared, len(chosen) * (1 + maps))
    mask, notes = yield from _mask(study, model, prepared, slices, order)
    statistics: dict[str, MapStatistics] = {n: MapStatistics(seen.sizes[n][0]) for n in chosen}
    for row, outputs in over_slices(model, prepared):
        for name in chosen:
            wanted = None
            if mask is not None:
                size = seen.sizes[name][1:]
                wanted = mask_at_layer(seen.geometries[name], mask[row], size)
            statistics[name].add(outputs[name], wanted)
        yield Progress(row + 1, 2 * len(prepared.array), "Looking at every layer")
    curve: list[ExplanationMap] = []
    values: dict[str, npt.NDArray[np.float64]] = {}
    scores: dict[str, float | None] = {}
    label = ""
    if order == "effect":
        score = yield from score_function(model, prepared, target or _any_class(model), study=study)
        label = score.label
        x = network_images(model, prepared.array)
        for name in chosen:
            means = torch.from_numpy(statistics[name].means)
            values[name] = yield from effects(score, x, name, seen.sizes[name][0], means)
            ranked = np.argsort(-values[name])
            counts, kept = yield from ablation_curve(score, x, name, ranked, means)
            scores |= {f"{name}: score without {k} of {counts[-1]} maps": float(v)
                       for k, v in zip(counts, kept, strict=True)}  # fmt: skip
            curve = [
                ExplanationMap(
                    "ablation-curve",
                    np.stack([counts.astype(np.float32), kept.astype(np.float32)]),
                    "response",
                    f"Score without the first maps of {name}",
                    space="dictionary",
                )
            ]
    for name in chosen:
        of = statistics[name]
        if order == "energy":
            values[name] = of.energies
        elif order == "agreement":
            values[name] = of.agreements
            scores[f"{name}: best correlation with the mask"] = float(
                of.agreements[np.abs(of.agreements).argmax()]
            )
    picked = {
        name: [int(i) for i in np.argsort(-np.abs(values[name]))[: max(0, maps)]] for name in chosen
    }
    arrays = yield from _laid_out(model, prepared, seen, picked)
    notes += _notes(seen, chosen)
    return MethodResult(
        (*arrays, *curve),
        scores,
        (*prepared.notes, *notes),
        target=label,
        region=prepared.region,
    )


def layer_number(seen: SeenLayers, name: str) -> str:
    """A layer's name with its place, as maps are called: ``"03-conv2"``."""
    place = list(seen.sizes).index(name) + 1
    return f"{place:02d}-{name}".replace(" ", "").replace("(", "-call-").replace(")", "")


def laid_on_study(
    prepared: Prepared, seen: SeenLayers, name: str, maps: npt.NDArray[np.float32]
) -> Array:
    """Maps (..., h, w) of a layer on the study's in-plane pixels."""
    height, width = prepared.array.shape[-2:]
    return prepared.to_study(seen.geometries[name].resampled(maps, (height, width)))


def _laid_out(
    model: Model, prepared: Prepared, seen: SeenLayers, picked: dict[str, list[int]]
) -> Work[list[ExplanationMap]]:
    rows, columns = prepared.grid.shape[1:]
    count = len(prepared.array)
    energy = {name: np.empty((count, rows, columns), np.float32) for name in picked}
    single = {name: np.empty((len(c), count, rows, columns), np.float32)
              for name, c in picked.items()}  # fmt: skip
    for row in range(count):
        outputs = outputs_of_slice(model, prepared.array[row])
        for name, wanted in picked.items():
            maps = outputs[name]
            root = np.sqrt(np.square(maps).mean(axis=0, keepdims=True))
            laid = laid_on_study(prepared, seen, name, np.concatenate([root, maps[wanted]]))
            energy[name][row], single[name][:, row] = laid[0], laid[1:]
        yield Progress(count + row + 1, 2 * count, "Laying the maps on the scan")
    made = []
    for name, wanted in picked.items():
        number = layer_number(seen, name)
        made.append(
            ExplanationMap(
                number, energy[name], "signal", f"{name} · all maps (rms)",
                value_range=(0.0, _upper(energy[name])),
            )
        )  # fmt: skip
        for index, data in zip(wanted, single[name], strict=True):
            signed = bool(data.min() < 0)
            top = _upper(np.abs(data))
            made.append(
                ExplanationMap(
                    f"{number}-map-{index}", data, "signal", f"{name} · map {index}",
                    value_range=(-top if signed else 0.0, top), signed=signed,
                )
            )  # fmt: skip
    return made


def _upper(data: Array) -> float:
    top = float(np.quantile(data, 1 - _TAIL))
    return top if top > 0 else float(max(data.max(), 1e-6))


def _check_memory(prepared: Prepared, count: int) -> None:
    size = count * len(prepared.array) * int(np.prod(prepared.grid.shape[1:])) * 4
    if size > _MOST_BYTES:
        raise ParameterError(
            f"{count} maps of {len(prepared.array)} slices would take {size / 2**30:.1f} GB",
            remedy="Choose fewer slices, fewer maps a layer (maps=0), or some layers by name",
        )


def _mask(
    study: Study, model: Model, prepared: Prepared, slices: slice, order: str
) -> Work[tuple[Array | None, list[str]]]:
    """What maps are to agree with, on the network's pixels, and which mask that is."""
    if order != "agreement":
        return None, []
    true, role = true_mask(study, slices)
    if true is not None:
        return prepared.to_network(true.astype(np.float32)), [
            f"Agreement is the correlation of a map with the mask {role!r}."
        ]
    from ...networks.running.inference import predict
    from ..class_maps import network_classes

    found = yield from predict(model, prepared)
    labels = network_classes(model.card, found.mask, prepared.inside_network)
    return (labels != 0).astype(np.float32), [
        "Agreement is the correlation of a map with the model's own mask: the study has none."
    ]


def _any_class(model: Model) -> Target:
    """The first class but background, where no target was given."""
    names = [name for label, name in model.card.classes.items() if str(label) != "0"]
    return Target.parse(names[0] if names else "0")


def _deepest(seen: SeenLayers, chosen: list[str]) -> int:
    """The last layer of the smallest maps, as Grad-CAM takes it."""
    areas = [seen.sizes[name][1] * seen.sizes[name][2] for name in chosen]
    smallest = min(areas)
    return max(index for index, area in enumerate(areas) if area == smallest)


def _notes(seen: SeenLayers, chosen: list[str]) -> list[str]:
    rough = [name for name in chosen if not seen.geometries[name].measured]
    if not rough:
        return []
    return [
        f"Where the pixels of {', '.join(rough[:4])}{' …' if len(rough) > 4 else ''} lie could not "
        "be measured; these maps are stretched over the image from edge to edge."
    ]
