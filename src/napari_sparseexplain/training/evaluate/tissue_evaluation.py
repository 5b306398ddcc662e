"""The networks that read tissue beside the search: readers for the table of errors, and times.

As Table 1 of Rensonnet et al. 2021: the time of a voxel by each way, measured here. Finding the
fibre directions stands apart, since it is the same for all that need them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from ...microstructure.dictionary import Dictionary
from ...microstructure.evaluation import Reader
from ...microstructure.gradient_table import GradientTable
from ...microstructure.search.two_populations import exhaustive_pairs
from ...microstructure.simulated_voxels import simulated_voxels, without_rician_bias
from ...microstructure.tissue_samples import BATCH, sparse_projection
from ...networks.tissue.tissue_network import TissueNetwork
from ...networks.tissue.tissue_network_file import load_tissue_network
from ...progress import Progress, Work
from .card_times import card_run

#: Names of what the networks read.
HYBRID, LEARNED = "hybrid network", "learned network"

#: Seconds a voxel that the paper prints (Table 1), of the authors' machine.
PAPER_SECONDS = {"best pair": 1.25, HYBRID: 1.45e-1, LEARNED: 1.02e-4}


Networks = tuple[TissueNetwork, TissueNetwork]


def networks_for(
    dictionary: Dictionary, hybrid: str | Path = "", learned: str | Path = ""
) -> Networks | None:
    """Hybrid and learned network; None where the hybrid was trained with other atoms.

    Parameters
    ----------
    hybrid, learned : str or Path
        Folders; the networks that ship where they are empty.

    Raises
    ------
    ModelError
        A network cannot be loaded.
    """
    split = load_tissue_network("hybrid", hybrid)
    tissue = dictionary.tissue
    same = np.array_equal(split.card.radii, tissue.radii) and np.array_equal(
        split.card.densities, tissue.densities
    )
    return (split, load_tissue_network("learned", learned)) if same else None


def network_readers(
    networks: Networks, dictionary: Dictionary, table: GradientTable
) -> list[Reader]:
    """The networks as readers of simulated voxels.

    The learned one is there only where the measurements are those that it was trained with.
    """
    split, direct = networks
    found = [Reader(HYBRID, lambda y, u: hybrid_tissue(split, dictionary, table, y, u))]
    own = np.array(direct.card.gradients)
    given = np.column_stack([table.b, table.directions])
    if own.shape == given.shape and np.allclose(own, given, atol=1e-5):
        found.append(Reader(LEARNED, lambda y, _: direct.tissue(y), takes_directions=False))
    return found


def hybrid_tissue(
    network: TissueNetwork,
    dictionary: Dictionary,
    table: GradientTable,
    signals: npt.NDArray[np.float64],
    directions: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """(ν, r, f) by sparse projection and network, shape (P, 2, 3)."""
    found = np.empty((len(signals), 2, 3))
    for start in range(0, len(signals), BATCH):
        part = slice(start, start + BATCH)
        weights = sparse_projection(dictionary, table, signals[part], directions[part])
        found[part] = network.tissue(weights)
    return found


@dataclass(frozen=True)
class TimeRow:
    """Time of a voxel.

    Attributes
    ----------
    name : str
    seconds : float
        Median of several runs.
    paper : float or None
        What the paper prints, on its authors' machine.
    """

    name: str
    seconds: float
    paper: float | None


def time_work(
    networks: Networks,
    dictionary: Dictionary,
    table: GradientTable,
    *,
    voxels: int = 512,
    runs: int = 5,
) -> Work[list[TimeRow]]:
    """Measure the time of a voxel by each way; the search on a card where there is one."""
    made = simulated_voxels(dictionary, table, voxels, snr=50.0, seed=5)
    y = without_rician_bias(made.signals, made.sigma)
    split, direct = networks
    known = dictionary.tissue.atoms
    many = np.repeat(y, 16, axis=0).astype(np.float32)

    def search(sigma: float) -> None:
        for start in range(0, voxels, BATCH):
            part = slice(start, start + BATCH)
            one, two = (dictionary.basis(table, made.directions[part, k]) for k in (0, 1))
            exhaustive_pairs(y[part], one, two, dictionary.atoms, known, sigma)

    def hybrid_run() -> None:
        hybrid_tissue(split, dictionary, table, y, made.directions)

    ways: list[tuple[str, Callable[[], object], int, float | None]] = [
        ("best pair", lambda: search(0.0), voxels, PAPER_SECONDS["best pair"]),
        ("posterior mean", lambda: search(made.sigma), voxels, None),
        (HYBRID, hybrid_run, voxels, PAPER_SECONDS[HYBRID]),
        (LEARNED, lambda: direct.tissue(many), len(many), PAPER_SECONDS[LEARNED]),
    ]
    card = card_run(dictionary, table, made)
    if card is not None:
        named = f"posterior mean on {card.card}, {card.voxels:,} voxels"
        ways.append((named, card.run, card.voxels, None))
    peaks = _peak_finding(table, y)
    if peaks is not None:
        ways.append(("finding the fibre directions", peaks, voxels, None))
    rows = []
    for number, (name, run, count, paper) in enumerate(ways):
        yield Progress(number, len(ways), f"Time of a voxel: {name}")
        run()  # compiles
        seconds = []
        for _ in range(runs):
            start = time.perf_counter()
            run()
            seconds.append((time.perf_counter() - start) / count)
        rows.append(TimeRow(name, median(seconds), paper))
    return rows


def _peak_finding(table: GradientTable, y: npt.NDArray[np.float64]) -> Callable[[], object] | None:
    """Spherical deconvolution of all voxels as one slice; None without dipy."""
    from ...microstructure.protocol.dipy_extra import has_dipy
    from ...microstructure.protocol.peaks import find_peaks

    if not has_dipy():
        return None
    signals = np.maximum(y, 0.0).reshape(1, 1, *y.shape)
    mask = np.ones(signals.shape[:3], dtype=bool)
    return lambda: find_peaks(table, signals, mask=mask, most=2, response_mask=mask)
