"""What stands side by side: layers of every cell, and what an empty cell says in their place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari.layers import Layer

#: Lower and upper corner of a box.
Box = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class StoodLayers:
    """What stands, or stood, side by side.

    Attributes
    ----------
    cells : tuple of tuple of Layer
        Bottom first. A cell without layers says in words what is missing.
    told : tuple of str
        These words, a cell each; empty where the cell has layers. Or no words at all.
    columns : int
        Cells that belong together; 0: as many in a row as make the pictures largest.
    region : Box, optional
        What every cell shows; all of the study when not given.
    """

    cells: tuple[tuple[Layer, ...], ...] = ()
    told: tuple[str, ...] = ()
    columns: int = 0
    region: Box | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """What each cell says in place of layers."""
        return self.told or ("",) * len(self.cells)

    def without(self, layers: Collection[Layer]) -> StoodLayers:
        """Less some layers, and the cells that they leave empty."""
        rest = [
            (tuple(x for x in cell if x not in layers), words)
            for cell, words in zip(self.cells, self.words, strict=True)
        ]
        return self.of([(cell, words) for cell, words in rest if cell or words])

    def filled(self, place: int, layers: Collection[Layer]) -> StoodLayers:
        """With other layers in one cell; none: the cell goes."""
        pairs = list(zip(self.cells, self.words, strict=True))
        pairs[place : place + 1] = [(tuple(layers), "")] if layers else []
        return self.of(pairs)

    def of(self, pairs: Collection[tuple[tuple[Layer, ...], str]]) -> StoodLayers:
        """With other cells, each with its words; none where no cell has a layer."""
        if not any(cell for cell, _ in pairs):
            return replace(self, cells=(), told=())
        cells, told = tuple(cell for cell, _ in pairs), tuple(words for _, words in pairs)
        return replace(self, cells=cells, told=told if any(told) else ())
