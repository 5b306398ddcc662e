"""The exhaustive search on a graphics card, to be timed: only where there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ...microstructure.dictionary import Dictionary
from ...microstructure.gradient_table import GradientTable
from ...microstructure.simulated_voxels import Voxels
from ...networks.tissue.torch_search import TorchSearch, search_on

#: Voxels of a run: those of a brain.
VOXELS = 200_000


@dataclass(frozen=True)
class CardRun:
    """One run of the search on a card.

    Attributes
    ----------
    card : str
        What it is called.
    voxels : int
    run : callable
        All pairs of all voxels, with the posterior, from signals and directions in memory to what
        was found there again.
    """

    card: str
    voxels: int
    run: Callable[[], None]


def card_run(
    dictionary: Dictionary,
    table: GradientTable,
    made: Voxels,
    *,
    search: TorchSearch | None = None,
    voxels: int = VOXELS,
) -> CardRun | None:
    """The search of simulated voxels, each taken again until there are enough; None without card.

    Parameters
    ----------
    search : TorchSearch, optional
        Of another device than the card of this machine.
    """
    if search is None:
        found, _ = search_on("auto")
        if not isinstance(found, TorchSearch):
            return None
        search = found
    name = search.device
    if name.startswith("cuda"):
        name = torch.cuda.get_device_name(torch.device(name))
    chosen, count = search, min(search.batch, voxels)
    again = np.resize(np.arange(len(made.signals)), count)
    y, directions = made.signals[again], made.directions[again]

    def run() -> None:
        for start in range(0, voxels, count):
            some = slice(0, min(count, voxels - start))
            chosen.found(dictionary, table, y[some], directions[some], made.sigma, 2)

    return CardRun(name, voxels, run)
