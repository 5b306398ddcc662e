"""How slices become a network's input: one way for what trains it and for what it is run on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..volume import measured
from .normalisation import Normalisation


def normalised_slices(
    slices: npt.NDArray[Any],
    way: Normalisation,
    limits: tuple[float, float] = (0.0, 1.0),
    *,
    padding: tuple[float, float] | None = None,
    inverted: bool = False,
) -> tuple[npt.NDArray[np.float32], tuple[int, ...]]:
    """Slices as a network is fed them, at their own pixels.

    Parameters
    ----------
    slices : ndarray, shape (N, rows, columns)
    way : Normalisation
    limits : (low, high)
        Intensities that become 0 and 1; of no account where every slice has its own.
    padding : (float, float), optional
        Range of the values that stand where nothing was measured. They take no part in what is
        measured by slice, and are fed as 0; the normalisations ``"unit"`` and ``"none"`` change
        nothing, and leave these as well.
    inverted : bool
        Low values are shown bright, and the network takes what is shown: the input is turned round.

    Returns
    -------
    normalised : ndarray of float32, same shape
    constant : tuple of int
        Slices without contrast, which are fed as 0, where each is normalised by itself.
    """
    there = None if padding is None else measured(slices, padding)
    constant: tuple[int, ...] = ()
    if way.by_slice:
        given = slices if there is None else np.where(there, slices, np.nan)
        found, constant = way.apply_by_slice(given)
    else:
        found = way.apply(slices, *limits)
    if inverted and way.name != "none":
        found = 1 - found if way.bounded else -found
    if there is not None and way.name not in ("unit", "none"):
        found = np.where(there, found, np.float32(0.0))
    return found, constant
