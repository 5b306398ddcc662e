"""The name of what stands in a cell of the grid, and a scan's window, clear of the letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from napari._vispy.overlays.text import VispyLayerNameOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays import LayerNameOverlay
from napari.utils.events import disconnect_events

from ...export.typesetting.joined_letters import lines_in_seen_order
from ..study_layers import METADATA_KEY, StudyLayer
from .corner_room import cell_lines, cell_width, corner_room, name_lines
from .grey_window import has_window, window_caption

if TYPE_CHECKING:
    from napari.layers import Image, Layer

#: In points; the longest name of the five signals fits a third of a canvas at 1280 × 800.
_NAME_SIZE = 6.5


class CellNameOverlay(LayerNameOverlay):
    """A layer's name, in more lines where its cell is narrow; of a scan also its window."""


class VispyCellNameOverlay(VispyLayerNameOverlay):
    """Draws it."""

    def _connect_events(self) -> None:
        super()._connect_events()
        canvas = self.viewer.canvas
        for emitter in (canvas.events.size, canvas.grid.events.shape, canvas.grid.events.enabled):
            emitter.connect(self._on_text_change)
        if _is_scan(self.layer):
            self.layer.events.contrast_limits.connect(self._on_text_change)

    def _on_text_change(self) -> None:
        room, size = corner_room(self.viewer), self.overlay.font_size
        words = name_lines(self.layer.name, size, room, cell_width(self.viewer))
        if _is_scan(self.layer):
            words += "\n" + cell_lines(window_caption(self.layer), size, room, 1)
        self.node.text = lines_in_seen_order(words)
        self._on_position_change()

    def close(self) -> None:
        """Its cell is no more."""
        disconnect_events(self.viewer.canvas.grid.events, self)
        super().close()


# napari has no public way to bring a visual for an overlay of one's own.
overlay_to_visual[CellNameOverlay] = VispyCellNameOverlay


def _is_scan(layer: Layer) -> TypeGuard[Image]:
    """Whether grey values of a study are shown: maps have a colour bar instead."""
    return has_window(layer) and isinstance(layer.metadata.get(METADATA_KEY), StudyLayer)


def show_cell_name(layer: Layer, visible: bool) -> None:
    """Show a layer's name in its cell, or take it away."""
    name: Any = layer.name_overlay
    if visible and not isinstance(name, CellNameOverlay):
        name = CellNameOverlay(font_size=_NAME_SIZE, box=True, visible=False)
        layer._overlays["layer_name"] = name  # napari's own draws the name in one line, uncut
    if name.visible != visible:
        name.visible = visible
