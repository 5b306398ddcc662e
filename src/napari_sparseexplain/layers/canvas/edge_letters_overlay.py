"""A letter at the middle of every edge of a view, hard at the edge, with a dark outline."""

from __future__ import annotations

from typing import Any

from napari._vispy.overlays.text import VispyTextOverlay
from napari._vispy.utils.text import get_text_metrics
from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays import TextOverlay
from pydantic import Field

from .outlined_text import write_outlined

#: Pixels between a letter and the edge: where a picture leaves a margin, the letter is in it.
MARGIN = 4.0


class EdgeLettersOverlay(TextOverlay):
    """Letters by edge (``left``, ``right``, ``top``, ``bottom``).

    One overlay holds all four: each visual has a shader program of its own, which takes some 30 ms
    to make, in every cell of a grid. Its ``position`` is none of napari's, so that napari moves it
    nowhere.
    """

    letters: dict[str, str] = Field(default_factory=dict)
    position: Any = "edges"


class VispyEdgeLettersOverlay(VispyTextOverlay):
    """Draws them, once a cell."""

    overlay: EdgeLettersOverlay  # pyright: ignore[reportIncompatibleVariableOverride]
    node: Any
    #: vispy's ViewBox; its events are made at run time.
    _view: Any = None

    def _connect_events(self) -> None:
        self.overlay.events.letters.connect(self._on_text_change)

    def _on_text_change(self) -> None:
        self._on_position_change()

    def _on_color_change(self) -> None:
        self._on_position_change()

    def _on_box_change(self) -> None:
        # napari calls this also when it moves the overlay to another cell.
        super()._on_box_change()
        self._follow(self.node.parent)

    def _on_position_change(self, event: Any = None) -> None:
        if self._view is None:
            return
        node, (width, height) = self.node, self._view.rect.size
        node.font_size = self.overlay.font_size
        node.anchors = ("center", "center")
        metrics = get_text_metrics(node)
        # The height of a capital alone: no room is kept for what hangs below the line.
        half = metrics.capHeight() * node._vispy_dpi_ratio / 2
        text, places = [], []
        for edge, letter in self.overlay.letters.items():
            beside = metrics.horizontalAdvance(letter) * node._vispy_dpi_ratio / 2
            text.append(letter)
            places.append(
                {
                    "left": (MARGIN + beside, height / 2),
                    "right": (width - MARGIN - beside, height / 2),
                    "top": (width / 2, MARGIN + half),
                    "bottom": (width / 2, height - MARGIN - half),
                }[edge]
            )
        write_outlined(node, text, places, [self.overlay.color] * len(text))

    def _follow(self, view: Any) -> None:
        """Letters keep to the edges of the view that they are in, when its size changes."""
        if view is self._view:
            return
        if self._view is not None:
            self._view.events.resize.disconnect(self._on_position_change)
        self._view = view
        if view is not None:
            view.events.resize.connect(self._on_position_change)
            self._on_position_change()

    def close(self) -> None:
        """Its cell is no more."""
        super().close()
        self._follow(None)


# napari has no public way to bring a visual for an overlay of one's own.
overlay_to_visual[EdgeLettersOverlay] = VispyEdgeLettersOverlay
