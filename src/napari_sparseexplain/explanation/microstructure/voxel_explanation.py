"""Why a voxel was given its values: atoms, posterior, fit and what each shell told.

Computed of one voxel when a person asks, as the method *fingerprint* compared it: the same noise
level, the same directions, the same dictionary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...evidence import Explanation
from ...microstructure.dictionary import Dictionary, distinct_b
from ...microstructure.gradient_table import GradientTable
from ...microstructure.protocol.noise import noise_level_work
from ...microstructure.search.comparison import (
    chosen_populations,
    compared_voxels,
    seconds_of_three,
)
from ...microstructure.search.free_water import free_water_signal, without
from ...microstructure.search.nnls import nnls_weights
from ...microstructure.search.pair_posterior import PairPosterior, pair_posterior
from ...microstructure.search.shell_shapley import ShellValues, shell_values
from ...microstructure.search.triple_posterior import triple_posterior
from ...microstructure.simulated_voxels import without_rician_bias
from ...progress import Progress, Work, drain
from ...volumes import Study
from .diffusion_scan import DiffusionScan, diffusion_scan
from .fingerprint import check_shells, told_time
from .map_names import WATER, direction_name
from .methods import BY_BIC
from .shipped_dictionary import dictionary_for, dictionary_for_work
from .voxel_of_scan import (
    check_place,
    directions_at,
    not_compared,
    own_place,
    peaks_of_voxel_work,
    signal_of_voxel_work,
    voxel_of_result,
)

#: ν, r and f, as they are told.
PARAMETERS = ("share", "radius", "density")


@dataclass(frozen=True, eq=False)
class VoxelExplanation:
    """One voxel with K fibre populations, M measurements and N atoms.

    Attributes
    ----------
    index : tuple of int
        (slice, row, column) of the study; empty of arrays without a place.
    table : GradientTable
    directions : ndarray, shape (K, 3)
        Along which it was compared.
    sigma : float
        Standard deviation of the noise, in the unit of ``measured``.
    radii, densities : ndarray
        Of the dictionary's atoms: all densities of the first radius come first.
    weights : ndarray, shape (K, N)
        Of all atoms, by non-negative least squares.
    posterior : PairPosterior
    mean, sd : ndarray, shape (K, 3)
        Of ν, r in µm and f. ν of one population has no standard deviation.
    entropy : float
        Of the posterior, in bits.
    measured, fitted : ndarray, shape (M,)
        Without the noise's bias, and of the best atoms.
    shells : ShellValues
        Of this voxel alone, P = 1.
    water : float
        Share of free water that was taken off first; all else is of the axons.
    """

    index: tuple[int, ...]
    table: GradientTable
    directions: npt.NDArray[np.float64]
    sigma: float
    radii: npt.NDArray[np.float64]
    densities: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    posterior: PairPosterior
    mean: npt.NDArray[np.float64]
    sd: npt.NDArray[np.float64]
    entropy: float
    measured: npt.NDArray[np.float64]
    fitted: npt.NDArray[np.float64]
    shells: ShellValues
    water: float = 0.0

    @property
    def populations(self) -> int:
        """K."""
        return len(self.directions)

    @property
    def residuals(self) -> npt.NDArray[np.float64]:
        """What is left over, in σ, shape (M,)."""
        return (self.measured - self.fitted) / self.sigma

    @property
    def misfit(self) -> float:
        """Rms of the residuals: 1 is noise alone."""
        return float(np.sqrt((self.residuals**2).mean()))

    @property
    def cosines(self) -> npt.NDArray[np.float64]:
        """|u · g| of each population and measurement, shape (K, M)."""
        return np.abs(self.directions @ self.table.directions.T)

    def atom(self, number: int) -> tuple[float, float]:
        """(r, f) of an atom."""
        row, column = divmod(number, len(self.densities))
        return float(self.radii[row]), float(self.densities[column])

    def numbers(self) -> dict[str, Any]:
        """All of it but the plane of every atom, as JSON holds it; None for what is not known."""
        shells = self.shells
        populations = [
            {
                "direction": _list(self.directions[k]),
                "no_weight": float(self.posterior.absent[k]),
                "mean": dict(zip(PARAMETERS, _list(self.mean[k]), strict=True)),
                "sd": dict(zip(PARAMETERS, _list(self.sd[k]), strict=True)),
                "atoms": [
                    {"radius": r, "density": f, "weight": float(self.weights[k, n])}
                    for n in np.argsort(-self.weights[k], kind="stable").tolist()
                    if self.weights[k, n] > 0
                    for r, f in [self.atom(n)]
                ],
            }
            for k in range(self.populations)
        ]
        pairs = [
            {
                "chance": pair.chance,
                "worse": pair.worse,
                "atoms": [
                    None if n < 0 else dict(zip(("radius", "density"), self.atom(n), strict=True))
                    for n in pair.atoms
                ],
                "weights": list(pair.weights),
            }
            for pair in self.posterior.best
        ]
        return {
            "voxel": [int(place) for place in self.index],
            "sigma": self.sigma,
            "water": self.water,
            "populations": populations,
            "entropy": self.entropy,
            "misfit": self.misfit,
            "best_pairs": pairs,
            "shells": {
                "b": list(shells.b),
                "prior": _list(shells.prior[0]),
                "shapley": _list(shells.values[0]),
                "all": _list(shells.whole[0]),
                "left_out": _list(shells.without[0]),
            },
            "measurements": {
                "b": _list(self.table.b),
                "cosines": _list(self.cosines),
                "measured": _list(self.measured),
                "fitted": _list(self.fitted),
                "residual": _list(self.residuals),
            },
        }


def _list(values: npt.NDArray[np.float64]) -> list[Any]:
    """Nested lists with None where there is no number: JSON knows no NaN."""
    told = values.astype(object)
    told[~np.isfinite(values)] = None
    return told.tolist()


def voxel_explanation(
    dictionary: Dictionary,
    table: GradientTable,
    signals: npt.ArrayLike,
    directions: npt.ArrayLike,
    sigma: float,
    *,
    index: tuple[int, ...] = (),
    water: bool = False,
) -> VoxelExplanation:
    """Explain one voxel along fibre directions that are known.

    Parameters
    ----------
    dictionary : Dictionary
    table : GradientTable
    signals : array_like, shape (M,)
        As measured, with the noise's bias.
    directions : array_like, shape (K, 3)
        Unit vectors of K = 1 to 3 populations, as they were refined. Of three it takes as long as
        2^S searches of all triples, with S shells.
    sigma : float
        Standard deviation of the noise, above 0, in the unit of the signals.
    index : tuple of int
        Where it lies.
    water : bool
        Whether free water may be there: what is found of it is taken off the signals first.

    Raises
    ------
    ParameterError
        A dictionary of another protocol, a value that is no number, no noise level, more shells
        than can be told apart.
    """
    y = without_rician_bias(signals, sigma)
    ways = np.asarray(directions, dtype=np.float64)
    count = len(ways)
    given = ways[None] if count > 1 else ways[[0, 0]][None]
    compared = compared_voxels(
        dictionary, table, y[None], given, sigma, count=count, refine=False, water=water
    )
    bases = np.stack([dictionary.basis(table, way) for way in ways])
    share, beside, aside = float(compared.water[0]), None, np.zeros_like(y)
    searched = y
    if share > 0:
        # As the map was: in what is orthogonal to the water's signal.
        beside = free_water_signal(table, dictionary.timings)
        aside = compared.water_weight[0] * beside
        searched, bases = without(beside, y, axis=0), without(beside, bases, axis=1)
    found, tissue = compared.found, dictionary.tissue
    posterior = pair_posterior if count < 3 else triple_posterior
    sd = found.sd[0, :count].copy()
    if count == 1:
        sd[0, 0] = np.nan  # that it is one is taken from the peaks
    return VoxelExplanation(
        index=tuple(index),
        table=table,
        directions=ways,
        sigma=float(sigma),
        radii=tissue.radii,
        densities=tissue.densities,
        weights=nnls_weights(searched[None], bases[None], dictionary.atoms)[0],
        posterior=posterior(searched, bases, dictionary.atoms, sigma),
        mean=found.mean[0, :count],
        sd=sd,
        entropy=float(found.entropy[0]),
        measured=y - aside,
        fitted=compared.fitted[0] - aside,
        shells=shell_values(dictionary, table, y[None], ways[None], sigma, beside=beside),
        water=share,
    )


def voxel_work(
    study: Study,
    index: tuple[int, int, int],
    *,
    scan: str = "",
    small_delta: float = 0.0,
    big_delta: float = 0.0,
    dictionary: str = "",
    populations: int = 0,
    sigma: float = 0.0,
    refine: bool = True,
    denoise: bool = False,
    water: bool = False,
    count_by: str = "peaks",
) -> Work[VoxelExplanation]:
    """Explain a voxel of a study by itself, with the parameters of the method *fingerprint*.

    Raises
    ------
    SparseExplainError
        What `fingerprint_work` raises, or the voxel lies off the study or was not compared.
    """
    check_place(study, index)
    yield Progress(0, 0, "Reading the gradients")
    of = diffusion_scan(study, scan, small_delta=small_delta, big_delta=big_delta, resampled=True)
    check_shells(of)
    at = own_place(of, index)
    if at is None or not of.mask[at]:
        raise not_compared(of.role, index)
    known = yield from dictionary_for_work(dictionary, distinct_b(of.table))
    noise = sigma
    if not noise:
        noise = float((yield from noise_level_work(of.signals, mask=of.mask)).sigma)
    signal = yield from signal_of_voxel_work(of, at, denoise=denoise)
    ways = yield from peaks_of_voxel_work(of, at, signal, known, noise, populations, refine)
    if ways is None:
        raise not_compared(of.role, index)
    if count_by == BY_BIC and len(ways) > 1:
        corrected = without_rician_bias(signal[None], noise)
        counts, turned = chosen_populations(
            known, of.table, corrected, ways[None], noise, refine=refine, water=water
        )
        ways = turned[0, : counts[0]]
    told = "Explaining the voxel"
    if len(ways) == 3:
        seconds = seconds_of_three(known, of.table) * (2 ** len(of.table.shells) + 1)
        told += f", of three populations: about {told_time(seconds)}"
    yield Progress(0, 0, told)
    return voxel_explanation(
        known, of.table, signal, ways, noise, index=index, water=water
    )  # fmt: skip


def explain_voxel_of(
    result: Explanation, study: Study, index: tuple[int, int, int], of: DiffusionScan | None = None
) -> VoxelExplanation:
    """Explain a voxel of a result, with the noise level and the directions that the result has.

    Parameters
    ----------
    result : Explanation
        Of the method *fingerprint*.
    study : Study
        That it was found in.
    index : tuple of int
        (slice, row, column).
    of : DiffusionScan, optional
        Of `scan_of_result`, where it was read already.

    Raises
    ------
    SparseExplainError
        The voxel was not compared, or the scan, its gradients or the dictionary are not what they
        were.
    """
    said = result.provenance.parameters
    of, at, count = voxel_of_result(result, study, index, of)
    known = dictionary_for(str(said["dictionary"]), distinct_b(of.table))
    sigma = float(said["sigma"])
    if any(item.name == direction_name(1, "s") for item in result.maps):
        ways = directions_at(result, of, index, count)
        signal = drain(signal_of_voxel_work(of, at, denoise=bool(said.get("denoise", False))))
    else:  # of a version that did not keep them
        signal = of.signals[at]
        chosen = int(said["populations"]), bool(said["refine"])
        found = drain(peaks_of_voxel_work(of, at, signal, known, sigma, *chosen))
        if found is None:
            raise not_compared(of.role, index)
        ways = found
    wet = any(item.name == WATER for item in result.maps)
    return voxel_explanation(known, of.table, signal, ways, sigma, index=index, water=wet)
