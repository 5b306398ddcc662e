"""Paints the cells of a viewer, or its single view: pictures, lines, words, letters and bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import numpy.typing as npt
from napari.components.overlays import TextOverlay
from napari.layers import Image, Labels, Vectors
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

from ...export.pictures.lettering import PALE, WARNING
from ..canvas.annotation_outlines import mark_paths
from ..canvas.clicked_voxel import CLICKED_VOXEL, RING_COLOUR
from ..canvas.corner_room import beside_letter, cell_lines, name_lines, wrapped_lines
from ..canvas.crosshair import CROSSHAIR, CROSSHAIR_COLOUR, crosshair_lines
from ..canvas.grey_window import has_window, window_caption
from ..canvas.mark_words import CELL_PIXELS, PIXELS, words_of
from ..canvas.marks_on_slice import Mark, marks_on_slice
from ..canvas.outlined_text import PIXELS_IN_POINT
from ..mask_style import mask_style
from ..priors.prior_layer import PriorLayer
from ..study_layers import METADATA_KEY, StudyLayer
from .cell_bars import paint_bars
from .cell_lines import (
    MaskLines,
    mask_lines,
    paint_paths,
    paint_ring,
    paint_segments,
    vector_segments,
)
from .cell_pixels import VoxelPicture, cell_pixels, voxel_picture
from .cell_view import CellView
from .grid_view import BAR_SHARE, round_length
from .layer_slice import LayerSlice, layer_slice
from .painted_words import (
    EDGE,
    as_seen,
    font_of,
    scale_bar,
    write_block,
    write_in_place,
    write_letters,
    write_line,
    write_note,
)
from .shown_cells import ShownCells, cells_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

#: In points; the longest name of the five signals fits a third of a canvas at 1280 × 800.
NAME_SIZE = 6.5

#: Half the width of the cross at a text of an annotation, in pixels.
_CROSS = 4

#: Cells narrower than this, in pixels, have no scale bar of their own.
_NARROW = 150

#: Scales that differ by less are one: cells of whole pixels differ by one.
_ONE_SCALE = 1.02

#: Pixels that words in a lower corner keep free below them.
_ABOVE_LETTER, _ABOVE_BAR = 20, 30

#: Half the magnifier's width in pixels, and how much larger it shows.
_LENS, _LENS_ZOOM = 110, 3.0

#: Pixels of a line about outlines that a mask over time has in a cell.
_OVER_TIME = 1.5


@dataclass(eq=False)
class _Kept:
    """What a cell shows of one slice, until one of its layers is other.

    Attributes
    ----------
    slices : list of (Layer, LayerSlice)
    voxels : VoxelPicture or None
        None where pixels depend on the zoom.
    lines : list of MaskLines
    view, pixels
        What was painted last, and from where it was seen.
    """

    slices: list[tuple[Layer, LayerSlice]]
    voxels: VoxelPicture | None
    lines: list[MaskLines]
    view: CellView | None = None
    pixels: npt.NDArray[np.uint32] | None = None

    def seen_from(self, view: CellView) -> npt.NDArray[np.uint32]:
        """The pixels of the cell."""
        if self.pixels is None or self.view != view:
            whole = self.voxels
            self.pixels = cell_pixels(self.slices, view) if whole is None else whole.seen_from(view)
            self.view = view
        return self.pixels


class CellPainter:
    """Keeps what each cell shows until it is other."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._cells: ShownCells = cells_of(viewer)
        self._kept: dict[tuple[Any, ...], _Kept] = {}
        #: Told the study's unit of length where there is one.
        self.unit: Callable[[], str] = lambda: "mm"

    def forget(self, layer: Layer | None = None) -> None:
        """What a layer shows is other; or all of them."""
        if layer is None:
            self._kept.clear()
        else:
            self._kept = {key: kept for key, kept in self._kept.items() if layer not in key[0]}

    def paint(self, painter: QPainter, canvas: tuple[int, int]) -> None:
        """All cells on a canvas of a height and a width."""
        painter.fillRect(QRectF(0, 0, canvas[1], canvas[0]), QColor("black"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        places, cells = self._cells.places(canvas), self._cells.painted
        dims, before, self._kept = self._viewer.dims, self._kept, {}
        margins = tuple(dims.margin_left), tuple(dims.margin_right)
        now = tuple(dims.point), tuple(dims.order), dims.ndisplay, margins
        marks = marks_on_slice(self._viewer)
        for cell, place in enumerate(places):
            layers = [layer for layer in cells[cell] if layer.visible]
            key = (tuple(layers), *now)
            if place is None:
                # Another layout may show it next, on the same slice.
                if key in before:
                    self._kept[key] = before[key]
                continue
            kept = self._kept[key] = before.get(key) or self._kept.get(key) or self._read(layers)
            view = self._cells.view(cell, place, self._viewer)
            painter.save()
            painter.setClipRect(QRectF(*place))
            painter.translate(place.left, place.top)
            if words := self._cells.told(cell):
                write_in_place(painter, words, QRectF(0, 0, place.width, place.height), NAME_SIZE)
            else:
                self._paint_cell(painter, layers, kept, view, marks)
            if note := self._cells.notes.get(cell):
                write_note(painter, note, QRectF(0, 0, place.width, place.height))
            painter.restore()
        left = self._paint_whole(painter, canvas)
        if not self._cells.active and cells:
            # The bars of the single view stand above the words of their corner.
            area = QRectF(0, 0, canvas[1], canvas[0])
            paint_bars(painter, cells[0], area, canvas[0] - left)

    def paint_lens(
        self, painter: QPainter, canvas: tuple[int, int], at: tuple[float, float]
    ) -> None:
        """A magnifier about a point (x, y) of the canvas, over what `paint` has painted."""
        cell = self._cells.cell_at(*at, canvas)
        place = None if cell is None else self._cells.places(canvas)[cell]
        if cell is None or place is None:
            return
        view = self._cells.view(cell, place, self._viewer)
        middle = view.place(at[0] - place.left, at[1] - place.top)
        side = 2 * _LENS
        seen = CellView((side, side), _LENS_ZOOM * view.zoom, middle, view.down, view.right)
        layers = [layer for layer in self._cells.painted[cell] if layer.visible]
        kept = self._read(layers)
        painter.save()
        painter.translate(at[0] - _LENS, at[1] - _LENS)
        circle = QPainterPath()
        circle.addEllipse(QRectF(0, 0, side, side))
        painter.setClipPath(circle)
        pixels = kept.seen_from(seen)
        picture = QImage(pixels.data, side, side, 4 * side, QImage.Format.Format_RGB32)
        painter.drawImage(QPointF(0, 0), picture)
        for lines in kept.lines:
            lines.paint(painter, seen)
        self._paint_lines(painter, layers, seen, marks_on_slice(self._viewer))
        painter.setClipping(False)
        painter.setPen(QPen(QColor("white"), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QRectF(0.5, 0.5, side - 1, side - 1))
        painter.restore()

    def _read(self, layers: list[Layer]) -> _Kept:
        """What layers show at the viewer's point."""
        slices: list[tuple[Layer, LayerSlice]] = []
        for layer in layers:
            if isinstance(layer, Image | Labels):
                plane = layer_slice(layer, self._viewer.dims)
                if plane is not None and plane.values.size:
                    slices.append((layer, plane))
        lines = [
            mask_lines(layer, plane, dashed=not _is_reference(layer))
            for layer, plane in slices
            if _outlined(layer)
        ]
        return _Kept(slices, voxel_picture(slices), lines)

    def _paint_cell(
        self, painter: QPainter, layers: list[Layer], kept: _Kept, view: CellView, marks: list[Mark]
    ) -> None:
        pixels = kept.seen_from(view)
        height, width = view.size
        picture = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
        painter.drawImage(QPointF(0, 0), picture)
        for lines in kept.lines:
            lines.paint(painter, view)
        self._paint_lines(painter, layers, view, marks)
        self._paint_words(painter, layers, view)

    def _paint_lines(
        self, painter: QPainter, layers: list[Layer], view: CellView, marks: list[Mark]
    ) -> None:
        for layer in layers:
            drawn = self._cells.outlines.get(layer)
            if drawn is not None and len(drawn[0]):
                image: Any = layer
                step = np.asarray(image.scale)[list(self._viewer.dims.displayed)][::-1]
                start = np.asarray(image.translate)[list(self._viewer.dims.displayed)][::-1]
                paint_segments(painter, drawn[0] * step + start, drawn[1], view, _OVER_TIME)
            if isinstance(layer, Vectors):
                vectors = vector_segments(layer, self._viewer.dims)
                width = max(float(layer.edge_width) * view.zoom, 1.0)
                paint_segments(painter, *vectors, view, width, layer.opacity)
        if (fibres := self._cells.fibres) is not None:
            paint_segments(painter, fibres.ends, fibres.colours, view)
        paint_paths(painter, mark_paths(marks, _CROSS / view.zoom), view)
        size = CELL_PIXELS if self._cells.active else PIXELS
        painter.setFont(font_of(size / PIXELS_IN_POINT))
        drop = QFontMetricsF(painter.font()).capHeight() / 2
        for text, x, y, colour in words_of(marks, view, size):
            write_line(painter, text, (x, y + drop), colour)
        ring: Any = self._viewer.scene.overlays.get(CLICKED_VOXEL)
        if ring is not None and ring.visible:
            paint_ring(painter, ring.place, view, RING_COLOUR)
        cross: Any = self._viewer.scene.overlays.get(CROSSHAIR)
        if cross is not None and cross.visible and not self._cells.active:
            lines = crosshair_lines(cross.place, cross.low, cross.high)
            colours = np.broadcast_to(np.asarray(CROSSHAIR_COLOUR, np.float32), (len(lines), 4))
            paint_segments(painter, lines, colours, view, 1.0)

    def _paint_words(self, painter: QPainter, layers: list[Layer], view: CellView) -> None:
        height, width = view.size
        area = QRectF(0, 0, width, height)
        letters: Any = self._viewer.canvas.overlays.get("orientation")
        if letters is not None and letters.visible and letters.gridded:
            colour = _colour(letters.color).name()
            write_letters(painter, letters.letters, area, colour, letters.font_size)
        room, across = beside_letter(width), width - 2 * EDGE
        lines = self.words(layers, room, across)
        painter.setFont(font_of(NAME_SIZE))
        named = write_block(painter, lines, QPointF(EDGE, EDGE - 2), "white")
        if not self._cells.active:
            return  # the title of the single view says the rest
        if (caption := self._cells.caption_of(layers)) is not None:
            told = wrapped_lines(caption.words, NAME_SIZE, across)
            colour = WARNING if caption.warns else PALE
            write_block(painter, told, QPointF(EDGE, named.bottom()), colour)
        paint_bars(painter, layers, area, height - EDGE - 14)

    def words(self, layers: list[Layer], room: float, across: float) -> list[str]:
        """Lines of a cell's upper left corner: what stands in it, and a scan's window."""
        named = [layer for layer in layers if self._cells.is_named(layer)]
        if not named:
            return []
        # Masks over a scan are told by their colours; a map over it is what the cell is about.
        pictures = [layer for layer in named if isinstance(layer, Image)]
        text = name_lines((pictures or named)[-1].name, NAME_SIZE, room, across)
        scan = next((layer for layer in reversed(layers) if _is_scan(layer)), None)
        if scan is not None:
            # A third line is below the letter, and has all of the cell.
            wide = across if "\n" in text else room
            text += "\n" + cell_lines(window_caption(scan), NAME_SIZE, wide, 1)
        return text.split("\n")

    def _paint_whole(self, painter: QPainter, canvas: tuple[int, int]) -> float:
        """What stands once, over all cells: words in the corners, letters of many cells, a bar.

        Gives the height that the lower left corner takes.
        """
        height, width = canvas
        area = QRectF(0, 0, width, height)
        letters: Any = self._viewer.canvas.overlays.get("orientation")
        if letters is not None and letters.visible and not letters.gridded:
            colour = _colour(letters.color).name()
            write_letters(painter, letters.letters, area, colour, letters.font_size)
        self._paint_scale_bars(painter, canvas)
        taken = {"top_left": EDGE, "top_right": EDGE, "bottom_left": 0.0, "bottom_right": 0.0}
        # In the single view words are kept beside the letter (`corner_room`).
        above = _ABOVE_LETTER if self._cells.active else 0
        overlay: Any
        for overlay in self._viewer.canvas.overlays.values():
            corner = str(getattr(overlay, "position", ""))
            if (
                not isinstance(overlay, TextOverlay)
                or not overlay.visible
                or corner not in taken
                or overlay.gridded
                or not overlay.text.strip()
            ):
                continue
            painter.setFont(font_of(float(overlay.font_size)))
            right, low = corner.endswith("right"), corner.startswith("bottom")
            # Above the lower letters, and above the scale bar.
            edge = EDGE + (_ABOVE_BAR if low and right else above if low else 0)
            y = height - edge - taken[corner] if low else taken[corner]
            x = width - EDGE if right else EDGE
            box = _colour(overlay.box_color) if overlay.box else None
            colour = _colour(overlay.color)
            words: Any = overlay
            lines = [as_seen(line) for line in words.text.split("\n")]
            rectangle = write_block(
                painter, lines, QPointF(x, y), colour, right=right, low=low, box=box
            )
            taken[corner] += rectangle.height() + 4
        box: Any = self._viewer.canvas.overlays.get("_zoom_box")
        if box is not None and box.visible:
            (top, left), (low_, right_) = box.position
            painter.setPen(QPen(QColor("white"), 1, Qt.PenStyle.DashLine))
            painter.drawRect(QRectF(QPointF(left, top), QPointF(right_, low_)).normalized())
        return taken["bottom_left"] + 2 * EDGE + above

    def _paint_scale_bars(self, painter: QPainter, canvas: tuple[int, int]) -> None:
        if not self._viewer.canvas.overlays.scale_bar.visible:
            return
        places = self._cells.places(canvas)
        seen = [(cell, place) for cell, place in enumerate(places) if place is not None]
        zooms = [self._cells.view(c, p, self._viewer).zoom for c, p in seen]
        alike = bool(zooms) and max(zooms) <= _ONE_SCALE * min(zooms)
        if alike:
            # All cells show one scale: it stands once, in the corner of the whole canvas.
            cell, place = max(seen, key=lambda one: (one[1].top, one[1].left))
            seen = [(cell, place)]
        for cell, place in seen:
            view = self._cells.view(cell, place, self._viewer)
            if not alike and place.width < _NARROW:
                continue
            length = round_length(BAR_SHARE * place.width / view.zoom)
            area = QRectF(*place)
            if alike:
                area = QRectF(0, 0, canvas[1], canvas[0])
            scale_bar(painter, area, length, length * view.zoom, self.unit())


def _outlined(layer: Layer) -> TypeGuard[Labels]:
    return isinstance(layer, Labels) and mask_style(layer) != "fill"


def _is_scan(layer: Layer) -> TypeGuard[Image]:
    """Whether grey values of a study are shown: maps have a colour bar instead."""
    known = layer.metadata.get(METADATA_KEY)
    prior = isinstance(known, PriorLayer) and known.what == "scan"
    return has_window(layer) and (prior or isinstance(known, StudyLayer))


def _is_reference(layer: Labels) -> bool:
    """Whether a mask came with the study: what a person drew, not what a network estimates."""
    return isinstance(layer.metadata.get(METADATA_KEY), StudyLayer | PriorLayer)


def _colour(parts: Any) -> QColor:
    """napari's colour as Qt's."""
    return QColor.fromRgbF(*(float(part) for part in parts))
