"""Three ways to draw cells of scan, map and contours: napari's grid, a vispy canvas, a painter.

Each shows the same arrays in the same places: in every cell a slice of a scan, over it a map of the
same slice with its colours, and the outlines of two masks, 2 pixels wide. Each can show another
slice, other rows and columns, and one cell alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import napari
import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget
from skimage.measure import find_contours
from vispy import scene
from vispy.color import Colormap as VispyColormap

#: Width and height of the canvas, as in a window of 1600 × 1000 with its tabs folded.
CANVAS = (1200, 800)

#: Colours of a map's values 0, a half and 1, and of the two outlines.
MAP_COLOURS = ((0.0, 0.0, 0.5), (0.1, 0.8, 0.4), (1.0, 0.9, 0.1))
OUTLINES = ((0.95, 0.3, 0.3), (0.3, 0.7, 1.0))
OPACITY = 0.4


@dataclass(frozen=True)
class Cell:
    """What one cell shows: volumes of one shape, the mask with the labels 1 and 2."""

    scan: npt.NDArray[np.float32]
    heat: npt.NDArray[np.float32]
    mask: npt.NDArray[np.uint8]


class Canvas(Protocol):
    """A way to draw cells."""

    def slice_to(self, index: int) -> None:
        """Show another slice in every cell."""

    def shape_to(self, rows: int, columns: int) -> None:
        """Other rows and columns."""

    def enlarge(self, cell: int | None) -> None:
        """One cell alone; all again where None."""

    def close(self) -> None:
        """Let go of it."""


def drawn() -> None:
    """Until what was asked for is on the screen."""
    for _ in range(3):
        QApplication.processEvents()


def outlines(mask: npt.NDArray[np.uint8], label: int) -> list[npt.NDArray[np.float64]]:
    """Closed lines about a label in one slice, (row, column) from pixel centres."""
    inside = np.pad(mask == label, 1).astype(np.float32)
    return [line - 1 for line in find_contours(inside, 0.5)]


class NapariGrid:
    """napari's own grid with three layers a cell; outlines are those of its Labels layers."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.viewer = napari.Viewer(show=True)
        qt: Any = self.viewer.window._qt_window
        for dock in ("_qt_viewer.dockLayerList", "_qt_viewer.dockLayerControls"):
            widget = self.viewer.window
            for name in dock.split("."):
                widget = getattr(widget, name)
            widget.hide()
        qt.resize(*CANVAS)
        self._cells: list[list[Any]] = []
        with self.viewer.layers.batched_update():
            for cell in cells:
                self._cells.append(
                    [
                        self.viewer.add_image(cell.scan, contrast_limits=(0, 1)),
                        self.viewer.add_image(
                            cell.heat, contrast_limits=(0, 1), colormap="viridis", opacity=OPACITY
                        ),
                        self.viewer.add_labels(cell.mask),
                    ]
                )
                self._cells[-1][-1].contour = 2
        grid = self.viewer.canvas.grid
        grid.stride, grid.shape, grid.enabled = 3, (3, 4), True
        drawn()

    def slice_to(self, index: int) -> None:
        self.viewer.dims.set_current_step(0, index)
        drawn()

    def shape_to(self, rows: int, columns: int) -> None:
        self.viewer.canvas.grid.shape = (rows, columns)
        drawn()

    def enlarge(self, cell: int | None) -> None:
        with self.viewer.layers.batched_update():
            for number, layers in enumerate(self._cells):
                for layer in layers:
                    layer.visible = cell is None or number == cell
            self.viewer.canvas.grid.enabled = False
        if cell is None:
            self.viewer.canvas.grid.enabled = True
        drawn()

    def close(self) -> None:
        self.viewer.close()


