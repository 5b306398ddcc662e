"""Keys for how masks and maps lie over scans, and for one picture of many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Image, Labels

from ...layers.explanation_layers import ExplanationLayer
from ...layers.mask_style import mask_style, next_style, set_mask_style
from ...layers.study_layers import METADATA_KEY
from .cell_menu import STYLE_WORDS

if TYPE_CHECKING:
    from napari.layers import Layer

    from ..window import Window
    from .cells_canvas import CellsCanvas
    from .jumps import ViewJumps

#: What one press changes.
_STEP = 0.1


class MaskKeys:
    """What the keys do to all that lies over scans in the picture."""

    def __init__(self, window: Window, jumps: ViewJumps, canvas: CellsCanvas) -> None:
        self._window, self._jumps, self._canvas = window, jumps, canvas

    def style(self) -> None:
        """Masks filled, as outlines, or both."""
        masks = [x for x in self._window.viewer.layers if isinstance(x, Labels) and x.visible]
        if not masks:
            self._jumps.show_message("No mask in the picture")
            return
        style = next_style(mask_style(masks[-1]))
        for layer in masks:
            set_mask_style(layer, style)
        self._jumps.show_message(f"Masks: {STYLE_WORDS[style].lower()}")

    def opacity(self, way: int) -> None:
        """Masks and maps over scans fainter (-1) or stronger (1)."""
        over = [x for x in self._window.viewer.layers if x.visible and self._lies_over(x)]
        if not over:
            self._jumps.show_message("Nothing lies over a scan")
            return
        for layer in over:
            layer.opacity = min(max(round(layer.opacity + way * _STEP, 2), 0.0), 1.0)
        self._jumps.show_message(f"Opacity {over[-1].opacity:.1f}")

    def enlarge(self) -> None:
        """The cell under the pointer alone (else the first), and all back."""
        view = self._window.grid_view
        if not view.active:
            self._jumps.show_message("Nothing is side by side")
            return
        view.enlarge((self._canvas.pointed or 0) if view.enlarged is None else None)

    def _lies_over(self, layer: Layer) -> bool:
        if self._window.grid_view.active:
            return any(layer in cell[1:] for cell in self._window.grid_view.cells)
        known = layer.metadata.get(METADATA_KEY)
        heat = isinstance(layer, Image) and isinstance(known, ExplanationLayer)
        return isinstance(layer, Labels) or heat
