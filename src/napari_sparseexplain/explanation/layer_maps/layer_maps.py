"""What each layer of a network holds for a slice, laid where it belongs on the scan.

The heat map of a layer is the root mean square over its maps; single maps are chosen by their
energy, by how they agree with a mask, or by how much the output needs them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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
from .seen_layers import SeenLayers, mask_at_layer, over_slices, seen_layers

Array = npt.NDArray[np.float32]

#: Bytes of the maps of one run; more would fill a laptop's memory.
_MOST_BYTES = 3 * 2**30

#: Said of an order by agreement where there is nothing to agree with.
_EMPTY = (
    "Here {} is empty, so that no map agrees with it more than another: the first maps of the "
    "layer are shown in the network's own order."
)

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
        chosen = [seen.deepest]
    return (
        yield from layers_found(
            study, model, prepared, seen, chosen, maps=maps, order=order, target=target
        )
    )


def layers_found(
    study: Study,
    model: Model,
    prepared: Prepared,
    seen: SeenLayers,
    chosen: list[str],
    *,
    maps: int,
    order: str,
    target: Target | None = None,
    ranked: dict[tuple[str, str], LayerRanking] | None = None,
) -> Work[MethodResult]:
    """What `layer_maps_work` returns, of slices that are prepared and layers that were seen.

    Of a single slice no layer is run again, but to order maps by effect.

    Parameters
    ----------
    chosen : list of str
        Layers, in the order in which they run.
    ranked : dict, optional
        Orders found before of these slices, by layer and order; new ones are put into it.

    Raises
    ------
    ParameterError, StudyError
        As `layer_maps_work`.
    """
    _check_memory(prepared, len(chosen) * (1 + maps))
    known = {} if ranked is None else ranked
    missing = [name for name in chosen if maps and (name, order) not in known]
    notes: list[str] = []
    if maps and (missing or order == "agreement"):
        mask, notes = yield from _mask(study, model, prepared, order)
        found = yield from _rankings(study, model, prepared, seen, missing, order, target, mask)
        known |= {(ranking.layer, order): ranking for ranking in found}
    rankings = [known[name, order] for name in chosen] if maps else []
    picked: dict[str, list[int]] = {name: [] for name in chosen} | {
        ranking.layer: [int(i) for i in ranking.first(maps)] for ranking in rankings
    }
    arrays, said = yield from _laid_out(model, prepared, seen, picked, target)
    notes += said
    curves = [ranking.curve for ranking in rankings if ranking.curve is not None][-1:]
    return MethodResult(
        (*arrays, *curves),
        {name: value for ranking in rankings for name, value in ranking.scores.items()},
        (*prepared.notes, *notes, *_notes(seen, chosen)),
        target=next((ranking.target for ranking in rankings), ""),
        region=prepared.region,
    )


@dataclass(frozen=True, eq=False)
class LayerRanking:
    """The maps of a layer in an order, and what was found on the way.

    Attributes
    ----------
    values : ndarray, shape (maps,)
        Energy, correlation with the mask, or fall of the score without the map.
    """

    layer: str
    order: str
    values: npt.NDArray[np.float64]
    scores: dict[str, float | None] = field(default_factory=dict)
    curve: ExplanationMap | None = None
    target: str = ""

    def first(self, count: int) -> npt.NDArray[np.intp]:
        """The first maps; what differs from the mask the other way round agrees with it, too."""
        keys = np.abs(self.values) if self.order == "agreement" else self.values
        return np.argsort(-keys, kind="stable")[: max(0, count)]


def _rankings(
    study: Study,
    model: Model,
    prepared: Prepared,
    seen: SeenLayers,
    chosen: list[str],
    order: str,
    target: Target | None,
    mask: Array | None,
) -> Work[list[LayerRanking]]:
    """The orders of the maps of some layers."""
    if not chosen:
        return []
    statistics = {name: MapStatistics(seen.sizes[name][0]) for name in chosen}
    for row, outputs in over_slices(model, prepared, seen):
        for name in chosen:
            wanted = None
            if mask is not None:
                wanted = mask_at_layer(seen.geometries[name], mask[row], seen.sizes[name][1:])
            statistics[name].add(_finite(outputs[name])[0], wanted)
        yield Progress(row + 1, 2 * len(prepared.array), "Looking at every layer")
    if order == "energy":
        return [LayerRanking(name, order, statistics[name].energies) for name in chosen]
    if order == "agreement":
        return [_agreeing(name, statistics[name].agreements) for name in chosen]
    score = yield from score_function(model, prepared, target or _any_class(model), study=study)
    x = network_images(model, prepared.array)
    found = []
    for name in chosen:
        means = torch.from_numpy(statistics[name].means)
        values = yield from effects(score, x, name, seen.sizes[name][0], means)
        counts, kept = yield from ablation_curve(score, x, name, np.argsort(-values), means)
        curve = ExplanationMap(
            "ablation-curve",
            np.stack([counts.astype(np.float32), np.nan_to_num(kept).astype(np.float32)]),
            "response",
            f"Score without the first maps of {name}",
            space="dictionary",
        )
        scores: dict[str, float | None] = {
            f"{name}: score without {k} of {counts[-1]} maps": float(v) if np.isfinite(v) else None
            for k, v in zip(counts, kept, strict=True)
        }
        defined = None if not np.isfinite(kept).all() else curve
        found.append(LayerRanking(name, order, values, scores, defined, score.label))
    return found


def _agreeing(name: str, values: npt.NDArray[np.float64]) -> LayerRanking:
    best = float(values[np.abs(values).argmax()]) if values.any() else None
    scores: dict[str, float | None] = {f"{name}: best correlation with the mask": best}
    return LayerRanking(name, "agreement", values, scores)


def laid_on_study(
    prepared: Prepared, seen: SeenLayers, name: str, maps: npt.NDArray[np.float32]
) -> Array:
    """Maps (..., h, w) of a layer on the study's in-plane pixels."""
    height, width = prepared.array.shape[-2:]
    return prepared.to_study(seen.geometries[name].resampled(maps, (height, width)))


