"""How well tissue is read from simulated voxels: errors by noise and by fibre direction.

As Fig. 3 of Rensonnet et al. 2021: mean absolute errors of ν, r and f of two crossing populations
at several signal-to-noise ratios. Besides, the same with directions that are off by some degrees,
and these refined; for the search and for whatever else reads tissue.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from ..progress import Progress, Work
from .dictionary import Dictionary
from .gradient_table import GradientTable
from .search.refinement import refined_directions
from .search.two_populations import Fingerprints, exhaustive_pairs
from .simulated_voxels import Voxels, simulated_voxels, without_rician_bias

#: What is told of the fibre directions.
Directions = Literal["true", "off", "off, refined", "none"]

#: Voxels searched at a time.
_BATCH = 200

#: Names of what is read of the search.
BEST_PAIR, POSTERIOR_MEAN = "best pair", "posterior mean"


@dataclass(frozen=True)
class Reader:
    """Something beside the search that reads tissue.

    Attributes
    ----------
    name : str
    read : callable
        Signals (P, M) without their noise's bias, and directions (P, 2, 3), to (ν, r, f) of both
        populations, shape (P, 2, 3).
    takes_directions : bool
        Else it is not told any, and gives the population of the larger share first.
    """

    name: str
    read: Callable[[npt.NDArray[np.float64], npt.NDArray[np.float64]], npt.NDArray[np.float64]]
    takes_directions: bool = True


@dataclass(frozen=True, eq=False)
class ErrorRow:
    """Errors of one way at one noise level.

    Attributes
    ----------
    snr : float
    directions : str
    reading : str
    each : ndarray, shape (seeds, P, 3)
        Absolute errors of ν, r in µm and f in each voxel: the mean of its two populations.
    """

    snr: float
    directions: Directions
    reading: str
    each: npt.NDArray[np.float64]

    @property
    def errors(self) -> tuple[tuple[float, float], ...]:
        """(mean, half width) for ν, r in µm, f.

        Mean over the seeds, and half of the 95 % interval of that mean (Student's t).
        """
        return _interval(self.each.mean(axis=1))


def evaluation_work(
    dictionary: Dictionary,
    table: GradientTable,
    *,
    truth: Dictionary | None = None,
    readers: Sequence[Reader] = (),
    snrs: Sequence[float] = (25.0, 50.0, 100.0),
    degrees: float = 5.0,
    voxels: int = 400,
    seeds: int = 3,
) -> Work[list[ErrorRow]]:
    """Read simulated voxels.

    Parameters
    ----------
    dictionary : Dictionary
        That is searched.
    truth : Dictionary, optional
        That voxels are made of; the searched one if left out: truth then lies on its grid.
    readers : sequence of Reader
        What reads them beside the search.
    snrs : sequence of float
        Signal without diffusion weighting over σ.
    degrees : float
        By how much directions are off.
    voxels, seeds : int
        Voxels of each seed.
    """
    found: dict[tuple[float, Directions, str], list[npt.NDArray[np.float64]]] = {}
    ways = [way for way in get_args(Directions) if way != "none"]
    total, done = len(snrs) * seeds * len(ways), 0
    for snr in snrs:
        for seed in range(seeds):
            made = simulated_voxels(truth or dictionary, table, voxels, snr=snr, seed=1000 + seed)
            y = without_rician_bias(made.signals, made.sigma)
            off = _turned(made.directions, degrees, seed)
            for reader in readers:
                if not reader.takes_directions:
                    errors = _voxel_errors(reader.read(y, made.directions), made)
                    found.setdefault((snr, "none", reader.name), []).append(errors)
            for way in ways:
                yield Progress(done, total, f"SNR {snr:g}, directions {way}, seed {seed}")
                done += 1
                given = made.directions if way == "true" else off
                best, mean, used = _searched(
                    dictionary, table, y, given, made.sigma, refine=way == "off, refined"
                )
                read = {BEST_PAIR: best, POSTERIOR_MEAN: mean}
                for reader in readers:
                    if reader.takes_directions:
                        read[reader.name] = reader.read(y, used)
                for name, tissue in read.items():
                    errors = _voxel_errors(tissue, made)
                    found.setdefault((snr, way, name), []).append(errors)
    return [ErrorRow(*key, np.stack(values)) for key, values in found.items()]


@dataclass(frozen=True)
class Robustness:
    """Whether one reading bears wrong directions better than another, in the same voxels.

    Attributes
    ----------
    snr : float
    reading, other : str
    differences : tuple of (mean, half width), for ν, r in µm, f
        By how much less the errors of ``reading`` grow than those of ``other`` when directions are
        off: above 0 where it bears them better. With half of the 95 % interval of the mean over
        all voxels.
    """

    snr: float
    reading: str
    other: str
    differences: tuple[tuple[float, float], ...]


def robustness(rows: Sequence[ErrorRow], reading: str, other: str) -> list[Robustness]:
    """How errors grow with wrong directions, compared voxel by voxel at each noise level."""
    by_key = {(row.snr, row.directions, row.reading): row.each for row in rows}
    found = []
    for snr in dict.fromkeys(row.snr for row in rows):
        mine, theirs = (
            (by_key[snr, "off", name] - by_key[snr, "true", name]).reshape(-1, 3)
            for name in (reading, other)
        )
        less = theirs - mine
        half = 1.96 * less.std(axis=0, ddof=1) / np.sqrt(len(less))
        pairs = zip(less.mean(axis=0).tolist(), half.tolist(), strict=True)
        found.append(Robustness(snr, reading, other, tuple(pairs)))
    return found


def _voxel_errors(tissue: npt.NDArray[np.float64], made: Voxels) -> npt.NDArray[np.float64]:
    """Absolute errors (P, 3), the mean of both populations."""
    return np.abs(tissue - made.truth).mean(axis=1)


def _searched(
    dictionary: Dictionary,
    table: GradientTable,
    y: npt.NDArray[np.float64],
    directions: npt.NDArray[np.float64],
    sigma: float,
    *,
    refine: bool,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(ν, r, f) of the best pairs, their posterior means, and the directions that were used."""
    known = dictionary.tissue.atoms
    best, mean, used = [], [], []
    for start in range(0, len(y), _BATCH):
        part = slice(start, start + _BATCH)

        def search(of: npt.NDArray[np.float64], sigma: float, part: slice = part) -> Fingerprints:
            one, two = (dictionary.basis(table, of[:, k]) for k in (0, 1))
            return exhaustive_pairs(y[part], one, two, dictionary.atoms, known, sigma)

        now = directions[part]
        if refine:
            pair = search(now, 0.0).pair
            now = refined_directions(dictionary, table, y[part], now, pair)
        got = search(now, sigma)
        used.append(now)
        total = np.maximum(got.weights.sum(axis=1, keepdims=True), 1e-12)
        # A population without weight is given the middle of the ranges: it must be given something.
        tissue = np.where((got.pair >= 0)[..., None], known[got.pair], known.mean(axis=0))
        best.append(np.concatenate([(got.weights / total)[..., None], tissue], axis=2))
        middle = np.array([0.5, *known.mean(axis=0)])
        mean.append(np.where(np.isfinite(got.mean), got.mean, middle))
    return np.concatenate(best), np.concatenate(mean), np.concatenate(used)


def _turned(
    directions: npt.NDArray[np.float64], degrees: float, seed: int
) -> npt.NDArray[np.float64]:
    """Each direction turned by so much about a random axis at right angles to it."""
    rng = np.random.default_rng(77 + seed)
    across = np.cross(directions, rng.standard_normal(directions.shape))
    across /= np.linalg.norm(across, axis=-1, keepdims=True)
    angle = np.radians(degrees)
    return np.cos(angle) * directions + np.sin(angle) * across


def _interval(values: npt.NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    from scipy.stats import t

    count = len(values)
    if count < 2:
        return tuple((float(v), float("nan")) for v in values[0])
    half = t.ppf(0.975, count - 1) * values.std(axis=0, ddof=1) / np.sqrt(count)
    return tuple(zip(values.mean(axis=0).tolist(), half.tolist(), strict=True))
