"""Layers side by side on one slice, and the single view that comes back as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Labels

from ..batched_changes import batched_changes
from ..colour_bar import leave_bars_to_cells
from .cell_layout import grid_shape, row_shape
from .shown_cells import cells_of, view_size
from .stood_layers import Box, StoodLayers

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

#: Share of a cell left free about the picture.
FIT_MARGIN = 0.04

#: The same where only a region is shown: what is of interest reaches its edge, and the letters must
#: not lie over it.
REGION_MARGIN = 0.16

#: Longest scale bar in a cell, as a share of the picture's width.
BAR_SHARE = 0.25


def round_length(longest: float) -> float:
    """The longest of 1, 2, 5, 10, 20 … that is not above ``longest``."""
    power = 10.0 ** np.floor(np.log10(longest))
    return float(max(step for step in (power, 2 * power, 5 * power) if step <= longest * 1.0001))


def displayed_extent(
    viewer: ViewerModel, layers: Sequence[Layer]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Lower and upper corner of layers in the two displayed axes, in the viewer's unit.

    Layers may have fewer axes than the viewer (a volume beside a series over time): napari
    counts axes from the last.
    """
    found = viewer.layers.get_extent(layers)
    # napari counts from the middles of the outermost voxels, which reach half a step further.
    half = np.asarray(found.step, dtype=float) / 2
    extent = np.asarray(found.world) + np.stack([-half, half])
    missing = viewer.dims.ndim - extent.shape[1]
    axes = [max(axis - missing, 0) for axis in viewer.dims.displayed[-2:]]
    return extent[0, axes], extent[1, axes]


def fit_layers(viewer: ViewerModel, layers: Sequence[Layer], margin: float = 0.05) -> None:
    """Fit layers into the canvas, or into each cell of the grid.

    napari's own fit takes no layers with fewer axes than the viewer; theirs is worked out here.
    """
    if not layers:
        return
    whole = max(layer.ndim for layer in layers) == viewer.dims.ndim
    if viewer.dims.ndisplay == 3 or (whole and not cells_of(viewer).active):
        viewer.fit_to_view(layers=layers, margin=margin)
        return
    fit_box(viewer, *displayed_extent(viewer, layers), margin)


def fit_box(
    viewer: ViewerModel,
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
    margin: float = 0.05,
) -> None:
    """Fit a box in the two displayed axes into the canvas, or into each cell of the grid."""
    size = np.maximum(high - low, 1e-6)
    cell = np.asarray(view_size(viewer), dtype=float)
    middle = (low + high) / 2
    viewer.scene.camera.center = (0.0, float(middle[0]), float(middle[1]))
    viewer.scene.camera.zoom = (1 - margin) * float((cell / size).min())


@dataclass(frozen=True)
class Layout:
    """How cells lie on the canvas.

    Attributes
    ----------
    rows, columns : int
        As chosen; both 0: as many in a row as make the pictures largest.
    one_large : bool
        The first cell large, the others beside it.
    """

    rows: int = 0
    columns: int = 0
    one_large: bool = False

    @property
    def automatic(self) -> bool:
        """Whether rows and columns follow from the room there is."""
        return not self.one_large and not self.rows


