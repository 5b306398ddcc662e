"""Cameras of orthogonal views that go together: one magnification, one place in the patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...volumes import Study
from ...volumes.head_box import box_in_plane, head_box, whole_box
from ..cells.grid_view import BAR_SHARE, round_length

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Share of a view left free about what is fitted into it.
FIT_MARGIN = 0.05


def spatial_axes(viewer: ViewerModel) -> tuple[int, int, int] | None:
    """Axes (0 S, 1 P, 2 L) through the picture, along its rows and its columns; None in 3-D."""
    dims = viewer.dims
    leading = dims.ndim - 3
    if dims.ndisplay != 2 or leading < 0:
        return None
    through, rows, columns = (axis - leading for axis in dims.order[-3:])
    return (through, rows, columns) if min(through, rows, columns) >= 0 else None


def fitted_zoom(study: Study, axes: Sequence[int], canvas: Sequence[float]) -> float:
    """Zoom at which what a study shows fits a canvas, in screen pixels per millimetre.

    Parameters
    ----------
    study : Study
    axes : pair of int
        Those along the picture's rows and columns.
    canvas : pair of float
        Height and width in screen pixels.
    """
    low, high = box_in_plane(study, axes)
    room = np.maximum(np.asarray(canvas, float), 1.0)
    return float((1 - FIT_MARGIN) * (room / (high - low)).min())


class LinkedCameras:
    """The camera of a viewer, and those of the views beside it: one scale, one place.

    What is kept is the magnification relative to what fits the smallest view, and the point of the
    patient in the middle. So a millimetre is as long in every view, views that share an axis are
    panned together, and a window that is resized shows what it showed.
    """

    def __init__(self, main: ViewerModel) -> None:
        self._main = main
        self._views: list[ViewerModel] = []
        self._study: Study | None = None
        self._paused = self._busy = False
        self._ratio = 1.0
        self._focus = np.zeros(3)
        self._sizes: dict[int, tuple[int, ...]] = {}
        self._undo: dict[int, Callable[[], None]] = {}
        self.add(main)

    @property
    def ratio(self) -> float:
        """Magnification; 1 fits the study."""
        return self._ratio

    @property
    def is_whole(self) -> bool:
        """Whether the study is fitted."""
        return self._study is not None and abs(self._ratio - 1.0) < 1e-3

    @property
    def fitted_zoom(self) -> float:
        """Zoom at which the study fits every view."""
        if self._study is None:
            return float(self._main.scene.camera.zoom)
        study, found = self._study, []
        for view in self._views:
            axes = spatial_axes(view)
            if axes is not None:
                found.append(fitted_zoom(study, axes[1:], view.canvas.size))
        return min(found, default=float(self._main.scene.camera.zoom))

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

    def start(self, study: Study | None) -> None:
        """Fit the slices of a study; None: nothing is linked."""
        if study is not self._study:
            self._study = study
            self.whole()

    def whole(self) -> None:
        """Fit the study, everywhere."""
        if self._study is not None:
            self._ratio = 1.0
            low, high = head_box(self._study) or whole_box(self._study)
            self._focus = (low + high) / 2
            self.reapply()

    def look(self, ratio: float, focus: Sequence[float]) -> None:
        """Show a place of the patient at a magnification, everywhere.

        Parameters
        ----------
        ratio : float
            1 fits the study.
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
        if self._study is not None and not self._paused and not self._busy:
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
        if self._study is None or self._paused or self._busy:
            return
        axes = spatial_axes(leader)
        # vispy scales its camera with the canvas: that is no zoom of a person's.
        if axes is None or self._sizes.get(id(leader)) != tuple(leader.canvas.size):
            return
        camera = leader.scene.camera
        self._ratio = float(camera.zoom) / self.fitted_zoom
        self._focus[list(axes[1:])] = camera.center[-2:]
        self._write(leader)

    def _write(self, leader: ViewerModel | None) -> None:
        if self._study is None:
            return
        zoom = self._ratio * self.fitted_zoom
        self._busy = True
        try:
            for view in self._views:
                self._sizes[id(view)] = tuple(view.canvas.size)
                axes = spatial_axes(view)
                if view is leader or axes is None:
                    continue
                camera = view.scene.camera
                camera.zoom = zoom
                row, column = (float(self._focus[a]) for a in axes[1:])
                camera.center = (0.0, row, column)
            self.fit_scale_bars()
        finally:
            self._busy = False
