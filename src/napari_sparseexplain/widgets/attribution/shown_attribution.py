"""The layers of one heat map in the viewer: the map, the map over a scan, regions by rank."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
from napari.layers import Image, Layer

from ...evidence import Explanation
from ...evidence.heat_threshold import explained_part
from ...evidence.region_table import REGIONS, region_at
from ...explanation.catalogue import method_info
from ...layers.batched_changes import batched_changes
from ...layers.colormaps import signed_colormap
from ...layers.explanation_layers import BelowMap, ExplanationLayer, map_layer
from ...layers.heat_over_scan import heat_over_scan
from ...layers.study_layers import METADATA_KEY, axis_labels
from ...review.frames import frame_text, result_position
from ...volumes import Study
from ...volumes.head_mask import head_in_slices
from ..parts.parameter_form import changed_values
from ..parts.results_list import Result, details_text
from ..parts.shown_layers import ShownLayers
from .session import AttributionAnswer
from .trust_panel import Entry

if TYPE_CHECKING:
    from napari import Viewer

#: Names of the layers that a result can have.
HEAT, OVER = "heat", "over"

#: The map of all modalities together.
WHOLE = "heatmap"


@dataclass(eq=False)
class ShownAttribution(ShownLayers[str]):
    """One heat map and its layers.

    Attributes
    ----------
    layers : dict of str to Layer
        `HEAT`: the map, `OVER`: the map over a scan, `REGIONS`: regions by rank, where there are.
    map : str
        Which of its maps is in the layers.
    suffix : str
        What tells it apart from another of the same method and target.
    """

    study: Study
    answer: AttributionAnswer
    layers: dict[str, Layer] = field(default_factory=dict)
    map: str = WHOLE
    suffix: str = ""
    result: Result | None = None

    @property
    def explanation(self) -> Explanation:
        """What was found."""
        return self.answer.explanation

    @property
    def short(self) -> str:
        """The method, as short as a column's head."""
        return method_info(self.answer.ask.method).short_title

    @property
    def name(self) -> str:
        """Method and target, and what else tells it apart."""
        return " · ".join(p for p in (self.short, self.explanation.target, self.suffix) if p)

    @property
    def title(self) -> str:
        """Line in the list of results."""
        return f"{self.name} · {result_position(self.study, self.explanation)}"

    @property
    def setting(self) -> str:
        """Model and parameters that differ from the defaults."""
        ask = self.answer.ask
        info = method_info(ask.method)
        titles = {p.name: p.title.lower() or p.name.replace("_", " ") for p in info.parameters}
        changed = changed_values(info, ask.values)
        words = [f"{titles[name]} {value}" for name, value in changed.items()]
        words += [frame] if (frame := frame_text(self.study, self.explanation.frame)) else []
        return ", ".join([self.answer.card.title or self.answer.card.name, *words])

    def describe(self) -> None:
        """Write the line in the list of results."""
        if self.result is None:
            return
        trust = self.answer.trust
        failed = trust is not None and bool(trust.failures)
        self.result.title = ("✗ " if failed else "") + self.title
        gap = self.explanation.scores.get("completeness error")
        self.result.score = "" if gap is None else f"error {gap:.1%}"
        self.result.details = "\n".join(
            [self.setting, details_text(self.explanation.scores, self.explanation.notes)]
        )
        self.result.layers = self.all_layers

    def trust_entry(self, several: bool) -> Entry:
        """Its column in the table of trust; by its whole name where several share the short one."""
        name = self.name if several else self.short
        return name, self.answer.trust, self.answer.why_not, self.answer.whole

    def heat(self) -> npt.NDArray[Any]:
        """The chosen map, shape (S, P, L); the whole one where a method has no such part."""
        return np.asarray(self.explanation[self.drawn_map].data)

    @property
    def drawn_map(self) -> str:
        """Name of the map in the layers."""
        return self.map if any(item.name == self.map for item in self.explanation.maps) else WHOLE

    def limit(self) -> float:
        """Magnitude that has the full colour when the map has a scale of its own."""
        item = self.explanation[WHOLE]
        high = 0.0 if item.value_range is None else float(item.value_range[1])
        return high or float(np.abs(item.data).max(initial=0.0)) or 1.0

    def inside(self, share: float, least: float) -> npt.NDArray[np.bool_]:
        """What two sliders leave of the map: a share of the head, not of the air about it."""
        counted = head_in_slices(self.study, self.explanation.slices) if share < 1 else None
        return explained_part(self.explanation, self.drawn_map, share, least, counted)

    def add_layers(self, viewer: Viewer) -> None:
        """Make the layers that are not there yet, hidden, below each other in the list."""
        self.drop_missing(viewer.layers)
        made: dict[str, Layer] = {}
        if HEAT not in self.layers:
            made[HEAT] = self._heat_layer()
        if OVER not in self.layers:
            made[OVER] = self._over_layer()
        if REGIONS not in self.layers and any(m.name == REGIONS for m in self.explanation.maps):
            item = self.explanation[REGIONS]
            made[REGIONS] = Layer.create(*map_layer(self.explanation, item, self.study))
        for layer in made.values():
            layer.visible = False
        self.layers |= made
        self.write_names()
        with batched_changes(viewer.layers):
            viewer.layers.extend(made.values())

    def write_names(self) -> None:
        """Names of the layers anew."""
        part = "" if self.map == WHOLE else f" · {self.map.removeprefix('heatmap-')}"
        for kind, layer in self.layers.items():
            words = {HEAT: f"{self.name}{part} · alone", REGIONS: f"{self.name} · regions"}
            layer.name = words.get(kind, f"{self.name}{part}")

    def draw(
        self,
        scan: npt.NDArray[Any],
        role: str,
        limits: tuple[float, float],
        share: float,
        least: float,
    ) -> None:
        """Put what the sliders leave of the map into its layers; nothing is computed again.

        Parameters
        ----------
        scan : ndarray, shape of the study's grid
        role : str
            The scan's in the study.
        limits : tuple of float
            Its grey values that are black and white.
        """
        heat, inside = self.heat(), self.inside(share, least)
        if HEAT in self.layers:
            cast(Any, self.layers[HEAT]).data = np.where(inside, heat, 0).astype(np.float32)
        if OVER in self.layers:
            below = scan[self.explanation.slices]
            ends = self.study[role].grey_ends(limits)
            picture = heat_over_scan(below, ends, heat, self.shown_limit, inside)
            cast(Any, self.layers[OVER]).data = picture
        high = self.shown_limit
        under = {OVER: BelowMap(role, limits, colour_limits=(-high, high))}
        for kind in (HEAT, OVER):
            if kind in self.layers:
                self.layers[kind].metadata[METADATA_KEY] = ExplanationLayer(
                    self.study, self.explanation, self.drawn_map, share, least, under.get(kind)
                )

    @property
    def shown_limit(self) -> float:
        """Magnitude that has the full colour now, as the map's layer has it."""
        layer = self.layers.get(HEAT)
        high = self.limit() if layer is None else float(cast(Any, layer).contrast_limits[1])
        return high if high > 0 else 1.0

    def set_limit(self, high: float) -> None:
        """Another magnitude for the full colour."""
        layer = self.layers.get(HEAT)
        if isinstance(layer, Image):
            layer.contrast_limits_range = (-high, high)
            layer.contrast_limits = (-high, high)

    def lines_at(self, index: tuple[int, int, int]) -> list[str]:
        """What a click says: the map's value, and the region with its gain and rank."""
        if not self.explanation.covers(index[0]):
            return []
        place = (index[0] - self.explanation.slices.start, *index[1:])
        value = f"{float(self.heat()[place]):.3g}".replace("-", "\N{MINUS SIGN}")
        lines = [f"{self.name}  {value}"]
        if any(m.name == REGIONS for m in self.explanation.maps):
            region = region_at(self.explanation, index)
            if region is not None:
                lines.append("   " + region.sentence())
                if REGIONS in self.layers:
                    cast(Any, self.layers[REGIONS]).selected_label = region.rank
        return lines

    def _heat_layer(self) -> Layer:
        item = self.explanation[WHOLE]
        data, options, _ = map_layer(self.explanation, item, self.study)
        high = self.limit()
        options |= {"colormap": signed_colormap(), "contrast_limits": (-high, high)}
        return Layer.create(np.array(data), options, "image")

    def _over_layer(self) -> Layer:
        item = self.explanation[WHOLE]
        _, options, _ = self.explanation.layer_data(WHOLE)
        for word in ("contrast_limits", "colormap"):
            options.pop(word, None)
        options |= {
            "metadata": {METADATA_KEY: ExplanationLayer(self.study, self.explanation, WHOLE)},
            "axis_labels": axis_labels(self.study.grid),
            "rgb": True,
        }
        return Layer.create(np.zeros((*item.data.shape, 3), np.uint8), options, "image")
