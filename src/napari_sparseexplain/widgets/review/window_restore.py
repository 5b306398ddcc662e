"""A saved review put back onto the window: its studies, maps, slice, plane, camera and cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from napari.layers import Layer

from ...export.pictures.colour_scale import colour_stops
from ...layers.batched_changes import batched_changes
from ...layers.canvas.frame_in_picture import go_to_frame
from ...layers.canvas.linked_cameras import fitted_zoom
from ...layers.cells.shown_cells import view_size
from ...layers.explanation_layers import ExplanationLayer, map_layer
from ...layers.mask_style import set_mask_style
from ...layers.panel_layer import panel_layer
from ...layers.study_layers import METADATA_KEY, LayerTuple, grey_colormap, study_layers
from ...layers.study_results import hidden_results
from ...layers.viewer_panels import AUXILIARY, viewer_plane
from ...progress import Progress, Work
from ...review.frames import frame_of
from ...review.reading import Reading
from ...review.review import Camera, Overlay, Panel, Review, ScanLayer
from ...review.store import restore_review
from ...review.study_reference import study_reference
from ...volumes import Study
from ...volumes.edge_letters import PLANES
from ...volumes.reading_order import first_shown
from .reviewed_window import ReviewedWindow
from .study_marks import OWN, Marks


def layers_for(reading: Reading) -> dict[str, list[LayerTuple]]:
    """Layers of every study of a restored reading, by key; for a worker thread."""
    return {key: study_layers(study) for key, study in reading.studies.items()}


def open_review_work(
    folder: Path, moved: dict[str, str], elsewhere: bool = False
) -> Work[tuple[Reading, Any]]:
    """Read the review, its studies and maps, away from the window's thread."""
    yield Progress(0, 0, "Opening the review")
    reading = restore_review(folder, moved=moved, elsewhere=elsewhere)
    for panel in reading.review.panels:
        for overlay in panel.overlays:
            colour_stops(overlay.colormap)  # refuses a name that the window does not know either
    yield Progress(0, 0, "Preparing the layers")
    return reading, layers_for(reading)


def put_on_window(
    window: ReviewedWindow,
    reading: Reading,
    layers: Mapping[str, Sequence[LayerTuple]] | None = None,
    mark: Callable[[Marks], None] = lambda marks: None,
) -> Marks:
    """Show a restored reading: its studies, maps, limits, slice, plane, camera and cells.

    A study that is open already (the same files, with the same roles) is not opened twice.

    Parameters
    ----------
    layers : mapping, optional
        From `layers_for`.
    mark : callable, optional
        Shows what was marked, once the study is active and before its layers stand in cells.

    Returns
    -------
    Marks
        What was marked in the study of the first panel.
    """
    reading = _with_what_is_there(reading)
    review = reading.review
    shown = {key: _open_already(window, study) or study for key, study in reading.studies.items()}
    for key, study in shown.items():
        if study not in window.studies:
            window.show_study(study, None if layers is None else layers[key])
    reading = replace(reading, studies=shown)
    first = review.panels[0].study if review.panels else next(iter(shown))
    study = shown[first]
    if window.study is not study:
        window.activate(study)
    window.grid_view.leave()
    _restore_view(window, reading, study)
    marks = _marks(review, first, study)
    mark(marks)
    with batched_changes(window.viewer.layers):
        for layer in window.viewer.layers:
            if layer.visible and layer.metadata.get(METADATA_KEY) != AUXILIARY:
                layer.visible = False
        window.viewer.layers.extend(hidden_results(cast(Any, window.viewer), reading))
    if not shows_three_planes(review):
        window.modes.set_mode("single")
        _restore_panels(window, reading)
        _restore_camera(window, review)
        return marks
    main = replace(reading, review=replace(review, panels=review.panels[:1]))
    _restore_panels(window, main)
    window.modes.set_mode("orthogonal")
    if marks.probe is not None:
        window.go_to_voxel(marks.probe)
    _restore_display(window, review.panels, study)
    return replace(marks, probe=None)


def _with_what_is_there(reading: Reading) -> Reading:
    """Without overlays whose maps are not here: they are listed, to be run again."""

    def here(overlay: Overlay) -> bool:
        return overlay.shelf == "study" or overlay.key in reading.explanations

    panels = [
        replace(panel, overlays=tuple(o for o in panel.overlays if here(o)))
        for panel in reading.review.panels
    ]
    kept = tuple(panel for panel in panels if panel.scan is not None or panel.overlays)
    return reading.with_review(replace(reading.review, panels=kept))


