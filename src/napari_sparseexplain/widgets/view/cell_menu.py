"""The menu of a cell: which scan stands in it, what lies over the scan, and how masks are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from napari.layers import Image, Labels
from qtpy.QtWidgets import QMenu

from ...layers.mask_style import (
    STYLES,
    THICKEST,
    THINNEST,
    line_width,
    mask_style,
    set_mask_style,
)
from ...layers.study_layers import METADATA_KEY
from ...layers.viewer_panels import AUXILIARY
from ...review.review import MaskDrawing

if TYPE_CHECKING:
    from napari.layers import Layer
    from qtpy.QtGui import QAction
    from qtpy.QtWidgets import QWidget

    from ..window import Window

#: What the ways to draw a mask are called.
STYLE_WORDS: dict[MaskDrawing, str] = {
    "fill": "Filled",
    "outline": "Outline",
    "both": "Filled with outline",
}


class CellMenu(QMenu):
    """What can be done with one cell.

    Parameters
    ----------
    window : Window
    cell : int
    parent : QWidget
    """

    def __init__(self, window: Window, cell: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._window, self._cell = window, cell
        self._layers = list(window.grid_view.cells[cell])
        offered = [x for x in window.viewer.layers if _can_stand(x)]
        below = [x for x in offered if isinstance(x, Image)]
        self.picture = self._sub_menu("Picture", below)
        for layer in below:
            action = self._entry(self.picture, layer, layer in self._layers[:1])
            action.triggered.connect(partial(self._on_picture, layer))
        self.over = self._sub_menu("Over it", offered)
        for layer in offered:
            if layer in self._layers[:1]:
                continue
            action = self._entry(self.over, layer, layer in self._layers[1:])
            action.triggered.connect(partial(self._on_over, layer))
        self.masks = [x for x in self._layers if isinstance(x, Labels)]
        if self.masks:
            self._add_styles()
        self.addSeparator()
        large = window.grid_view.enlarged is not None
        whole: QAction = self.addAction("All pictures" if large else "This picture alone")
        whole.triggered.connect(lambda: window.grid_view.enlarge(None if large else cell))
        gone: QAction = self.addAction("Take this picture away")
        gone.setEnabled(len(window.grid_view.cells) > 1)
        gone.triggered.connect(lambda: window.grid_view.fill_cell(cell, ()))

    def _sub_menu(self, words: str, layers: Sequence[Layer]) -> QMenu:
        menu = QMenu(words, self)
        menu.setEnabled(bool(layers))
        self.addMenu(menu)
        return menu

    def _entry(self, menu: QMenu, layer: Layer, checked: bool) -> QAction:
        action: QAction = menu.addAction(layer.name.replace("&", "&&"))
        action.setCheckable(True)
        action.setChecked(checked)
        return action

    def _add_styles(self) -> None:
        menu = self._sub_menu("Masks", self.masks)
        now, width = mask_style(self.masks[-1]), line_width(self.masks[-1])
        for style in STYLES:
            action: QAction = menu.addAction(STYLE_WORDS[style])
            action.setCheckable(True)
            action.setChecked(style == now)
            action.triggered.connect(partial(self._on_style, style))
        menu.addSeparator()
        for pixels in range(THINNEST, THICKEST + 1):
            action = menu.addAction(f"Outline of {pixels} px")
            action.setCheckable(True)
            action.setChecked(pixels == width and now != "fill")
            action.triggered.connect(partial(self._on_width, pixels))

    def _on_picture(self, layer: Layer, _checked: bool = False) -> None:
        over = [x for x in self._layers[1:] if x is not layer]
        self._window.grid_view.fill_cell(self._cell, [layer, *over])

    def _on_over(self, layer: Layer, checked: bool = False) -> None:
        self._window.grid_view.fill_cell(self._cell, laid_over(self._layers, layer, checked))

    def _on_style(self, style: MaskDrawing, _checked: bool = False) -> None:
        for layer in self.masks:
            set_mask_style(layer, style)

    def _on_width(self, pixels: int, _checked: bool = False) -> None:
        for layer in self.masks:
            now = mask_style(layer)
            set_mask_style(layer, "outline" if now == "fill" else now, pixels)


def laid_over(layers: Sequence[Layer], layer: Layer, there: bool = True) -> list[Layer]:
    """A cell's layers with another one over them, masks above maps; or without it."""
    rest = [x for x in layers if x is not layer]
    if not there:
        return rest
    over = [*rest[1:], layer]
    over.sort(key=lambda x: isinstance(x, Labels))
    return [*rest[:1], *over]


def _can_stand(layer: Layer) -> bool:
    """Whether a cell can show a layer: a picture or a mask, not marks."""
    return isinstance(layer, Image | Labels) and layer.metadata.get(METADATA_KEY) != AUXILIARY
