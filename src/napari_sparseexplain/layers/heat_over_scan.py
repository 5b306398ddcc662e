"""A heat map over the scan it explains, as one coloured picture.

A map whose heat decides how much of the anatomy is seen is one layer with it: no opacity of a layer
does that. Colours are those of the signed maps; the fainter the heat, the
more of the scan is seen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..export.pictures.colour_scale import heat_cover


def heat_over_scan(
    scan: npt.NDArray[Any],
    limits: tuple[float, float],
    heat: npt.NDArray[Any],
    high: float,
    inside: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.uint8]:
    """Blend a heat map over grey values.

    Parameters
    ----------
    scan, heat : ndarray, one shape
    limits : tuple of float
        Grey values that are black and white; the first is the larger in a negative.
    high : float
        Magnitude of the heat that has the full colour, positive.
    inside : ndarray of bool, optional
        Where heat is shown; everywhere when not given.

    Returns
    -------
    ndarray, shape (..., 3)
    """
    low, white = limits
    grey = np.clip((np.asarray(scan, dtype=np.float32) - low) / ((white - low) or 1e-12), 0.0, 1.0)
    picture = np.repeat(np.nan_to_num(grey)[..., None], 3, axis=-1)
    where = heat != 0 if inside is None else inside & (heat != 0)
    colours, cover = heat_cover(np.asarray(heat, dtype=np.float32)[where], high)
    picture[where] += cover[:, None] * (colours - picture[where])
    return np.round(picture * 255).astype(np.uint8)
