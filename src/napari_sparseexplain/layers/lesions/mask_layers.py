"""Masks that lie in the viewer: which belong to a study, and what they mark on its grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Labels

from ...volumes.roles.label_roles import lesion_role
from ..drawn_region import labels_on_grid
from ..study_layers import METADATA_KEY, StudyLayer

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from ...volumes import Grid, Study


def mask_layers(viewer: ViewerModel, study: Study) -> list[Labels]:
    """Labels layers of a study, of what was found in it, and a person's own, in their order."""
    return [
        layer
        for layer in viewer.layers
        if isinstance(layer, Labels)
        and getattr(layer.metadata.get(METADATA_KEY), "study", study) is study
    ]


def first_mask(layers: list[Labels], study: Study) -> Labels | None:
    """The mask that is meant where nobody chose: that of the lesions, else any but the brain's."""
    role = lesion_role(study)
    known = [(layer, layer.metadata.get(METADATA_KEY)) for layer in layers]
    own = [(layer, k.role) for layer, k in known if isinstance(k, StudyLayer)]
    for layer, found in own:
        if found == role:
            return layer
    brains = [layer for layer, found in own if "brain" in found]
    return next((layer for layer in layers if layer not in brains), None)


def masks_over_time(layer: Labels, grid: Grid, frame: tuple[int, ...]) -> list[npt.NDArray[Any]]:
    """What a layer marks on a grid at a time point, last, and at all before it.

    Parameters
    ----------
    frame : tuple of int
        Where the picture is along leading axes; empty for the first.

    Raises
    ------
    StudyError
        Its voxels are not those of the grid.
    """
    data: Any = layer.data
    shape = tuple(data.shape)
    if shape == grid.shape:
        return [np.asarray(data)]
    if len(shape) == 4 and shape[1:] == grid.shape and shape[0] > 1:
        now = min(frame[-1] if frame else 0, shape[0] - 1)
        return [np.asarray(data[point]) for point in range(now + 1)]
    return [labels_on_grid(layer, grid).astype(np.uint8)]
