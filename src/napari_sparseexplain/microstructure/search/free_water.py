"""Free water beside the axons of a voxel: an isotropic compartment, as of cerebrospinal fluid.

It is no atom of the dictionary: its signal has no direction. What it explains is taken out of the
signals and of the atoms (an orthogonal projection), and the search is the same in what is left.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..gradient_table import GradientTable, Timings
from .two_populations import Fingerprints

#: Diffusivity of water at body temperature, m²/s, and T2 of cerebrospinal fluid, s.
DIFFUSIVITY, T2 = 3.0e-9, 2.0


def free_water_signal(table: GradientTable, timings: Timings) -> npt.NDArray[np.float64]:
    """Signal of a voxel that is all free water, shape (M,): exp(-TE / T2) exp(-b D).

    Parameters
    ----------
    table : GradientTable
        b in s/mm².
    timings : Timings
        Of the dictionary, whose atoms have the same TE.
    """
    return np.exp(-timings.echo_time / T2) * np.exp(-table.b * 1e6 * DIFFUSIVITY)


def without(
    signal: npt.NDArray[np.float64], values: npt.NDArray[np.float64], axis: int
) -> npt.NDArray[np.float64]:
    """What is orthogonal to a signal, of arrays whose ``axis`` are the measurements."""
    unit = signal / np.linalg.norm(signal)
    moved = np.moveaxis(values, axis, -1)
    return np.moveaxis(moved - (moved @ unit)[..., None] * unit, -1, axis)


def water_weight(
    signals: npt.NDArray[np.float64],
    fitted: npt.NDArray[np.float64],
    water: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Least-squares weight (P,) of the water beside atoms that are fitted already, shape (P, M).

    Below 0 where the atoms alone explain too much of what water looks like.
    """
    return (signals - fitted) @ water / float(water @ water)


def has_water(
    plain: npt.NDArray[np.float64],
    wet: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
    sigma: float,
    measurements: int,
) -> npt.NDArray[np.bool_]:
    """Where a water compartment explains more than its one parameter costs.

    By the Bayesian information criterion (Schwarz 1978): the misfit ‖r‖²/σ² must fall by more than
    ln M.

    Parameters
    ----------
    plain, wet : ndarray, shape (P,)
        ‖r‖² without and with it.
    weight : ndarray, shape (P,)
        Of the water; where it is not positive there is none.
    """
    return (weight > 0) & (plain - wet > np.log(measurements) * sigma**2)


def merged(plain: Fingerprints, wet: Fingerprints, chosen: npt.NDArray[np.bool_]) -> Fingerprints:
    """The second where chosen, else the first."""
    picked = {
        name: np.where(
            chosen.reshape(-1, *(1,) * (getattr(plain, name).ndim - 1)),
            getattr(wet, name),
            getattr(plain, name),
        )
        for name in ("pair", "weights", "residual", "mean", "sd", "entropy")
    }
    return replace(plain, **picked)
