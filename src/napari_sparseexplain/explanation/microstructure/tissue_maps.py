"""Maps of ν, r and f of each fibre population, as every method of the family shows them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ...evidence import ExplanationMap
from .map_names import DIRECTION_AXES, direction_name

#: Name, title, unit and range of the maps of a population; the number is put behind. None: up to
#: the largest radius.
PARAMETERS: tuple[tuple[str, str, str, tuple[float, float] | None], ...] = (
    ("share", "Share ν", "", (0.0, 1.0)),
    ("radius", "Radius index r", "µm", None),
    ("density", "Density index f", "", (0.0, 1.0)),
)


def parameter_map(
    name: str, values: npt.NDArray[np.float32], title: str, unit: str, limits: tuple[float, float]
) -> ExplanationMap:
    """A map with a fixed range."""
    return ExplanationMap(
        name,
        values,
        "parameter map",
        title,
        unit=unit,
        value_range=limits,
        range_scope="shared",
    )


def population_maps(
    values: npt.NDArray[np.float32], largest_radius: float
) -> Iterable[ExplanationMap]:
    """Maps of both populations.

    Parameters
    ----------
    values : ndarray, shape (2, 3, S, P, L)
        Of each population ν, r in µm and f; not a number where there is none.
    largest_radius : float
        Of the dictionary, in µm.
    """
    for k in (0, 1):
        for n, (name, title, unit, known) in enumerate(PARAMETERS):
            limits = known or (0.0, largest_radius)
            said = f"{title}, population {k + 1}"
            yield parameter_map(f"{name}-{k + 1}", values[k, n], said, unit, limits)


def direction_maps(values: npt.NDArray[np.float32]) -> Iterable[ExplanationMap]:
    """Components of the fibre directions, unit vectors.

    Parameters
    ----------
    values : ndarray, shape (K, 3, S, P, L)
        Of each population towards superior, posterior and left; not a number where there is none.
    """
    for k in range(len(values)):
        for n, (axis, way) in enumerate(DIRECTION_AXES.items()):
            # (0, 0, 0) stands for a population that is not there.
            there = np.abs(np.nan_to_num(values[k])).any(axis=0)
            yield ExplanationMap(
                direction_name(k + 1, axis),
                np.where(there, values[k, n], np.float32(np.nan)),
                "parameter map",
                f"Fibre direction {k + 1} to {way}",
                value_range=(-1.0, 1.0),
                range_scope="shared",
                signed=True,
            )


def populations_map(counts: npt.NDArray[np.uint8], most: int = 2) -> ExplanationMap:
    """How many populations each voxel has, shape (S, P, L); 0 where nothing was read."""
    words = {1: "One population", 2: "Two populations", 3: "Three populations"}
    counted = {count: words[count] for count in range(1, most + 1)}
    return ExplanationMap(
        "populations", counts, "segmentation", "Fibre populations", classes=counted
    )
