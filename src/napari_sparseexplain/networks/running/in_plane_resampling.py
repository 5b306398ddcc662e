"""Changing the pixel size of slices without moving what they show.

Both grids cover the same extent: the outer edges of the first and last pixel stay where they
are. Shrinking averages over area (no aliasing), growing interpolates linearly.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt


def shape_at(
    shape: tuple[int, int], size: tuple[float, float], wanted: tuple[float, float]
) -> tuple[int, int]:
    """Rows and columns over the same extent with pixels of another size.

    Parameters
    ----------
    size, wanted : (float, float)
        Row and column size of the pixels that are there, and of those that are wanted, in one unit.
    """
    return (
        max(1, round(shape[0] * size[0] / wanted[0])),
        max(1, round(shape[1] * size[1] / wanted[1])),
    )


@lru_cache(maxsize=32)
def resampling_weights(source: int, target: int) -> npt.NDArray[np.float32]:
    """Matrix that takes a line of ``source`` pixels to ``target`` pixels over the same extent.

    Returns
    -------
    ndarray, shape (target, source), float32, read-only
        Rows sum to 1. The identity when the sizes agree; overlap areas when shrinking; linear
        interpolation between pixel centres, held constant past the outer ones, when growing.
    """
    scale = source / target
    if target < source:
        edges = np.arange(target + 1) * scale
        pixel = np.arange(source)
        overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
        weights = np.clip(overlap, 0.0, None) / scale
    else:
        centre = np.clip((np.arange(target) + 0.5) * scale - 0.5, 0, source - 1)
        weights = np.clip(1.0 - np.abs(centre[:, None] - np.arange(source)), 0.0, None)
    result = weights.astype(np.float32)
    result.setflags(write=False)
    return result


def resample_in_plane(array: npt.NDArray[Any], shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Slices ``array`` (..., P, L) at another in-plane ``shape``, over the same extent."""
    rows, columns = array.shape[-2:]
    values = np.asarray(array, dtype=np.float32)
    if (rows, columns) == shape:
        return values
    across = values @ resampling_weights(columns, shape[1]).T
    return np.matmul(resampling_weights(rows, shape[0]), across, dtype=np.float32)


def nearest_in_plane(array: npt.NDArray[Any], shape: tuple[int, int]) -> npt.NDArray[Any]:
    """Slices ``array`` (..., P, L) at another in-plane ``shape`` without any new value.

    Every pixel takes the one that holds its centre: for regions and ranks, which have no values
    in between.
    """
    if array.shape[-2:] == tuple(shape):
        return array
    places = [
        ((np.arange(target) + 0.5) * source / target).astype(np.intp)
        for source, target in zip(array.shape[-2:], shape, strict=True)
    ]
    return array[..., places[0][:, None], places[1]]
