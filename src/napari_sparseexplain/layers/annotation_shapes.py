"""An annotation as the vertices of a napari shape, and back; the tools that draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ..review.annotation import (
    Annotation,
    AnnotationKind,
    measure_text,
    perpendicular_axes,
    points_of_line,
)
from ..volumes import Grid
from ..volumes.edge_letters import PLANES, Plane

if TYPE_CHECKING:
    import pandas as pd

SHAPES: dict[AnnotationKind, str] = {
    "arrow": "path",
    "distance": "line",
    "polygon": "polygon",
    "ellipse": "ellipse",
    "angle": "path",
    "cobb": "path",
    "bidirectional": "path",
}

#: What a person can draw. A rectangle and what is drawn freehand are kept as polygons.
Tool = Literal[
    "arrow", "ellipse", "rectangle", "polygon", "freehand", "distance", "bidirectional", "angle",
    "cobb", "text",
]  # fmt: skip

#: How napari draws them.
MODES: dict[Tool, str] = {
    "arrow": "add_line",
    "ellipse": "add_ellipse",
    "rectangle": "add_rectangle",
    "polygon": "add_polygon",
    "freehand": "add_polygon_lasso",
    "distance": "add_line",
    "bidirectional": "add_line",
    "angle": "add_polyline",
    "cobb": "add_polyline",
    "text": "add",
}

#: After so many clicks a mark is complete.
CLICKS: dict[Tool, int] = {"angle": 3, "cobb": 4}

#: Smallest drawing that was meant, in voxels: less is a click.
SMALLEST = 0.5

#: Largest difference, in voxels, between a mark and its shape: napari keeps single precision.
SAME = 1e-3

#: Length of an arrow's head as a share of the study's width, and of the arrow at most; its half
#: width as a share of its length.
_BARB, _BARB_SHARE, _BARB_WIDTH = 0.022, 0.4, 0.45

#: What a layer knows of each mark besides its place: a new one has no annotation yet.
NEW_MARK: dict[str, Any] = {"place": -1, "label": "", "kind": "", "colour": ""}


def mark_features(items: Sequence[tuple[int, Annotation]], *, calibrated: bool) -> pd.DataFrame:
    """One row a mark; `AnnotationLabels` writes them beside it."""
    import pandas as pd  # half a second, which a window without marks need not wait for

    return pd.DataFrame(
        {
            "place": pd.Series([place for place, _ in items], dtype=int),
            "label": pd.Series([_label(item, calibrated) for _, item in items], dtype=str),
            "kind": pd.Series([item.kind for _, item in items], dtype=str),
            "colour": pd.Series([item.colour for _, item in items], dtype=str),
        }
    )


def _label(item: Annotation, calibrated: bool) -> str:
    """Text and measure, one below the other."""
    lines = (item.text, measure_text(item, calibrated=calibrated))
    return "\n".join(line for line in lines if line)


def places_of(layer: Any) -> list[int]:
    """Which annotation each shape or point is; -1 for a new one."""
    import pandas as pd

    column = layer.features.get("place")
    return [] if column is None else [-1 if pd.isna(v) else int(v) for v in column]


def on_slice(points: npt.NDArray[Any], item: Annotation) -> npt.NDArray[np.float64]:
    """Points in voxels, exactly on their slice."""
    found = np.array(points, dtype=np.float64)
    found[:, PLANES[item.plane][0]] = item.index
    return found


def shape_vertices(item: Annotation, grid: Grid) -> npt.NDArray[np.float64]:
    """The shape of an annotation, in voxels; an arrow's head is drawn with its line."""
    if item.kind in ("angle", "cobb", "bidirectional"):
        return on_slice(grid.index(item.outline()), item)
    found = on_slice(grid.index(item.points), item)
    if item.kind != "arrow":
        return found
    tail, head = found
    along = head - tail
    length = max(float(np.linalg.norm(along)), 1e-6)
    along = along / length
    _, rows, columns = PLANES[item.plane]
    across = np.zeros(3)
    across[rows], across[columns] = -along[columns], along[rows]
    barb = min(_BARB * max(grid.shape[1:]), _BARB_SHARE * length)
    back = head - along * barb
    sides = [back + s * across * barb * _BARB_WIDTH for s in (1, -1)]
    return np.stack([tail, head, sides[0], head, sides[1]])


def kept_points(kind: AnnotationKind, vertices: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The points that an annotation of a kind keeps."""
    count = {"arrow": 2, "distance": 2, "text": 1, "ellipse": 4}.get(kind, len(vertices))
    return points_of_line(kind, vertices[:count])


def drawn_kind(tool: Tool | None, shape: str) -> AnnotationKind:
    """What a new shape is: by the tool, else (drawn with napari's own buttons) by its form."""
    if tool in ("distance", "bidirectional", "angle", "cobb"):
        return tool
    if shape == "line" and tool is None:
        return "distance"
    if tool == "text" or not shape:
        return "text"
    if shape == "ellipse":
        return "ellipse"
    return "arrow" if tool == "arrow" else "polygon"


def with_short_axis(
    vertices: npt.NDArray[np.float64], plane: Plane, grid: Grid
) -> npt.NDArray[np.float64]:
    """The long axis that was drawn, with a short one of half its length through its middle.

    Parameters
    ----------
    vertices : ndarray, shape (2, 3)
        In voxels, on a slice of the plane.
    """
    start, stop = grid.world(vertices)
    across = np.cross(stop - start, grid.affine[:3, PLANES[plane][0]])
    across *= np.linalg.norm(stop - start) / max(float(np.linalg.norm(across)), 1e-12) / 4
    middle = (start + stop) / 2
    return np.concatenate([vertices, grid.index([middle - across, middle + across])])


def right_angled(item: Annotation) -> Annotation:
    """A bidirectional mark whose short axis is at right angles; any other as it is."""
    if item.kind != "bidirectional":
        return item
    points = perpendicular_axes(item.points)
    return replace(item, points=tuple((float(x), float(y), float(z)) for x, y, z in points))


def moved_arrow(
    before: npt.NDArray[np.float64], now: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Tail and head of an arrow that was moved, by whichever of its two head vertices moved."""
    if len(now) == len(before) == 5 and np.allclose(now[1], before[1], atol=SAME):
        return np.stack([now[0], now[3]])
    return np.array(now[:2])


def slice_of(
    vertices: npt.NDArray[np.float64], plane: Plane, old: Annotation | None
) -> tuple[Plane, int]:
    """The slice that vertices lie on: in the plane they were drawn in where they are flat there."""
    wanted = plane if old is None else old.plane
    flat = np.ptp(vertices, axis=0)
    if flat[PLANES[wanted][0]] > SMALLEST:
        wanted = min(PLANES, key=lambda p: flat[PLANES[p][0]])
    axis = PLANES[wanted][0]
    return wanted, round(float(vertices[:, axis].mean()))