@dataclass(frozen=True)
class _ClassOutput:
    """The network's output, where its maps are probabilities that add to 1.

    Their root mean square is nearly the same whatever the network says, so that the probability of
    one class is shown in its place.
    """

    layer: str
    channel: int
    title: str


def _class_output(model: Model, seen: SeenLayers, target: Target | None) -> _ClassOutput | None:
    layer = list(seen.sizes)[-1]
    maps, names = seen.first.get(layer), list(model.card.classes.items())
    if maps is None or len(maps) < 2 or len(maps) != len(names):
        return None
    if maps.min() < 0 or not np.allclose(maps.sum(axis=0), 1, atol=1e-3):
        return None
    wanted = "" if target is None else target.label.casefold()
    front = [i for i, (value, _) in enumerate(names) if str(value) != "0"] or [0]
    asked = [i for i in front if names[i][1].casefold() == wanted]
    channel = (asked or front)[0]
    return _ClassOutput(layer, channel, names[channel][1])


def _laid_out(
    model: Model,
    prepared: Prepared,
    seen: SeenLayers,
    picked: dict[str, list[int]],
    target: Target | None,
) -> Work[tuple[list[ExplanationMap], list[str]]]:
    rows, columns = prepared.grid.shape[1:]
    count = len(prepared.array)
    energy = {name: np.empty((count, rows, columns), np.float32) for name in picked}
    single = {name: np.empty((len(c), count, rows, columns), np.float32)
              for name, c in picked.items()}  # fmt: skip
    output = _class_output(model, seen, target)
    undefined: dict[str, int] = {}
    for row, outputs in over_slices(model, prepared, seen):
        for name, wanted in picked.items():
            maps, lost = _finite(outputs[name])
            if lost:
                undefined[name] = undefined.get(name, 0) + lost
            if output is not None and name == output.layer:
                root = maps[output.channel : output.channel + 1]
            else:
                root = np.sqrt(np.square(maps).mean(axis=0, keepdims=True))
            laid = laid_on_study(prepared, seen, name, np.concatenate([root, maps[wanted]]))
            energy[name][row], single[name][:, row] = laid[0], laid[1:]
        yield Progress(count + row + 1, 2 * count, "Laying the maps on the scan")
    made = []
    for name, wanted in picked.items():
        number = seen.number(name)
        is_output = output is not None and name == output.layer
        words = f"probability of {output.title}" if is_output and output else "all maps (rms)"
        top = 1.0 if is_output else _upper(energy[name])
        made.append(
            ExplanationMap(
                number, energy[name], "signal", f"{name} · {words}", value_range=(0.0, top)
            )
        )
        for index, data in zip(wanted, single[name], strict=True):
            signed = bool(data.min() < 0)
            top = _upper(np.abs(data))
            made.append(
                ExplanationMap(
                    f"{number}-map-{index}", data, "signal", f"{name} · map {index}",
                    value_range=(-top if signed else 0.0, top), signed=signed,
                )
            )  # fmt: skip
    said = [
        f"{name} holds {count} values that are NaN or infinite; 0 is shown for them, and orders "
        "and scores leave them out."
        for name, count in undefined.items()
    ]
    return made, said


def _finite(maps: Array) -> tuple[Array, int]:
    """Maps with 0 for what is NaN or infinite, and how many values that are."""
    lost = int(np.count_nonzero(~np.isfinite(maps)))
    return (np.nan_to_num(maps, nan=0.0, posinf=0.0, neginf=0.0) if lost else maps), lost


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
    study: Study, model: Model, prepared: Prepared, order: str
) -> Work[tuple[Array | None, list[str]]]:
    """What maps are to agree with, on the network's pixels, and which mask that is."""
    if order != "agreement":
        return None, []
    true, role = true_mask(study, prepared.slices)
    if true is not None:
        empty = [] if true.any() else [_EMPTY.format(f"the mask {role!r}")]
        return prepared.to_network(true.astype(np.float32)), [
            f"Agreement is the correlation of a map with the mask {role!r}.",
            *empty,
        ]
    from ...networks.running.inference import predict
    from ..class_maps import network_classes

    found = yield from predict(model, prepared)
    labels = network_classes(model.card, found.mask, prepared.inside_network)
    return (labels != 0).astype(np.float32), [
        "Agreement is the correlation of a map with the model's own mask: the study has none.",
        *([] if labels.any() else [_EMPTY.format("it")]),
    ]


def _any_class(model: Model) -> Target:
    """The first class but background, where no target was given."""
    names = [name for label, name in model.card.classes.items() if str(label) != "0"]
    return Target.parse(names[0] if names else "0")


def _notes(seen: SeenLayers, chosen: list[str]) -> list[str]:
    missing = [seen.missing] if seen.missing else []
    rough = [name for name in chosen if not seen.geometries[name].measured]
    if not rough:
        return missing
    return [
        *missing,
        f"Where the pixels of {', '.join(rough[:4])}{' …' if len(rough) > 4 else ''} lie could not "
        "be measured; these maps are stretched over the image from edge to edge.",
    ]
