"""Fibre directions in the cells of the grid, on the slice in the picture.

napari gives every layer a cell of its own there, so their layer is hidden, and the lines stand in
every cell as an overlay of the scene that all cells show; as with annotations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari._vispy.overlays.base import ViewerOverlayMixin, VispySceneOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays import SceneOverlay
from vispy.scene.visuals import Line

from ..fibre_directions import FIBRES, FibreLines
from .linked_cameras import spatial_axes

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from ...volumes import Grid

#: Width of a line in pixels of the screen.
_WIDTH: Any = 2.0


@dataclass(frozen=True, eq=False)
class DrawnLines:
    """What stands in the picture.

    Attributes
    ----------
    ends : ndarray, shape (2 n, 2)
        (column, row) in the viewer's unit, two of each line.
    colours : ndarray, shape (2 n, 4)
    """

    ends: npt.NDArray[np.float32]
    colours: npt.NDArray[np.float32]


class FibreOverlay(SceneOverlay):
    """Lines of one slice.

    Attributes
    ----------
    lines : DrawnLines or None
    """

    lines: Any = None


class VispyFibreOverlay(ViewerOverlayMixin, VispySceneOverlay):
    """Draws them."""

    overlay: FibreOverlay  # pyright: ignore[reportIncompatibleVariableOverride]
    node: Any

    def __init__(self, **keywords: Any) -> None:
        node = Line(connect="segments", method="gl", width=_WIDTH, antialias=True)
        super().__init__(node=node, **keywords)
        self.overlay.events.lines.connect(self._on_lines)
        self._on_lines()
        self.reset()

    def _on_lines(self) -> None:
        drawn = self.overlay.lines
        if drawn is not None and len(drawn.ends):
            self.node.set_data(pos=drawn.ends, color=drawn.colours)

    def close(self) -> None:
        """Its view is no more."""
        self.overlay.events.lines.disconnect(self._on_lines)
        super().close()


# napari has no public way to bring a visual for an overlay of one's own.
overlay_to_visual[FibreOverlay] = VispyFibreOverlay


class FibresInCells:
    """Keeps the lines of one result in all cells of a viewer's grid."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._lines: FibreLines | None = None
        self._spacing = np.ones(3)
        self._overlay = FibreOverlay(visible=False)
        viewer.scene.overlays[FIBRES] = self._overlay
        for name in ("point", "order", "ndisplay", "ndim"):
            getattr(viewer.dims.events, name).connect(self.refresh)
        viewer.canvas.grid.events.enabled.connect(self.refresh)

    @property
    def drawn(self) -> DrawnLines | None:
        """What stands in the cells; None where nothing does."""
        return self._overlay.lines if self._overlay.visible else None

    def show(self, lines: FibreLines | None, grid: Grid | None = None) -> None:
        """Draw these, or none."""
        self._lines = lines
        if grid is not None:
            self._spacing = np.asarray(grid.spacing, dtype=np.float64)
        self.refresh()

    def refresh(self, _event: Any = None) -> None:
        """The slice in the picture may be another."""
        drawn = self._on_slice() if self._lines is not None else None
        if drawn is not None:
            self._overlay.lines = drawn
        if self._overlay.visible != (drawn is not None):
            self._overlay.visible = drawn is not None

    def _on_slice(self) -> DrawnLines | None:
        place = slice_place(self._viewer, self._spacing)
        axes = spatial_axes(self._viewer)
        if (
            self._lines is None
            or place is None
            or axes is None
            or not self._viewer.canvas.grid.enabled
        ):
            return None
        lines = self._lines.on_slice(*place)
        if not len(lines):
            return None
        ends = np.stack([lines.centres - lines.halves, lines.centres + lines.halves], axis=1)
        _, row, column = axes
        drawn = (ends.reshape(-1, 3) * self._spacing)[:, [column, row]]
        return DrawnLines(drawn.astype(np.float32), np.repeat(lines.colours, 2, axis=0))


def slice_place(viewer: ViewerModel, spacing: npt.NDArray[np.float64]) -> tuple[int, int] | None:
    """Axis (0 S, 1 P, 2 L) through the picture, and the slice along it; None in 3-D."""
    axes = spatial_axes(viewer)
    if axes is None:
        return None
    step = viewer.dims.point[viewer.dims.ndim - 3 + axes[0]] / spacing[axes[0]]
    return axes[0], round(float(step))
