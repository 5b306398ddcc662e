"""Fibre directions over the picture: a layer in the single view, lines in the cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Layer, Vectors
from qtpy.QtWidgets import QCheckBox, QComboBox

from ...evidence import Explanation
from ...layers.canvas.fibre_overlay import FibresInCells, slice_place
from ...layers.fibre_directions import FibreLines, fibre_layer, fibre_lines, has_directions
from ...layers.fibre_glyphs import Glyphs, glyph_layer
from ...volumes import Study
from ..parts.notices import show_warning_message
from ..parts.resting_timer import RestingTimer
from ..parts.work_runner import LatestRunner
from ..parts.wrapped_label import wrapped_label
from .shown_microstructure import ShownMicrostructure

if TYPE_CHECKING:
    from ..window import Window

#: What stands in the single view.
LINES, GLYPHS = "lines", "glyphs"
_KINDS = {LINES: "as lines", GLYPHS: "as glyphs"}

_KIND_HINT = (
    "Glyphs show the distribution of orientations (spherical deconvolution), only in the single "
    "view and on axial slices. Side by side shows lines."
)

#: Why there are no glyphs.
_AXIAL_ONLY = "No glyphs here: they are drawn on axial slices. Choose the axial plane, or lines."
_NOT_RUN = "No glyphs here: this slice was not run."
_LINES_IN_CELLS = "Side by side stand lines; glyphs are drawn in the single view."

#: Lines that napari steps through without being felt.
MOST_LINES = 20_000

_HINT = (
    "Lines along the fibre directions of the result in the picture. Length: ν; for a tensor, FA. "
    "Colour: red from right to left, green from front to back, blue from feet to head."
)


class FibreChoice(QCheckBox):
    """Whether fibre directions are shown, and whose.

    Attributes
    ----------
    cells : FibresInCells
        Lines in the cells.
    kind : QComboBox
        Lines or glyphs in the single view; the tab puts it beside.
    runner : LatestRunner
        Computes glyphs.
    said : QLabel
        Why no glyphs are drawn; the tab puts it below.

    Parameters
    ----------
    glyphs_of : callable
        Computes the glyphs of a slice of a study and a result; called in a thread.
    """

    def __init__(
        self, window: Window, glyphs_of: Callable[[Study, Explanation, int], Glyphs]
    ) -> None:
        super().__init__("Fibre directions")
        self.setToolTip(_HINT)
        self._window = window
        self.cells = FibresInCells(window.viewer)
        self._in_layer: ShownMicrostructure | None = None
        self.kind = QComboBox()
        for value, words in _KINDS.items():
            self.kind.addItem(words, value)
        self.kind.setToolTip(_KIND_HINT)
        self.said = wrapped_label()
        self.said.hide()
        self._glyphs_of = glyphs_of
        self._drawn: tuple[ShownMicrostructure, int] | None = None
        self.runner = LatestRunner(self)
        self.runner.succeeded.connect(self._on_glyphs)
        self.runner.failed.connect(lambda error: show_warning_message(str(error)))
        # Of a whole volume the layer holds the slice in the picture, put in when scrolling rests:
        # with all lines in it every step through the slices would take several times as long.
        self._rests = RestingTimer(self, 60, self._fill)
        for name in ("point", "order", "ndisplay"):
            getattr(window.viewer.dims.events, name).connect(self._on_moved)

    def follow(self, results: Iterable[ShownMicrostructure]) -> None:
        """Show those of one of the results of a study that are in the picture, the latest last.

        Parameters
        ----------
        results : iterable of ShownMicrostructure
            Of all studies.
        """
        study, grid = self._window.study, self._window.grid_view.active
        every = list(results)
        mine = [s for s in every if s.study is study]
        having = [s for s in mine if has_directions(s.explanation)]
        self.setEnabled(bool(having))
        # Those of the maps in the picture, not of another method beside them.
        seen = [s for s in mine if s.visible] or having
        shown = next((s for s in reversed(seen) if s in having), None)
        if not self.isChecked():
            shown = None
        if shown is not None and shown.lines is None:
            shown.lines = fibre_lines(shown.explanation, shown.study.grid)
        self.cells.show(
            shown.lines if shown is not None and grid else None,
            None if shown is None else shown.study.grid,
        )
        self._in_layer = None if grid else shown
        lines = self.kind.currentData() == LINES
        if self._in_layer is not None and lines:
            self._make_layer(self._in_layer)
        for result in every:
            if result.fibres is not None:
                result.fibres.visible = lines and result is self._in_layer
        self._follow_glyphs()

    def _make_layer(self, shown: ShownMicrostructure) -> None:
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

    def _lines_of(self, shown: ShownMicrostructure) -> FibreLines:
        """What its layer holds now: all of it, or of many lines those of the slice."""
        lines = shown.lines
        assert lines is not None
        place = slice_place(self._window.viewer, np.asarray(shown.study.grid.spacing))
        return lines if len(lines) <= MOST_LINES or place is None else lines.on_slice(*place)

    def _on_moved(self, _event: object = None) -> None:
        shown = self._in_layer
        if shown is None or shown.lines is None:
            return
        if len(shown.lines) > MOST_LINES or self.kind.currentData() == GLYPHS:
            self._rests.restart()

    def _follow_glyphs(self) -> None:
        """Ask for the glyphs of the slice, and show those that are there on their slice alone."""
        shown, viewer = self._in_layer, self._window.viewer
        wanted, why = None, ""
        if shown is not None and self.kind.currentData() == GLYPHS:
            place = slice_place(viewer, np.asarray(shown.study.grid.spacing))
            if place is None or place[0] != 0:
                why = _AXIAL_ONLY
            elif shown.explanation.covers(place[1]):
                wanted = (shown, place[1])
            else:
                why = _NOT_RUN
        elif self.cells.drawn is not None and self.kind.currentData() == GLYPHS:
            why = _LINES_IN_CELLS
        self.said.setText(why)
        self.said.setVisible(bool(why))
        if wanted is None:
            self.runner.drop()
        elif self._drawn != wanted:
            study, result, index = wanted[0].study, wanted[0].explanation, wanted[1]
            self.runner.submit(lambda: (wanted, self._glyphs_of(study, result, index)))
        if self._drawn is not None and (layer := self._drawn[0].glyphs) is not None:
            layer.visible = self._drawn == wanted

    def _on_glyphs(self, answer: tuple[tuple[ShownMicrostructure, int], Glyphs]) -> None:
        (shown, index), glyphs = answer
        if shown is not self._in_layer or self.kind.currentData() != GLYPHS:
            return
        layers = self._window.viewer.layers
        active = layers.selection.active
        if shown.glyphs is not None and shown.glyphs in layers:
            layers.remove(shown.glyphs)
        shown.glyphs = Layer.create(*glyph_layer(glyphs, shown.explanation, shown.study))
        layers.append(shown.glyphs)
        layers.selection.active = active
        self._drawn = (shown, index)
        self._follow_glyphs()

    def _fill(self) -> None:
        """Put the lines of the slice into the layer, or ask for its glyphs."""
        self._follow_glyphs()
        shown = self._in_layer
        if shown is None or shown.lines is None or len(shown.lines) <= MOST_LINES:
            return
        layer, lines = shown.fibres, self._lines_of(shown)
        if isinstance(layer, Vectors):
            layer.data = lines.vectors
            if len(lines):
                layer.edge_color = lines.colours
