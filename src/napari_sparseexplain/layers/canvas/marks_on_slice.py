"""The annotations that lie on the slice in a view, read from the layers that hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...review.annotation import AnnotationKind, ellipse_outline
from ..cells.shown_cells import cells_of
from ..study_layers import METADATA_KEY
from ..viewer_panels import AUXILIARY
from .linked_cameras import spatial_axes

if TYPE_CHECKING:
    import pandas as pd
    from napari.components import ViewerModel
    from napari.layers import Layer


@dataclass(frozen=True, eq=False)
class Mark:
    """One annotation on the slice.

    Attributes
    ----------
    label : str
        Its words and its measure, a line each; empty without any.
    kind : str
    colour : str
        ``"#RRGGBB"``.
    points : ndarray, shape (n, 2)
        What is drawn, as (row, column) of the view in the viewer's unit.
    """

    label: str
    kind: AnnotationKind
    colour: str
    points: npt.NDArray[np.float64]


def marks_on_slice(viewer: ViewerModel) -> list[Mark]:
    """Marks of a viewer's annotation layers on its slice; none in 3-D.

    Side by side also those of the layers that are hidden there. A mark's words are the feature
    ``label`` of its layer, its colour the feature ``colour``, what it is the feature ``kind``.
    """
    axes = spatial_axes(viewer)
    if axes is None:
        return []
    grid = cells_of(viewer).active
    return [
        mark
        for layer in viewer.layers
        if (layer.visible or grid) and layer.metadata.get(METADATA_KEY) == AUXILIARY
        for mark in _marks(layer, viewer, axes)
    ]


def _marks(layer: Layer, viewer: ViewerModel, axes: tuple[int, int, int]) -> list[Mark]:
    marks: Any = layer
    features: pd.DataFrame = marks.features
    if not {"label", "kind", "colour"} <= set(features.columns):
        return []
    if len(features) != len(marks.data):  # napari tells of new data before their rows are there
        return []
    through, *displayed = axes
    spacing = np.asarray(layer.scale[-3:], dtype=np.float64)
    here = round(float(viewer.dims.point[viewer.dims.ndim - 3 + through]) / spacing[through])
    found = []
    rows = zip(marks.data, features["label"], features["kind"], features["colour"], strict=True)
    for vertices, label, kind, colour in rows:
        points = np.atleast_2d(np.asarray(vertices, dtype=np.float64))[:, -3:]
        if np.abs(points[:, through] - here).max() > 0.5:
            continue
        if kind == "ellipse":
            if len(points) != 4:  # the row is that of another mark, see above
                continue
            points = ellipse_outline(points)
        drawn = (points * spacing)[:, displayed]
        found.append(Mark(str(label), kind, str(colour), drawn))
    return found
