"""Annotations on napari's own layers: shapes for what is drawn, points for words alone.

The layers show what a review holds, and what a person draws on them goes back into it. They lie in
the study's voxels, as its scans do, so that a shape stands on the slice it was drawn on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Layer, Points, Shapes
from napari.layers.base._base_constants import ActionType

from ..review.annotation import POINTS, Annotation, annotation_on_grid
from ..volumes import Study
from ..volumes.edge_letters import PLANES
from .annotation_shapes import (
    CLICKS,
    MODES,
    NEW_MARK,
    SAME,
    SHAPES,
    SMALLEST,
    Tool,
    drawn_kind,
    kept_points,
    mark_features,
    moved_arrow,
    on_slice,
    places_of,
    right_angled,
    shape_vertices,
    slice_of,
    with_short_axis,
)
from .canvas.annotation_labels import AnnotationLabels
from .canvas.frame_in_picture import frame_in_picture
from .study_layers import METADATA_KEY, grid_units
from .viewer_panels import AUXILIARY, viewer_plane

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Width of lines, as a share of the study's width: a pixel or two on the screen.
_WIDTH = 0.003


class AnnotationLayers:
    """Two layers of a viewer, and the annotations of the active study in them.

    Attributes
    ----------
    on_change : callable
        Told all annotations after a person drew, moved or removed some.
    on_drawn : callable
        Told the place of one that was just drawn, after ``on_change``.
    words : AnnotationLabels
        What stands beside the marks in the picture.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.words = AnnotationLabels(viewer)
        self._study: Study | None = None
        self._key = ""
        self._all: tuple[Annotation, ...] = ()
        self._shapes: Shapes | None = None
        self._points: Points | None = None
        self._tool: Tool | None = None
        self._active_before: Layer | None = None
        self._writing = False
        self._frame: tuple[int, ...] = ()
        viewer.dims.events.point.connect(self._follow_frame)
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self._follow_frame)
        for layer in viewer.layers:
            layer.events.visible.connect(self._follow_frame)
        self.on_change: Callable[[tuple[Annotation, ...]], None] = lambda annotations: None
        self.on_drawn: Callable[[int], None] = lambda place: None

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that are there."""
        made = (self._shapes, self._points)
        return tuple(x for x in made if x is not None and x in self._viewer.layers)

    @property
    def tool(self) -> Tool | None:
        """What is being drawn."""
        return self._tool

    def show(self, annotations: Sequence[Annotation], study: Study | None, key: str) -> None:
        """Let the layers hold these annotations.

        Parameters
        ----------
        annotations : sequence of Annotation
            Of all studies; those of ``key`` that belong to the frame in the picture are drawn.
        study : Study or None
            The active one.
        key : str
            Its key in the annotations.
        """
        if study is not self._study:
            self._remove_layers()
        self._study, self._key, self._all = study, key, tuple(annotations)
        self._frame = self._frame_now()
        mine = [a for a in self._all if a.study == key]
        if study is not None and (mine or self.layers):
            self._make_layers()
            self._write()

    def draw(self, tool: Tool | None) -> None:
        """Begin to draw; None: end it."""
        if tool is None or self._study is None:
            self._end_drawing()
            return
        self._make_layers()
        if self._tool is None:
            self._active_before = self._viewer.layers.selection.active
        self._tool = tool
        layer: Any = self._points if tool == "text" else self._shapes
        layer.visible = True
        self._viewer.layers.selection.active = layer
        layer.selected_data = set()
        layer.mode = MODES[tool]
        if tool in CLICKS:  # behind napari's own, which adds the corner first
            layer.mouse_drag_callbacks.append(self._after_click)

    def _after_click(self, layer: Any, event: Any) -> Generator[None, None, None]:
        """End what is complete, so that nobody has to double-click."""
        while event.type != "mouse_release":
            yield
        index = layer._moving_value[0]
        wanted = CLICKS.get(self._tool) if self._tool is not None else None
        if wanted is None or index is None or not layer._is_creating:
            return
        # One vertex more than there were clicks: it follows the pointer.
        if len(layer.data[index]) > wanted:
            layer._finish_drawing()

    def edit(self) -> None:
        """Let a person move and reshape what is drawn, with napari's own hands."""
        self._end_drawing()
        if self._shapes is not None and self._shapes in self._viewer.layers:
            self._viewer.layers.selection.active = self._shapes
            self._shapes.mode = "select"

    def select(self, place: int) -> None:
        """Mark one annotation in its layer."""
        for layer in self.layers:
            places = places_of(layer)
            layer.selected_data = {i for i, p in enumerate(places) if p == place}  # type: ignore[attr-defined]

    # -- layers ----------------------------------------------------------------------------

    def _make_layers(self) -> None:
        assert self._study is not None
        missing = {"Annotations": self._shapes, "Notes": self._points}
        active = self._viewer.layers.selection.active
        for name, layer in missing.items():
            if layer is None or layer not in self._viewer.layers:
                self._add(name)
        self._viewer.layers.selection.active = active

    def _add(self, name: str) -> None:
        assert self._study is not None
        options: dict[str, Any] = {
            "name": name,
            "ndim": 3,
            "scale": self._study.grid.spacing,
            "units": grid_units(self._study.grid),
            "opacity": 1.0,
            "metadata": {METADATA_KEY: AUXILIARY},
            "features": mark_features([], calibrated=True),
            "feature_defaults": NEW_MARK,
        }
        width: Any = self._line_width  # napari's types say int, its layers take parts of a voxel
        if name == "Annotations":
            layer: Any = Shapes(
                **options,
                edge_width=width,
                edge_color="#FFFFFF",
                face_color="transparent",
            )
            self._shapes = layer
        else:
            layer = Points(
                **options,
                size=2,
                symbol="cross",
                face_color="#FFFFFF",
                border_width=0,
            )
            self._points = layer
        layer.events.data.connect(self._on_data)
        self._viewer.layers.append(layer)

    @property
    def _line_width(self) -> float:
        """Width of lines in voxels."""
        assert self._study is not None
        return _WIDTH * max(self._study.grid.shape[1:])

    def _remove_layers(self) -> None:
        self._end_drawing()
        for layer in self.layers:
            self._viewer.layers.remove(layer)
        self._shapes = self._points = None

    def _end_drawing(self) -> None:
        drawing, self._tool = self._tool is not None, None
        for layer in self.layers:
            if str(layer.mode) != "pan_zoom":
                layer.mode = "pan_zoom"
            if self._after_click in layer.mouse_drag_callbacks:
                layer.mouse_drag_callbacks.remove(self._after_click)
        if drawing:
            before, self._active_before = self._active_before, None
            there = before is not None and before in self._viewer.layers
            self._viewer.layers.selection.active = before if there else None

    # -- frames ----------------------------------------------------------------------------

    def _frame_now(self) -> tuple[int, ...]:
        study = self._study
        if study is None or not any(v.leading for v in study.images.values()):
            return ()
        return frame_in_picture(self._viewer, study)[0]

    def _on_inserted(self, event: Any) -> None:
        event.value.events.visible.connect(self._follow_frame)
        self._follow_frame()

    def _follow_frame(self, _event: Any = None) -> None:
        """The marks of another frame: the layers have no axis of time, since some marks have none.

        A polygon that was begun on the former frame ends there, and belongs to it.
        """
        frame = self._frame_now()
        if frame == self._frame:
            return
        if any(-1 in places_of(layer) for layer in self.layers):
            self._end_drawing()
        before = [a for a in self._all if self._is_shown(a)]
        self._frame = frame
        if self.layers and before != [a for a in self._all if self._is_shown(a)]:
            self._write()

    def _is_shown(self, item: Annotation) -> bool:
        """Whether a mark is in the layers, on whichever slice."""
        return item.study == self._key and item.at_frame(self._frame)

    # -- review to layers ------------------------------------------------------------------

    def _write(self) -> None:
        """Fill the layers from the annotations."""
        drawn: list[tuple[int, Annotation]] = []
        words: list[tuple[int, Annotation]] = []
        for place, item in enumerate(self._all):
            if self._is_shown(item):
                (words if item.kind == "text" else drawn).append((place, item))
        self._writing = True
        try:
            with self.words.paused():
                self._fill(drawn, words)
        finally:
            self._writing = False

    def _fill(
        self, drawn: list[tuple[int, Annotation]], words: list[tuple[int, Annotation]]
    ) -> None:
        """Put marks, each with its place among all annotations, into shapes and points."""
        assert self._shapes is not None
        assert self._points is not None
        assert self._study is not None
        grid = self._study.grid
        self._shapes.selected_data = set()
        self._shapes.data = []
        # `add` tells of the new shapes before they have rows of their own: none of the former may
        # be left to be taken for theirs.
        self._shapes.features = mark_features([], calibrated=grid.calibrated)
        self._shapes.feature_defaults = NEW_MARK
        if drawn:
            shapes: Any = self._shapes  # napari's types know no list of kinds
            shapes.add(
                [shape_vertices(item, grid) for _, item in drawn],
                shape_type=[SHAPES[item.kind] for _, item in drawn],
                edge_width=self._line_width,
                edge_color=[item.colour for _, item in drawn],
                face_color="transparent",
            )
        self._points.selected_data = set()
        places = [on_slice(grid.index(item.points), item)[0] for _, item in words]
        self._points.data = np.asarray(places, dtype=np.float64).reshape(-1, 3)
        for layer, items in ((self._shapes, drawn), (self._points, words)):
            layer.features = mark_features(items, calibrated=grid.calibrated)
            layer.feature_defaults = NEW_MARK

    # -- layers to review ------------------------------------------------------------------

    def _on_data(self, event: Any) -> None:
        if self._writing or self._study is None:
            return
        if event.action in (ActionType.ADDED, ActionType.CHANGED, ActionType.REMOVED):
            self._read()

    def _read(self) -> None:
        """Take what the layers hold into the annotations, and write it back in order."""
        kept: dict[int, Annotation] = {}
        new: list[Annotation] = []
        for layer in self.layers:
            places = places_of(layer)
            for number, vertices in enumerate(layer.data):
                place = places[number] if number < len(places) else -1
                old = self._all[place] if 0 <= place < len(self._all) else None
                kind = layer.shape_type[number] if isinstance(layer, Shapes) else ""
                found = self._annotation(np.atleast_2d(np.asarray(vertices, float)), old, kind)
                if found is None:
                    continue
                if old is not None and place not in kept:
                    kept[place] = found
                else:
                    new.append(found)
        others = {i: a for i, a in enumerate(self._all) if not self._is_shown(a)}
        before = self._all
        together = [item for _, item in sorted({**others, **kept}.items())]
        self._all = (*together, *new)
        drawing = self._tool is not None
        self._end_drawing()
        self._write()
        if self._all != before:
            self.on_change(self._all)
        if new and drawing:
            self.on_drawn(len(self._all) - 1)

    def _annotation(
        self, vertices: npt.NDArray[np.float64], old: Annotation | None, shape: str
    ) -> Annotation | None:
        """One shape as an annotation: the old one where it was not touched; None for a click."""
        assert self._study is not None
        grid = self._study.grid
        plane, index = slice_of(vertices, viewer_plane(self._viewer), old)
        index = min(max(index, 0), grid.shape[PLANES[plane][0]] - 1)
        kind = old.kind if old is not None else drawn_kind(self._tool, shape)
        points = kept_points(kind, vertices)
        if kind == "bidirectional" and len(points) == 2:
            points = with_short_axis(points, plane, grid)
        if not POINTS[kind][0] <= len(points) <= (POINTS[kind][1] or len(points)):
            return old  # drawing was ended early, or a vertex was added to one that has no more
        if old is not None:
            before = shape_vertices(old, grid)
            if before.shape == vertices.shape and np.allclose(before, vertices, atol=SAME):
                return old
            if kind == "arrow":
                points = moved_arrow(before, vertices)
        if kind != "text" and float(np.ptp(points, axis=0).max()) < SMALLEST:
            return None
        points[:, PLANES[plane][0]] = index
        found = annotation_on_grid(
            kind, points.tolist(), grid, study=self._key, plane=plane, index=index,
            leading=self._frame,
        )  # fmt: skip
        if old is not None:
            found = replace(found, text=old.text, colour=old.colour, leading=old.leading)
        return right_angled(found)
