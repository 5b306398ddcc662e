"""The crosshair: where the other views' slices cut this one. An overlay of the scene, no layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari._vispy.overlays.base import ViewerOverlayMixin, VispySceneOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays import SceneOverlay
from vispy.scene.visuals import Line

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Key among the scene's overlays.
CROSSHAIR = "crosshair"

#: Millimetres about the middle that stay free, so that what is looked at is seen.
GAP = 7.0

CROSSHAIR_COLOUR = (0.34, 0.71, 0.91, 0.8)


class CrosshairOverlay(SceneOverlay):
    """Two lines.

    Attributes
    ----------
    place : tuple of float
        (row, column) of the picture where they meet, in the viewer's unit.
    low, high : tuple of float
        (row, column) where they begin and end.
    """

    place: tuple[float, float] = (0.0, 0.0)
    low: tuple[float, float] = (0.0, 0.0)
    high: tuple[float, float] = (1.0, 1.0)


def crosshair_lines(
    place: tuple[float, float], low: tuple[float, float], high: tuple[float, float]
) -> np.ndarray:
    """Ends of four line pieces, (column, row), shape (8, 2): two along each axis, with a gap."""
    row, column = place
    # In a small picture, as of a phantom, the gap is smaller too.
    gap = min(GAP, 0.08 * max(high[0] - low[0], high[1] - low[1]))
    return np.array(
        [
            (low[1], row),
            (max(column - gap, low[1]), row),
            (min(column + gap, high[1]), row),
            (high[1], row),
            (column, low[0]),
            (column, max(row - gap, low[0])),
            (column, min(row + gap, high[0])),
            (column, high[0]),
        ],
        dtype=np.float32,
    )


class VispyCrosshairOverlay(ViewerOverlayMixin, VispySceneOverlay):
    """Draws it."""

    overlay: CrosshairOverlay  # pyright: ignore[reportIncompatibleVariableOverride]
    node: Any

    def __init__(self, **keywords: Any) -> None:
        super().__init__(
            node=Line(connect="segments", color=CROSSHAIR_COLOUR, width=1, antialias=False),
            **keywords,
        )
        self.overlay.events.place.connect(self._on_position)
        self._on_position()
        self.reset()

    def _on_position(self) -> None:
        overlay = self.overlay
        self.node.set_data(pos=crosshair_lines(overlay.place, overlay.low, overlay.high))

    def close(self) -> None:
        """Its view is no more."""
        self.overlay.events.place.disconnect(self._on_position)
        super().close()


# napari has no public way to bring a visual for an overlay of one's own.
overlay_to_visual[CrosshairOverlay] = VispyCrosshairOverlay


class Crosshair:
    """The crosshair of one viewer."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._overlay = CrosshairOverlay(visible=False)
        viewer.scene.overlays[CROSSHAIR] = self._overlay

    @property
    def place(self) -> tuple[float, float] | None:
        """(row, column) in the viewer's unit; None when it is not shown."""
        return self._overlay.place if self._overlay.visible else None

    def show(
        self,
        place: tuple[float, float] | None,
        low: tuple[float, float] = (0.0, 0.0),
        high: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """Move it; None takes it away."""
        overlay = self._overlay
        if place is not None:
            overlay.low, overlay.high = low, high
            if overlay.place != place:
                overlay.place = place
        if overlay.visible != (place is not None):
            overlay.visible = place is not None
