"""The wheel scrolls slices; with Ctrl or Shift it zooms about the pointer.

As in the viewers of clinics. napari's plain wheel zooms and its Ctrl+wheel scrolls: both are taken
over while a study is open; Alt stays napari's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.components._viewer_mouse_bindings import dims_scroll

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Zoom of one notch.
NOTCH_ZOOM = 1.15


class SliceWheel:
    """Listens to the wheel over one viewer.

    Parameters
    ----------
    step : callable
        Told 1 for a notch towards the hand, -1 for one away from it.
    enabled : callable
        Whether the wheel is taken over.
    """

    def __init__(
        self, viewer: ViewerModel, step: Callable[[int], None], enabled: Callable[[], bool]
    ) -> None:
        self._viewer, self._step, self._enabled = viewer, step, enabled
        self._turned = 0.0
        viewer.mouse_wheel_callbacks.append(self._on_wheel)
        if dims_scroll in viewer.mouse_wheel_callbacks:
            place = viewer.mouse_wheel_callbacks.index(dims_scroll)
            viewer.mouse_wheel_callbacks[place] = self._on_own_scroll

    def detach(self) -> None:
        """Listen no more; napari's wheel is its own again."""
        callbacks = self._viewer.mouse_wheel_callbacks
        if self._on_wheel in callbacks:
            callbacks.remove(self._on_wheel)
        if self._on_own_scroll in callbacks:
            callbacks[callbacks.index(self._on_own_scroll)] = dims_scroll

    def _on_own_scroll(self, viewer: Any, event: Any) -> None:
        if viewer.dims.ndisplay != 2 or not self._enabled():
            dims_scroll(viewer, event)

    def _on_wheel(self, viewer: Any, event: Any) -> None:
        if viewer.dims.ndisplay != 2 or not self._enabled():
            return
        modifiers = tuple(event.modifiers)
        # At most one slice an event, however fast the wheel; touch pads send parts of a notch.
        delta = float(np.clip(np.sum(event.delta), -1, 1))
        if modifiers in (("Shift",), ("Control",)):
            event.handled = True
            zoom_about(viewer, tuple(event.position)[-3:], NOTCH_ZOOM**delta)
        elif not modifiers:
            event.handled = True
            self._turned += delta if event.native.inverted() else -delta
            while abs(self._turned) >= 1:
                way = 1 if self._turned > 0 else -1
                self._turned -= way
                self._step(way)


def zoom_about(viewer: ViewerModel, place: tuple[float, ...], factor: float) -> None:
    """Zoom so that what lies under a place stays where it is on the screen.

    Parameters
    ----------
    place : tuple of float
        The viewer's last three axes, in its unit.
    factor : float
        Above 1: larger.
    """
    camera = viewer.scene.camera
    leading = viewer.dims.ndim - len(place)
    here = np.array([place[axis - leading] for axis in viewer.dims.displayed[-2:]])
    centre = np.asarray(camera.center[-2:], dtype=float)
    moved = centre + (here - centre) * (1 - 1 / factor)
    camera.zoom = float(camera.zoom) * factor
    camera.center = (0.0, float(moved[0]), float(moved[1]))