def shows_three_planes(review: Review) -> bool:
    """Whether the panels are one view in three planes that are linked by a crosshair."""
    if not review.crosshair or {panel.plane for panel in review.panels} != set(PLANES):
        return False
    alike = [replace(p, plane="axial", index=0, camera=Camera()) for p in review.panels]
    return len(alike) == 3 and all(panel == alike[0] for panel in alike)


def _restore_display(window: ReviewedWindow, panels: Sequence[Panel], study: Study) -> None:
    """Magnification and place of linked views, whatever size they have now."""
    first = panels[0].camera
    if first.zoom is None or first.canvas is None:
        window.fit()
        return
    focus = list((np.asarray(study.grid.shape) - 1) / 2 * study.grid.spacing)
    for panel in reversed(panels):  # the main view's own centre last
        if panel.camera.centre is not None:
            for axis, place in zip(PLANES[panel.plane][1:], panel.camera.centre, strict=True):
                focus[axis] = place
    fitted = min(
        fitted_zoom(study, PLANES[panel.plane][1:], panel.camera.canvas)
        for panel in panels
        if panel.camera.canvas is not None
    )
    window.fitted.keep()
    window.cameras.look(first.zoom / fitted, focus)


def _open_already(window: ReviewedWindow, study: Study) -> Study | None:
    if study.path is None:
        return None
    place = study.path.resolve()
    # A link to the folder gives the study another path, and another name.
    wanted = replace(study_reference(study), name="")
    for other in window.studies:
        # Places first: files of a study elsewhere are not read.
        there = other.path is not None and other.path.resolve() == place
        if there and replace(study_reference(other), name="") == wanted:
            return other
    return None


def _restore_view(window: ReviewedWindow, reading: Reading, study: Study) -> None:
    review = reading.review
    if not review.panels:
        return
    panel = review.panels[0]
    if viewer_plane(cast(Any, window.viewer)) != panel.plane:
        window.set_plane(panel.plane)
    axis = PLANES[panel.plane][0]
    offset = window.viewer.dims.ndim - 3
    window.viewer.dims.set_point(offset + axis, panel.index * study.grid.spacing[axis])
    go_to_frame(cast(Any, window.viewer), frame_of(reading, panel)[0])
    window.set_convention(review.convention)


def _restore_panels(window: ReviewedWindow, reading: Reading) -> None:
    review = reading.review
    used: dict[int, ScanLayer | Overlay] = {}
    made: list[list[Layer]] = []
    for panel in review.panels:
        layers = [] if _coloured(panel) else _plain_layers(window, reading, panel, used)
        if not layers:
            name = panel.title or "Panel"
            layers = [Layer.create(*panel_layer(reading, panel, name))]
        made.append(layers)
    alone = all(len(layers) == 1 for layers in made) and len({id(x[0]) for x in made}) == len(made)
    order = [layers[0] for layers in made] if alone else []
    with batched_changes(window.viewer.layers):
        for layers in made:
            for layer in layers:
                if layer not in window.viewer.layers:
                    layer.visible = False
                    window.viewer.layers.append(layer)
        # Cells stand in the order of the list.
        for layer in order if len(order) > 1 else ():
            here = window.viewer.layers.index(layer)
            window.viewer.layers.move(here, len(window.viewer.layers))
    if len(made) > 1:
        # What the single view shows when the grid is left.
        study = next(panel.study for panel in review.panels)
        single = window.study_layer(first_shown(reading.studies[study]))
        if single is not None:
            single.visible = True
        if order:
            window.grid_view.show(order, columns=review.columns)
        else:
            window.grid_view.show_cells(made, columns=review.columns)
    else:
        with batched_changes(window.viewer.layers):
            for layers in made:
                for layer in layers:
                    layer.visible = True


def _coloured(panel: Panel) -> bool:
    """Whether a panel can only be shown as one picture in colour."""
    return any(
        o.blend == "heat" or o.share < 1 or o.least > 0 or len(o.map_names) > 1
        for o in panel.overlays
    )


