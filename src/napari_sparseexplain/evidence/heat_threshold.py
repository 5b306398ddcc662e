"""Masks from a finished heat map: its highest share, or all above a value. Nothing is run again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .explanation import Explanation
from .region_table import REGIONS, VOLUME


def top_share(
    heat: npt.NDArray[Any],
    share: float,
    *,
    per_slice: bool = True,
    counted: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.bool_]:
    """Where a heat map is among its highest values.

    As many of its highest voxels as the share is of all voxels, the published percentile, or of
    those that are ``counted``; the highest ones may lie anywhere, so that a map that is high in the
    air shows it. In a map of regions, such as XRAI's, these are the best whole regions that
    together stay within the share, and always the best one, even when it is larger. A constant
    slice has no highest part, nor has one on which nothing is counted.

    Parameters
    ----------
    heat : ndarray, shape (S, P, L)
    share : float
        In (0, 1].
    per_slice : bool
        Whether each slice has its own quantile, or the volume one.
    counted : ndarray of bool, shape of ``heat``, optional
        Voxels that the share is of, such as the head; all when not given.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, not {share}")
    mask = np.zeros(heat.shape, dtype=bool)
    of = np.broadcast_to(True, heat.shape) if counted is None else counted
    parts = zip(heat, of, mask, strict=True) if per_slice else [(heat, of, mask)]
    for part, those, inside in parts:
        low, high = part.min(), part.max()
        mine = share * those.mean()
        if low == high or mine == 0:
            continue
        limit = np.quantile(part, 1 - mine)
        np.greater(part, limit, out=inside)
        if mine == 1:
            inside[...] = True
        elif limit == high:
            np.equal(part, high, out=inside)
    return mask


def above(heat: npt.NDArray[Any], value: float) -> npt.NDArray[np.bool_]:
    """Where a heat map is at least ``value``."""
    return np.asarray(heat) >= value


def shown_part(
    heat: npt.NDArray[Any],
    share: float,
    least: float,
    *,
    signed: bool,
    per_slice: bool = True,
    counted: npt.NDArray[np.bool_] | None = None,
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
    per_slice, counted
        As in `top_share`.
    """
    ranked = np.abs(heat) if signed else np.asarray(heat)
    inside = heat != 0
    if share < 1:
        inside = top_share(ranked, share, per_slice=per_slice, counted=counted)
    if least > 0:
        inside = inside & above(np.abs(heat), least * float(np.abs(heat).max(initial=0.0)))
    return inside & (heat != 0)


def explained_part(
    explanation: Explanation,
    name: str,
    share: float,
    least: float,
    counted: npt.NDArray[np.bool_] | None = None,
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
    counted : ndarray of bool, shape of the map, optional
        As in `top_share`.
    """
    ranked = any(item.name == REGIONS for item in explanation.maps)
    whole = ranked and VOLUME in explanation[REGIONS].axes[REGIONS]
    item = explanation[name]
    signed = not ranked and item.signed
    return shown_part(
        np.asarray(item.data), share, least, signed=signed, per_slice=not whole, counted=counted
    )
