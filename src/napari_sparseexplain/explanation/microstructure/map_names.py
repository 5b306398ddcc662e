"""Names of the maps of microstructure that several places read. Loads nothing."""

from __future__ import annotations

from collections.abc import Mapping

#: Letters of the study's axes in the names of direction maps, and where these axes run.
DIRECTION_AXES: Mapping[str, str] = {"s": "superior", "p": "posterior", "l": "the left"}

#: Map of the share of free water.
WATER = "water"


def direction_name(population: int, axis: str) -> str:
    """Map with one component of a population's fibre direction, a unit vector.

    Parameters
    ----------
    population : int
        From 1.
    axis : str
        One of `DIRECTION_AXES`.
    """
    return f"direction-{population}-{axis}"