class GridView:
    """Puts chosen layers side by side and brings the single view back as it was."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        #: Told whether layers stand side by side, so that letters and buttons can follow.
        self.on_change: Callable[[bool], None] = lambda active: None
        #: Told just before, how many cells there will be.
        self.before_change: Callable[[int], None] = lambda cells: None
        #: Lower and upper corner along (S, P, L) of what every cell is fitted to; the extent of
        #: what stands side by side when it gives None. A result of one slice then stands where it
        #: lies in the patient, whatever the plane.
        self.fitted_box: Callable[[], Box | None] = lambda: None
        self._visible_before: dict[Layer, bool] = {}
        self._opacity_before: dict[Layer, float] = {}
        self._shown, self._last = StoodLayers(), StoodLayers()
        self._layout = Layout()
        self._company: set[Layer] = set()
        self._cells = cells_of(viewer)
        # napari's own grid, and its view in three dimensions, are seen where the cells are not.
        viewer.canvas.grid.events.enabled.connect(self._on_other_view)
        viewer.dims.events.ndisplay.connect(self._on_other_view)
        viewer.layers.events.removed.connect(self._on_removed)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers that stand side by side, in cell order; empty in the single view."""
        return tuple(x for cell in self._shown.cells for x in cell if x in self._viewer.layers)

    @property
    def cells(self) -> tuple[tuple[Layer, ...], ...]:
        """Layers of every cell, bottom first."""
        return self._shown.cells

    @property
    def whole(self) -> bool:
        """Whether every cell shows all of the study, not a region."""
        return self._shown.region is None

    @property
    def active(self) -> bool:
        """Whether layers stand side by side."""
        return self._cells.active

    @property
    def layout(self) -> Layout:
        """How the cells lie on the canvas."""
        return self._layout

    @property
    def enlarged(self) -> int | None:
        """The cell that has the whole picture; None when all are seen."""
        return self._cells.enlarged

    def enlarge(self, cell: int | None) -> None:
        """Give one cell the whole picture; None: all are seen again."""
        self._cells.enlarge(cell)

    def set_layout(self, layout: Layout) -> None:
        """Lay the cells out otherwise; what stands in them stays."""
        self._layout = layout
        self._cells.enlarge(None)
        self.fit()

    def show(
        self,
        layers: Iterable[Layer],
        *,
        columns: int = 0,
        region: Box | None = None,
        company: Iterable[Layer] = (),
    ) -> None:
        """Show only these layers, each in its own cell, in the order of the layer list.

        Parameters
        ----------
        columns : int
            Cells that belong together, see `row_shape`; 0: as many in a row as make the pictures
            largest.
        region : pair of arrays (3,), optional
            Lower and upper corner of what every cell shows, in the viewer's unit; all of the
            study when not given.
        company : iterable of Layer
            Those that stand beside others alone, as a scan beside maps: once only they are left,
            the single view comes back.
        """
        chosen = set(layers)
        cells = tuple((layer,) for layer in self._viewer.layers if layer in chosen)
        self._company = set(company)
        self._put(StoodLayers(cells, (), columns, region))

    def show_cells(
        self,
        cells: Iterable[Sequence[Layer]],
        *,
        columns: int = 0,
        region: Box | None = None,
        told: Sequence[str] = (),
    ) -> None:
        """Show these cells, each with its layers over each other, bottom first.

        A layer may stand in several cells. ``columns`` and ``region`` as of `show`; ``told`` are
        words for the cells that have no layers.
        """
        here = [tuple(x for x in cell if x in self._viewer.layers) for cell in cells]
        words = told or [""] * len(here)
        pairs = [(cell, "" if cell else said) for cell, said in zip(here, words, strict=True)]
        self._company = set()
        shown = StoodLayers(columns=columns, region=region)
        self._put(shown.of([(cell, said) for cell, said in pairs if cell or said]))

    def fill_cell(self, place: int, layers: Sequence[Layer]) -> None:
        """Let other layers stand in one cell, bottom first; none: the cell goes."""
        self._put(self._shown.filled(place, layers))

    def _put(self, shown: StoodLayers) -> None:
        if not shown.cells:
            return
        chosen = {layer for cell in shown.cells for layer in cell}
        if not self.active:
            self._visible_before = {layer: layer.visible for layer in self._viewer.layers}
        self._shown = shown
        with batched_changes(self._viewer.layers):
            # In this order, since napari makes a bar at once where it is to be seen.
            for layer in self._viewer.layers:
                if layer not in chosen and layer.visible:
                    layer.visible = False
            leave_bars_to_cells(self._cells, chosen)
            if self._viewer.dims.ndisplay != 2:
                self._viewer.dims.ndisplay = 2
            self._viewer.canvas.grid.enabled = False
            for layer in self._viewer.layers:
                if layer in chosen and not layer.visible:
                    layer.visible = True
            self._follow_opacity(shown)
            self.before_change(len(shown.cells))
        self._lay_out()
        self._fit()
        self.on_change(True)

    def _follow_opacity(self, shown: StoodLayers) -> None:
        """Over a scan a mask lets it shine through; alone it would only be dark."""
        alone = {x for cell in shown.cells if len(cell) == 1 for x in cell}
        under = {x for cell in shown.cells if len(cell) > 1 for x in cell}
        for layer in alone - under:
            if isinstance(layer, Labels) and layer.opacity < 1:
                self._opacity_before.setdefault(layer, layer.opacity)
                layer.opacity = 1.0
        for layer in under & set(self._opacity_before):
            layer.opacity = self._opacity_before.pop(layer)

    def add(self, layers: Sequence[Layer], *, without: Sequence[Layer] = ()) -> None:
        """Put further layers beside the others; ``without`` go at the same time."""
        rest = self._shown.without(without)
        new = {x for x in layers if x not in self.layers or x in without}
        cells = [*zip(rest.cells, rest.words, strict=True), *(((layer,), "") for layer in new)]
        order = {layer: place for place, layer in enumerate(self._viewer.layers)}
        if all(len(cell) == 1 for cell, _ in cells):
            cells.sort(key=lambda cell: order.get(cell[0][0], len(order)))
        self._put(rest.of(cells))

    def discard(self, layers: Sequence[Layer]) -> None:
        """Take layers out; with none left but company the single view comes back."""
        rest = self._shown.without(layers)
        left = {layer for cell in rest.cells for layer in cell}
        if left and not self._company.issuperset(left):
            self._put(rest)
            return
        if self._shown.cells:
            self._visible_before |= dict.fromkeys(layers, False)
        self.leave()
        for layer in layers:
            layer.visible = False

    def remove(self, layers: Iterable[Layer]) -> None:
        """Take layers of a result out of the cells, and out of the viewer."""
        there = [layer for layer in layers if layer in self._viewer.layers]
        if not there:
            return
        # At once: napari searches for garbage after each batch in which layers went.
        with batched_changes(self._viewer.layers):
            if not self.active or not set(there).isdisjoint(self.layers):
                self.discard(there)
            for layer in there:
                self._viewer.layers.remove(layer)
        for kept in (self._visible_before, self._opacity_before):
            for layer in there:
                kept.pop(layer, None)
        self._company.difference_update(there)
        self._last = self._last.without(there)

    @property
    def recent(self) -> tuple[Layer, ...]:
        """Layers that stand side by side, or stood so last."""
        last = (x for cell in self._last.cells for x in cell if x in self._viewer.layers)
        return self.layers or tuple(last)

    def again(self) -> bool:
        """Show what stood side by side last; False when none of it is left."""
        gone = {x for cell in self._last.cells for x in cell if x not in self._viewer.layers}
        rest = self._last.without(gone)
        self._put(rest)
        return bool(rest.cells)

    def leave(self) -> None:
        """Back to the single view: what was visible before is visible again."""
        if not self._shown.cells:
            return
        self._last, self._shown = self._shown, StoodLayers()
        with batched_changes(self._viewer.layers):
            self._cells.clear()
            self.before_change(0)
            for layer in self._viewer.layers:
                # Layers that came while they stood side by side have no place in the view before.
                layer.visible = self._visible_before.get(layer, False)
            for layer, opacity in self._opacity_before.items():
                layer.opacity = opacity
            # Last: napari makes a bar at once where it is to be seen.
            leave_bars_to_cells(self._cells, ())
        self._visible_before, self._opacity_before = {}, {}
        self.on_change(False)

    def fit(self) -> None:
        """Choose rows and columns anew, after the canvas or the plane has changed, and fit."""
        if self.active:
            self._lay_out()
            self._fit()

    def reshape(self) -> None:
        """Choose rows and columns anew; what is seen in the cells stays."""
        if self.active:
            self._cells.reshape(self._shape(), one_large=self._layout.one_large)

    def _lay_out(self) -> None:
        shape = self._shape()
        self._cells.show(
            self._shown.cells, shape, one_large=self._layout.one_large, told=self._shown.words
        )

    def _fit(self) -> None:
        self._cells.look_together()
        margin = FIT_MARGIN if self._shown.region is None else REGION_MARGIN
        fit_box(self._viewer, *self._corners(), margin)

    def _corners(self) -> Box:
        """Lower and upper corner of what a cell shows, in the two displayed axes."""
        region = self._shown.region or self.fitted_box()
        if region is None:
            return displayed_extent(self._viewer, self.layers)
        leading = self._viewer.dims.ndim - 3
        axes = [max(axis - leading, 0) for axis in self._viewer.dims.displayed[-2:]]
        return region[0][axes], region[1][axes]

    def _shape(self) -> tuple[int, int]:
        """Rows and columns."""
        height, width = (float(v) for v in self._viewer.canvas.size)
        low, high = self._corners()
        picture = (max(float(high[0] - low[0]), 1e-6), max(float(high[1] - low[1]), 1e-6))
        self._cells.picture = picture
        count, columns = len(self._shown.cells), self._shown.columns
        if self._layout.one_large:
            return 1, max(count, 1)
        if not self._layout.automatic:
            return self._layout.rows, self._layout.columns
        if columns:
            return row_shape(count, columns, (height, width), picture)
        return grid_shape(count, (height, width), picture)

    def _on_removed(self, event: Any) -> None:
        """A layer went, by whatever hand: its cell goes with it."""
        gone = event.value
        if not any(gone in cell for cell in self._shown.cells):
            return
        rest = self._shown.without([gone])
        if rest.cells:
            self._shown = rest
            self._lay_out()
        else:
            self.leave()

    def _on_other_view(self, _event: object = None) -> None:
        if self.active and (self._viewer.canvas.grid.enabled or self._viewer.dims.ndisplay != 2):
            self.leave()
