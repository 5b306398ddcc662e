"""The colour bar of a map in its cell: there while its layer is seen, and shows its own values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary, WeakSet

from napari._vispy.overlays.colorbar import VispyColorBarOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays import ColorBarOverlay

if TYPE_CHECKING:
    from napari.layers import Image, Layer

    from .cells.shown_cells import ShownCells

#: Layers whose bar follows them.
_with_bar: WeakSet[Image] = WeakSet()

#: Those whose bars are painted (`layers.cells.cell_bars`), of each picture.
_painted: WeakKeyDictionary[object, WeakSet[Layer]] = WeakKeyDictionary()

#: Of these, those that show something else for a moment: the numbers are not its own.
_without_values: WeakSet[Image] = WeakSet()


class CellColourBar(ColorBarOverlay):
    """A map's colour bar, which may be shown while it is on no canvas."""


class VispyCellColourBar(VispyColorBarOverlay):
    """Draws it.

    napari takes the bar of a layer without a cell off the canvas, and then fails on measuring its
    ticks where it is shown or its limits change. This one measures them once it is on a canvas
    again.
    """

    _unmeasured = False

    def _on_ticks_change(self) -> None:
        self._unmeasured = not self._can_measure()
        if not self._unmeasured:
            super()._on_ticks_change()

    def _on_box_change(self) -> None:
        super()._on_box_change()
        if self._unmeasured and self._can_measure():
            self._on_ticks_change()

    def _can_measure(self) -> bool:
        node: Any = self.node
        return node.ticks.transforms.dpi is not None


# napari has no public way to bring a visual for an overlay of one's own.
overlay_to_visual[CellColourBar] = VispyCellColourBar


def show_colour_bar(layer: Image, length: float) -> None:
    """Give a map a bar small enough for a cell, away from the letters.

    napari makes the bar of a hidden layer too: a dozen visuals a layer, made and thrown away each
    time that the grid changes. So the bar is hidden with its layer.

    Parameters
    ----------
    length : float
        Of the bar, in pixels.
    """
    if not isinstance(layer.colorbar, CellColourBar):
        # Of another size, or napari takes it for the one that is there.
        own: Any = CellColourBar(visible=False, font_size=6.0, tick_length=2.0)
        layer._overlays["colorbar"] = own
    bar: Any = layer.colorbar
    bar.size, bar.tick_length, bar.font_size = (7.0, length), 2.0, 6.0
    bar.position, bar.box = "bottom_left", True
    bar.color = "white"
    bar.box_color = (0.0, 0.0, 0.0, 0.55)
    if layer not in _with_bar:
        _with_bar.add(layer)
        layer.events.visible.connect(_on_visible)
    _follow(layer)


def hide_colour_bar(layer: Image, hidden: bool) -> None:
    """Hide the bar while the layer shows other values than its own, and let it come back."""
    if hidden:
        _without_values.add(layer)
    else:
        _without_values.discard(layer)
    _follow(layer)


def bar_length(layer: Layer) -> float | None:
    """Pixels of the bar of a layer; None of one that has none, or shows other values for now."""
    if layer not in _with_bar or layer in _without_values:
        return None
    return float(cast("Image", layer).colorbar.size[1])


def leave_bars_to_cells(cells: ShownCells, layers: Iterable[Layer]) -> None:
    """These layers of a viewer are painted, with their bars; those of all others are napari's."""
    before, now = set(_painted.get(cells, ())), set(layers)
    _painted[cells] = WeakSet(now)
    for layer in before ^ now:
        _follow(cast("Image", layer))


def _follow(layer: Image) -> None:
    painted = any(layer in layers for layers in _painted.values())
    wanted = layer.visible and layer not in _without_values and not painted
    if layer in _with_bar and layer.colorbar.visible != wanted:
        layer.colorbar.visible = wanted


def _on_visible(event: Any) -> None:
    _follow(event.source)
