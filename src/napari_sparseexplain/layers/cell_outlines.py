"""Outlines over a scan in its cell of the grid, as lines that belong to the scan's own layer.

napari gives every layer a cell of its own there: outlines in layers of their own would lie on
whatever stands in the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari._vispy.overlays.base import LayerOverlayMixin, VispySceneOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays import SceneOverlay
from napari.utils.colormaps.standardize_color import transform_color
from vispy.scene.visuals import Line

from .canvas.linked_cameras import spatial_axes
from .layer_overlays import leading_points
from .maps_over_time import OVER, MapsOverTime
from .study_layers import METADATA_KEY

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Layer

#: Width of a line in pixels of the screen.
_WIDTH: Any = 1.5  # vispy says int and takes parts of a pixel


class CellOutlinesOverlay(SceneOverlay):
    """Lines over one layer.

    Attributes
    ----------
    layers : tuple of Labels
        Whose outlines these are: hidden ones.
    lines : tuple of (ends, colours)
        Shapes (2 n, 2) as (column, row) in voxels of the layer, and (2 n, 4).
    """

    layers: tuple[Any, ...] = ()
    lines: Any = None


class VispyCellOutlinesOverlay(LayerOverlayMixin, VispySceneOverlay):
    """Draws them."""

    overlay: CellOutlinesOverlay  # pyright: ignore[reportIncompatibleVariableOverride]
    node: Any

    def __init__(self, **keywords: Any) -> None:
        node = Line(connect="segments", method="gl", width=_WIDTH, antialias=True)
        super().__init__(node=node, **keywords)
        # As napari sets it for what hangs on a picture once the picture's own place changes: whole
        # numbers are the middles of pixels.
        matrix = np.eye(4)
        matrix[-1, :2] = 0.5
        self.node.transform.matrix = matrix
        self.overlay.events.lines.connect(self._on_lines)
        self._on_lines()
        self.reset()

    def _on_lines(self) -> None:
        drawn = self.overlay.lines
        some = False
        if drawn is not None and len(drawn[0]):
            some = True
            self.node.set_data(pos=drawn[0], color=drawn[1])
        self.node.visible = some and self._should_be_visible()

    def _on_visible_change(self) -> None:
        self._on_lines()

    def close(self) -> None:
        """Its view is no more."""
        self.overlay.events.lines.disconnect(self._on_lines)
        super().close()


# napari has no public way to bring a visual for an overlay of one's own.
overlay_to_visual[CellOutlinesOverlay] = VispyCellOutlinesOverlay


class CellOutlines:
    """Keeps the outlines of some hidden layers over one scan of a viewer's grid."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._scan: Layer | None = None
        for name in ("point", "order", "ndisplay"):
            getattr(viewer.dims.events, name).connect(self.refresh)

    @property
    def scan(self) -> Layer | None:
        """The layer in whose cell they stand; None where they do not."""
        return self._scan

    @property
    def segments(self) -> int:
        """How many pieces of line stand there."""
        drawn = None if self._scan is None else self._overlay_of(self._scan).lines
        return 0 if drawn is None else len(drawn[0]) // 2

    def show(self, scan: Layer | None, layers: Sequence[Labels]) -> None:
        """Draw these over a scan; over none they stand nowhere."""
        scan = scan if layers else None
        if self._scan is not None and self._scan is not scan:
            gone = self._overlay_of(self._scan)
            gone.layers, gone.lines, gone.visible = (), None, False
        self._scan = scan
        if scan is not None:
            self._overlay_of(scan).layers = tuple(layers)
        self.refresh()

    def refresh(self, _event: Any = None) -> None:
        """The slice or the time point in the picture may be another."""
        if self._scan is None:
            return
        overlay = self._overlay_of(self._scan)
        overlay.lines = self._lines(overlay.layers)
        if not overlay.visible:
            overlay.visible = True

    def _lines(self, layers: Sequence[Labels]) -> Any:
        axes = spatial_axes(self._viewer)
        if axes is None:
            return None
        through, rows, columns = axes
        ends, colours = [], []
        for layer in layers:
            known = layer.metadata.get(METADATA_KEY)
            if not isinstance(known, MapsOverTime):
                continue
            point = self._viewer.dims.point
            data: Any = layer.data
            masks = np.asarray(data[leading_points(layer, point)])
            step = point[self._viewer.dims.ndim - 3 + through] / layer.scale[1 + through]
            index = min(max(round(float(step)), 0), masks.shape[through] - 1)
            mask = masks.take(index, axis=through) > 0
            found = border_segments(mask if rows < columns else mask.T)
            colour = transform_color(next(iter(known.colours.values())))[0]
            ends.append(found)
            colours.append(np.tile(colour, (len(found), 1)))
        if not ends:
            return None
        return np.concatenate(ends).astype(np.float32), np.concatenate(colours).astype(np.float32)

    @staticmethod
    def _overlay_of(layer: Layer) -> Any:
        if OVER not in layer._overlays:
            layer._overlays[OVER] = CellOutlinesOverlay(visible=False)
        return layer._overlays[OVER]


def border_segments(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """The sides of a mask's pixels at which it ends.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)

    Returns
    -------
    ndarray, shape (2 n, 2)
        (column, row) of the two ends of each side; pixels have whole numbers at their middle.
    """
    padded = np.pad(mask, 1).astype(np.int8)
    row, column = np.nonzero(np.diff(padded, axis=0)[:, 1:-1])
    across = [np.stack([column + side, row - 0.5], axis=1) for side in (-0.5, 0.5)]
    row, column = np.nonzero(np.diff(padded, axis=1)[1:-1])
    along = [np.stack([column - 0.5, row + side], axis=1) for side in (-0.5, 0.5)]
    pairs = np.concatenate([np.stack(across, axis=1), np.stack(along, axis=1)])
    return pairs.reshape(-1, 2).astype(np.float64)
