"""The method ``layer-probes``: how well the mask can be read from each layer of a network."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...errors import StudyError
from ...networks.bundle.model import Model
from ...networks.running.preparation import Resolution, prepare
from ...progress import Progress, Work
from ...volumes import Study
from ..method_result import MethodResult
from ..segmentation import true_mask
from ..target import Target
from .linear_probe import RidgeProbe, probe_values, score_probe
from .seen_layers import mask_at_layer, over_slices, seen_layers

#: What a probe gives at each pixel of a layer, and the share of the pixel in the mask.
Reading = tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]


def layer_probes_work(
    study: Study,
    model: Model,
    *,
    target: Target | None,
    slices: slice,
    layers: str,
    resolution: Resolution,
) -> Work[MethodResult]:
    """Fit a linear probe to every layer on even slices, and judge it on odd ones.

    Slices of one scan resemble their neighbours, so the scores are those of this scan alone.

    Returns
    -------
    MethodResult
        No maps; scores by layer.

    Raises
    ------
    StudyError
        The study has no reference segmentation, or it lies on fewer than four of the slices.
    ModelError
        The model shows no layers.
    """
    true, role = true_mask(study, slices)
    lies = np.zeros(0, np.intp) if true is None else np.flatnonzero(true.any(axis=(1, 2)))
    if true is None or len(lies) < 4:
        raise StudyError(
            "a probe needs a reference segmentation on at least four slices, and there are "
            f"{len(lies)}",
            where=study.name,
            remedy="Open the study with its mask, and choose slices that hold the structure",
        )
    yield Progress(0, 0, "Preparing the slices")
    first, last = int(lies[0]), int(lies[-1])
    span = slice(slices.start + first, slices.start + last + 1)
    prepared = prepare(study, model.card, span, resolution=resolution)
    mask = prepared.to_network(true[first : last + 1].astype(np.float32))
    seen = seen_layers(model, prepared)
    chosen = seen.chosen(layers, model.name)
    probes = {name: RidgeProbe(seen.sizes[name][0]) for name in chosen}
    wanted = {
        name: [mask_at_layer(seen.geometries[name], m, seen.sizes[name][1:]) for m in mask]
        for name in chosen
    }
    total = len(prepared.array)
    for row, outputs in over_slices(model, prepared, seen):
        if row % 2 == 0:
            for name in chosen:
                probes[name].add(outputs[name], wanted[name][row])
        yield Progress(row + 1, 2 * total, "Fitting a probe to every layer")
    weights = {name: probe.weights() for name, probe in probes.items()}
    # Of each layer what its probe gives is kept, one value a pixel, and not its maps.
    read: dict[str, list[Reading]] = {name: [] for name in chosen}
    for row, outputs in over_slices(model, prepared, seen):
        for name in chosen:
            read[name].append((probe_values(weights[name], outputs[name]), wanted[name][row]))
        yield Progress(total + row + 1, 2 * total, "Reading the mask from every layer")
    found = [
        score_probe(name, weights[name], pairs[0::2], pairs[1::2]) for name, pairs in read.items()
    ]
    scores: dict[str, float | None] = {}
    for item in found:
        scores[f"{item.layer}: Dice of the probe"] = item.dice
        scores[f"{item.layer}: correlation of the probe"] = item.correlation
    note = (
        f"Probes of the mask {role!r}: fitted on slices {span.start}, {span.start + 2}, …, judged "
        "on those between, at each layer's own resolution."
    )
    notes = (*prepared.notes, *([seen.missing] if seen.missing else []), note)
    return MethodResult((), scores, notes, slices=span, region=prepared.region)
