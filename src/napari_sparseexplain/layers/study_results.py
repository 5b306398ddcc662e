"""What was found in a study, whichever view is on: results belong to the reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from napari.layers import Layer

from ..evidence import Explanation
from ..review.default_review import map_overlay
from ..review.reading import Reading
from ..volumes import Study
from .explanation_layers import ExplanationLayer, explanation_layers, map_limits
from .panel_layer import PanelLayer
from .study_layers import METADATA_KEY

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Maps of one level of a network: many, and made again in a moment; components of fibre
#: directions: nobody looks at them as pictures.
_LEFT_OUT = ("band-", "direction-")


def results_of(viewer: ViewerModel, study: Study) -> list[Explanation]:
    """Every explanation of a study that a layer holds, shown or hidden, in the layers' order."""
    found: list[Explanation] = []
    for layer in viewer.layers:
        for explanation in _held(layer.metadata.get(METADATA_KEY), study):
            if not any(explanation is known for known in found):
                found.append(explanation)
    return found


def _held(known: object, study: Study) -> Iterable[Explanation]:
    if isinstance(known, ExplanationLayer) and known.study is study:
        return [known.explanation]
    if isinstance(known, PanelLayer) and known.study is study:
        drawn = {o.key for o in known.panel.overlays if o.shelf == "explanation"}
        return [e for key, e in known.reading.explanations.items() if key in drawn]
    return []


def hidden_results(viewer: ViewerModel, reading: Reading) -> list[Layer]:
    """Layers, not shown, of the results of a restored reading that it had no panel for.

    None of a result that a layer of the viewer holds already.
    """
    made: list[Layer] = []
    for key, explanation in reading.explanations.items():
        study = reading.studies[reading.review.explanations[key].study]
        if key in reading.on_screen or any(
            explanation is known
            or (known.provenance, known.slices) == (explanation.provenance, explanation.slices)
            for known in results_of(viewer, study)
        ):
            continue
        names = [item.name for item in explanation.maps if not item.name.startswith(_LEFT_OUT)]
        for data, options, kind in explanation_layers(explanation, study, names):
            layer = Layer.create(data, options, kind)
            item = explanation[layer.metadata[METADATA_KEY].map]
            said = map_overlay(key, explanation, item, alone=True)
            if not said.is_label:
                said = replace(said, limits=map_limits(item))
            layer.metadata[METADATA_KEY] = ExplanationLayer(
                study, explanation, item.name, restored=said
            )
            layer.name, layer.visible = said.title, False
            made.append(layer)
    return made
