"""Fingerprinting as a method: maps of radius, density and share of each fibre population.

Rensonnet et al. 2021, section 3.2, with what it leaves out: the noise's bias is taken off, each map
is a posterior mean with its standard deviation, and fibre directions are refined.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import StudyError
from ...evidence import ExplanationMap
from ...microstructure.comparison import compared_voxels
from ...microstructure.dictionary import Dictionary, distinct_b
from ...microstructure.protocol.noise import noise_level_work
from ...microstructure.protocol.peaks import FibrePeaks, find_peaks_work
from ...microstructure.voxels import without_rician_bias
from ...progress import Progress, Work
from ...volumes import Study
from ..bounded_cache import checksum
from ..method_result import FROM_FILE, MethodResult
from .corrections import correction_notes, signals_work
from .diffusion_scan import DiffusionScan, diffusion_scan
from .map_names import DIRECTION_AXES, direction_name
from .shipped_dictionary import dictionary_for_work, dictionary_sha256, phases_of

#: Voxels compared at a time; their bases are what memory is needed for.
BATCH = 256

#: A second peak of this size against the first is a population: with .3, as for tracts, one of a
#: share of .35 was missed and its voxels misfit. One that is not there gets little weight.
SMALLEST_PEAK = 0.2

#: What counts where two populations are asked for wherever there is a second peak at all.
ANY_PEAK = 0.0

#: Populations a voxel.
_MOST = 2

#: Shells from which r, f and ν can be told: below this, only one number a direction is measured.
_FEWEST_SHELLS = 2

#: A median misfit within these goes with the noise.
_FIT = (0.8, 1.25)

#: Name, title, unit and range of the maps of a population; the number is put behind.
_PARAMETERS = (
    ("share", "Share ν", "", (0.0, 1.0)),
    ("radius", "Radius index r", "µm", None),
    ("density", "Density index f", "", (0.0, 1.0)),
)


def fingerprint_work(
    study: Study,
    model: None,
    *,
    target: None,
    slices: slice,
    scan: str,
    small_delta: float,
    big_delta: float,
    dictionary: str,
    populations: int,
    sigma: float,
    refine: bool,
    corrected: str,
    denoise: bool,
) -> Work[MethodResult]:
    """The method ``fingerprint``.

    Returns
    -------
    MethodResult
        Maps by population (1: the larger peak): ``share-1``, ``radius-1``, ``density-1`` …, each
        with ``…-sd``; ``direction-1-s``, ``-p``, ``-l`` …, the direction along which it was
        compared in the axes of the study; ``entropy`` in bits, ``misfit`` (rms residual over σ)
        and ``misfit-b…`` of every shell, ``populations``. Not a number where nothing was compared.

    Raises
    ------
    SparseExplainError
        No diffusion scan, no gradients or timings, a dictionary of another protocol, one shell, no
        noise to be measured, or dipy is not installed.
    """
    yield Progress(0, 0, "Reading the gradients")
    of = diffusion_scan(study, scan, small_delta=small_delta, big_delta=big_delta, resampled=True)
    phases = phases_of(dictionary)
    check_shells(of)
    known = yield from dictionary_for_work(dictionary, distinct_b(of.table))
    known.rows_of(of.table)
    noise = sigma
    if not noise:
        noise = (yield from noise_level_work(of.signals, mask=of.mask)).sigma
    placed = of.placed(slices)
    here = of.mask[placed.rows] & placed.needed
    signals = yield from signals_work(of, placed.rows, denoise=denoise)
    peaks = None
    if here.any():
        peaks = yield from fibre_peaks_work(of, signals, here, populations)
    part = replace(of, signals=signals, mask=of.mask[placed.rows])
    maps = _Maps(part, slice(0, len(here)), known)
    places = np.argwhere(here)
    for start in range(0, len(places), BATCH):
        yield Progress(start, len(places), "Comparing voxels")
        assert peaks is not None
        maps.fill(places[start : start + BATCH], peaks, noise, populations, refine)
    timings = of.table.known_timings
    decided: dict[str, Any] = {
        "sigma": float(noise),
        "scan": of.role,
        "small_delta": round(1e3 * timings.small_delta, 9),
        "big_delta": round(1e3 * timings.big_delta, 9),
        **of.checksums,
        "dictionary_sha256": dictionary_sha256(dictionary),
    }
    if dictionary:
        arrays = (phases.inside, phases.outside)
        decided[FROM_FILE] = {"dictionary": checksum(*arrays)}
    scores = maps.scores()
    notes = [
        *of.notes,
        *correction_notes(corrected, denoise=denoise),
        *_notes(peaks, phases.spins),
        *_noise_notes(scores["median misfit"]),
    ]
    if denoise:
        notes.append("σ is that of the scan before it was denoised: standard deviations are wide.")
    return MethodResult(
        placed.maps_onto(maps.result()),
        scores,
        tuple(notes),
        decided=decided,
        inputs=(of.role,),
    )


def fibre_peaks_work(
    of: DiffusionScan,
    signals: npt.NDArray[np.floating],
    here: npt.NDArray[np.bool_],
    populations: int,
) -> Work[FibrePeaks]:
    """Fibre directions of some voxels; of each the same whichever others are asked for.

    Parameters
    ----------
    of : DiffusionScan
        Of all of it the response is measured.
    signals : ndarray, shape (..., M)
    here : ndarray of bool, shape (...)
        At least one voxel.
    populations : int
        The method's parameter: with 2 a second peak counts however small it is.
    """
    return (
        yield from find_peaks_work(
            of.table,
            signals,
            mask=here,
            most=_MOST,
            least_size=ANY_PEAK if populations == _MOST else SMALLEST_PEAK,
            response=(of.signals, of.mask),
        )
    )


def check_shells(of: DiffusionScan) -> None:
    """Refuse what cannot tell radius and density apart."""
    if len(of.table.shells) < _FEWEST_SHELLS:
        b = ", ".join(f"{shell.b:.0f}" for shell in of.table.shells) or "none"
        raise StudyError(
            f"the scan has one shell (b = {b} s/mm²), from which radius, density and share of "
            "crossing fibres cannot be told apart",
            where=of.role,
            remedy="Take a scan with two shells or more; the method tensor needs one alone",
        )


def _notes(peaks: FibrePeaks | None, spins: int) -> list[str]:
    found = [
        "Each voxel is taken as axons alone: no free water, no grey matter and no vessels are "
        "among the simulated signals, so such voxels are given the axons least unlike them.",
        f"Signals were simulated with {spins} spins a walk.",
    ]
    if peaks is not None:
        found.append(f"Fibre directions: {peaks.why}.")
    return found


def _noise_notes(misfit: float | None) -> list[str]:
    """Whether the residuals are as large as the noise that was told or measured."""
    if misfit is None or _FIT[0] <= misfit <= _FIT[1]:
        return []
    size = "too large" if misfit < 1 else "too small, or the voxels hold something else than axons"
    return [
        f"Half of the voxels have residuals of less than {misfit:.2g} σ, where 1 is expected: σ is "
        f"{size}, and the standard deviations are wrong by about that."
    ]


class _Maps:
    """What is found, put together voxel by voxel."""

    def __init__(self, of: DiffusionScan, slices: slice, dictionary: Dictionary) -> None:
        self._of, self._slices, self._dictionary = of, slices, dictionary
        shape = of.signals[slices].shape[:3]
        names = [
            f"{name}-{k}{end}" for k in (1, 2) for name, *_ in _PARAMETERS for end in ("", "-sd")
        ]
        shells = [f"misfit-b{shell.b:.0f}" for shell in of.table.shells]
        ways = [direction_name(k, axis) for k in (1, 2) for axis in DIRECTION_AXES]
        self.arrays = {
            name: np.full(shape, np.nan, dtype=np.float32)
            for name in (*names, "entropy", "misfit", *shells, *ways)
        }
        self.populations = np.zeros(shape, dtype=np.uint8)

    def fill(
        self,
        places: npt.NDArray[np.intp],
        peaks: FibrePeaks,
        sigma: float,
        populations: int,
        refine: bool,
    ) -> None:
        """Compare some voxels, given by their indices (P, 3)."""
        index = tuple(places.T)
        y = without_rician_bias(self._of.signals[index], sigma)
        directions = np.asarray(peaks.directions[index], dtype=np.float64)
        counts = peaks.count[index]
        if populations:
            counts = np.minimum(counts, populations)
        for count in (1, 2):
            rows = np.flatnonzero(counts == count)
            if rows.size:
                self._compare(places[rows], y[rows], directions[rows], sigma, count, refine)

    def _compare(
        self,
        places: npt.NDArray[np.intp],
        y: npt.NDArray[np.float64],
        directions: npt.NDArray[np.float64],
        sigma: float,
        count: int,
        refine: bool,
    ) -> None:
        compared = compared_voxels(
            self._dictionary, self._of.table, y, directions, sigma, count=count, refine=refine
        )
        found = compared.found
        at = (places[:, 0] - self._slices.start, places[:, 1], places[:, 2])
        self.populations[at] = count
        for k in range(count):
            for n, (name, *_) in enumerate(_PARAMETERS):
                self.arrays[f"{name}-{k + 1}"][at] = found.mean[:, k, n]
                if count > 1 or name != "share":
                    # That a voxel has one population is taken from its peaks: how sure ν = 1 is
                    # is not known.
                    self.arrays[f"{name}-{k + 1}-sd"][at] = found.sd[:, k, n]
            for n, axis in enumerate(DIRECTION_AXES):
                self.arrays[direction_name(k + 1, axis)][at] = compared.directions[:, k, n]
        self.arrays["entropy"][at] = found.entropy
        rest = (y - compared.fitted) / sigma
        self.arrays["misfit"][at] = np.sqrt((rest**2).mean(axis=1))
        for shell in self._of.table.shells:
            part = rest[:, shell.rows]
            self.arrays[f"misfit-b{shell.b:.0f}"][at] = np.sqrt((part**2).mean(axis=1))

    def result(self) -> tuple[ExplanationMap, ...]:
        """The maps, in the order in which they are read."""
        largest = float(self._dictionary.tissue.radii.max())
        maps = []
        for k in (1, 2):
            for name, title, unit, known in _PARAMETERS:
                low, high = known or (0.0, largest)
                said = f"{title}, population {k}"
                maps.append(self._map(f"{name}-{k}", said, unit, (low, high)))
                spread = (0.0, (high - low) / 3)
                maps.append(
                    self._map(f"{name}-{k}-sd", f"{said}, standard deviation", unit, spread)
                )
        maps.append(self._map("entropy", "Entropy of the posterior", "bit", (0.0, 14.0)))
        maps.append(self._map("misfit", "Misfit of all measurements", "σ", (0.0, 3.0)))
        for shell in self._of.table.shells:
            title = f"Misfit at b = {shell.b:.0f} s/mm²"
            maps.append(self._map(f"misfit-b{shell.b:.0f}", title, "σ", (0.0, 3.0)))
        for k in (1, 2):
            for axis, way in DIRECTION_AXES.items():
                maps.append(
                    ExplanationMap(
                        direction_name(k, axis),
                        self.arrays[direction_name(k, axis)],
                        "parameter map",
                        f"Fibre direction {k} to {way}",
                        value_range=(-1.0, 1.0),
                        range_scope="shared",
                        signed=True,
                    )
                )
        counted = {1: "One population", 2: "Two populations"}
        populations = ExplanationMap(
            "populations", self.populations, "segmentation", "Fibre populations", classes=counted
        )
        return (*maps, populations)

    def _map(self, name: str, title: str, unit: str, limits: tuple[float, float]) -> ExplanationMap:
        return ExplanationMap(
            name,
            self.arrays[name],
            "parameter map",
            title,
            unit=unit,
            value_range=limits,
            range_scope="shared",
        )

    def scores(self) -> dict[str, float | None]:
        """How much was compared, and how well it fits."""
        fit = self.arrays["misfit"][np.isfinite(self.arrays["misfit"])]
        return {
            "voxels": float((self.populations > 0).sum()),
            "voxels with two populations": float((self.populations == 2).sum()),
            "median misfit": float(np.median(fit)) if fit.size else None,
        }
