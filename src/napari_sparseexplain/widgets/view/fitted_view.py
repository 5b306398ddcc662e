"""The zoom and centre at which the study fits the canvas, or the pictures their cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...layers.canvas.linked_cameras import LinkedCameras
from ...layers.cells.grid_view import fit_layers
from ..parts.resting_timer import RestingTimer

if TYPE_CHECKING:
    from .view_window import ViewWindow


class FittedView:
    """Fits the active study, again when plane or canvas change, and knows where that was."""

    def __init__(self, window: ViewWindow, cameras: LinkedCameras) -> None:
        self._window, self._cameras = window, cameras
        self._viewer = window.viewer
        self._zoom, self._centre = 0.0, (0.0, 0.0)
        self._kept = False
        self._order_timer = RestingTimer(window.signals, 0, self.fit)
        self._resize_timer = RestingTimer(window.signals, 30, self._on_resized)
        self._viewer.dims.events.order.connect(self._order_timer.restart)
        self._viewer.canvas.events.size.connect(self._resize_timer.restart)

    @property
    def camera(self) -> tuple[float, tuple[float, float]] | None:
        """Zoom and centre at which the whole slice was fitted last; None where a region was."""
        grid = self._window.grid_view
        return None if grid.active and not grid.whole else (self._zoom, self._centre)

    def fit(self) -> None:
        """Fit the active study into the canvas, or into every cell of the grid."""
        window, self._kept = self._window, False
        if window.grid_view.active:
            window.grid_view.fit()
        elif (study := window.study) is not None and (mine := window.layers_of(study)):
            # Also in 3-D, and where time is displayed, which the cameras leave alone.
            fit_layers(self._viewer, mine)
            self._cameras.whole()
        self._remember()

    def keep(self) -> None:
        """Zoom and centre were set on purpose: nothing but a person's own fit undoes them."""
        self._order_timer.stop()
        self._kept = True

    def follow_grid(self, active: bool) -> None:
        """The grid came, changed or went."""
        self._kept = False
        if not active:
            self._cameras.resume()
        if active or self._cameras.is_whole:
            self._remember()

    def _remember(self) -> None:
        camera = self._viewer.scene.camera
        self._zoom = camera.zoom
        self._centre = (float(camera.center[-2]), float(camera.center[-1]))

    def _on_resized(self) -> None:
        window = self._window
        if window.grid_view.active and self._kept:
            window.grid_view.reshape()
            return
        window.grid_view.fit()
        # What was seen is seen, at another size.
        self._cameras.reapply()
        if window.grid_view.active or self._cameras.is_whole:
            self._remember()
