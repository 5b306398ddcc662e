"""Words on the canvas for maps that a saved review brought; of fresh maps their tabs write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakSet

from ...evidence import Explanation
from ...export.pictures.burned_in import part_text
from ...layers.canvas.class_legend import ClassLegend
from ...layers.canvas.slice_title import shows_any
from ...layers.cells.shown_cells import cells_of
from ...layers.explanation_layers import ExplanationLayer
from ...layers.panel_layer import PanelLayer
from ...layers.study_layers import METADATA_KEY
from ...review.review import Overlay
from ...volumes import Study
from ..parts.map_caption import caption_text, uncovered_text

if TYPE_CHECKING:
    from napari.layers import Layer

    from ..window import Window


@dataclass(frozen=True, eq=False)
class _Seen:
    """A map in the picture, and its limits now."""

    study: Study
    explanation: Explanation
    overlay: Overlay
    limits: tuple[float, float]

    @property
    def name(self) -> str:
        return self.overlay.title or self.overlay.name

    @property
    def slices(self) -> slice:
        return self.explanation.slices

    @property
    def coloured(self) -> bool:
        """Whether its values are read from colours: neither a mask nor a grey picture below."""
        return not self.overlay.is_label and self.overlay.colormap != "gray"

    @property
    def same(self) -> tuple[Any, ...]:
        """Equal for one map that stands in several cells, as on several planes."""
        o = self.overlay
        return id(self.explanation), self.name, o.name, self.limits, o.share, o.least, o.share_of


class RestoredCaptions:
    """What colours of restored maps mean, on the slices that they cover; elsewhere that none is.

    Layers that a tab made are left to that tab.
    """

    def __init__(self, window: Window) -> None:
        self._window = window
        self._viewer = window.viewer
        self._watched: WeakSet[Layer] = WeakSet()
        self.legend = ClassLegend(window.viewer, "restored")
        for moved in (
            window.signals.slice_changed,
            window.signals.plane_changed,
            window.signals.grid_changed,
        ):
            moved.connect(lambda _: self.write())
        # The last study was closed, or another one is active: its tabs are not told of layers.
        window.signals.study_changed.connect(lambda _: self.write())

    def write(self) -> None:
        """Words of what is in the picture now; none where no restored map is."""
        seen: list[_Seen] = []
        for layer in self._viewer.layers:
            if layer.visible and (maps := self._maps(layer)):
                self._title(layer, maps)
                seen += maps
        seen = list({one.same: one for one in seen}.values())
        # A grey picture of a method lies below its map, and is spoken of only when alone.
        seen = [one for one in seen if one.coloured] or seen
        covering = [one for one in seen if self._covers(one)]
        missing = uncovered_text([(o.name, o.slices) for o in seen if not self._covers(o)])
        coloured = [one for one in covering if one.coloured]
        self.legend.caption("\n".join(w for w in (_caption(coloured), missing) if w))

    def _maps(self, layer: Layer) -> list[_Seen]:
        """Restored maps in a layer; none in a layer of a scan or of a tab."""
        known = layer.metadata.get(METADATA_KEY)
        if isinstance(known, PanelLayer):
            return [
                _Seen(known.study, known.reading.explanations[o.key], o, o.limits)
                for o in known.panel.overlays
                if o.shelf == "explanation" and o.key in known.reading.explanations
            ]
        if not isinstance(known, ExplanationLayer) or known.restored is None:
            return []
        limits = known.restored.limits
        if not known.restored.is_label:
            image = cast(Any, layer)
            limits = (float(image.contrast_limits[0]), float(image.contrast_limits[1]))
            if layer not in self._watched:
                self._watched.add(layer)
                image.events.contrast_limits.connect(lambda: self.write())
        return [_Seen(known.study, known.explanation, known.restored, limits)]

    def _covers(self, one: _Seen) -> bool:
        return shows_any(self._viewer, one.study.grid, one.slices)

    def _title(self, layer: Layer, maps: Sequence[_Seen]) -> None:
        """A cell is called by its map only where the map is."""
        titled = self._window.grid_view.active and any(self._covers(one) for one in maps)
        cells_of(self._window.viewer).show_name(layer, titled)


def _caption(maps: Sequence[_Seen]) -> str:
    """Colours and part of the maps on this slice."""
    limits = {one.limits for one in maps}
    parts = [part_text(one.overlay.share, one.overlay.least, one.overlay.share_of) for one in maps]
    same_part = parts[0] if len(set(parts)) == 1 else ""
    if len(maps) > 1 and len(limits) == 1:
        groups = [("All maps", maps[0].limits)]
    else:
        groups = [(one.name, one.limits) for one in maps]
    words = caption_text(groups, len(maps), len(limits) == 1, same_part)
    if 1 < len(limits) < len(maps):
        words = f"Colours on {len(limits)} scales\n{same_part}".rstrip()
    if len(set(parts)) > 1:
        words += "\n" + "\n".join(
            f"{one.name}: {part or 'all of it'}" for one, part in zip(maps, parts, strict=True)
        )
    return words
