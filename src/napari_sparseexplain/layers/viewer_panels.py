"""What a viewer shows, as panels of a review: slice, plane, camera, layers in every cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import SparseExplainError
from ..review.review import Camera, Overlay, Panel, ScanLayer
from ..volumes import Study
from ..volumes.edge_letters import PLANES, Plane
from .cells.shown_cells import cells_of, view_size
from .cells.slab import slab_of
from .fibre_directions import FIBRES_LEFT_OUT
from .layer_overlays import layer_parts, uncovered
from .maps_over_time import layers_over
from .panel_layer import PanelLayer, known_panel
from .review_keys import ReviewKeys
from .study_layers import METADATA_KEY

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

#: Digits kept of zoom and of millimetres: what a camera holds changes in the last ones by itself.
_DIGITS = 4

#: Layers whose metadata says this are drawn by what they show of the review, not as a layer.
AUXILIARY = "annotations"


def viewer_panels(
    viewer: ViewerModel, study: Study, keys: ReviewKeys, *, whole: bool
) -> tuple[tuple[Panel, ...], int]:
    """The panels in the picture, row by row, and how many stand in a row.

    Parameters
    ----------
    viewer : ViewerModel
    study : Study
        The one whose grid is sliced.
    keys : ReviewKeys
        Gets the studies and explanations that are met, and notes.
    whole : bool
        Whether the slice is fitted into the canvas, so that a picture of another shape fits it
        anew.

    Raises
    ------
    SparseExplainError
        The picture is in 3-D, or its axes are in an order that no plane has.
    """
    blank = Panel(keys.study(study), *_slice(viewer, study))
    cells, columns = _cells(viewer)
    if cells_of(viewer).fibres is not None:
        keys.note(FIBRES_LEFT_OUT)
    if (slab := slab_of(viewer)) is not None:
        keys.note(f"the slab ({slab.caption}) is not in pictures: they show its middle slice")
    panels = []
    for cell, layers in cells:
        here = replace(blank, camera=_camera(viewer, whole, cell))
        panel = _panel(here, layers, viewer.dims.point, keys, titled=len(cells) > 1)
        if panel.scan is not None or panel.overlays:
            panels.append(panel)
    return _announced(panels), columns


def in_plane_of(panel: Panel, view: ViewerModel, study: Study, *, whole: bool) -> Panel:
    """What a panel shows, on the slice of another view that follows it.

    Raises
    ------
    SparseExplainError
        The view is in 3-D.
    """
    plane, index = _slice(view, study)
    return replace(panel, plane=plane, index=index, camera=_camera(view, whole))


def viewer_plane(viewer: ViewerModel) -> Plane:
    """Axial, coronal or sagittal.

    Raises
    ------
    SparseExplainError
        The picture is in 3-D, or its axes are in an order that no plane has.
    """
    if viewer.dims.ndisplay == 2 and viewer.dims.ndim >= 3:
        leading = viewer.dims.ndim - 3
        shown = tuple(axis - leading for axis in viewer.dims.displayed)
        for plane, (_, rows, columns) in PLANES.items():
            if shown == (rows, columns):
                return plane
    raise SparseExplainError(
        "the picture shows no axial, coronal or sagittal slice",
        where="review",
        remedy="Press Axial, Coronal or Sagittal in the Study tab",
    )


def _slice(viewer: ViewerModel, study: Study) -> tuple[Plane, int]:
    """Plane and index of the slice in the picture."""
    plane = viewer_plane(viewer)
    along = PLANES[plane][0]
    step = round(viewer.dims.point[viewer.dims.ndim - 3 + along] / study.grid.spacing[along])
    return plane, min(max(step, 0), study.grid.shape[along] - 1)


def _camera(viewer: ViewerModel, whole: bool, cell: int | None = None) -> Camera:
    """What the viewer's camera sees, or one of its cells."""
    cells = cells_of(viewer)
    if whole and (cell is None or cells.camera(cell) is None):
        return Camera()
    camera = viewer.scene.camera
    zoom, centre, size = float(camera.zoom), camera.center[-2:], view_size(viewer)
    if cell is not None and (place := cells.places(viewer.canvas.size)[cell]) is not None:
        view = cells.view(cell, place, viewer)
        zoom, centre, size = view.zoom, view.centre, view.size
    rows, columns = (round(float(v), _DIGITS) for v in centre)
    return Camera(round(zoom, _DIGITS), (rows, columns), (round(size[0]), round(size[1])))


def _cells(viewer: ViewerModel) -> tuple[list[tuple[int | None, list[Layer]]], int]:
    """Every cell in the picture with its visible layers, bottom first; and the columns."""
    cells = cells_of(viewer)
    if not cells.active:
        return [(None, [layer for layer in viewer.layers if seen(layer)])], 1
    filled: list[tuple[int | None, list[Layer]]] = []
    for number, cell in enumerate(cells.cells):
        shown = [layer for layer in cell if seen(layer)]
        if shown and cells.enlarged in (None, number):
            filled.append((number, [*shown, *(x for layer in shown for x in layers_over(layer))]))
    return filled, cells.shape[1] if cells.enlarged is None else 1


def seen(layer: Layer) -> bool:
    """Whether a layer of the picture itself is shown, not one of marks."""
    return layer.visible and layer.opacity > 0 and layer.metadata.get(METADATA_KEY) != AUXILIARY


def _panel(
    blank: Panel, layers: Sequence[Layer], point: Sequence[float], keys: ReviewKeys, *, titled: bool
) -> Panel:
    """One cell. What an opaque layer hides is left out."""
    layers = uncovered(layers)
    if len(layers) == 1 and isinstance(drawn := layers[0].metadata.get(METADATA_KEY), PanelLayer):
        return known_panel(drawn, blank, keys)
    parts = [part for layer in layers for part in layer_parts(layer, point, keys)]
    here = keys.studies[blank.study]
    fitting = []
    for part in parts:
        owner = part.study if isinstance(part, ScanLayer) else _study_key(part, keys)
        if keys.studies[owner].grid.matches(here.grid):
            fitting.append(part)
        else:
            keys.note("layers of a study on another grid are not in the picture")
    scan = fitting.pop(0) if fitting and isinstance(fitting[0], ScanLayer) else None
    others = [part for part in fitting if isinstance(part, ScanLayer)]
    if any(scan is None or (o.study, o.role) != (scan.study, scan.role) for o in others):
        keys.note("a scan that lies over another one is not in the picture: hide one of them")
    overlays = tuple(part for part in fitting if isinstance(part, Overlay))
    title = overlays[-1].title if titled and overlays and overlays[-1].shelf != "study" else ""
    return replace(
        blank, scan=scan if isinstance(scan, ScanLayer) else None, overlays=overlays, title=title
    )


def _study_key(overlay: Overlay, keys: ReviewKeys) -> str:
    return overlay.key if overlay.shelf == "study" else keys.study_of[overlay.key]


def _announced(panels: Sequence[Panel]) -> tuple[Panel, ...]:
    """Limits that maps of several panels have in common are said to be shared."""
    places: dict[tuple[float, float], set[int]] = {}
    for place, panel in enumerate(panels):
        for overlay in panel.overlays:
            if _limited(overlay):
                places.setdefault(overlay.limits, set()).add(place)
    return tuple(
        replace(
            panel,
            overlays=tuple(
                replace(o, scope="shared") if _limited(o) and len(places[o.limits]) > 1 else o
                for o in panel.overlays
            ),
        )
        for panel in panels
    )


def _limited(overlay: Overlay) -> bool:
    return overlay.shelf == "explanation" and not overlay.is_label and overlay.signed
