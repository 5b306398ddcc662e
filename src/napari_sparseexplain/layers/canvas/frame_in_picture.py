"""Which frame of a series (time, direction) a view shows, and how to go to one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...review.frames import frame_name, frame_of
from ...review.gradient_names import opening_frame
from ...volumes import Study
from ...volumes.frames import fitting_frame
from ...volumes.reading_order import first_shown
from ..cells.shown_cells import cells_of
from ..explanation_layers import ExplanationLayer
from ..layer_overlays import leading_points, uncovered
from ..panel_layer import PanelLayer
from ..study_layers import METADATA_KEY, StudyLayer
from ..viewer_panels import seen

if TYPE_CHECKING:
    from napari.components import ViewerModel


def frame_in_picture(viewer: ViewerModel, study: Study) -> tuple[tuple[int, ...], str]:
    """Points along the leading axes of what is seen of a study, and their words.

    Empty where nothing with such axes is seen: a scan without time has no frame, wherever the
    slider of another one stands. As `review.frames.frame_of` says of the panel in a picture.
    """
    layers = [layer for layer in viewer.layers if seen(layer)]
    if not cells_of(viewer).active:
        layers = uncovered(layers)
    for layer in layers:
        known = layer.metadata.get(METADATA_KEY)
        if isinstance(known, PanelLayer) and known.study is study:
            return frame_of(known.reading, known.panel)
        if isinstance(known, StudyLayer) and known.study is study and layer.ndim > 3:
            leading = leading_points(layer, viewer.dims.point)
            return leading, frame_name(known.volume, leading)
    return (), ""


def frame_of_scans(viewer: ViewerModel, study: Study, roles: Iterable[str]) -> tuple[int, ...]:
    """The frame in the picture as some scans of a study are explained at, as `fitting_frame` says.

    Where no scan with such axes is seen, that of a result which is.
    """
    points, _ = frame_in_picture(viewer, study)
    if not points:
        known = (layer.metadata.get(METADATA_KEY) for layer in viewer.layers if seen(layer))
        results = (k for k in known if isinstance(k, ExplanationLayer) and k.study is study)
        points = next((k.explanation.frame for k in results), ())
    return fitting_frame(study, points, roles)


def go_to_opening_frame(viewer: ViewerModel, study: Study) -> None:
    """Move to the frame on which a study opens: of a diffusion scan one without weighting."""
    if shown := study.images.get(first_shown(study)):
        go_to_frame(viewer, opening_frame(shown))


def go_to_frame(viewer: ViewerModel, leading: tuple[int, ...]) -> None:
    """Move the sliders of the leading axes; an empty frame leaves them where they are."""
    last = viewer.dims.ndim - 3
    points = leading[max(len(leading) - last, 0) :]
    axes = tuple(range(last - len(points), last))
    if axes:
        viewer.dims.set_point(axes, tuple(float(point) for point in points))
