"""Whether the single view is painted as the cells are, or drawn by napari.

What is painted costs the same with and without a graphics card, has outlines as lines, and is what
exports show. napari draws where its own tools are in the hand, in 3-D, and where a layer is seen
that is not painted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels, Vectors

from ....layers.cells.layer_slice import is_straight
from ....layers.cells.shown_cells import cells_of
from ....layers.colour_bar import leave_bars_to_cells
from ....layers.study_layers import METADATA_KEY
from ....layers.viewer_panels import AUXILIARY

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

#: What the painter knows of napari's ways to lay layers over each other, and to smooth them.
_BLENDINGS = {"translucent", "translucent_no_depth", "opaque", "additive", "minimum"}
_INTERPOLATIONS = {"nearest", "linear"}

#: What decides, of a layer's events.
_HEARD = (
    "visible", "mode", "blending", "interpolation2d", "affine", "rotate", "shear", "vector_style",
)  # fmt: skip


class SinglePicture:
    """Says which layers of the single view are painted.

    Parameters
    ----------
    viewer : ViewerModel
    wanted : callable
        Whether it is to be painted at all: while a study is open.
    """

    def __init__(self, viewer: ViewerModel, wanted: Callable[[], bool]) -> None:
        self._viewer, self._wanted = viewer, wanted
        self._cells = cells_of(self._viewer)
        events = self._viewer.layers.events
        for layer in self._viewer.layers:
            self._watch(layer)
        events.inserted.connect(self._on_inserted)
        for emitter in (
            events.removed,
            events.reordered,
            self._viewer.layers.selection.events.active,
            self._viewer.dims.events.ndisplay,
            self._viewer.canvas.grid.events.enabled,
            self._cells.events.changed,
        ):
            emitter.connect(self.update)
        self.update()

    def update(self, _event: object = None) -> None:
        """Look at the layers anew."""
        layers = [layer for layer in self._viewer.layers if layer.visible]
        painted = self._is_paintable(layers)
        shown = [layer for layer in layers if not _is_marks(layer)] if painted else None
        self._cells.paint_single(shown)
        if not self._cells.active:
            # napari makes a dozen visuals for each bar that it draws.
            leave_bars_to_cells(self._cells, shown or ())

    def _is_paintable(self, layers: list[Layer]) -> bool:
        viewer = self._viewer
        active = viewer.layers.selection.active
        if not self._wanted() or viewer.dims.ndisplay != 2 or viewer.canvas.grid.enabled:
            return False
        if active is not None and str(active.mode) != "pan_zoom":
            return False  # a tool of napari's is in the hand
        return bool(layers) and all(_is_marks(layer) or _is_painted(layer) for layer in layers)

    def _on_inserted(self, event: Any) -> None:
        self._watch(event.value)
        self.update()

    def _watch(self, layer: Layer) -> None:
        for name in _HEARD:
            if name in layer.events:
                getattr(layer.events, name).connect(self.update)


def _is_marks(layer: Layer) -> bool:
    """Whether a layer holds annotations, which are painted as marks."""
    return layer.metadata.get(METADATA_KEY) == AUXILIARY


def _is_painted(layer: Layer) -> bool:
    """Whether the painter draws all of a layer."""
    if str(layer.blending) not in _BLENDINGS:
        return False
    if isinstance(layer, Vectors):
        return str(layer.vector_style) == "line" and is_straight(layer)
    if isinstance(layer, Image) and str(layer.interpolation2d) not in _INTERPOLATIONS:
        return False
    return isinstance(layer, Image | Labels) and not layer.multiscale and is_straight(layer)
