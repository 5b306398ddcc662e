"""How a decomposition comes into the picture: side by side or over a scan, with its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...layers.batched_changes import batched_changes
from ...layers.canvas.class_legend import ClassLegend
from ...layers.component_layers import COLUMN_HEADS, SHARING_WORDS, class_colours
from ...layers.study_layers import occupied_box
from .cell_choice import CellChoice
from .shown_decomposition import ShownDecomposition, caption_text

if TYPE_CHECKING:
    from ..window import Window


class DecompositionPicture:
    """Puts results into the one view of the window, as the cell choice says."""

    def __init__(self, window: Window, cells: CellChoice) -> None:
        self._window = window
        self._viewer = window.viewer
        self._cells = cells
        self.legend = ClassLegend(window.viewer)

    def show(self, shown: ShownDecomposition, *, grid: bool) -> None:
        """Bring one result into the picture."""
        cells, view = self._cells, self._window.grid_view
        cells.show_view(grid)
        known = {*shown.class_ids, *COLUMN_HEADS}
        shown.roles = tuple(r for r in cells.rows.chosen if r in shown.card.inputs.roles)
        shown.columns = tuple(c for c in cells.columns.chosen if c in known)
        shown.add_layers(self._viewer, cells.contrast)
        if grid:
            # Before the grid: changing words is slow while there are many cells.
            self._write(shown, grid=True)
            region = occupied_box(shown.study[shown.roles[0]])
            view.show(shown.grid_layers, columns=len(shown.columns), region=region)
        else:
            view.leave()
            below = self._window.study_layer(cells.role)
            with batched_changes(self._viewer.layers):
                for layer in self._viewer.layers:
                    layer.visible = layer is below or layer is shown.mask
            self._viewer.layers.selection.active = below
            self._write(shown, grid=False)
        if shown.result is not None:
            shown.result.layers = shown.all_layers

    def share_anew(self, shown: ShownDecomposition) -> None:
        """Another contrast was chosen."""
        shown.drop_missing(self._viewer.layers)
        shown.share(self._viewer, self._cells.contrast)

    def follow(self, shown: ShownDecomposition | None) -> None:
        """Words on the canvas go with what is in the picture; None for nothing of ours."""
        if shown is not None and not shown.visible:
            shown = None
        self._write(shown, grid=self._window.grid_view.active)

    def _write(self, shown: ShownDecomposition | None, *, grid: bool) -> None:
        """Legend over a scan; below the grid what its colours mean."""
        entries: list[tuple[str, str]] = []
        caption = ""
        groups: list[tuple[str, tuple[float, float]]] = []
        if shown is not None:
            if grid:
                groups = shown.limit_groups(self._cells.contrast)
            else:
                colours = class_colours(int(value) for value in shown.card.classes)
                entries = [
                    (name, colours[int(value)])
                    for value, name in shown.card.classes.items()
                    if int(value) != 0
                ]
            caption = caption_text(shown, groups, SHARING_WORDS[self._cells.contrast])
        self._cells.scale.show_limits(groups)
        self.legend.show(entries)
        self.legend.caption(caption)
