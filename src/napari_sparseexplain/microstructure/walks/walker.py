"""What walks: the walks of a tissue by name, and the walker that every machine has.

Another stands in `networks/tissue/torch_walk.py`, for a graphics card; this floor has no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ...progress import Work
from ..gradient_table import Timings
from .random_walk import inside_walk, outside_walk


@dataclass(frozen=True)
class Walk:
    """One walk of a tissue.

    Attributes
    ----------
    number : int
        Its place among all.
    radius : float
        In µm.
    density : float or None
        Between cylinders of this density; None: inside them.
    seed : int
        Each walk has its own.
    """

    number: int
    radius: float
    density: float | None
    seed: int

    @property
    def title(self) -> str:
        """What it is called."""
        if self.density is None:
            return f"Inside cylinders of {self.radius:.3g} µm"
        return f"Between cylinders of {self.radius:.3g} µm, density {self.density:.3g}"


class Walker(Protocol):
    """What makes the walks.

    Attributes
    ----------
    name : str
        Of its random numbers: with the same seed two walkers of other names walk otherwise.
    """

    @property
    def name(self) -> str: ...

    def groups(self, walks: Sequence[Walk], spins: int) -> list[list[Walk]]:
        """The walks in groups that are made together, in their order."""
        ...

    def walked_work(
        self, walks: Sequence[Walk], spins: int, timings: Timings, diffusivity: float
    ) -> Work[list[npt.NDArray[np.float32]]]:
        """|φ| of every spin, in µm s, of each walk of a group, whichever others are in it."""
        ...


@dataclass(frozen=True)
class ProcessorWalker:
    """One walk after the other, in numba; see `Walker`."""

    name: str = ""

    def groups(self, walks: Sequence[Walk], spins: int) -> list[list[Walk]]:
        """Each by itself."""
        return [[walk] for walk in walks]

    def walked_work(
        self, walks: Sequence[Walk], spins: int, timings: Timings, diffusivity: float
    ) -> Work[list[npt.NDArray[np.float32]]]:
        """See `Walker.walked_work`."""
        yield from ()
        return [
            inside_walk(walk.radius, spins, timings, diffusivity, walk.seed)
            if walk.density is None
            else outside_walk(walk.radius, walk.density, spins, timings, diffusivity, walk.seed)
            for walk in walks
        ]


#: The walker that every machine has.
ON_PROCESSOR = ProcessorWalker()
