"""What networks mark in a cine, as outlines in the viewer that follow its time slider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels

from ...layers.batched_changes import batched_changes
from ...layers.colormaps import label_colormap
from ...layers.maps_over_time import MapsOverTime
from ...layers.study_layers import METADATA_KEY, axis_labels, grid_units
from ...volumes import Study

if TYPE_CHECKING:
    from napari import Viewer

    from ...evidence import Provenance
    from ...training.left_ventricle.cine_volumes import CineVolumes

#: Width of an outline in pixels of the scan.
_WIDTH = 1


def add_outlines(
    viewer: Viewer,
    study: Study,
    found: Sequence[CineVolumes],
    titles: Sequence[str],
    colours: Sequence[str],
    records: Sequence[Provenance],
) -> list[Labels]:
    """One layer a network, of all time points; a review takes the one in the picture."""
    from ...training.left_ventricle.cine_explanations import OUTLINE, cine_explanations

    layers = []
    for one, title, colour, record in zip(found, titles, colours, records, strict=True):
        each = cine_explanations(study, one, title, record)
        layer = Labels(
            one.masks.astype(np.uint8),
            name=f"{title} · {study.name}",
            scale=(1.0, *study.grid.spacing),
            units=("pixel", *grid_units(study.grid)),
            axis_labels=("time", *axis_labels(study.grid)),
            colormap=label_colormap({1: colour}),
            opacity=1.0,
            metadata={METADATA_KEY: MapsOverTime(study, each, OUTLINE, {1: colour.upper()})},
        )
        layer.contour = _WIDTH
        layer.editable = False
        layers.append(layer)
    active = viewer.layers.selection.active
    with batched_changes(viewer.layers):
        viewer.layers.extend(layers)
    viewer.layers.selection.active = active
    return layers


def remove_outlines(viewer: Any, layers: Sequence[Labels]) -> None:
    """Take them away, those that a person has not removed already."""
    with batched_changes(viewer.layers):
        for layer in layers:
            if layer in viewer.layers:
                viewer.layers.remove(layer)
