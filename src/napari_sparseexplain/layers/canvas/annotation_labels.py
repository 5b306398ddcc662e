"""The words of annotations, small and with a dark edge, beside the marks of the slice in a view.

napari's own text of a layer has no edge and lies on the mark. These words are an overlay of the
scene, and keep their size on the screen; side by side they are painted in every cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari._vispy.overlays.base import ViewerOverlayMixin, VispySceneOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari._vispy.visuals.text import Text
from napari.components.overlays import SceneOverlay

from ..cells.shown_cells import cells_of
from ..study_layers import METADATA_KEY
from ..viewer_panels import AUXILIARY
from .annotation_outlines import AnnotationOutlines
from .mark_words import CELL_PIXELS, PIXELS, camera_view, words_of
from .marks_on_slice import Mark, marks_on_slice
from .outlined_text import PIXELS_IN_POINT, write_outlined

if TYPE_CHECKING:
    from napari._vispy.utils.qt_font import FontInfo
    from napari.components import ViewerModel

#: Key among the scene's overlays.
WORDS = "annotation_labels"


class AnnotationWordsOverlay(SceneOverlay):
    """Lines of words.

    Attributes
    ----------
    lines : tuple of (text, row, column, colour)
        Where each line begins, in the viewer's unit.
    pixel : float
        Size of a pixel of the screen in that unit.
    height : int
        Of the words, in pixels of the screen.
    """

    lines: tuple[tuple[str, float, float, str], ...] = ()
    pixel: float = 1.0
    height: int = PIXELS


class VispyAnnotationWordsOverlay(ViewerOverlayMixin, VispySceneOverlay):
    """Draws them."""

    overlay: AnnotationWordsOverlay  # pyright: ignore[reportIncompatibleVariableOverride]
    node: Any

    def __init__(self, font_info: FontInfo, **keywords: Any) -> None:
        node = Text(pos=(0, 0), font_info=font_info)
        super().__init__(node=node, font_info=font_info, **keywords)
        self.node.anchors = ("left", "center")
        self.overlay.events.lines.connect(self._on_lines)
        self.overlay.events.height.connect(self._on_lines)
        self._on_lines()
        self.reset()

    def _on_lines(self) -> None:
        lines = self.overlay.lines
        self.node.font_size = self.overlay.height / PIXELS_IN_POINT
        write_outlined(
            self.node,
            [text for text, _, _, _ in lines],
            [(column, row) for _, row, column, _ in lines],
            [colour for _, _, _, colour in lines],
            self.overlay.pixel,
        )

    def close(self) -> None:
        """Its view is no more."""
        self.overlay.events.lines.disconnect(self._on_lines)
        self.overlay.events.height.disconnect(self._on_lines)
        super().close()


# napari has no public way to bring a visual for an overlay of one's own.
overlay_to_visual[AnnotationWordsOverlay] = VispyAnnotationWordsOverlay


class AnnotationLabels:
    """Keeps the words of one viewer beside the marks of its annotation layers.

    Attributes
    ----------
    outlines : AnnotationOutlines
        Their lines in the cells.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._overlay = AnnotationWordsOverlay(visible=False)
        self._paused = False
        viewer.scene.overlays[WORDS] = self._overlay
        self.outlines = AnnotationOutlines(viewer)
        for name in ("point", "order", "ndisplay", "ndim"):
            getattr(viewer.dims.events, name).connect(self.refresh)
        for name in ("zoom", "center", "orientation"):
            getattr(viewer.scene.camera.events, name).connect(self.refresh)
        viewer.canvas.events.size.connect(self.refresh)
        cells_of(viewer).events.changed.connect(self.refresh)
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self.refresh)

    @property
    def lines(self) -> tuple[tuple[str, float, float, str], ...]:
        """What stands in the picture: text, row and column in the viewer's unit, colour."""
        return self._overlay.lines if self._overlay.visible else ()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Look away while the marks are being changed, and once when they are."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False
        self.refresh()

    def refresh(self, _event: Any = None) -> None:
        """Write them anew, where the slice, the camera or the marks are others."""
        if self._paused:
            return
        marks = marks_on_slice(self._viewer)
        lines = self._lines(marks)
        self.outlines.show(marks)
        if lines:
            self._overlay.pixel = 1 / float(self._viewer.scene.camera.zoom)
            self._overlay.height = self._height
        if self._overlay.lines != lines:
            self._overlay.lines = lines
        if self._overlay.visible != bool(lines):
            self._overlay.visible = bool(lines)

    def _on_inserted(self, event: Any) -> None:
        layer = event.value
        layer.events.visible.connect(self.refresh)
        if layer.metadata.get(METADATA_KEY) == AUXILIARY:
            for name in ("data", "set_data", "features"):
                getattr(layer.events, name).connect(self.refresh)
        self.refresh()

    def _lines(self, marks: list[Mark]) -> tuple[tuple[str, float, float, str], ...]:
        if not marks:
            return ()
        view = camera_view(self._viewer)
        return tuple(
            (text, *view.place(x, y), colour)
            for text, x, y, colour in words_of(marks, view, self._height)
        )

    @property
    def _height(self) -> int:
        return CELL_PIXELS if cells_of(self._viewer).active else PIXELS
