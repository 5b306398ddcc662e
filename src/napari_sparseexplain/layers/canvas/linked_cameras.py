"""Cameras of orthogonal views that go together: one magnification, one place in the patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...volumes import Grid
from ..cells.grid_view import BAR_SHARE, round_length

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Share of a view left free about a slice that is seen whole.
FIT_MARGIN = 0.05


def spatial_axes(viewer: ViewerModel) -> tuple[int, int, int] | None:
    """Axes (0 S, 1 P, 2 L) through the picture, along its rows and its columns; None in 3-D."""
    dims = viewer.dims
    leading = dims.ndim - 3
    if dims.ndisplay != 2 or leading < 0:
        return None
    through, rows, columns = (axis - leading for axis in dims.order[-3:])
    return (through, rows, columns) if min(through, rows, columns) >= 0 else None


def whole_zoom(viewer: ViewerModel, grid: Grid) -> float:
    """Zoom at which the slice of a grid is seen whole, in screen pixels per millimetre."""
    axes = spatial_axes(viewer)
    if axes is None:
        return float(viewer.scene.camera.zoom)
    return zoom_of_whole(grid, axes[1:], viewer.canvas.size)


def zoom_of_whole(grid: Grid, axes: Sequence[int], canvas: Sequence[float]) -> float:
    """Zoom at which a slice is seen whole on a canvas.

    Parameters
    ----------
    grid : Grid
    axes : pair of int
        Those along the picture's rows and columns.
    canvas : pair of float
        Height and width in screen pixels.
    """
    size = np.array([grid.shape[a] * grid.spacing[a] for a in axes])
    return float((1 - FIT_MARGIN) * (np.maximum(np.asarray(canvas, float), 1.0) / size).min())


class LinkedCameras:
    """The camera of a viewer, and those of the views beside it: one magnification, one place.

    What is kept is the magnification relative to the whole slice, and the point of the patient in
    the middle. So views of other sizes show the same, views that share an axis are panned
    together, and a window that is resized shows what it showed.
    """

    def __init__(self, main: ViewerModel) -> None:
        self._main = main
        self._views: list[ViewerModel] = []
        self._grid: Grid | None = None
        self._paused = self._busy = False
        self._ratio = 1.0
        self._focus = np.zeros(3)
        self._sizes: dict[int, tuple[int, ...]] = {}
        self._undo: dict[int, Callable[[], None]] = {}
        self.add(main)

    @property
    def ratio(self) -> float:
        """Magnification; 1 shows the whole slice."""
        return self._ratio

    @property
    def is_whole(self) -> bool:
        """Whether the whole slice is shown, as after a fit."""
        return self._grid is not None and abs(self._ratio - 1.0) < 1e-3

    def add(self, view: ViewerModel) -> None:
        """Link another view, and bring it to what the others show."""
        # By identity: equality of napari's models compares all that they hold.
        if any(known is view for known in self._views):
            return
        events = view.scene.camera.events

        def follow(_event: object = None) -> None:
            self._follow(view)

        events.zoom.connect(follow)
        events.center.connect(follow)
        self._views.append(view)

        def undo() -> None:
            events.zoom.disconnect(follow)
            events.center.disconnect(follow)

        self._undo[id(view)] = undo
        self.reapply()

    def remove(self, view: ViewerModel) -> None:
        """Link a view no longer."""
        if id(view) in self._undo:
            self._views = [known for known in self._views if known is not view]
            self._undo.pop(id(view))()
            view.canvas.overlays.scale_bar.length = None
            self.fit_scale_bars()

    def start(self, grid: Grid | None) -> None:
        """Show the slices of a grid whole; None: nothing is linked."""
        if grid is not self._grid:
            self._grid = grid
            self.whole()

    def whole(self) -> None:
        """Show the whole slice, everywhere."""
        if self._grid is not None:
            self._ratio = 1.0
            self._focus = (np.asarray(self._grid.shape) - 1) / 2 * self._grid.spacing
            self.reapply()

    def look(self, ratio: float, focus: Sequence[float]) -> None:
        """Show a place of the patient at a magnification, everywhere.

        Parameters
        ----------
        ratio : float
            1 shows the whole slice.
        focus : three floats
            Millimetres along S, P and L from the middle of voxel 0.
        """
        self._ratio, self._focus = ratio, np.asarray(focus, dtype=float)
        self.reapply()

    def pause(self) -> None:
        """While the main viewer shows something else: what is shown now is kept."""
        self._paused = True

    def resume(self) -> None:
        """Show what was shown before the pause."""
        self._paused = False
        self.reapply()

    def reapply(self) -> None:
        """After a view changed its size or its plane: the same magnification and place."""
        if self._grid is not None and not self._paused and not self._busy:
            self._write(None)

    def fit_scale_bars(self) -> None:
        """Scale bars that leave the letter in the middle of the lower edge free."""
        for view in self._views:
            visible = float(view.canvas.size[1]) / float(view.scene.camera.zoom)
            bar: Any = view.canvas.overlays.scale_bar
            length = round_length(BAR_SHARE * visible)
            if bar.length != length:
                bar.length = length
                # napari draws another length only when the zoom changes too, or the font.
                bar.events.font_size.emit(bar.font_size)

    def _follow(self, leader: ViewerModel) -> None:
        if self._grid is None or self._paused or self._busy:
            return
        axes = spatial_axes(leader)
        # vispy scales its camera with the canvas: that is no zoom of a person's.
        if axes is None or self._sizes.get(id(leader)) != tuple(leader.canvas.size):
            return
        camera = leader.scene.camera
        self._ratio = float(camera.zoom) / whole_zoom(leader, self._grid)
        self._focus[list(axes[1:])] = camera.center[-2:]
        self._write(leader)

    def _write(self, leader: ViewerModel | None) -> None:
        grid = self._grid
        if grid is None:
            return
        self._busy = True
        try:
            for view in self._views:
                self._sizes[id(view)] = tuple(view.canvas.size)
                axes = spatial_axes(view)
                if view is leader or axes is None:
                    continue
                camera = view.scene.camera
                camera.zoom = self._ratio * whole_zoom(view, grid)
                row, column = (float(self._focus[a]) for a in axes[1:])
                camera.center = (0.0, row, column)
            self.fit_scale_bars()
        finally:
            self._busy = False
