"""The lines of annotations in the cells of the grid.

napari gives every layer a cell of its own there: the layers of annotations are hidden, and what is
drawn on them stands in every cell instead, as an overlay of the scene that all cells show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from napari._vispy.overlays.base import ViewerOverlayMixin, VispySceneOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays import SceneOverlay
from napari.utils.colormaps.standardize_color import transform_color
from vispy.scene.visuals import Line

from .marks_on_slice import Mark

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Key among the scene's overlays.
OUTLINES = "annotation_outlines"

#: Width of a line in pixels of the screen.
_WIDTH: Any = 1.5  # vispy says int and takes parts of a pixel

#: Half the width of the cross at a text, in pixels of the screen.
_CROSS = 4

#: A line through points (row, column) in the viewer's unit, and its colour.
Path = tuple[tuple[tuple[float, float], ...], str]


class AnnotationOutlinesOverlay(SceneOverlay):
    """Lines.

    Attributes
    ----------
    paths : tuple of (points, colour)
        Points (row, column) in the viewer's unit, joined in their order.
    """

    paths: tuple[Path, ...] = ()


class VispyAnnotationOutlinesOverlay(ViewerOverlayMixin, VispySceneOverlay):
    """Draws them."""

    overlay: AnnotationOutlinesOverlay  # pyright: ignore[reportIncompatibleVariableOverride]
    node: Any

    def __init__(self, **keywords: Any) -> None:
        node = Line(connect="segments", method="gl", width=_WIDTH, antialias=True)
        super().__init__(node=node, **keywords)
        self.overlay.events.paths.connect(self._on_paths)
        self._on_paths()
        self.reset()

    def _on_paths(self) -> None:
        ends, colours = [], []
        for points, colour in self.overlay.paths:
            for first, second in pairwise(points):
                ends += [first[::-1], second[::-1]]
                colours += [transform_color(colour)[0]] * 2
        if ends:
            self.node.set_data(pos=np.array(ends, np.float32), color=np.array(colours, np.float32))

    def close(self) -> None:
        """Its view is no more."""
        self.overlay.events.paths.disconnect(self._on_paths)
        super().close()


# napari has no public way to bring a visual for an overlay of one's own.
overlay_to_visual[AnnotationOutlinesOverlay] = VispyAnnotationOutlinesOverlay


class AnnotationOutlines:
    """The lines in all views of one viewer."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._overlay = AnnotationOutlinesOverlay(visible=False)
        viewer.scene.overlays[OUTLINES] = self._overlay

    @property
    def paths(self) -> tuple[Path, ...]:
        """What is drawn."""
        return self._overlay.paths if self._overlay.visible else ()

    def show(self, marks: Sequence[Mark]) -> None:
        """Draw these in the grid; in the single view their own layers do."""
        grid = self._viewer.canvas.grid.enabled
        arm = _CROSS / float(self._viewer.scene.camera.zoom)
        paths = tuple(path for mark in marks for path in _paths(mark, arm)) if grid else ()
        if self._overlay.paths != paths:
            self._overlay.paths = paths
        if self._overlay.visible != bool(paths):
            self._overlay.visible = bool(paths)


def _paths(mark: Mark, arm: float) -> Iterator[Path]:
    """The lines of a mark; of a text a cross with arms of that length."""
    lines = [mark.points]
    if mark.kind == "text":
        lines = [mark.points[0] + np.outer((-arm, arm), way) for way in ((1, 0), (0, 1))]
    elif mark.kind in ("polygon", "ellipse"):
        lines = [np.concatenate([mark.points, mark.points[:1]])]
    for line in lines:
        yield tuple((float(row), float(column)) for row, column in line), mark.colour
