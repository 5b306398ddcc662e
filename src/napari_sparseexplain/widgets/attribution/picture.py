"""How heat maps come into the picture: side by side with the scan, on one scale or each its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...evidence.region_table import REGIONS
from ...export.pictures.burned_in import part_text
from ...layers.canvas.class_legend import ClassLegend
from ...layers.canvas.slice_title import shows_any
from ...layers.cells.shown_cells import cells_of
from ...layers.study_layers import occupied_box
from ...volumes.frames import volume_at_frame
from ...volumes.reading_order import first_shown
from ..parts.map_caption import caption_text, uncovered_text
from ..parts.resting_timer import RestingTimer
from ..view.window_control import scan_window
from .heat_controls import HeatControls
from .shown_attribution import HEAT, OVER, ShownAttribution

if TYPE_CHECKING:
    from napari.layers import Layer

    from ..window import Window


class AttributionPicture:
    """Puts maps into the one view of the window, as the controls say."""

    def __init__(self, window: Window, controls: HeatControls) -> None:
        self._window = window
        self._viewer = window.viewer
        self._controls = controls
        self._shown: list[ShownAttribution] = []
        self._scaling = False
        self.legend = ClassLegend(window.viewer, "heat")
        self._redraw = RestingTimer(controls, 0, self.draw)
        controls.part_changed.connect(self._redraw.restart)
        controls.scale_changed.connect(self._on_scale)
        # Maps over a scan are pictures with the scan's grey values in them.
        window.signals.window_changed.connect(self._redraw.restart)
        for moved in (
            window.signals.slice_changed,
            window.signals.plane_changed,
            window.signals.grid_changed,
        ):
            moved.connect(lambda _: self._on_position())

    def show(self, shown: Sequence[ShownAttribution]) -> None:
        """Put these maps side by side, the scan before them; leave the grid when there are none."""
        view = self._window.grid_view
        self._shown = list(shown)
        if not self._shown:
            self._write()
            view.leave()
            return
        study = self._shown[0].study
        for one in self._shown:
            self._add(one)
        self._scale()
        self.draw()
        role = self._controls.role or first_shown(study)
        scan = self._window.study_layer(role)
        cells = [layer for one in self._shown for layer in self.cells(one)]
        # Words before the grid: changing them is slow while there are many cells.
        self._write()
        box = occupied_box(study[role])
        view.show([*([] if scan is None else [scan]), *cells], region=box)
        # The controls beside the layer list are then those of grey values.
        self._viewer.layers.selection.active = scan

    def place(self, one: ShownAttribution) -> list[Layer]:
        """The layers of a map for cells that somebody else lays out, on a scale of its own."""
        self._add(one)
        one.set_limit(one.limit())
        self._draw(one)
        return self.cells(one)

    def _add(self, one: ShownAttribution) -> None:
        new = HEAT not in one.layers
        one.map = self._controls.map_name
        one.add_layers(self._viewer)
        one.write_names()
        if new and HEAT in one.layers:
            one.layers[HEAT].events.contrast_limits.connect(lambda: self._on_limits())

    def cells(self, one: ShownAttribution) -> list[Layer]:
        """Layers of a map that stand in the grid."""
        kinds = [OVER if self._controls.role else HEAT]
        if self._controls.regions.isChecked():
            kinds.append(REGIONS)
        return [one.layers[kind] for kind in kinds if kind in one.layers]

    def draw(self) -> None:
        """Write what the sliders leave into the layers in the picture."""
        if not self._shown:
            return
        for one in self._shown:
            self._draw(one)
        self._write()

    def _draw(self, one: ShownAttribution) -> None:
        role = self._controls.role or first_shown(one.study)
        limits = scan_window(self._window, one.study, role)
        scan = volume_at_frame(one.study[role], one.explanation.frame).spatial()
        one.draw(scan, role, limits, self._controls.share, self._controls.least)

    def follow(self, shown: Sequence[ShownAttribution]) -> None:
        """Words on the canvas go with what is in the picture."""
        self._shown = [one for one in shown if one.visible]
        self._write()

    def _covers(self, one: ShownAttribution) -> bool:
        return shows_any(self._viewer, one.study.grid, one.explanation.slices)

    def _on_position(self) -> None:
        """Another slice, plane or view: words stay only with what is seen."""
        if not self._shown:
            return
        for one in self._shown:
            titled = self._window.grid_view.active and self._covers(one)
            for layer in self.cells(one):
                if layer.visible:
                    cells_of(self._viewer).show_name(layer, titled)
        self._write()

    def _on_scale(self) -> None:
        self._scale()
        self.draw()

    def _on_limits(self) -> None:
        """A person changed the limits of a map by hand."""
        if not self._scaling:
            if self._controls.shared and self._shown:
                widest = max(one.shown_limit for one in self._shown)
                changed = [o.shown_limit for o in self._shown if o.shown_limit != widest]
                self._scale(changed[0] if len(changed) == 1 else widest)
            self._redraw.restart()

    def _scale(self, common: float | None = None) -> None:
        """Limits of the maps in the picture: one for all, or each its own."""
        self._scaling = True
        if common is None:
            common = max((one.limit() for one in self._shown), default=1.0)
        for one in self._shown:
            one.set_limit(common if self._controls.shared else one.limit())
        self._scaling = False

    def _write(self) -> None:
        """What the colours mean, on the canvas and in the tab."""
        covering = [one for one in self._shown if self._covers(one)]
        part = part_text(self._controls.share, self._controls.least)
        shared = self._controls.shared
        caption = caption_text(self._groups(covering), len(covering), shared, part)
        elsewhere = [one for one in self._shown if one not in covering]
        missing = uncovered_text([(one.name, one.explanation.slices) for one in elsewhere])
        caption = "\n".join(words for words in (caption, missing) if words)
        self._controls.bar.show_limits(self._groups(self._shown))
        self.legend.caption(caption)

    def _groups(self, shown: Sequence[ShownAttribution]) -> list[tuple[str, tuple[float, float]]]:
        """Names and limits of maps: one for all where they share their colours."""
        groups = [(one.name, (-one.shown_limit, one.shown_limit)) for one in shown]
        if self._controls.shared and len(groups) > 1:
            groups = [("All maps", groups[0][1])]
        return groups
