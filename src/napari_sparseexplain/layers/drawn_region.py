"""What a person drew in the viewer, a Labels or a Shapes layer, as a mask on a study's grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import Labels, Layer, Shapes

from ..errors import StudyError
from ..volumes import Grid

#: How far a layer may lie from whole voxels, in voxels.
_TOLERANCE = 0.05

_REMEDY = "Draw on a layer that was added while the study was open"


def drawn_region(layer: Layer, grid: Grid) -> npt.NDArray[np.bool_]:
    """The mask of a drawn layer, shape of the grid.

    Parameters
    ----------
    layer : Labels or Shapes
        Of labels everything but 0 counts; of shapes their insides, each on the slice (or in
        another plane) it was drawn in.
    grid : Grid
        The study's; layers lie in its millimetres.

    Raises
    ------
    StudyError
        Neither kind of layer, empty, or labels whose voxels are not those of the grid.
    """
    if isinstance(layer, Shapes):
        mask = _of_shapes(layer, grid)
    elif isinstance(layer, Labels):
        mask = labels_on_grid(layer, grid)
    else:
        raise StudyError(
            "a drawn region is a Labels or a Shapes layer", where=layer.name, remedy=_REMEDY
        )
    if not mask.any():
        raise StudyError(
            "the drawn region is empty, so there is nothing to explain",
            where=layer.name,
            remedy="Draw in the picture first, then run again",
        )
    return mask


def labels_on_grid(layer: Labels, grid: Grid) -> npt.NDArray[np.bool_]:
    """What a Labels layer marks, shape of the grid; it may cover some slices alone.

    Raises
    ------
    StudyError
        Its voxels are not those of the grid.
    """
    data = np.asarray(layer.data)
    while data.ndim > 3 and data.shape[0] == 1:
        data = data[0]
    scale = np.asarray(layer.scale[-3:], dtype=np.float64)
    start = np.asarray(layer.translate[-3:], dtype=np.float64) / grid.spacing
    whole = np.rint(start).astype(int)
    fits = (
        data.ndim == 3
        and np.allclose(scale, grid.spacing, rtol=1e-3)
        and np.allclose(start, whole, atol=_TOLERANCE)
        and (whole >= 0).all()
        and (whole + data.shape <= grid.shape).all()
    )
    if not fits:
        raise StudyError(
            f"the layer's voxels are not those of the study (shape {data.shape}, voxels of "
            f"{' x '.join(f'{v:g}' for v in scale)})",
            where=layer.name,
            remedy=_REMEDY,
        )
    mask = np.zeros(grid.shape, dtype=bool)
    place = tuple(slice(n, n + size) for n, size in zip(whole, data.shape, strict=True))
    mask[place] = data != 0
    return mask


def _of_shapes(layer: Shapes, grid: Grid) -> npt.NDArray[np.bool_]:
    mask = np.zeros(grid.shape, dtype=bool)
    for corners, kind in zip(layer.data, layer.shape_type, strict=True):
        world = np.array([layer.data_to_world(corner) for corner in np.asarray(corners)])
        if world.shape[1] < 3:
            raise StudyError(
                "the shapes have two axes, so nothing says on which slice they lie",
                where=layer.name,
                remedy=_REMEDY,
            )
        voxels: Any = world[:, -3:] / grid.spacing
        # A shape is flat along the axis it was drawn across; napari keeps that value as it was
        # under the slider, which need not be a whole voxel.
        flat = int(np.ptp(voxels, axis=0).argmin())
        voxels[:, flat] = np.rint(voxels[:, flat])
        mask |= _flat_mask(voxels, kind, flat, grid.shape)
    return mask


def _flat_mask(
    voxels: npt.NDArray[np.float64], kind: str, flat: int, shape: tuple[int, int, int]
) -> npt.NDArray[np.bool_]:
    """One shape: its inside in its own plane, put at its place."""
    others = [axis for axis in range(3) if axis != flat]
    mask = np.zeros(shape, dtype=bool)
    number = round(float(voxels[0, flat]))
    if 0 <= number < shape[flat]:
        plane = Shapes([voxels[:, others]], shape_type=kind, ndim=2)
        size = tuple(shape[axis] for axis in others)
        np.moveaxis(mask, flat, 0)[number] = np.asarray(plane.to_masks(mask_shape=size)).any(axis=0)
    return mask