def _rectangles(count: int, rows: int, columns: int) -> list[tuple[float, float, float, float]]:
    width, height = CANVAS[0] / columns, CANVAS[1] / rows
    return [(n % columns * width, n // columns * height, width, height) for n in range(count)]


class VispyCells:
    """One canvas with a view a cell: images and lines of vispy."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = cells
        self.canvas = scene.SceneCanvas(size=CANVAS, show=True, bgcolor="black")
        self.views, self.parts = [], []
        map_colours = VispyColormap(MAP_COLOURS)
        for cell in cells:
            view = scene.ViewBox(parent=self.canvas.central_widget)
            height, width = cell.scan.shape[1:]
            view.camera = scene.PanZoomCamera(aspect=1)
            view.camera.flip = (False, True, False)
            view.camera.rect = (0, 0, width, height)
            scan = scene.Image(cell.scan[0], cmap="grays", clim=(0, 1), parent=view.scene)
            heat = scene.Image(cell.heat[0], cmap=map_colours, clim=(0, 1), parent=view.scene)
            scan.interpolation = heat.interpolation = "linear"
            heat.opacity = OPACITY
            heat.order = 1
            heat.set_gl_state("translucent", depth_test=False)
            lines = [
                scene.Line(color=colour, width=2, connect="strip", parent=view.scene)
                for colour in OUTLINES
            ]
            for line in lines:
                line.order = 2
                line.set_gl_state("translucent", depth_test=False)
            self.views.append(view)
            self.parts.append((scan, heat, lines))
        self.shape_to(3, 4)
        self.slice_to(0)

    def slice_to(self, index: int) -> None:
        for cell, (scan, heat, lines) in zip(self.cells, self.parts, strict=True):
            scan.set_data(cell.scan[index])
            heat.set_data(cell.heat[index])
            for label, line in enumerate(lines, start=1):
                found = outlines(cell.mask[index], label)
                line.visible = bool(found)
                if found:
                    joined = np.concatenate(found)[:, ::-1] + 0.5
                    ends = np.cumsum([len(one) for one in found])[:-1]
                    connect = np.ones(len(joined), dtype=bool)
                    connect[-1] = False
                    connect[ends - 1] = False
                    line.set_data(pos=joined, connect=connect)
        self.canvas.update()
        drawn()

    def _lay_out(self, places: Sequence[tuple[float, float, float, float] | None]) -> None:
        for view, place in zip(self.views, places, strict=True):
            view.visible = place is not None
            if place is not None:
                view.pos, view.size = place[:2], place[2:]
        self.canvas.update()
        drawn()

    def shape_to(self, rows: int, columns: int) -> None:
        self._shape = (rows, columns)
        self._lay_out(_rectangles(len(self.views), rows, columns))

    def enlarge(self, cell: int | None) -> None:
        if cell is None:
            self.shape_to(*self._shape)
        else:
            whole = (0.0, 0.0, *map(float, CANVAS))
            self._lay_out([whole if n == cell else None for n in range(len(self.views))])

    def close(self) -> None:
        self.canvas.close()


def _colours() -> npt.NDArray[np.uint32]:
    """ARGB of the 256 values of a map, the opacity in it."""
    at = np.linspace(0, 1, 256)
    rgb = np.stack([np.interp(at, (0, 0.5, 1), [c[k] for c in MAP_COLOURS]) for k in range(3)])
    red, green, blue = np.round(rgb * 255).astype(np.uint32)
    alpha = np.uint32(round(OPACITY * 255))
    return (alpha << 24) | (red << 16) | (green << 8) | blue


class PaintedCells:
    """One widget on which a painter draws every cell: no graphics card takes part."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells, self.index = cells, 0
        self.window = QWidget()
        self.window.resize(*CANVAS)
        box = QVBoxLayout(self.window)
        box.setContentsMargins(0, 0, 0, 0)
        self.widget = _Painted(self)
        box.addWidget(self.widget)
        self.colours = _colours()
        self._shape = (3, 4)
        self.places: list[tuple[float, float, float, float] | None] = []
        self.prepared: list[tuple[QImage, QImage, list[QPolygonF], list[QPolygonF]]] = []
        self.shape_to(3, 4)
        self.slice_to(0)
        self.window.show()
        drawn()

    def slice_to(self, index: int) -> None:
        self.prepared = [self._prepare(cell, index) for cell in self.cells]
        self.widget.update()
        drawn()

    def _prepare(self, cell: Cell, index: int) -> Any:
        height, width = cell.scan.shape[1:]
        grey = np.ascontiguousarray(np.clip(cell.scan[index], 0, 1) * 255, dtype=np.uint8)
        heat = np.clip(cell.heat[index] * 255, 0, 255).astype(np.uint8)
        coloured = self.colours[heat]
        scan = QImage(grey.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
        over = QImage(coloured.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32)
        lines = [
            [QPolygonF([QPointF(c + 0.5, r + 0.5) for r, c in line]) for line in found]
            for found in (outlines(cell.mask[index], label) for label in (1, 2))
        ]
        # The bytes are let go of: the pictures keep copies.
        return scan.copy(), over.copy(), *lines

    def shape_to(self, rows: int, columns: int) -> None:
        self._shape = (rows, columns)
        self.places = list(_rectangles(len(self.cells), rows, columns))
        self.widget.update()
        drawn()

    def enlarge(self, cell: int | None) -> None:
        if cell is None:
            self.shape_to(*self._shape)
            return
        whole = (0.0, 0.0, *map(float, CANVAS))
        self.places = [whole if n == cell else None for n in range(len(self.cells))]
        self.widget.update()
        drawn()

    def close(self) -> None:
        self.window.close()


class _Painted(QWidget):
    """The surface of `PaintedCells`."""

    def __init__(self, owner: PaintedCells) -> None:
        super().__init__()
        self._owner = owner

    def paintEvent(self, _event: Any) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, ready in zip(self._owner.places, self._owner.prepared, strict=True):
            if place is None:
                continue
            scan, over, *lines = ready
            scale = min(place[2] / scan.width(), place[3] / scan.height())
            width, height = scan.width() * scale, scan.height() * scale
            left = place[0] + (place[2] - width) / 2
            top = place[1] + (place[3] - height) / 2
            painter.drawImage(QRectF(left, top, width, height), scan)
            painter.drawImage(QRectF(left, top, width, height), over)
            painter.save()
            painter.translate(left, top)
            painter.scale(scale, scale)
            for colour, polygons in zip(OUTLINES, lines, strict=True):
                pen = QPen(QColor.fromRgbF(*colour), 2)
                pen.setCosmetic(True)
                painter.setPen(pen)
                for polygon in polygons:
                    painter.drawPolyline(polygon)
            painter.restore()
        painter.end()
