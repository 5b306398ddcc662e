"""Tissues between those of a dictionary, from walks of their own: a fair truth to read.

Voxels made of the dictionary's own atoms share its Monte-Carlo noise and its grid with the search.
These share neither.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...progress import Work
from ..gradient_table import Timings
from ..tissue import Tissue
from .phases import Phases
from .simulation import simulate_work

#: Places on each axis of the grid, as shares of its steps: half way between two values.
PLACES = (0.1, 0.35, 0.6, 0.85)


def off_grid_tissue(tissue: Tissue) -> Tissue:
    """Four radii and four densities half way between neighbours of a grid."""
    return Tissue(_between(tissue.radii), _between(tissue.densities), tissue.diffusivity, tissue.t2)


def off_grid_phases_work(
    tissue: Tissue, timings: Timings, *, spins: int = 10_000, seed: int = 4242
) -> Work[Phases]:
    """Walk such tissues: 4 walks inside and 16 between cylinders."""
    return (yield from simulate_work(off_grid_tissue(tissue), timings, spins=spins, seed=seed))


def _between(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    steps = np.unique((np.array(PLACES) * (len(values) - 1)).astype(int))
    return (values[steps] + values[np.minimum(steps + 1, len(values) - 1)]) / 2
