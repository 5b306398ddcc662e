"""Where voxels are searched: what a search can be asked, and the one that every machine has.

Another stands in `networks/tissue/torch_search.py`, for a graphics card; this floor has no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..dictionary import Dictionary
from ..gradient_table import GradientTable
from .free_water import without
from .one_population import exhaustive_singles
from .refinement import refined_directions
from .three_populations import exhaustive_triples
from .two_populations import Fingerprints, exhaustive_pairs


class VoxelSearch(Protocol):
    """A search of all atoms, pairs or triples along given directions.

    Attributes
    ----------
    device : str
        Where it runs, as a record has it.
    batch : int
        Voxels that are best given at a time.
    notes : list of str
        What a person should know of how it went: of memory that was not enough.
    """

    @property
    def device(self) -> str: ...

    @property
    def batch(self) -> int: ...

    @property
    def notes(self) -> list[str]: ...

    def found(
        self,
        dictionary: Dictionary,
        table: GradientTable,
        signals: npt.NDArray[np.float64],
        directions: npt.NDArray[np.float64],
        sigma: float,
        count: int,
        beside: npt.NDArray[np.float64] | None = None,
    ) -> Fingerprints:
        """What explains signals (P, M) along the first ``count`` of directions (P, K, 3).

        ``beside`` (M,) is a signal that stands beside the atoms: the search is in what is
        orthogonal to it, as the signals are already.
        """
        ...

    def refined(
        self,
        dictionary: Dictionary,
        table: GradientTable,
        signals: npt.NDArray[np.float64],
        directions: npt.NDArray[np.float64],
        atoms: npt.NDArray[np.intp],
    ) -> npt.NDArray[np.float64]:
        """See `refined_directions`."""
        ...

    def fitted(
        self,
        dictionary: Dictionary,
        table: GradientTable,
        directions: npt.NDArray[np.float64],
        found: Fingerprints,
    ) -> npt.NDArray[np.float64]:
        """Signals of the best atoms with their weights, shape (P, M)."""
        ...


@dataclass(frozen=True)
class ProcessorSearch:
    """On the processor, in numba; see `VoxelSearch`."""

    device: str = "cpu"
    #: Their bases are what memory is needed for.
    batch: int = 256

    @property
    def notes(self) -> list[str]:
        """Nothing: it is as it always is."""
        return []

    def found(
        self,
        dictionary: Dictionary,
        table: GradientTable,
        signals: npt.NDArray[np.float64],
        directions: npt.NDArray[np.float64],
        sigma: float,
        count: int,
        beside: npt.NDArray[np.float64] | None = None,
    ) -> Fingerprints:
        """See `VoxelSearch.found`."""
        atoms, known = dictionary.atoms, dictionary.tissue.atoms
        bases = [dictionary.basis(table, directions[:, k]) for k in range(count)]
        if beside is not None:
            bases = [without(beside, basis, axis=1) for basis in bases]
        if count == 1:
            return exhaustive_singles(signals, bases[0], atoms, known, sigma)
        if count == 3:
            every = exhaustive_triples(signals, np.stack(bases, axis=1), atoms, known, sigma)
            return Fingerprints(
                every.atoms, every.weights, every.residual, every.mean, every.sd, every.entropy
            )
        return exhaustive_pairs(signals, bases[0], bases[1], atoms, known, sigma)

    def refined(
        self,
        dictionary: Dictionary,
        table: GradientTable,
        signals: npt.NDArray[np.float64],
        directions: npt.NDArray[np.float64],
        atoms: npt.NDArray[np.intp],
    ) -> npt.NDArray[np.float64]:
        """See `VoxelSearch.refined`."""
        return refined_directions(dictionary, table, signals, directions, atoms)

    def fitted(
        self,
        dictionary: Dictionary,
        table: GradientTable,
        directions: npt.NDArray[np.float64],
        found: Fingerprints,
    ) -> npt.NDArray[np.float64]:
        """See `VoxelSearch.fitted`."""
        total = np.zeros((len(directions), len(table)))
        for k in range(found.pair.shape[1]):
            atoms = dictionary.atoms[:, np.maximum(found.pair[:, k], 0)].T
            weights = np.where(found.pair[:, k] >= 0, found.weights[:, k], 0.0)
            basis = dictionary.basis(table, directions[:, k])
            total += weights[:, None] * np.einsum("pmr,pr->pm", basis, atoms)
        return total


#: The search that every machine has.
ON_PROCESSOR = ProcessorSearch()
