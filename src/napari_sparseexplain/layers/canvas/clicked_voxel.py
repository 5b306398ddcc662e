"""A ring about the clicked voxel, in the picture and in every cell.

It is an overlay of the scene and no layer, which would be saved and exported with the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari._vispy.overlays.base import ViewerOverlayMixin, VispySceneOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays import SceneOverlay
from vispy.scene.visuals import Markers

from ...volumes import Grid

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Key among the scene's overlays.
CLICKED_VOXEL = "clicked_voxel"

#: Diameter in pixels of the screen: the voxel and its neighbours stay to be seen inside.
_DIAMETER = 15.0
RING_COLOUR = (0.94, 0.89, 0.26, 1.0)
_CLEAR = (0.0, 0.0, 0.0, 0.0)


class ClickedVoxelOverlay(SceneOverlay):
    """Where the ring stands.

    Attributes
    ----------
    place : tuple of float
        (row, column) of the picture, in the viewer's unit.
    """

    place: tuple[float, float] = (0.0, 0.0)


class VispyClickedVoxelOverlay(ViewerOverlayMixin, VispySceneOverlay):
    """Draws it, once a cell: yellow, with a dark rim for bright pictures."""

    overlay: ClickedVoxelOverlay  # pyright: ignore[reportIncompatibleVariableOverride]
    node: Any

    def __init__(self, **keywords: Any) -> None:
        super().__init__(node=Markers(antialias=1), **keywords)
        self.overlay.events.place.connect(self._on_position)
        self._on_position()
        self.reset()

    def _on_position(self) -> None:
        row, column = self.overlay.place
        self.node.set_data(
            pos=np.array([[column, row]] * 2),
            size=np.array([_DIAMETER + 3.0, _DIAMETER]),
            edge_width=np.array([1.5, 1.5]),
            edge_color=np.array([(0.0, 0.0, 0.0, 0.8), RING_COLOUR]),
            face_color=np.array([_CLEAR, _CLEAR]),
            symbol="disc",
        )

    def close(self) -> None:
        """Its cell is no more."""
        self.overlay.events.place.disconnect(self._on_position)
        super().close()


# napari has no public way to bring a visual for an overlay of one's own.
overlay_to_visual[ClickedVoxelOverlay] = VispyClickedVoxelOverlay


class ClickedVoxel:
    """Keeps the ring of one viewer on the last clicked voxel, wherever the slices go."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._grid: Grid | None = None
        self._index: tuple[int, int, int] | None = None
        self._overlay = ClickedVoxelOverlay()
        viewer.scene.overlays[CLICKED_VOXEL] = self._overlay
        viewer.dims.events.point.connect(self._refresh)
        viewer.dims.events.order.connect(self._refresh)
        viewer.dims.events.ndisplay.connect(self._refresh)
        viewer.dims.events.ndim.connect(self._refresh)

    @property
    def index(self) -> tuple[int, int, int] | None:
        """The marked voxel (slice, row, column); None when none is."""
        return self._index

    @property
    def visible(self) -> bool:
        """Whether the ring is in the picture: on the voxel's own slice, in 2-D."""
        return self._overlay.visible

    def set_grid(self, grid: Grid | None) -> None:
        """Another study is active: its voxels are others, so nothing is marked."""
        if grid is not self._grid:
            self._grid, self._index = grid, None
            self._refresh()

    def mark(self, index: tuple[int, int, int]) -> None:
        """Move the ring to a voxel of the grid."""
        self._index = index
        self._refresh()

    def _refresh(self) -> None:
        place = self._place()
        if place is not None and place != self._overlay.place:
            self._overlay.place = place
        if self._overlay.visible != (place is not None):
            self._overlay.visible = place is not None

    def _place(self) -> tuple[float, float] | None:
        """(row, column) of the picture in the viewer's unit; None where the voxel is not in it."""
        dims = self._viewer.dims
        if self._grid is None or self._index is None or dims.ndisplay != 2 or dims.ndim < 3:
            return None
        leading = dims.ndim - 3
        row, column = (axis - leading for axis in dims.displayed)
        if row < 0 or column < 0:
            return None
        (through,) = {0, 1, 2} - {row, column}
        spacing = self._grid.spacing
        if round(dims.point[through + leading] / spacing[through]) != self._index[through]:
            return None
        return (self._index[row] * spacing[row], self._index[column] * spacing[column])
