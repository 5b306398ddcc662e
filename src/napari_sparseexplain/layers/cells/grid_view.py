"""Layers side by side on one slice, and the single view that comes back as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from napari.layers import Labels

from ..batched_changes import batched_changes
from ..colour_bar import leave_bars_to_cells
from .cell_layout import grid_shape, row_shape
from .shown_cells import cells_of, view_size

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

#: Lower and upper corner of a box.
Box = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]

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
    extent = np.asarray(viewer.layers.get_extent(layers).world)
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


class GridView:
    """Puts chosen layers side by side and brings the single view back as it was."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        #: Told whether the grid is on, so that letters and buttons can follow.
        self.on_change: Callable[[bool], None] = lambda active: None
        #: Told just before: what stands in every cell is cheap to change only while there is one.
        self.before_change: Callable[[int], None] = lambda cells: None
        #: Layers whose extent every cell shows; those in the grid when it gives none. A result of
        #: one slice then stands where it lies in the patient, whatever the plane.
        self.extent_layers: Callable[[], Sequence[Layer]] = lambda: ()
        self._visible_before: dict[Layer, bool] = {}
        self._opacity_before: dict[Layer, float] = {}
        self._shown: list[Layer] = []
        self._company: set[Layer] = set()
        self._columns = 0
        self._region: Box | None = None
        self._last: tuple[list[Layer], int, Box | None] = ([], 0, None)
        self._cells = cells_of(viewer)
        # napari's own grid, and its view in three dimensions, are seen where the cells are not.
        viewer.canvas.grid.events.enabled.connect(self._on_other_view)
        viewer.dims.events.ndisplay.connect(self._on_other_view)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers in the grid, in cell order; empty in the single view."""
        return tuple(layer for layer in self._shown if layer in self._viewer.layers)

    @property
    def whole(self) -> bool:
        """Whether every cell shows all of the study, not a region."""
        return self._region is None

    @property
    def active(self) -> bool:
        """Whether the grid is on."""
        return self._cells.active

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
        self._company = set(company)
        ordered = [layer for layer in self._viewer.layers if layer in chosen]
        if not ordered:
            return
        if not self.active:
            self._visible_before = {layer: layer.visible for layer in self._viewer.layers}
        self._shown, self._columns, self._region = ordered, columns, region
        with batched_changes(self._viewer.layers):
            leave_bars_to_cells(ordered)
            if self._viewer.dims.ndisplay != 2:
                self._viewer.dims.ndisplay = 2
            self._viewer.canvas.grid.enabled = False
            for layer in self._viewer.layers:
                if layer.visible != (layer in chosen):
                    layer.visible = layer in chosen
                if layer in chosen and isinstance(layer, Labels) and layer.opacity < 1:
                    # Over a scan a mask lets it shine through; alone it would only be dark.
                    self._opacity_before.setdefault(layer, layer.opacity)
                    layer.opacity = 1.0
            self.before_change(len(ordered))
        self._cells.show([[layer] for layer in ordered], self._shape())
        self._fit()
        self.on_change(True)

    def add(self, layers: Sequence[Layer], *, without: Sequence[Layer] = ()) -> None:
        """Put further layers into the grid; ``without`` go at the same time."""
        stay = [layer for layer in self.layers if layer not in without]
        self._show_as_before([*stay, *layers])

    def _show_as_before(self, layers: Sequence[Layer]) -> None:
        self.show(layers, columns=self._columns, region=self._region, company=self._company)

    def discard(self, layers: Sequence[Layer]) -> None:
        """Take layers out of the grid; with none left but company the single view comes back."""
        rest = [layer for layer in self.layers if layer not in layers]
        if rest and not self._company.issuperset(rest):
            self._show_as_before(rest)
            return
        if self._shown:
            self._visible_before |= dict.fromkeys(layers, False)
        self.leave()
        for layer in layers:
            layer.visible = False

    def remove(self, layers: Iterable[Layer]) -> None:
        """Take layers of a result out of the grid, and out of the viewer."""
        there = [layer for layer in layers if layer in self._viewer.layers]
        if not there:
            return
        if not self.active or not set(there).isdisjoint(self.layers):
            self.discard(there)
        with batched_changes(self._viewer.layers):
            for layer in there:
                self._viewer.layers.remove(layer)
        for kept in (self._visible_before, self._opacity_before):
            for layer in there:
                kept.pop(layer, None)
        self._company.difference_update(there)
        last, columns, region = self._last
        self._last = ([layer for layer in last if layer not in there], columns, region)

    @property
    def recent(self) -> tuple[Layer, ...]:
        """Layers that stand in the grid, or stood in it last."""
        return self.layers or tuple(x for x in self._last[0] if x in self._viewer.layers)

    def again(self) -> bool:
        """Show what stood in the grid last; False when none of it is left."""
        layers, columns, region = self._last
        rest = [layer for layer in layers if layer in self._viewer.layers]
        if rest:
            self.show(rest, columns=columns, region=region, company=self._company)
        return bool(rest)

    def leave(self) -> None:
        """Back to the single view: what was visible before the grid is visible again."""
        if not self._shown:
            return
        self._last = (list(self._shown), self._columns, self._region)
        with batched_changes(self._viewer.layers):
            self._cells.clear()
            self.before_change(0)
            leave_bars_to_cells(())
            for layer in self._viewer.layers:
                # Layers that came while the grid was on have no place in the view before it.
                layer.visible = self._visible_before.get(layer, False)
            for layer, opacity in self._opacity_before.items():
                layer.opacity = opacity
        self._shown, self._visible_before, self._opacity_before = [], {}, {}
        self.on_change(False)

    def fit(self) -> None:
        """Choose rows and columns anew, after the canvas or the plane has changed, and fit."""
        if self.active:
            self.reshape()
            self._fit()

    def reshape(self) -> None:
        """Choose rows and columns anew; what is seen in the cells stays."""
        if self.active:
            self._cells.reshape(self._shape())

    def _fit(self) -> None:
        if self._region is None:
            fit_layers(self._viewer, list(self.extent_layers()) or self._shown, FIT_MARGIN)
        else:
            fit_box(self._viewer, *self._corners(), REGION_MARGIN)

    def _corners(self) -> Box:
        """Lower and upper corner of what a cell shows, in the two displayed axes."""
        if self._region is None:
            return displayed_extent(self._viewer, list(self.extent_layers()) or self._shown)
        leading = self._viewer.dims.ndim - 3
        axes = [max(axis - leading, 0) for axis in self._viewer.dims.displayed[-2:]]
        return self._region[0][axes], self._region[1][axes]

    def _shape(self) -> tuple[int, int]:
        """Rows and columns."""
        height, width = self._viewer.canvas.size
        low, high = self._corners()
        picture = (max(float(high[0] - low[0]), 1e-6), max(float(high[1] - low[1]), 1e-6))
        self._cells.picture = picture
        count, columns = len(self._shown), self._columns
        if columns:
            return row_shape(count, columns, (float(height), float(width)), picture)
        return grid_shape(count, (float(height), float(width)), picture)

    def _on_other_view(self, _event: object = None) -> None:
        if self.active and (self._viewer.canvas.grid.enabled or self._viewer.dims.ndisplay != 2):
            self.leave()
