"""How well tissue is read from simulated voxels: errors by noise and by fibre direction.

As Fig. 3 of Rensonnet et al. 2021: mean absolute errors of ν, r and f of two crossing populations
at several signal-to-noise ratios. Besides, the same with directions that are off by some degrees,
and these refined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from ..progress import Progress, Work
from .dictionary import Dictionary
from .exhaustive import Fingerprints, exhaustive_pairs
from .gradient_table import GradientTable
from .refinement import refined_directions
from .voxels import Voxels, simulated_voxels, without_rician_bias

#: What the search is given of the fibre directions.
Directions = Literal["true", "off", "off, refined"]

#: What is read of the search.
Reading = Literal["best pair", "posterior mean"]

#: Voxels searched at a time.
_BATCH = 200


@dataclass(frozen=True)
class ErrorRow:
    """Errors of one way at one noise level.

    Attributes
    ----------
    snr : float
    directions : str
    reading : str
    errors : tuple of (mean, half width), for ν, r in µm, f
        Mean over the seeds, and half of the 95 % interval of that mean (Student's t).
    seeds : int
    """

    snr: float
    directions: Directions
    reading: Reading
    errors: tuple[tuple[float, float], ...]
    seeds: int


def evaluation_work(
    dictionary: Dictionary,
    table: GradientTable,
    *,
    snrs: Sequence[float] = (25.0, 50.0, 100.0),
    degrees: float = 5.0,
    voxels: int = 400,
    seeds: int = 3,
) -> Work[list[ErrorRow]]:
    """Search simulated voxels, with truth on the dictionary's grid.

    Parameters
    ----------
    snrs : sequence of float
        Signal without diffusion weighting over σ.
    degrees : float
        By how much directions are off.
    voxels, seeds : int
        Voxels of each seed.
    """
    found: dict[tuple[float, Directions, Reading], list[npt.NDArray[np.float64]]] = {}
    total, done = len(snrs) * seeds * len(get_args(Directions)), 0
    for snr in snrs:
        for seed in range(seeds):
            made = simulated_voxels(dictionary, table, voxels, snr=snr, seed=1000 + seed)
            y = without_rician_bias(made.signals, made.sigma)
            off = _turned(made.directions, degrees, seed)
            for way in get_args(Directions):
                yield Progress(done, total, f"SNR {snr:g}, directions {way}, seed {seed}")
                done += 1
                given = made.directions if way == "true" else off
                for reading, errors in _errors(
                    dictionary, table, y, given, made, refine=way == "off, refined"
                ):
                    found.setdefault((snr, way, reading), []).append(errors)
    return [ErrorRow(*key, _interval(np.stack(values)), seeds) for key, values in found.items()]


def _errors(
    dictionary: Dictionary,
    table: GradientTable,
    y: npt.NDArray[np.float64],
    directions: npt.NDArray[np.float64],
    made: Voxels,
    *,
    refine: bool,
) -> list[tuple[Reading, npt.NDArray[np.float64]]]:
    """Mean absolute errors of (ν, r, f) by what is read."""
    known = dictionary.tissue.atoms
    best, mean = [], []
    for start in range(0, len(y), _BATCH):
        part = slice(start, start + _BATCH)

        def search(of: npt.NDArray[np.float64], sigma: float, part: slice = part) -> Fingerprints:
            one, two = (dictionary.basis(table, of[:, k]) for k in (0, 1))
            return exhaustive_pairs(y[part], one, two, dictionary.atoms, known, sigma)

        now = directions[part]
        if refine:
            pair = search(now, 0.0).pair
            now = refined_directions(dictionary, table, y[part], now, pair)
        got = search(now, made.sigma)
        total = np.maximum(got.weights.sum(axis=1, keepdims=True), 1e-12)
        # A population without weight is given the middle of the ranges: it must be given something.
        tissue = np.where((got.pair >= 0)[..., None], known[got.pair], known.mean(axis=0))
        best.append(np.concatenate([(got.weights / total)[..., None], tissue], axis=2))
        middle = np.array([0.5, *known.mean(axis=0)])
        mean.append(np.where(np.isfinite(got.mean), got.mean, middle))
    first, second = (
        abs(np.concatenate(read) - made.truth).mean(axis=(0, 1)) for read in (best, mean)
    )
    return [("best pair", first), ("posterior mean", second)]


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
