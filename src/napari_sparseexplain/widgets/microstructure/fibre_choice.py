"""Fibre directions over the picture: a layer in the single view, lines in the grid's cells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Layer, Vectors
from qtpy.QtWidgets import QCheckBox

from ...layers.canvas.fibre_overlay import FibresInCells, slice_place
from ...layers.fibre_directions import FibreLines, fibre_layer, fibre_lines, has_directions
from ..parts.resting_timer import RestingTimer
from .shown_fingerprint import ShownFingerprint

if TYPE_CHECKING:
    from ..window import Window

#: Lines that napari steps through without being felt.
MOST_LINES = 20_000

_HINT = (
    "Lines along the fibre directions of the result in the picture, as long as ν. Their colour is "
    "the direction: red from right to left, green from front to back, blue from feet to head."
)


class FibreChoice(QCheckBox):
    """Whether fibre directions are shown, and whose.

    Attributes
    ----------
    cells : FibresInCells
        Lines in the cells of the grid.
    """

    def __init__(self, window: Window) -> None:
        super().__init__("Fibre directions")
        self.setToolTip(_HINT)
        self._window = window
        self.cells = FibresInCells(window.viewer)
        self._in_layer: ShownFingerprint | None = None
        # Of a whole volume the layer holds the slice in the picture, put in when scrolling rests:
        # with all lines in it every step through the slices would take several times as long.
        self._rests = RestingTimer(self, 60, self._fill)
        for name in ("point", "order", "ndisplay"):
            getattr(window.viewer.dims.events, name).connect(self._on_moved)

    def follow(self, results: Iterable[ShownFingerprint]) -> None:
        """Show those of one of the results of a study that are in the picture, the latest last.

        Parameters
        ----------
        results : iterable of ShownFingerprint
            Of all studies.
        """
        study, grid = self._window.study, self._window.grid_view.active
        every = list(results)
        mine = [s for s in every if s.study is study and has_directions(s.explanation)]
        self.setEnabled(bool(mine))
        shown = next((s for s in reversed(mine) if s.visible), mine[-1] if mine else None)
        if not self.isChecked():
            shown = None
        if shown is not None and shown.lines is None:
            shown.lines = fibre_lines(shown.explanation, shown.study.grid)
        self.cells.show(
            shown.lines if shown is not None and grid else None,
            None if shown is None else shown.study.grid,
        )
        self._in_layer = None if grid else shown
        if self._in_layer is not None:
            self._make_layer(self._in_layer)
        for result in every:
            if result.fibres is not None:
                result.fibres.visible = result is self._in_layer

    def _make_layer(self, shown: ShownFingerprint) -> None:
        """Its layer on top of the others, where there is none yet."""
        layers = self._window.viewer.layers
        if shown.fibres is not None and shown.fibres in layers:
            self._fill()
            return
        active = layers.selection.active
        made = Layer.create(*fibre_layer(self._lines_of(shown), shown.explanation, shown.study))
        shown.fibres = made
        layers.append(made)
        layers.selection.active = active  # its controls stay those of the scan

    def _lines_of(self, shown: ShownFingerprint) -> FibreLines:
        """What its layer holds now: all of it, or of many lines those of the slice."""
        lines = shown.lines
        assert lines is not None
        place = slice_place(self._window.viewer, np.asarray(shown.study.grid.spacing))
        return lines if len(lines) <= MOST_LINES or place is None else lines.on_slice(*place)

    def _on_moved(self, _event: object = None) -> None:
        shown = self._in_layer
        if shown is not None and shown.lines is not None and len(shown.lines) > MOST_LINES:
            self._rests.restart()

    def _fill(self) -> None:
        """Put the lines of the slice into the layer."""
        shown = self._in_layer
        if shown is None or shown.lines is None or len(shown.lines) <= MOST_LINES:
            return
        layer, lines = shown.fibres, self._lines_of(shown)
        if isinstance(layer, Vectors):
            layer.data = lines.vectors
            if len(lines):
                layer.edge_color = lines.colours
