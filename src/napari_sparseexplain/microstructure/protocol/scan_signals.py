"""A diffusion scan as an array of signals, measurements last, as solvers and dipy take it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ...volumes.volume import Volume
from ..gradient_table import GradientTable

#: A voxel whose mean without weighting is below this share of the brightest ones is background.
_BACKGROUND = 0.1


def signals_of(volume: Volume) -> npt.NDArray[np.floating]:
    """Shape (S, P, L, M): a view of the scan's voxels, or what they are computed to.

    Parameters
    ----------
    volume : Volume
        With one leading axis.
    """
    return np.moveaxis(np.asarray(volume.data), 0, -1)


def finite_voxels(signals: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Voxels of which every measurement is a number, shape (S, P, L)."""
    found = np.ones(signals.shape[:-1], dtype=bool)
    # One volume at a time: a mask of all values is as large as a quarter of the scan.
    for row in range(signals.shape[-1] if signals.dtype.kind == "f" else 0):
        found &= np.isfinite(signals[..., row])
    return found


def checked_signals(table: GradientTable, signals: npt.ArrayLike) -> npt.NDArray[Any]:
    """The array, of its own type, if it has one real value a measurement along its last axis.

    Raises
    ------
    ParameterError
        It has not.
    """
    array = np.asarray(signals)
    if array.ndim == 0 or array.shape[-1] != len(table):
        raise ParameterError(
            f"signals of shape {array.shape} and {len(table)} measurements do not go together",
            where="signals",
            remedy="Give an array whose last axis is that of the measurements",
        )
    if array.dtype.kind not in "fiu":
        raise ParameterError(
            f"signals of the type {array.dtype} are no real numbers",
            where="signals",
            remedy="Give magnitudes",
        )
    return array


def voxels_of(
    signals: npt.NDArray[Any], places: npt.NDArray[np.intp], rows: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """Some measurements of some voxels (places in the flattened block), shape (N, R).

    A scan's signals are a view with the measurements first in memory: to flatten it would copy it.
    """
    where = np.unravel_index(places, signals.shape[:-1])
    return signals[where][:, rows].astype(np.float64)


def head_of(
    table: GradientTable, signals: npt.ArrayLike, mask: npt.ArrayLike | None = None
) -> npt.NDArray[np.bool_]:
    """Voxels that are looked at: the mask that is given, or those with signal without weighting.

    Parameters
    ----------
    table : GradientTable
    signals : array_like, shape (..., M)
    mask : array_like of bool, shape (...), optional

    Raises
    ------
    ParameterError
        The mask has another shape, or holds no voxel.
    """
    array = np.asarray(signals)
    if mask is None:
        rows = table.b0_rows if len(table.b0_rows) else np.array([int(table.b.argmin())])
        mean = np.nan_to_num(array[..., rows].mean(axis=-1, dtype=np.float64))
        bright = np.quantile(mean, 0.98) if mean.size else 0.0
        return (mean > _BACKGROUND * bright) & (mean > 0)
    chosen = np.asarray(mask, dtype=bool)
    if chosen.shape != array.shape[:-1] or not chosen.any():
        raise ParameterError(
            "the mask holds no voxel"
            if chosen.shape == array.shape[:-1]
            else f"the mask has the shape {chosen.shape} and the scan {array.shape[:-1]}",
            where="mask",
            remedy="Give a mask on the grid of the scan, with the voxels to look at",
        )
    return chosen
