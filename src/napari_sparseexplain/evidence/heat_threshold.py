"""Masks from a finished heat map: its highest share, or all above a value. Nothing is run again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .explanation import Explanation
from .region_table import REGIONS, VOLUME


def top_share(
    heat: npt.NDArray[Any], share: float, *, per_slice: bool = True
) -> npt.NDArray[np.bool_]:
    """Where a heat map is among its highest values.

    Voxels above the quantile ``1 - share`` of all voxels: the background about a head counts, as
    in the published percentile, so that a share means the same on every scan. In a map of regions,
    such as XRAI's, these are the best whole regions that together stay within the share, and
    always the best one, even when it is larger. A constant slice has no highest part.

    Parameters
    ----------
    heat : ndarray, shape (S, P, L)
    share : float
        In (0, 1].
    per_slice : bool
        Whether each slice has its own quantile, or the volume one.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, not {share}")
    mask = np.zeros(heat.shape, dtype=bool)
    for part, inside in zip(heat, mask, strict=True) if per_slice else [(heat, mask)]:
        low, high = part.min(), part.max()
        if low == high:
            continue
        limit = np.quantile(part, 1 - share)
        np.greater(part, limit, out=inside)
        if share == 1:
            inside[...] = True
        elif limit == high:
            np.equal(part, high, out=inside)
    return mask


def above(heat: npt.NDArray[Any], value: float) -> npt.NDArray[np.bool_]:
    """Where a heat map is at least ``value``."""
    return np.asarray(heat) >= value


def shown_part(
    heat: npt.NDArray[Any], share: float, least: float, *, signed: bool, per_slice: bool = True
) -> npt.NDArray[np.bool_]:
    """Which part of a finished heat map two sliders leave in the picture.

    Parameters
    ----------
    heat : ndarray, shape (S, P, L)
    share : float
        In (0, 1]: the highest part; see `top_share`.
    least : float
        In [0, 1]: at least so much of the map's largest magnitude.
    signed : bool
        Whether values of both signs matter by their magnitude. False for XRAI's gains, which
        rank regions from the largest to the most negative.
    """
    ranked = np.abs(heat) if signed else np.asarray(heat)
    inside = top_share(ranked, share, per_slice=per_slice) if share < 1 else heat != 0
    if least > 0:
        inside = inside & above(np.abs(heat), least * float(np.abs(heat).max(initial=0.0)))
    return inside & (heat != 0)


def explained_part(
    explanation: Explanation, name: str, share: float, least: float
) -> npt.NDArray[np.bool_]:
    """Which part of an explanation's heat map two sliders leave, shape of the map.

    Ranked regions are taken whole: by slice, or over the volume where they grew in it.

    Parameters
    ----------
    explanation : Explanation
    name : str
        One of its maps.
    share, least : float
        As in `shown_part`.
    """
    ranked = any(item.name == REGIONS for item in explanation.maps)
    whole = ranked and VOLUME in explanation[REGIONS].axes[REGIONS]
    item = explanation[name]
    signed = not ranked and item.signed
    return shown_part(np.asarray(item.data), share, least, signed=signed, per_slice=not whole)
