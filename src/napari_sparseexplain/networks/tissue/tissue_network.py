"""A trained network that reads (ν, r, f) of two fibre populations from single voxels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_array

from ...errors import ModelError
from .tissue_card import TissueCard
from .tissue_modules import HybridModule, LearnedModule

#: Voxels asked at a time.
BATCH = 4096


@dataclass(frozen=True, eq=False)
class TissueNetwork:
    """A network with its card.

    Attributes
    ----------
    card : TissueCard
    module : HybridModule or LearnedModule
        In evaluation mode, single precision.
    """

    card: TissueCard
    module: HybridModule | LearnedModule

    def tissue(self, inputs: csr_array | npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """(ν, r in µm, f) of two populations.

        The hybrid is asked in both orders of the populations, and the answers are averaged: which
        of them is called the first then changes nothing. Shares add up to 1; radius and density lie
        in the range of the card.

        Parameters
        ----------
        inputs : csr_array, shape (P, 2 N), or ndarray, shape (P, M)
            Of a hybrid the weights of the sparse projection, else signals that are about
            ``card.unweighted`` without diffusion weighting.

        Returns
        -------
        ndarray, shape (P, 2, 3)

        Raises
        ------
        ModelError
            Inputs of another width than the network takes.
        """
        found = np.empty((len_of(inputs), 2, 3))
        # Of the hybrid the projection takes the time, so it gains nothing.
        half = isinstance(self.module, LearnedModule) and has_half_products()
        for start, batch in self._batches(inputs):
            with (
                torch.inference_mode(),
                torch.autocast("cpu", dtype=torch.bfloat16, enabled=half),
            ):
                raw = self.module(batch)
                if isinstance(self.module, HybridModule):
                    raw = (raw + self.module(swapped(batch)).flip(1)) / 2
            found[start : start + len(batch)] = raw.float().numpy()
        return self._in_units(found)

    def activations(
        self, inputs: csr_array | npt.NDArray[np.floating]
    ) -> list[npt.NDArray[np.float32]]:
        """Output of every layer after its ReLU, each (P, units); a hybrid's in the order given."""
        parts: list[list[npt.NDArray[np.float32]]] = []
        for _, batch in self._batches(inputs):
            with torch.inference_mode():
                parts.append([layer.numpy() for layer in self.module.activations(batch)])
        return [np.concatenate(layer) for layer in zip(*parts, strict=True)]

    def score(self, population: int, parameter: int) -> Callable[[torch.Tensor], torch.Tensor]:
        """One output as a function of inputs (P, …), differentiable, in the output's unit.

        The share is not divided by the sum of both here.
        """
        unit = float(self.card.largest[parameter])

        def asked(inputs: torch.Tensor) -> torch.Tensor:
            raw = self.module(inputs)
            if isinstance(self.module, HybridModule):
                raw = (raw + self.module(swapped(inputs)).flip(1)) / 2
            return unit * raw[:, population, parameter]

        return asked

    def _in_units(self, raw: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        found = np.clip(raw * self.card.largest, self.card.least, self.card.largest)
        total = found[..., :1].sum(axis=1, keepdims=True)
        found[..., :1] = np.where(total > 0, found[..., :1] / np.maximum(total, 1e-12), 0.5)
        return found

    def _batches(
        self, inputs: csr_array | npt.NDArray[np.floating]
    ) -> Iterator[tuple[int, torch.Tensor]]:
        width = 2 * self.card.atoms if self.card.kind == "hybrid" else len(self.card.gradients)
        shape = tuple(inputs.shape or ())
        if len(shape) != 2 or shape[1] != width:
            raise ModelError(
                f"inputs of the shape {shape} are not those of the network, which takes "
                f"{width} values a voxel",
                where=f"{self.card.kind} network",
                remedy="Use the dictionary and the protocol that it was trained with",
            )
        for start in range(0, shape[0], BATCH):
            rows = slice(start, start + BATCH)
            dense = inputs[rows].toarray() if isinstance(inputs, csr_array) else inputs[rows]
            yield start, torch.from_numpy(np.ascontiguousarray(dense, dtype=np.float32))


def len_of(inputs: csr_array | npt.NDArray[np.floating]) -> int:
    """Rows of a dense or sparse array; a sparse one has no length."""
    return int((inputs.shape or (0,))[0])


@cache
def has_half_products() -> bool:
    """Whether this processor multiplies in bfloat16, which takes half of the time."""
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def swapped(weights: torch.Tensor) -> torch.Tensor:
    """The sparse projection (P, 2 N) with the two populations in the other order."""
    return torch.cat(weights.chunk(2, dim=1)[::-1], dim=1)
