"""What is painted of one viewer: layers of every cell, places, what each sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from napari.utils.events import EmitterGroup

from .cell_layout import Place, equal_places, large_places
from .cell_view import CellView
from .drawn_lines import DrawnLines

if TYPE_CHECKING:
    from napari.components import LayerList, ViewerModel
    from napari.layers import Layer


@dataclass(frozen=True)
class CellCamera:
    """What one cell sees by itself, apart from the others.

    Attributes
    ----------
    ratio : float
        Magnification; 1 is what the cells are fitted to.
    centre : pair of float
        (row, column) in the viewer's unit.
    """

    ratio: float
    centre: tuple[float, float]


@dataclass(frozen=True)
class CellCaption:
    """What must be said wherever a layer is seen, and whether it is a warning."""

    words: str
    warns: bool = False


class ShownCells:
    """The cells of one viewer; there are none in the single view, which may be painted as well.

    All cells show the viewer's slice, and what its camera sees, scaled to their own size. Its zoom
    is that of a cell of `base` size.

    Attributes
    ----------
    events : EmitterGroup
        ``changed``: other cells, other places; ``looks``: what is drawn in them is other;
        ``single``: other layers of the single view are painted, or none.
    picture : pair of float
        Height and width in the viewer's unit of what a cell is fitted to.
    fibres : DrawnLines or None
        Lines that stand in every cell.
    outlines : dict
        Of a layer the lines that stand in its cell: ends (column, row) in its voxels and colours,
        shapes (2 n, 2) and (2 n, 4).
    notes : dict of int to str
        Words in the middle of a cell, until other cells come; see `note`.
    """

    def __init__(self) -> None:
        self.events = EmitterGroup(source=self, changed=None, looks=None, single=None)
        self.picture: tuple[float, float] = (1.0, 1.0)
        self.fibres: DrawnLines | None = None
        self.outlines: dict[Layer, Any] = {}
        self.notes: dict[int, str] = {}
        self._cells: tuple[tuple[Layer, ...], ...] = ()
        self._single: tuple[Layer, ...] | None = None
        self._told: tuple[str, ...] = ()
        self._shape = (1, 1)
        self._one_large = False
        self._enlarged: int | None = None
        self._own: dict[int, CellCamera] = {}
        self._nameless: WeakSet[Layer] = WeakSet()
        self._captions: WeakKeyDictionary[Layer, CellCaption] = WeakKeyDictionary()

    @property
    def active(self) -> bool:
        """Whether anything stands side by side."""
        return bool(self._cells)

    @property
    def cells(self) -> tuple[tuple[Layer, ...], ...]:
        """Layers of every cell, bottom first."""
        return self._cells

    def told(self, cell: int) -> str:
        """What a cell without layers says in their place."""
        return self._told[cell] if cell < len(self._told) else ""

    @property
    def painted(self) -> tuple[tuple[Layer, ...], ...]:
        """Layers of every cell that is painted: of those side by side, or of the single view."""
        if self._cells or self._single is None:
            return self._cells
        return (self._single,)

    def paint_single(self, layers: Sequence[Layer] | None) -> None:
        """Paint the single view with these layers, bottom first; None: napari draws it."""
        new = None if layers is None else tuple(layers)
        if new != self._single:
            self._single = new
            if not self._cells:
                self.events.single()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns; the cell that is large beside others counts as one of a row."""
        return self._shape

    @property
    def one_large(self) -> bool:
        """Whether the first cell is large and the others stand beside it."""
        return self._one_large

    @property
    def enlarged(self) -> int | None:
        """The cell that has the whole picture; None when all are seen."""
        return self._enlarged

    def show(
        self,
        cells: Iterable[Sequence[Layer]],
        shape: tuple[int, int],
        *,
        one_large: bool = False,
        told: Sequence[str] = (),
    ) -> None:
        """Let these stand side by side; ``told`` are words for cells without layers."""
        new = tuple(tuple(cell) for cell in cells)
        self._told = tuple(told)
        if new != self._cells:
            self._enlarged = None
            self._own.clear()
            self.notes = {}
        if not new:
            self._nameless.clear()
        self._cells, self._shape, self._one_large = new, shape, one_large
        self.events.changed()

    def reshape(self, shape: tuple[int, int], *, one_large: bool = False) -> None:
        """Other rows and columns."""
        if (shape, one_large) != (self._shape, self._one_large):
            self._shape, self._one_large = shape, one_large
            self.events.changed()

    def enlarge(self, cell: int | None) -> None:
        """Give one cell the whole picture; None: all are seen again."""
        if cell is not None and not 0 <= cell < len(self._cells):
            cell = None
        if cell != self._enlarged:
            self._enlarged = cell
            self.events.changed()

    def clear(self) -> None:
        """Back to the single view."""
        self.show((), (1, 1))

    def camera(self, cell: int) -> CellCamera | None:
        """What a cell sees by itself; None where it sees what all do."""
        return self._own.get(cell)

    def look(self, cell: int, camera: CellCamera | None) -> None:
        """Let a cell see something of its own, or again what all see."""
        if camera is None:
            self._own.pop(cell, None)
        else:
            self._own[cell] = camera
        self.events.looks()

    def look_together(self) -> None:
        """Let all cells see the same again."""
        self._own.clear()
        self.events.looks()

    def is_named(self, layer: Layer) -> bool:
        """Whether the name of a layer stands in its cell."""
        return self.active and layer not in self._nameless

    def show_name(self, layer: Layer, shown: bool) -> None:
        """Whether the name of a layer stands in its cell, as it does at first."""
        if shown == (layer in self._nameless):
            (self._nameless.discard if shown else self._nameless.add)(layer)
            self.events.looks()

    def note(self, notes: Mapping[int, str]) -> None:
        """Write words into the middle of cells, as what is waited for there."""
        self.notes = dict(notes)
        self.events.looks()

    def caption(self, layer: Layer, words: str, *, warns: bool = False) -> None:
        """Say something in every cell whose topmost picture is this layer; empty: no longer.

        It stands below the layer's name, also in the single view, and is never cut.
        """
        if words:
            self._captions[layer] = CellCaption(words, warns)
        else:
            self._captions.pop(layer, None)
        self.events.looks()

    def caption_of(self, layers: Iterable[Layer]) -> CellCaption | None:
        """What is said of layers that lie over each other, bottom first: of the topmost one."""
        found = [self._captions[x] for x in layers if x.visible and x in self._captions]
        return found[-1] if found else None

    # -- places ----------------------------------------------------------------------------

    def places(self, canvas: Sequence[int]) -> list[Place | None]:
        """Where each cell lies on a canvas (height, width); None of one that is not seen."""
        size = int(canvas[0]), int(canvas[1])
        count = len(self.painted)
        if self._enlarged is not None:
            whole = Place(0, 0, size[1], size[0])
            return [whole if cell == self._enlarged else None for cell in range(count)]
        if self._one_large:
            return [*large_places(count, size)]
        found: list[Place | None] = [*equal_places(count, self._shape, size)]
        return found + [None] * (count - len(found))

    def base(self, canvas: Sequence[int]) -> tuple[float, float]:
        """Height and width of the cell that the viewer's zoom is meant for."""
        size = int(canvas[0]), int(canvas[1])
        if self._one_large:
            first = large_places(len(self._cells), size)[0]
        else:
            first = equal_places(1, self._shape, size)[0]
        return float(first.height), float(first.width)

    def cell_at(self, x: float, y: float, canvas: Sequence[int]) -> int | None:
        """The cell at a point of the canvas."""
        for cell, place in enumerate(self.places(canvas)):
            if place is not None and place.holds(x, y):
                return cell
        return None

    def viewbox(self, cell: int) -> tuple[int, int]:
        """Row and column of a cell, as napari's mouse events name it."""
        row, column = divmod(cell, self._shape[1])
        return row, column

    def layers_at(self, viewbox: Sequence[int]) -> tuple[Layer, ...]:
        """Layers of the cell of a mouse event, bottom first."""
        cell = int(viewbox[0]) * self._shape[1] + int(viewbox[1])
        return self._cells[cell] if 0 <= cell < len(self._cells) else ()

    def view(self, cell: int, place: Place, viewer: ViewerModel) -> CellView:
        """What a cell sees."""
        camera: Any = viewer.scene.camera
        vertical, horizontal = (str(way) for way in camera.orientation2d)
        own = self._own.get(cell)
        fitted = self._fit((place.height, place.width))
        if own is None:
            zoom = float(camera.zoom) * fitted / self._fit(self.base(viewer.canvas.size))
            centre = float(camera.center[-2]), float(camera.center[-1])
        else:
            zoom, centre = own.ratio * fitted, own.centre
        return CellView(
            (place.height, place.width), zoom, centre, vertical == "down", horizontal == "right"
        )

    def camera_now(self, view: CellView) -> CellCamera:
        """What a cell sees now, as a camera of its own."""
        return CellCamera(view.zoom / self._fit(view.size), view.centre)

    def _fit(self, size: Sequence[float]) -> float:
        return max(min(size[0] / self.picture[0], size[1] / self.picture[1]), 1e-9)


_known: WeakKeyDictionary[LayerList, ShownCells] = WeakKeyDictionary()


def cells_of(viewer: ViewerModel) -> ShownCells:
    """The cells of a viewer."""
    return _known.setdefault(viewer.layers, ShownCells())


def view_size(viewer: ViewerModel) -> tuple[float, float]:
    """Height and width in pixels of one cell, or of the canvas in the single view."""
    cells = cells_of(viewer)
    if cells.active:
        return cells.base(viewer.canvas.size)
    height, width = viewer.canvas.viewbox_size(viewer.layers)
    return float(height), float(width)
