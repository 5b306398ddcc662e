"""From a study to the input of a network that takes whole volumes, and back to the study's voxels.

Three steps, each with its inverse: voxels of the sizes that the card names (area averages where it
shrinks, linear where it grows), axes in its orientation (exchanged and flipped, exact), sides that
are multiples of what it asks for (`divisible_padding`, within the network).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from ...volumes import Grid, Study
from ..bundle.model_card import ModelCard
from .axis_order import AxisOrder
from .in_plane_resampling import resampling_weights
from .input_region import InputRegion, joined_region, region_notes
from .preparation import Resolution, check_roles, normalised_channel, orientation_notes


@dataclass(frozen=True, eq=False)
class PreparedVolume:
    """A volume as a network takes it, and the way back to the study.

    Attributes
    ----------
    array : ndarray, shape (channels, a, b, c), float32
        Normalised as the card asks; its axes are those of ``order``.
    grid : Grid
        The study's grid.
    order : AxisOrder
        The axes of the network.
    spacing : tuple of float
        Size of the network's voxels along its axes in mm; in study voxels when not calibrated.
    inside : ndarray of bool, shape (S, P, L), or None
        Where on the study's voxels a class means anything; None for everywhere.
    region : InputRegion
        How that was found.
    notes : tuple of str
        What a person must know about it.
    """

    array: npt.NDArray[np.float32]
    grid: Grid
    order: AxisOrder
    spacing: tuple[float, float, float]
    inside: npt.NDArray[np.bool_] | None
    region: InputRegion
    notes: tuple[str, ...] = ()

    def to_study(self, maps: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Maps (..., a, b, c) of the network on the study's voxels (..., S, P, L)."""
        return resample_volume(self.order.to_study(maps), self.grid.shape)

    def to_network(self, maps: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Maps (..., S, P, L) on the study's voxels at the network's, averaged by volume."""
        network = self.array.shape[-3:]
        shape = tuple(network[self.order.axes.index(axis)] for axis in range(3))
        resampled = resample_volume(maps, (shape[0], shape[1], shape[2]))
        return np.ascontiguousarray(self.order.to_network(resampled))


def prepare_volume(
    study: Study, card: ModelCard, *, resolution: Resolution = "model"
) -> PreparedVolume:
    """What a network that takes whole volumes is fed.

    Parameters
    ----------
    resolution : {"model", "native"}
        Resample to the voxel sizes of the card, or feed the study's own voxels.

    Raises
    ------
    ModelError
        The card is one of a network for slices.
    StudyError
        A role is missing, the study is one picture, or a scan cannot be normalised.
    """
    if card.inputs.spatial_dims != 3:
        raise ModelError(
            "the network takes slices, not volumes",
            where=card.name,
            remedy="Choose a model whose card says spatial_dims 3",
        )
    check_roles(study, card)
    span = slice(0, study.grid.shape[0])
    channels, regions, notes = [], [], orientation_notes(study.grid, card)
    inside: npt.NDArray[np.bool_] | None = None
    shape = _network_shape(study.grid, card, resolution)
    for role in card.inputs.roles:
        scaled, fed, said = normalised_channel(study, study[role], card, span)
        channels.append(resample_volume(scaled, shape))
        regions.append(fed.region)
        inside = fed.shown if inside is None else inside | fed.shown
        notes += said
    order, region = card.inputs.axis_order, joined_region(regions)
    sizes = [n * s / m for n, s, m in zip(study.grid.shape, study.grid.spacing, shape, strict=True)]
    first, second, third = (sizes[axis] for axis in order.axes)
    return PreparedVolume(
        np.ascontiguousarray(order.to_network(np.stack(channels))),
        study.grid,
        order,
        (first, second, third),
        None if card.inputs.mask == "none" else inside,
        region,
        (*notes, *region_notes(region)),
    )


def resample_volume(
    array: npt.NDArray[Any], shape: tuple[int, int, int]
) -> npt.NDArray[np.float32]:
    """Volumes (..., S, P, L) at another ``shape`` over the same extent, an axis after the other.

    Exactly what it was, where the shape is the same.
    """
    found = np.asarray(array, dtype=np.float32)
    for axis, size in zip((-3, -2, -1), shape, strict=True):
        if found.shape[axis] != size:
            weights = resampling_weights(found.shape[axis], size)
            found = np.moveaxis(np.moveaxis(found, axis, -1) @ weights.T, -1, axis)
    return found


def _network_shape(grid: Grid, card: ModelCard, resolution: Resolution) -> tuple[int, int, int]:
    """Voxels along (S, P, L); a study without millimetres keeps its own."""
    if resolution == "native" or not grid.calibrated:
        return grid.shape
    found = [
        max(1, round(n * size / wanted))
        for n, size, wanted in zip(
            grid.shape, grid.spacing, card.inputs.display_spacing, strict=True
        )
    ]
    return found[0], found[1], found[2]
