"""The studies that lie in a viewer: found by its layers, shown, renamed and removed with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from napari.layers import Labels

from .batched_changes import batched_changes
from .explanation_layers import ExplanationLayer
from .fibre_directions import FibreLayer
from .maps_over_time import MapsOverTime
from .panel_layer import PanelLayer
from .priors.prior_layer import PriorLayer
from .study_layers import METADATA_KEY, StudyLayer, grid_units, role_title, volume_layer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer

    from ..volumes import Study


def studies_in(viewer: ViewerModel) -> list[Study]:
    """Studies with a layer in the viewer, in the order they came."""
    found: list[Study] = []
    for layer in viewer.layers:
        known = layer.metadata.get(METADATA_KEY)
        if isinstance(known, StudyLayer) and known.study not in found:
            found.append(known.study)
    return found


def study_at(viewer: ViewerModel, path: Path) -> Study | None:
    """The study in the viewer that was read from a file or folder, also through a link."""
    place = path.resolve()
    return next(
        (s for s in studies_in(viewer) if s.path is not None and s.path.resolve() == place), None
    )


def layers_of(viewer: ViewerModel, study: Study) -> list[Layer]:
    """Layers of a study's volumes, in layer-list order."""
    return [
        layer
        for layer in viewer.layers
        if isinstance(known := layer.metadata.get(METADATA_KEY), StudyLayer)
        and known.study is study
    ]


def guard_layer(layer: Layer) -> None:
    """A layer came into the viewer: what was read or computed cannot be painted on; a copy can.

    A copy that a person made (*Duplicate*) is theirs: it no longer counts as the study's volume or
    the model's map, so nothing that was painted can be taken for one.
    """
    if METADATA_KEY not in layer.metadata:
        return
    if layer.source.parent is not None:
        del layer.metadata[METADATA_KEY]
    elif isinstance(layer, Labels):
        layer.editable = False


def show_alone(viewer: ViewerModel, study: Study, role: str) -> None:
    """Hide the layers of other studies; where all of ``study`` is hidden, show a role and masks."""
    mine = layers_of(viewer, study)
    hidden = not any(layer.visible for layer in mine)
    with batched_changes(viewer.layers):
        for layer in viewer.layers:
            known = layer.metadata.get(METADATA_KEY)
            if getattr(known, "study", study) is not study:
                layer.visible = False
        for layer in mine if hidden else ():
            known = layer.metadata[METADATA_KEY]
            layer.visible = known.role == role or known.volume.kind == "label"


def rename_study(viewer: ViewerModel, old: Study, new: Study) -> None:
    """The same study after an edit of its roles: its layers stay and take the new names."""
    volumes = {id(v.data): v for v in (*new.images.values(), *new.labels.values())}
    for layer in layers_of(viewer, old):
        known = layer.metadata[METADATA_KEY]
        volume = volumes.get(id(known.volume.data))
        if volume is not None:
            layer.metadata[METADATA_KEY] = StudyLayer(new, volume.role, volume)
            layer.name = f"{role_title(volume.role)} · {new.name}"
    for layer in viewer.layers:
        known = layer.metadata.get(METADATA_KEY)
        if (
            isinstance(known, ExplanationLayer | FibreLayer | MapsOverTime | PriorLayer)
            and known.study is old
        ):
            layer.metadata[METADATA_KEY] = replace(known, study=new)


def fits_layers(viewer: ViewerModel, old: Study, new: Study) -> bool:
    """Whether the layers of a study could show another one: the same roles, slices alike."""
    volumes = {**new.images, **new.labels}
    kept = [layer.metadata[METADATA_KEY] for layer in layers_of(viewer, old)]
    return sorted(known.role for known in kept) == sorted(volumes) and all(
        volumes[known.role].data.shape[1:] == known.volume.data.shape[1:]
        and volumes[known.role].data.dtype == known.volume.data.dtype
        and volumes[known.role].kind == known.volume.kind
        and volumes[known.role].grid.spacing == known.volume.grid.spacing
        for known in kept
    )


def _fill_layers(viewer: ViewerModel, old: Study, new: Study) -> None:
    """Layers that go and come cost napari seconds; and these keep what a person made of them."""
    for layer in layers_of(viewer, old):
        volume = new[layer.metadata[METADATA_KEY].role]
        data, options, _ = volume_layer(volume, new)
        layer.metadata[METADATA_KEY] = options["metadata"][METADATA_KEY]
        layer.data = data
        layer.name = options["name"]
        if "contrast_limits" in options:
            cast("Image", layer).contrast_limits = options["contrast_limits"]


def remove_study(viewer: ViewerModel, study: Study, *, into: Study | None = None) -> None:
    """Take away every layer that belongs to a study, its explanations too.

    Parameters
    ----------
    into : Study, optional
        Another one, for which `fits_layers` is true: it takes over the layers of the volumes.
    """
    if into is not None:
        _fill_layers(viewer, study, into)
    with batched_changes(viewer.layers):
        for layer in list(viewer.layers):
            if getattr(layer.metadata.get(METADATA_KEY), "study", None) is study:
                viewer.layers.remove(layer)


def share_units(viewer: ViewerModel, study: Study) -> None:
    """Give every layer of ours the unit of ``study``.

    napari shows no scale at all while a picture in pixels lies, even hidden, beside a scan in
    millimetres; so what is hidden takes the unit of what is shown.
    """
    units = grid_units(study.grid)
    for layer in viewer.layers:
        known = layer.metadata.get(METADATA_KEY)
        ours = StudyLayer | ExplanationLayer | PanelLayer | FibreLayer | MapsOverTime | PriorLayer
        if isinstance(known, ours):
            layer.units = (*layer.units[:-3], *units)
