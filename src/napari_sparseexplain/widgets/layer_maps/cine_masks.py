"""What networks mark in a cine, as outlines in the viewer that follow its time slider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels, Layer

from ...layers.batched_changes import batched_changes
from ...layers.cell_outlines import CellOutlines
from ...layers.colormaps import label_colormap
from ...layers.maps_over_time import MapsOverTime
from ...layers.study_layers import METADATA_KEY, StudyLayer, axis_labels, grid_units
from ...volumes import Study
from ..parts.resting_timer import RestingTimer
from ..window import Window

if TYPE_CHECKING:
    from ...evidence import Provenance
    from ...training.left_ventricle.cine_volumes import CineVolumes

#: Width of an outline in pixels of the scan.
_WIDTH = 1


class CineOutlines:
    """The layers of one cine: over the scan alone, or in its cell, and only with their study.

    Parameters
    ----------
    role : str
        Of the scan that they lie over.

    Attributes
    ----------
    layers : list of Labels
        One a network, of all time points.
    cells : CellOutlines
        Shows them side by side, where each layer would have a cell of its own.
    """

    def __init__(self, window: Window, role: str) -> None:
        self._window, self._viewer, self._role = window, window.viewer, role
        self.layers: list[Labels] = []
        self.cells = CellOutlines(window.viewer)
        self.study: Study | None = None
        #: Of each layer whether a person wants to see it: napari's own eye also goes out while
        #: another study is in the picture and side by side.
        self._wanted: dict[Layer, bool] = {}
        # After what hides layers of other studies, or all but those of the grid, has ended.
        self._eyes = RestingTimer(window.signals, 0, self._on_eyes)
        window.signals.grid_changed.connect(lambda _: self.place())

    def add(
        self,
        study: Study,
        found: Sequence[CineVolumes],
        titles: Sequence[str],
        colours: Sequence[str],
        records: Sequence[Provenance],
    ) -> None:
        """A layer a network in place of former ones; a review takes the point in the picture."""
        from ...training.left_ventricle.cine_explanations import OUTLINE, cine_explanations

        self.remove()
        for one, title, colour, record in zip(found, titles, colours, records, strict=True):
            each = cine_explanations(study, one, title, record)
            layer = Labels(
                one.masks.astype(np.uint8),
                name=f"{title} · {study.name}",
                scale=(1.0, *study.grid.spacing),
                units=("pixel", *grid_units(study.grid)),
                axis_labels=("time", *axis_labels(study.grid)),
                colormap=label_colormap({1: colour}),
                opacity=1.0,
                visible=False,
                metadata={METADATA_KEY: MapsOverTime(study, each, OUTLINE, {1: colour.upper()})},
            )
            layer.contour = _WIDTH
            layer.editable = False
            self.layers.append(layer)
        self.study, self._wanted = study, dict.fromkeys(self.layers, True)
        active = self._viewer.layers.selection.active
        with batched_changes(self._viewer.layers):
            self._viewer.layers.extend(self.layers)
        self._viewer.layers.selection.active = active
        self.place()
        for layer in self.layers:
            layer.events.visible.connect(self._eyes.restart)

    def remove(self) -> None:
        """Take them away, those that a person has not removed already."""
        for layer in self.layers:
            layer.events.visible.disconnect(self._eyes.restart)
        self.cells.show(None, ())
        with batched_changes(self._viewer.layers):
            for layer in self.layers:
                if layer in self._viewer.layers:
                    self._viewer.layers.remove(layer)
        self.layers, self._wanted, self.study = [], {}, None

    def place(self) -> None:
        """Show those that are wanted where they belong; none while another study is there."""
        here = self.study is not None and self._window.study is self.study
        grid = self._window.grid_view.active
        shown = [layer for layer in self.layers if here and self._wanted[layer]]
        shown = [layer for layer in shown if layer in self._viewer.layers]
        for layer in self.layers:
            visible = layer in shown and not grid
            if layer.visible != visible:
                layer.visible = visible
        self.cells.show(self._scan_in_grid() if grid else None, shown)

    def _scan_in_grid(self) -> Layer | None:
        for layer in self._window.grid_view.layers:
            known = layer.metadata.get(METADATA_KEY)
            if not isinstance(known, StudyLayer):
                continue
            if known.study is self.study and known.role == self._role:
                return layer
        return None

    def _on_eyes(self) -> None:
        """A person showed or hid one."""
        if self.study is None or self._window.study is not self.study:
            return
        grid = self._window.grid_view.active
        for layer in self.layers:
            if not grid:
                self._wanted[layer] = layer.visible
            elif layer.visible:
                # Side by side all eyes are out, so that any press puts one on: it turns the lines.
                self._wanted[layer] = not self._wanted[layer]
        if grid:
            self.place()
