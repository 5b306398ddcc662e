"""Scrolling slices with 8 overlays in the workspace, against plain napari with these arrays."""

from __future__ import annotations

import napari
import numpy as np
from napari.layers import Layer
from qtpy.QtWidgets import QApplication

from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.layers.explanation_layers import explanation_layers
from napari_sparseexplain.volumes import Study, open_study
from napari_sparseexplain.volumes.opening.sample import sample_path
from napari_sparseexplain.widgets.workspace import open_workspace
from paired_timing import Row, milliseconds, paired

_OVERLAYS = 8
_STEPS = 40


def _explanation(study: Study) -> Explanation:
    """Eight float32 maps on the study's grid; what they show does not matter here."""
    rng = np.random.default_rng(0)
    maps = tuple(
        ExplanationMap(
            f"map-{i}",
            rng.random(study.grid.shape, dtype=np.float32),
            "signal",
            f"Map {i}",
            value_range=(0.0, 1.0),
        )
        for i in range(_OVERLAYS)
    )
    whole = slice(0, study.grid.shape[0])
    return Explanation("signals", maps, Provenance("signals"), study.grid, whole)


def _plain_copy(layer: Layer) -> Layer:
    """The same array shown by napari alone."""
    scale = layer.scale
    if layer._type_string == "labels":
        return napari.layers.Labels(layer.data, scale=scale, opacity=layer.opacity)
    return napari.layers.Image(
        layer.data,
        scale=scale,
        contrast_limits=layer.contrast_limits,
        opacity=layer.opacity,
        blending=layer.blending,
    )


def _scroll(viewer: napari.Viewer) -> None:
    first = 40
    for step in range(first, first + _STEPS):
        viewer.dims.set_current_step(0, step)
        QApplication.processEvents()
        QApplication.processEvents()


def measure(repeats: int) -> list[Row]:
    """One row: time a slice, all layers visible."""
    study = open_study(sample_path())
    ours = napari.Viewer(show=True)
    ours.window.resize(1280, 800)
    workspace = open_workspace(ours)
    workspace.show_study(study)
    for item in explanation_layers(_explanation(study), study):
        ours.add_layer(Layer.create(*item))
    for layer in ours.layers:
        layer.visible = True
        if layer._type_string == "image":
            layer.opacity, layer.blending = 0.5, "translucent"
    plain = napari.Viewer(show=True)
    plain.window.resize(1280, 800)
    for layer in ours.layers:
        plain.add_layer(_plain_copy(layer))
    for _ in range(20):
        QApplication.processEvents()
    mine, theirs, ratio = paired(lambda: _scroll(ours), lambda: _scroll(plain), repeats)
    count = len(ours.layers)
    ours.close()
    plain.close()
    return [
        Row(
            f"scrolling a slice, {count} layers ({_OVERLAYS} overlays)",
            milliseconds(mine / _STEPS),
            f"plain napari {milliseconds(theirs / _STEPS)}",
            f"{1 / ratio:.2f}× the time",
            "≤ 1.5×",
            1 / ratio <= 1.5,
        )
    ]
