"""The search over atoms and pairs on a graphics card: what `ProcessorSearch` is on the processor.

Voxels go there in batches as large as its memory allows; where that is full all the same the batch
is halved, and where it is not enough for one voxel the processor does the rest, which is noted.
Three populations are searched on the processor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...microstructure.dictionary import Dictionary
from ...microstructure.gradient_table import GradientTable
from ...microstructure.search.two_populations import Fingerprints
from ...microstructure.search.voxel_search import ON_PROCESSOR, VoxelSearch
from ..device import is_out_of_memory
from .card_choice import chosen_card
from .torch_pairs import SCREENED_TABLES, FoundPairs, all_pairs, single_atoms
from .torch_refinement import refined

#: Share of the free memory that is asked for, and what is taken for it on the processor, bytes.
_SHARE, _ON_PROCESSOR_BYTES = 0.5, 256 * 2**20

Part = TypeVar("Part")

#: Most voxels at a time: after so many a run can be cancelled.
_MOST = 8192


def search_on(wanted: str) -> tuple[VoxelSearch, tuple[str, ...]]:
    """The search on a device, and what a person should know of the choice; see `chosen_card`.

    Raises
    ------
    ModelError
        There is no such device.
    """
    device, why = chosen_card(wanted)
    if device is None:
        return ON_PROCESSOR, (f"Voxels were compared on the CPU: {why}.",) if why else ()
    return TorchSearch(device), ()


@dataclass(frozen=True, eq=False)
class _Held:
    """A dictionary at the measurements of a protocol, on the device."""

    dictionary: Dictionary
    table: GradientTable
    tables: Tensor
    atoms: Tensor
    known: Tensor
    rows: Tensor
    gradients: Tensor

    def basis(self, directions: Tensor) -> Tensor:
        """As `Dictionary.basis`, of directions (P, 3): (P, M, R)."""
        places = self.tables.shape[1]
        place = (directions @ self.gradients.mT).abs().clamp(0.0, 1.0) * (places - 1)
        low = place.long().clamp(max=places - 2)
        part = (place - low)[..., None]
        flat, at = self.tables.flatten(0, 1), self.rows * places + low
        return (1 - part) * flat[at] + part * flat[at + 1]


class TorchSearch:
    """See `VoxelSearch`; in double precision, and screened in single precision.

    Parameters
    ----------
    device : torch.device
        One that has double precision.
    screen : torch.dtype, optional
        Precision in which all pairs are screened.
    """

    def __init__(self, device: torch.device, *, screen: torch.dtype = torch.float32) -> None:
        self._device, self._screen = device, screen
        self._held: _Held | None = None
        self._size = _MOST
        self._left = False
        self.notes: list[str] = []

    @property
    def device(self) -> str:
        """Where it runs: the CPU from when the card's memory was not enough."""
        return "cpu" if self._left else str(self._device)

    @property
    def batch(self) -> int:
        """Voxels at a time."""
        return ON_PROCESSOR.batch if self._left else self._size

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
        if count > 2:
            return ON_PROCESSOR.found(dictionary, table, signals, directions, sigma, count, beside)
        held = self._hold(dictionary, table)
        aside = None
        if beside is not None:
            aside = self._tensor(beside / np.linalg.norm(beside))

        def run(part: slice) -> FoundPairs:
            y = self._tensor(signals[part])
            ways = self._tensor(directions[part])
            bases = [held.basis(ways[:, k]) for k in range(count)]
            if aside is not None:
                bases = [b - aside[:, None] * (aside @ b)[:, None] for b in bases]
            if count == 1:
                return single_atoms(y, bases[0], held.atoms, held.known, sigma)
            return all_pairs(
                y, bases[0], bases[1], held.atoms, held.known, sigma,
                screen=self._precision(), exact_bytes=self._bytes(),
            )  # fmt: skip

        parts = self._in_batches(held, len(signals), run)
        if parts is None:
            return ON_PROCESSOR.found(dictionary, table, signals, directions, sigma, count, beside)
        names = ("pair", "weights", "residual", "mean", "sd", "entropy")
        return Fingerprints(
            *(np.concatenate([getattr(part, name).cpu().numpy() for part in parts])
              for name in names)
        )  # fmt: skip

    def refined(
        self,
        dictionary: Dictionary,
        table: GradientTable,
        signals: npt.NDArray[np.float64],
        directions: npt.NDArray[np.float64],
        atoms: npt.NDArray[np.intp],
    ) -> npt.NDArray[np.float64]:
        """See `VoxelSearch.refined`."""
        held = self._hold(dictionary, table)

        def run(part: slice) -> Tensor:
            given = (self._tensor(signals[part]), self._tensor(directions[part]))
            chosen = torch.from_numpy(np.ascontiguousarray(atoms[part])).to(self._device)
            return refined(held.basis, held.atoms, *given, chosen)

        parts = None
        if directions.shape[1] == 2:
            parts = self._in_batches(held, len(signals), run)
        if parts is None:
            return ON_PROCESSOR.refined(dictionary, table, signals, directions, atoms)
        return np.concatenate([part.cpu().numpy() for part in parts])

    def fitted(
        self,
        dictionary: Dictionary,
        table: GradientTable,
        directions: npt.NDArray[np.float64],
        found: Fingerprints,
    ) -> npt.NDArray[np.float64]:
        """See `VoxelSearch.fitted`."""
        held = self._hold(dictionary, table)

        def run(part: slice) -> Tensor:
            ways = self._tensor(directions[part])
            total = torch.zeros((len(ways), len(table)), dtype=ways.dtype, device=self._device)
            for k in range(found.pair.shape[1]):
                chosen = torch.from_numpy(np.maximum(found.pair[part, k], 0)).to(self._device)
                there = found.pair[part, k] >= 0
                weights = self._tensor(np.where(there, found.weights[part, k], 0.0))
                atoms = held.atoms[:, chosen].mT * weights[:, None]
                total += (held.basis(ways[:, k]) @ atoms[..., None])[..., 0]
            return total

        parts = self._in_batches(held, len(directions), run)
        if parts is None:
            return ON_PROCESSOR.fitted(dictionary, table, directions, found)
        return np.concatenate([part.cpu().numpy() for part in parts])

    def _in_batches(
        self, held: _Held, count: int, run: Callable[[slice], Part]
    ) -> list[Part] | None:
        """``run`` of all voxels part by part; None where memory is not enough for one."""
        parts: list[Part] = []
        start = 0
        while start < count and not self._left:
            size = min(self._size, self._fitting(held))
            try:
                parts.append(run(slice(start, min(start + size, count))))
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                full = True
            else:
                full, start = False, start + size
            if full:  # outside the handler, whose traceback holds the tensors
                self._shrink(min(size, count - start))
        return None if self._left else parts

    def _shrink(self, size: int) -> None:
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        if size <= 1:
            self._left = True
            self.notes.append(
                f"The memory of {self._device} was not enough for one voxel, so the CPU compared "
                "the others."
            )
            return
        self._size = size // 2
        told = f"The memory of {self._device} was not enough; fewer voxels at a time."
        if told not in self.notes:
            self.notes.append(told)

    def _fitting(self, held: _Held) -> int:
        """Voxels whose tables and bases fit into the memory that is free."""
        rank, atoms = held.atoms.shape
        single = torch.finfo(self._precision()).bits // 8
        one = SCREENED_TABLES * single * atoms**2 + 8 * (
            6 * len(held.table) * rank + 6 * rank * atoms
        )
        return max(self._bytes() // one, 1)

    def _bytes(self) -> int:
        """Memory for half of the work: screening, and rows that are looked at again."""
        if self._device.type != "cuda":
            return _ON_PROCESSOR_BYTES // 2
        free, _ = torch.cuda.mem_get_info(self._device)
        spare = torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)
        return int(_SHARE * (free + spare)) // 2

    def _precision(self) -> torch.dtype:
        """Single precision would not be that where products are made of shorter numbers."""
        exact = torch.get_float32_matmul_precision() == "highest"
        return self._screen if exact else torch.float64

    def _hold(self, dictionary: Dictionary, table: GradientTable) -> _Held:
        held = self._held
        if held is None or held.dictionary is not dictionary or held.table is not table:
            rows = torch.from_numpy(dictionary.rows_of(table)).to(self._device)
            arrays = (
                dictionary.tables, dictionary.atoms, dictionary.tissue.atoms, table.directions,
            )  # fmt: skip
            tables, atoms, known, gradients = (self._tensor(array) for array in arrays)
            held = _Held(dictionary, table, tables, atoms, known, rows, gradients)
            self._held = held
        return held

    def _tensor(self, array: npt.NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64)).to(self._device)