def _plain_layers(
    window: ReviewedWindow, reading: Reading, panel: Panel, used: dict[int, ScanLayer | Overlay]
) -> list[Layer]:
    """The layers of a panel, each as it was; none where one is shown otherwise in another cell."""
    found: list[Layer] = []
    parts = ([] if panel.scan is None else [panel.scan]) + list(panel.overlays)
    for part in parts:
        layer = _layer_of(window, reading, part)
        if layer is None or used.get(id(layer), part) != part:
            return []
        found.append(layer)
    # Study layers lie below in the list whatever the panel says; another order needs one picture.
    places = [window.viewer.layers.index(x) for x in found if x in window.viewer.layers]
    if places != sorted(places):
        return []
    for layer, part in zip(found, parts, strict=True):
        _set_display(layer, part)
        used[id(layer)] = part
    return found


def _layer_of(window: ReviewedWindow, reading: Reading, part: ScanLayer | Overlay) -> Layer | None:
    if isinstance(part, ScanLayer) or part.shelf == "study":
        key, role = (
            (part.study, part.role) if isinstance(part, ScanLayer) else (part.key, part.name)
        )
        for layer in window.layers_of(reading.studies[key]):
            if layer.metadata[METADATA_KEY].role == role:
                return layer
        return None
    explanation = reading.explanations.get(part.key)
    if explanation is None:
        return None
    for layer in window.viewer.layers:
        known = layer.metadata.get(METADATA_KEY)
        if (
            isinstance(known, ExplanationLayer)
            and (known.map, known.below, layer.name) == (part.name, None, part.title)
            and known.explanation.provenance == explanation.provenance
            and known.explanation.slices == explanation.slices
        ):
            return layer  # the window has it already
    study = reading.studies[reading.review.explanations[part.key].study]
    layer = Layer.create(*map_layer(explanation, explanation[part.name], study))
    layer.name = part.title
    layer.metadata[METADATA_KEY] = ExplanationLayer(study, explanation, part.name, restored=part)
    return layer


def _set_display(layer: Any, part: ScanLayer | Overlay) -> None:
    """Limits, colours, opacity and the rest of one layer."""
    limits = part.window if isinstance(part, ScanLayer) else part.limits
    labels = isinstance(part, Overlay) and part.is_label
    if not labels and not layer.rgb:
        low, high = layer.contrast_limits_range
        layer.contrast_limits_range = (min(low, limits[0]), max(high, limits[1]))
        layer.contrast_limits = limits
        layer.gamma = part.gamma
    if not labels:
        layer.interpolation2d = part.interpolation
    if labels and isinstance(part, Overlay):
        set_mask_style(layer, part.drawn, round(part.line_width))
    layer.opacity = 1.0 if isinstance(part, ScanLayer) else part.opacity
    if isinstance(part, Overlay) and not labels:
        layer.blending = "additive" if part.blend == "additive" else "translucent"
        if layer.colormap.name != part.colormap:
            layer.colormap = part.colormap
    elif isinstance(part, ScanLayer) and not layer.rgb:
        grey = grey_colormap(layer.metadata[METADATA_KEY].volume)
        if layer.colormap.name != grey:
            layer.colormap = grey


def _restore_camera(window: ReviewedWindow, review: Review) -> None:
    camera = review.panels[0].camera if review.panels else Camera()
    if camera.zoom is None or camera.canvas is None or camera.centre is None:
        window.fit()
        return
    viewer = cast(Any, window.viewer)
    height, width = view_size(viewer)
    # A window of another size shows all that was seen.
    scale = min(height / camera.canvas[0], width / camera.canvas[1])
    same = (round(height), round(width)) == camera.canvas
    window.fitted.keep()
    viewer.scene.camera.center = (0.0, *camera.centre)
    viewer.scene.camera.zoom = camera.zoom if same else camera.zoom * scale


def _marks(review: Review, key: str, study: Study) -> Marks:
    probe = None
    if review.probe is not None:
        s, p, l = (round(float(v)) for v in study.grid.index(review.probe))  # noqa: E741
        probe = (s, p, l)
    return Marks(
        tuple(replace(a, study=OWN) for a in review.annotations if a.study == key),
        tuple(replace(k, study=OWN) for k in review.key_slices if k.study == key),
        probe,
        review.code,
    )
