"""Every figure by which a map is trusted, for one method on the slices of one study.

Figures that ask the network a few dozen times are taken on every slice; those that make the map
anew each time (max-sensitivity, weight randomisation), on the slice with the largest target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from torch import nn

from ...errors import SparseExplainError
from ...evidence.attribution_scores import (
    Figures,
    Localisation,
    centre_map,
    edges_of_channels,
    importance,
    localisation,
    localisation_figures,
    mean_figures,
    mean_localisation,
    random_map,
)
from ...networks.bundle.model_card import in_unit_range
from ...progress import Work, drain
from ...volumes.captions import slice_caption
from ..attribution.frame import SUM_ERROR
from ..attribution.gap_advice import MORE_STEPS, advice_in
from ..catalogue import method_info
from ..method import HeatMeaning
from .explained_slices import ExplainedSlices
from .heat import Heat
from .infidelity import infidelity, max_sensitivity
from .insertion_deletion import blurred, insertion_deletion
from .performance_information_curve import (
    InformationCurve,
    InformationCurves,
    as_bytes,
    as_network_input,
    information_curve,
    reveal,
    seed_pixels,
)
from .weight_randomisation import Randomisation, randomise_cascading, untrained

#: What can be asked for; the localisation and the completeness error are always there.
KINDS = ("insertion-deletion", "pic", "infidelity", "max-sensitivity", "randomisation")

#: Names of the figures, in the order of tables, and which way is better.
FIGURES: Mapping[str, str] = {
    "completeness error": "lower",
    "insertion AUC": "higher",
    "deletion AUC": "lower",
    "SIC": "higher",
    "AIC": "higher",
    "SIC skipped": "",
    "AIC skipped": "",
    "infidelity": "lower",
    "max-sensitivity": "lower",
    "parameter randomisation": "lower",
    "parameter randomisation, head": "lower",
}

#: The same with the one that only a method which samples has, beside the error that it is part of.
ALL_FIGURES: Mapping[str, str] = {
    "completeness error": "lower",
    SUM_ERROR: "lower",
    **FIGURES,
}

#: Pixels that a fixed mask must have for ranks inside it to be compared.
_LEAST_REGION = 64

#: Images that are asked about at once; the network takes them in the portions its device likes.
_TOGETHER = 16

#: Baselines of the table: maps that know nothing of the network.
RANDOM, EDGES, CENTRE = "random map", "edge map", "head-centre Gaussian"
REFERENCES = (RANDOM, EDGES, CENTRE)

#: What stands behind a method's name for its map of the network with random weights.
UNTRAINED = "random weights"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Effort:
    """How much is computed.

    Attributes
    ----------
    kinds : tuple of str
        From `KINDS`.
    steps : int
        Points of the insertion and deletion curves.
    perturbations : int
        For infidelity.
    neighbours : int
        Noisy images for max-sensitivity, one map each.
    stages : int
        Stages of the randomisation, one map each.
    seed : int
    """

    kinds: tuple[str, ...] = KINDS
    steps: int = 20
    perturbations: int = 32
    neighbours: int = 4
    stages: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in KINDS:
                raise SparseExplainError(
                    f"there is no score {kind!r}", remedy="The scores are: " + ", ".join(KINDS)
                )


@dataclass(frozen=True, eq=False)
class MapFigures:
    """What one method's maps of one study scored.

    Attributes
    ----------
    method : str
    localisation : Localisation or None
        Means over slices; None where the study has no reference segmentation of the target.
    figures : mapping of str to float or None
        By the names of `ALL_FIGURES`; a figure that was not asked for is missing, one that does not
        apply is None.
    randomisation : Randomisation or None
    notes : tuple of str
        Why a figure does not apply, which images were skipped.
    advice : str
        What would close a completeness error.
    """

    method: str
    localisation: Localisation | None
    figures: Figures
    randomisation: Randomisation | None = None
    notes: tuple[str, ...] = ()
    advice: str = MORE_STEPS


def map_figures(
    slices: ExplainedSlices,
    method: str,
    parameters: Mapping[str, Any] | None = None,
    effort: Effort | None = None,
) -> Work[MapFigures]:
    """Run a method on the slices and score its maps.

    Raises
    ------
    SparseExplainError
        The method does not fit the model, or makes no heat map.
    """
    chosen = effort or Effort()
    values = dict(parameters or {})
    roles = slices.model.card.inputs.roles
    explanation = yield from _named(slices.explain(method, values), method)
    heat = Heat.of(explanation, roles)
    found = yield from heat_figures(slices, heat, method, chosen)
    figures: dict[str, float | None] = {**heat.sums(), **found.figures}
    notes = list(found.notes)
    place = slices.largest()

    def maps(images: npt.NDArray[np.float32], network: nn.Module | None = None) -> Any:
        places = np.full(len(images), place)
        again = drain(slices.explain(method, values, images, places=places, network=network))
        return Heat.of(again, roles).values

    if "max-sensitivity" in chosen.kinds:
        figures["max-sensitivity"] = yield from _named(
            max_sensitivity(
                lambda images: maps(np.asarray(images, dtype=np.float32)),
                slices.images[place],
                heat=heat.values[place],
                samples=chosen.neighbours,
                # Together, unless noise of the method's own is drawn by an image's place.
                batch=1 if _draws_noise(method) else chosen.neighbours,
                seed=chosen.seed,
            ),
            method,
        )
    randomisation = None
    if "randomisation" in chosen.kinds:
        head = (slices.images[place] != 0).any(axis=0)
        # Where a fixed mask is explained, any weights give a map that lies on it: what they decide
        # is the order of the pixels inside.
        region = slices.region(place)
        inside = None if region is None else region & head
        small = inside is None or np.count_nonzero(inside) < _LEAST_REGION
        randomisation = yield from _named(
            randomise_cascading(
                slices.model.network,
                lambda network: maps(slices.images[place : place + 1], network)[0],
                signed=heat.signed,
                within=head if small else inside,
                around=head,
                stages=chosen.stages,
                seed=chosen.seed,
            ),
            method,
        )
        figures["parameter randomisation"] = randomisation.final
        last = randomisation.stages[-1:]
        figures["parameter randomisation, head"] = last[0].around if last else None
    advice = advice_in(explanation.notes)
    located = found.localisation
    if located is not None and randomisation is not None:
        forgotten = yield from _untrained_figures(slices, method, values, heat, chosen)
        located = replace(located, untrained=forgotten)
    return MapFigures(method, located, figures, randomisation, tuple(notes), advice)


def _untrained_figures(
    slices: ExplainedSlices, method: str, parameters: Mapping[str, Any], heat: Heat, effort: Effort
) -> Work[Figures]:
    """Localisation of the same method's maps where every weight is random: one run more.

    Empty of a network without weights.
    """
    network = untrained(slices.model.network, seed=effort.seed)
    if network is None or slices.truth is None:
        return {}
    found = yield from _named(
        slices.explain(method, parameters, network=network), f"{method}, {UNTRAINED}"
    )
    maps = Heat.of(found, slices.model.card.inputs.roles).values
    return mean_figures(
        [
            localisation_figures(importance(one, signed=heat.signed), mask)
            for one, mask in zip(maps, slices.truth, strict=True)
        ]
    )


def baseline_figures(
    slices: ExplainedSlices, name: str, effort: Effort | None = None
) -> Work[MapFigures]:
    """The same figures of maps that know nothing of the network: one of `REFERENCES`."""
    chosen = effort or Effort()
    images = slices.images
    if name == EDGES:
        values = np.stack([edges_of_channels(image) for image in images])
    elif name == CENTRE:
        heads = (images != 0).any(axis=1) if slices.head is None else slices.head
        values = np.stack([centre_map(head) for head in heads])
    else:
        values = np.stack(
            [
                random_map(image.shape[1:], chosen.seed + k, (image != 0).any(axis=0))
                for k, image in enumerate(images)
            ]
        )
    found = yield from heat_figures(slices, Heat(values, signed=False), name, chosen)
    if name == RANDOM and found.localisation is not None:
        # Not of the one map that was drawn, but the mean that stands beside every method.
        located = replace(found.localisation, map=found.localisation.random)
        return replace(found, localisation=located)
    return found


def heat_figures(
    slices: ExplainedSlices, heat: Heat, method: str, effort: Effort
) -> Work[MapFigures]:
    """Figures of given maps: those for which the method need not run again."""
    per_slice: list[dict[str, float | None]] = []
    curves: dict[str, list[InformationCurve | str]] = {"SIC": [], "AIC": []}
    places: list[Localisation] = []
    foretells = "infidelity" in effort.kinds and method not in REFERENCES
    meaning = _meaning(method, heat) if foretells else "contribution"
    attribution = heat.values
    if meaning == "gradient" and heat.channels is not None:
        attribution = heat.channels
    for place, image in enumerate(slices.images):
        number = slices.numbers[place]
        where = f"{method}, {slice_caption(slice(number, number + 1))}"

        def score(images: npt.NDArray[Any], place: int = place) -> npt.NDArray[np.float64]:
            return slices.scores(place, np.asarray(images, dtype=np.float32))

        def probability(images: npt.NDArray[Any], place: int = place) -> npt.NDArray[np.float64]:
            return slices.answers(place, np.asarray(images, dtype=np.float32))[0]

        values = heat.values[place]
        figures: dict[str, float | None] = {}
        if slices.truth is not None:
            places.append(
                localisation(
                    values,
                    slices.truth[place],
                    image,
                    head=None if slices.head is None else slices.head[place],
                    signed=heat.signed,
                    seed=effort.seed,
                )
            )
        if "insertion-deletion" in effort.kinds:
            both = yield from _named(
                insertion_deletion(
                    probability,
                    image,
                    values,
                    signed=heat.signed,
                    steps=effort.steps,
                    batch=_TOGETHER,
                    insertion_from=slices.fed(place, blurred(image)),
                    seed=effort.seed,
                    scaled=False,
                ),
                where,
            )
            figures.update(both.figures())
        if foretells:
            missed = yield from _named(
                infidelity(
                    score,
                    image,
                    attribution[place],
                    meaning=meaning,
                    side=max(4, image.shape[-1] // 8),
                    samples=effort.perturbations,
                    batch=_TOGETHER,
                    seed=effort.seed,
                ),
                where,
            )
            figures["infidelity"] = missed.scaled
        if "pic" in effort.kinds:
            found = yield from _named(
                information_curves(slices, place, values, heat.signed, effort), where
            )
            for name, curve in found.items():
                curves[name].append(curve)
        per_slice.append(figures)
    means = mean_figures(per_slice)
    notes: list[str] = []
    if "pic" in effort.kinds:
        for name, found_curves in curves.items():
            several = InformationCurves.of(found_curves)
            middle = several.aggregate()
            means[name] = None if middle is None else middle.auc
            means[f"{name} skipped"] = several.skip_rate
            if several.skipped:
                count = f"{len(several.skipped)} of {len(found_curves)}"
                notes.append(f"{name} skips {count} slices: {several.skipped[0]}.")
    return MapFigures(
        method, mean_localisation(places) if places else None, means, None, tuple(notes)
    )


def _draws_noise(method: str) -> bool:
    return any(parameter.name == "seed" for parameter in method_info(method).parameters)


def _meaning(method: str, heat: Heat) -> HeatMeaning:
    """What a value of the map is; a squared gradient, which tells no way, is no slope."""
    said = method_info(method).heat
    return said if said is not None and heat.signed else "contribution"


def information_curves(
    slices: ExplainedSlices,
    place: int,
    values: npt.NDArray[np.float64],
    signed: bool,
    effort: Effort,
) -> Work[dict[str, InformationCurve | str]]:
    """Both information curves of one slice, from one revelation of its image."""
    image = slices.images[place]
    seeds = seed_pixels((image.shape[-2], image.shape[-1]), effort.seed + place)
    unit = in_unit_range(slices.model.card)
    ends = (0.0, 1.0) if unit else (float(image.min()), float(image.max()))
    shown = yield from reveal(as_bytes(image, *ends), values, seeds, signed=signed)
    probability, right = slices.answers(place, as_network_input(shown.images, *ends))
    return {
        "SIC": information_curve(shown, probability),
        "AIC": information_curve(shown, right),
    }


def _named(work: Work[Result], what: str) -> Work[Result]:
    """``work`` with what it is done for before each message."""
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            return end.value
        yield replace(step, message=f"{what}: {step.message}")
