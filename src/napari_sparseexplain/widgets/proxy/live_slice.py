"""The layers of an explanation in the viewer, and how a new α or slice goes into them in place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from napari.layers import Image, Labels, Layer

from ...evidence import Explanation
from ...layers.batched_changes import batched_changes
from ...layers.colour_bar import show_colour_bar
from ...layers.explanation_layers import ExplanationLayer, explanation_layers
from ...layers.study_layers import METADATA_KEY
from ...review.frames import result_position
from ...volumes import Study
from ..parts.model_session import ModelKey
from ..parts.results_list import Result, details_text, score_text
from ..parts.shown_layers import ShownLayers
from ..view.awaited_slice import COMPUTING

if TYPE_CHECKING:
    from napari import Viewer

#: Short names for the cells of the grid; a map that is not here keeps its own title.
SHORT_TITLES = {
    "input": "Input",
    "lin-ed": "Linear ED",
    "signal": "Signal",
    "mask": "Estimated mask",
    "reference-segmentation": "Reference segmentation",
    "restored": "Restored",
}


#: Pixels of a colour bar.
_BAR = 80.0

#: Maps that say in their names which α they are for.
_BENT_BY_ALPHA = ("signal", "restored")


def is_band(name: str) -> bool:
    """Whether a map is a band of one level."""
    return name.startswith("band-")


@dataclass(eq=False)
class ShownExplanation(ShownLayers[str]):
    """One explanation and its layers.

    Attributes
    ----------
    alpha : float
        Factor on the thresholds that it was made with.
    live : bool
        Whether a new α or slice goes into it; a whole volume stays as it was run.
    roles : tuple of str
        Scans that the network sees, in order.
    """

    study: Study
    key: ModelKey
    model_title: str
    explanation: Explanation
    alpha: float
    live: bool
    roles: tuple[str, ...] = ()
    layers: dict[str, Layer] = field(default_factory=dict)
    result: Result | None = None
    _computing: bool = False

    @property
    def title(self) -> str:
        """Line in the list of results."""
        where = result_position(self.study, self.explanation)
        alpha = f" · α {self.alpha:.2f}" if self._has_alpha else ""
        return f"{self.model_title} · {where}{alpha}"

    @property
    def _has_alpha(self) -> bool:
        """Whether the network has thresholds that α scales: then it has a linear part too."""
        return any(item.name.startswith("lin-ed") for item in self.explanation.maps)

    @property
    def columns(self) -> list[Layer]:
        """Layers of the columns of Fig. 2, in order."""
        return [layer for name, layer in self.layers.items() if not is_band(name)]

    @property
    def bands(self) -> list[Layer]:
        """Layers of the bands, when they were asked for."""
        return [layer for name, layer in self.layers.items() if is_band(name)]

    def scans_below(self) -> dict[Layer, tuple[str, bool]]:
        """See `LiveResult`."""
        found = {}
        for name, layer in self.layers.items():
            role = next((r for r in self.roles if name.endswith(f"-{r}")), (*self.roles, "")[0])
            if isinstance(layer, Image):
                found[layer] = (role, name == "input" or name.startswith("input-"))
        return found

    def show_computing(self, on: bool) -> None:
        """See `LiveResult`."""
        self._computing = on
        for name, layer in self.layers.items():
            layer.name = self._layer_name(name)

    def add_layers(self, viewer: Viewer, *, bands: bool) -> list[Layer]:
        """Make the layers that are not there yet, columns or bands, and add them."""
        wanted = [m.name for m in self.explanation.maps if is_band(m.name) == bands]
        missing = [name for name in wanted if name not in self.layers]
        made = []
        for data, options, kind in explanation_layers(self.explanation, self.study, missing):
            name = options["metadata"][METADATA_KEY].map
            options["name"] = self._layer_name(name)
            layer = Layer.create(data, options, kind)
            if isinstance(layer, Image):
                show_colour_bar(layer, _BAR)
            self.layers[name] = layer
            made.append(layer)
        for layer in made:
            # The view before the grid is remembered without them.
            layer.visible = False
        with batched_changes(viewer.layers):
            viewer.layers.extend(made)
        return made

    def take(self, explanation: Explanation, alpha: float) -> None:
        """Put a new answer into the layers that are there. Display limits stay: what changes on
        the screen is the signal, never the scale."""
        moved = explanation.slices != self.explanation.slices
        self.explanation, self.alpha = explanation, alpha
        for item in explanation.maps:
            layer = self.layers.get(item.name)
            if layer is None:
                continue
            data = np.asarray(item.data)
            if isinstance(layer, Labels) and not np.issubdtype(data.dtype, np.integer):
                data = data.astype(np.uint8)
            layer.metadata[METADATA_KEY] = ExplanationLayer(self.study, explanation, item.name)
            cast(Any, layer).data = data
            layer.name = self._layer_name(item.name)
            if moved and explanation.grid is not None:
                start = explanation.slices.start * explanation.grid.spacing[0]
                layer.translate = (start, 0.0, 0.0)

    def describe(self) -> None:
        """Write the line in the list of results."""
        if self.result is not None:
            self.result.title = self.title
            self.result.layers = self.all_layers
            self.result.score = score_text(self.explanation.scores)
            self.result.details = details_text(self.explanation.scores, self.explanation.notes)

    def lines_at(self, index: tuple[int, int, int]) -> list[str]:
        """Its title, and every map's value at a voxel of the study; nothing off its slices."""
        values = self._values_at(index)
        return [self.title, *("   " + value for value in values)] if values else []

    def _values_at(self, index: tuple[int, int, int]) -> list[str]:
        """Every map's value at a voxel of the study, one a line; empty off its slices."""
        if not self.explanation.covers(index[0]):
            return []
        place = (index[0] - self.explanation.slices.start, *index[1:])
        lines = []
        for item in self.explanation.maps:
            if item.space == "study" and not is_band(item.name):
                value = np.asarray(item.data)[place]
                shown = str(int(value)) if item.kind == "segmentation" else f"{value:.3f}"
                lines.append(f"{self._short_title(item.name)}  {shown}")
        return lines

    def _layer_name(self, name: str) -> str:
        """What the map shows, at which α where α matters, and whose it is."""
        if self._computing:
            return f"{self._short_title(name)} · {COMPUTING}"
        bent = self._has_alpha and name in _BENT_BY_ALPHA
        alpha = f" α {self.alpha:.2f}" if bent else ""
        return f"{self._short_title(name)}{alpha} · {self.model_title}"

    def _short_title(self, name: str) -> str:
        if is_band(name):
            _, level, moment = name.split("-", 2)
            return f"L{level} {moment}"
        return SHORT_TITLES.get(name) or self.explanation[name].title or name
