"""Outlines of hidden masks over a scan in its cell, at every time point those of its masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.utils.colormaps.standardize_color import transform_color

from .canvas.linked_cameras import spatial_axes
from .cells.shown_cells import cells_of
from .layer_overlays import leading_points
from .maps_over_time import MapsOverTime, put_over
from .study_layers import METADATA_KEY

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels, Layer


class CellOutlines:
    """Keeps the outlines of some hidden layers over one scan of a viewer's cells."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._scan: Layer | None = None
        self._layers: tuple[Labels, ...] = ()
        for name in ("point", "order", "ndisplay"):
            getattr(viewer.dims.events, name).connect(self.refresh)

    @property
    def scan(self) -> Layer | None:
        """The layer in whose cell they stand; None where they do not."""
        return self._scan

    @property
    def segments(self) -> int:
        """How many pieces of line stand there."""
        if self._scan is None:
            return 0
        drawn = cells_of(self._viewer).outlines.get(self._scan)
        return 0 if drawn is None else len(drawn[0]) // 2

    def show(self, scan: Layer | None, layers: Sequence[Labels]) -> None:
        """Draw these over a scan; over none they stand nowhere."""
        scan = scan if layers else None
        if self._scan is not None and self._scan is not scan:
            put_over(self._scan, ())
            cells_of(self._viewer).outlines.pop(self._scan, None)
        self._scan, self._layers = scan, tuple(layers)
        if scan is not None:
            put_over(scan, self._layers)
        self.refresh()

    def refresh(self, _event: Any = None) -> None:
        """The slice or the time point in the picture may be another."""
        cells = cells_of(self._viewer)
        if self._scan is not None:
            cells.outlines[self._scan] = self._lines(self._layers)
        cells.events.looks()

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
