"""One letter at the middle of an edge of a view, hard at the edge, with a dark outline."""

from __future__ import annotations

from typing import Any

from napari._vispy.overlays.base import VispyCanvasOverlay
from napari._vispy.overlays.text import VispyTextOverlay
from napari._vispy.utils.text import get_text_metrics
from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays import TextOverlay

from .outlined_text import write_outlined

#: Pixels between a letter and the edge: where a picture leaves a margin, the letter is in it.
MARGIN = 4.0


class EdgeLetterOverlay(TextOverlay):
    """A text at ``position``, nearer to the edge than napari puts others, and never in a box."""


class VispyEdgeLetterOverlay(VispyTextOverlay):
    """Draws it, once a cell."""

    def _on_text_change(self) -> None:
        self._on_position_change()

    def _on_color_change(self) -> None:
        self._on_position_change()

    def _on_position_change(self, event: Any = None) -> None:
        text, node = self.overlay.text, self.node
        node.font_size = self.overlay.font_size
        node.anchors = ("center", "center")
        metrics = get_text_metrics(node)
        # The height of a capital alone: no room is kept for what hangs below the line.
        self.x_size = metrics.horizontalAdvance(text) * node._vispy_dpi_ratio
        self.y_size = metrics.capHeight() * node._vispy_dpi_ratio
        across, down = self.viewer.canvas.overlay_tiling.padding
        position = str(self.overlay.position)
        x = self.x_size / 2 + (across - MARGIN) * (("right" in position) - ("left" in position))
        y = self.y_size / 2 + (down - MARGIN) * (("bottom" in position) - ("top" in position))
        write_outlined(node, [text], [(x, y)], [self.overlay.color])
        VispyCanvasOverlay._on_position_change(self)


# napari has no public way to bring a visual for an overlay of one's own.
overlay_to_visual[EdgeLetterOverlay] = VispyEdgeLetterOverlay
