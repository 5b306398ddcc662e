"""From values to colours, as the viewer does it: limits first, then the colour map."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ...errors import SparseExplainError
from ...evidence.colours import SIGNED_COLORMAP, SIGNED_STOPS

#: Colour of a label that has none of its own, as in the viewer.
UNKNOWN_LABEL = "#FFFFFF"

#: How much of the strongest heat covers the scan; where the coloured ends of a signed map begin.
_STRENGTH, _COLOURED_FROM = 0.85, 0.72

#: napari's maps from black to one colour, which matplotlib does not have.
_ONE_COLOUR = {
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
    "cyan": (0.0, 1.0, 1.0),
    "magenta": (1.0, 0.0, 1.0),
    "yellow": (1.0, 1.0, 0.0),
}

#: Steps of a colour map that is not piecewise linear.
_STEPS = 256


@lru_cache(maxsize=32)
def colour_stops(name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Places in [0, 1], shape (n,), and colours in [0, 1], shape (n, 3), of a colour map.

    Parameters
    ----------
    name : str
        ``"gray"``, the package's signed map, one of `_ONE_COLOUR`, or a colour map of matplotlib.

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
    if name in _ONE_COLOUR:
        return np.array([0.0, 1.0]), np.array([[0.0] * 3, _ONE_COLOUR[name]])
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
    values: npt.NDArray[np.floating], limits: tuple[float, float], name: str, gamma: float = 1.0
) -> npt.NDArray[np.float32]:
    """Colours in [0, 1], shape (..., 3); values beyond the limits have the colour of the end.

    Parameters
    ----------
    values : ndarray
        NaN gives the lowest colour; whether it is drawn is for the caller.
    limits : pair of float
        Values of the two ends.
    gamma : float
        Exponent on the values between the limits.
    """
    low, high = limits
    part = (np.asarray(values, np.float32) - np.float32(low)) / np.float32(max(high - low, 1e-30))
    part = np.clip(np.nan_to_num(part, nan=0.0), 0.0, 1.0)
    if gamma != 1:
        part = part ** np.float32(gamma)
    places, colours = colour_stops(name)
    if name == "gray":
        return np.repeat(part[..., None], 3, axis=-1)
    table = np.linspace(0.0, 1.0, 1024)
    dense = np.stack([np.interp(table, places, colours[:, c]) for c in range(3)], -1)
    return dense[np.rint(part * 1023).astype(np.intp)].astype(np.float32)


def heat_cover(
    heat: npt.NDArray[np.floating], high: float, name: str = SIGNED_COLORMAP
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Colours (..., 3) of heat that lies over a scan, and how much of the scan each covers (...).

    The fainter the heat, the more of the scan is seen. Colours come from the outer parts of the
    signed colour map alone: between them it is nearly black, which would only darken the scan.

    Parameters
    ----------
    heat : ndarray
    high : float
        Magnitude that has the full colour, positive.
    name : str
        A signed colour map.
    """
    values = np.clip(np.asarray(heat, np.float32) / np.float32(max(high, 1e-30)), -1.0, 1.0)
    values = np.nan_to_num(values)
    strength = np.abs(values)
    place = 0.5 + np.sign(values) * (_COLOURED_FROM - 0.5 + (1.0 - _COLOURED_FROM) * strength)
    opacity = (_STRENGTH * np.sqrt(strength)).astype(np.float32)
    return coloured(place, (0.0, 1.0), name), opacity


def rgb(colour: str) -> tuple[int, int, int]:
    """``"#RRGGBB"`` as three whole numbers."""
    text = colour.lstrip("#")
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)
