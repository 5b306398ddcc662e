"""From values to colours, as the viewer does it: limits first, then the colour map."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..errors import SparseExplainError
from ..evidence.colours import SIGNED_COLORMAP, SIGNED_STOPS

#: Colour of a label that has none of its own, as in the viewer.
UNKNOWN_LABEL = "#FFFFFF"

#: Steps of a colour map that is not piecewise linear.
_STEPS = 256


@lru_cache(maxsize=32)
def colour_stops(name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Places in [0, 1], shape (n,), and colours in [0, 1], shape (n, 3), of a colour map.

    Parameters
    ----------
    name : str
        ``"gray"``, the package's signed map, or any colour map of matplotlib.

    Raises
    ------
    SparseExplainError
        There is no such map.
    """
    if name == "gray":
        return np.array([0.0, 1.0]), np.array([[0.0] * 3, [1.0] * 3])
    if name == SIGNED_COLORMAP:
        table = np.array(SIGNED_STOPS)
        return table[:, 0], table[:, 1:]
    import matplotlib

    if name not in matplotlib.colormaps:
        raise SparseExplainError(
            f"there is no colour map {name!r}",
            where="picture",
            remedy=f"Choose gray, {SIGNED_COLORMAP}, inferno, magma, viridis or another of "
            "matplotlib's",
        )
    places = np.linspace(0.0, 1.0, _STEPS)
    return places, np.asarray(matplotlib.colormaps[name](places))[:, :3]


def coloured(
    values: npt.NDArray[np.floating], limits: tuple[float, float], name: str
) -> npt.NDArray[np.float32]:
    """Colours in [0, 1], shape (..., 3); values beyond the limits have the colour of the end.

    Parameters
    ----------
    values : ndarray
        NaN gives the lowest colour; whether it is drawn is for the caller.
    limits : pair of float
        Values of the two ends.
    """
    low, high = limits
    part = (np.asarray(values, np.float32) - np.float32(low)) / np.float32(max(high - low, 1e-30))
    part = np.clip(np.nan_to_num(part, nan=0.0), 0.0, 1.0)
    places, colours = colour_stops(name)
    if name == "gray":
        return np.repeat(part[..., None], 3, axis=-1)
    table = np.linspace(0.0, 1.0, 1024)
    dense = np.stack([np.interp(table, places, colours[:, c]) for c in range(3)], -1)
    return dense[np.rint(part * 1023).astype(np.intp)].astype(np.float32)


def rgb(colour: str) -> tuple[int, int, int]:
    """``"#RRGGBB"`` as three whole numbers."""
    text = colour.lstrip("#")
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)
