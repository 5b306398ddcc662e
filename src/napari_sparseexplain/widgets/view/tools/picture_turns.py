"""Grey values inverted, the picture flipped or at its own size; letters follow what is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from ....layers.study_layers import METADATA_KEY, StudyLayer

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Grey colour maps and their other way round.
_INVERTED = {"gray": "gray_r", "gray_r": "gray"}

_OPPOSITE = {"down": "up", "up": "down", "left": "right", "right": "left"}


def scans_in(viewer: ViewerModel) -> list[Image]:
    """Scans of studies in grey, hidden ones too."""
    return [
        layer
        for layer in viewer.layers
        if isinstance(layer, Image)
        and isinstance(layer.metadata.get(METADATA_KEY), StudyLayer)
        and not layer.rgb
    ]


def invert(viewer: ViewerModel) -> None:
    """White becomes black in every scan, and back."""
    for layer in scans_in(viewer):
        other = _INVERTED.get(str(layer.colormap.name))
        if other is not None:
            layer.colormap = other


def flip(viewer: ViewerModel, *, across: bool = False, down: bool = False) -> None:
    """Mirror the picture left to right, top to bottom, or turn it by 180° with both."""
    camera: Any = viewer.scene.camera
    vertical, horizontal = (str(way) for way in camera.orientation2d)
    camera.orientation2d = (
        _OPPOSITE[vertical] if down else vertical,
        _OPPOSITE[horizontal] if across else horizontal,
    )


def actual_size(viewer: ViewerModel) -> None:
    """One pixel of the screen for one voxel of the scan in the picture, along its finer side."""
    shown = [layer for layer in scans_in(viewer) if layer.visible] or scans_in(viewer)
    if not shown:
        return
    layer = shown[-1]
    missing = viewer.dims.ndim - layer.ndim
    steps = [float(layer.scale[axis - missing]) for axis in viewer.dims.displayed]
    viewer.scene.camera.zoom = 1.0 / float(np.min(steps))


def smooth(viewer: ViewerModel, smooth_: bool) -> None:
    """Scans between their voxels: smooth, or each voxel a square."""
    for layer in scans_in(viewer):
        layer.interpolation2d = "linear" if smooth_ else "nearest"
