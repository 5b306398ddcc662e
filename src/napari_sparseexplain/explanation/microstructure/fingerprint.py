"""Fingerprinting as a method: maps of radius, density and share of each fibre population.

Rensonnet et al. 2021, section 3.2, with what it leaves out: the noise's bias is taken off, each map
is a posterior mean with its standard deviation, and fibre directions are refined.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ...errors import StudyError
from ...microstructure.dictionary import distinct_b
from ...microstructure.protocol.peaks import FibrePeaks, find_peaks_work
from ...microstructure.search.voxel_search import VoxelSearch
from ...networks.tissue.torch_search import search_on
from ...progress import Progress, Work
from ...volumes import Study
from ..method_result import MethodResult
from .asked_voxels import asked_voxels_work, dictionary_decided
from .corrections import correction_notes
from .diffusion_scan import DiffusionScan, diffusion_scan
from .fingerprint_maps import ComparedHow, FingerprintMaps
from .methods import BY_BIC
from .shipped_dictionary import dictionary_for_work, phases_of

#: Voxels of three populations compared at a time: each takes seconds, after which a run can be
#: cancelled.
THREES = 4

#: A second peak of this size against the first is a population: with .3, as for tracts, one of a
#: share of .35 was missed and its voxels misfit. One that is not there gets little weight.
SMALLEST_PEAK = 0.2

#: What counts where two populations are asked for wherever there is a second peak at all.
ANY_PEAK = 0.0

#: Populations a voxel, where not three are asked for.
_MOST = 2

#: Shells from which r, f and ν can be told: below this, only one number a direction is measured.
_FEWEST_SHELLS = 2

#: A median misfit within these goes with the noise.
_FIT = (0.8, 1.25)


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
    water: bool,
    count_by: str,
    device: str,
) -> Work[MethodResult]:
    """The method ``fingerprint``.

    Voxels of one population or two are compared on ``device`` (`search_on`), those of three on the
    processor.

    Returns
    -------
    MethodResult
        Maps by population (1: the larger peak): ``share-1``, ``radius-1``, ``density-1`` …, each
        with ``…-sd``; ``direction-1-s``, ``-p``, ``-l`` …, the direction along which it was
        compared in the axes of the study; ``entropy`` in bits, ``misfit`` (rms residual over σ)
        and ``misfit-b…`` of every shell, ``water`` (share of free water, where it was asked for),
        ``populations``. Not a number where nothing was compared.

    Raises
    ------
    SparseExplainError
        No diffusion scan, no gradients or timings, a dictionary of another protocol, one shell, no
        noise to be measured, or dipy is not installed.
    """
    search, said = search_on(device)
    yield Progress(0, 0, "Reading the gradients")
    of = diffusion_scan(study, scan, small_delta=small_delta, big_delta=big_delta, resampled=True)
    check_shells(of)
    known = yield from dictionary_for_work(dictionary, distinct_b(of.table))
    known.rows_of(of.table)
    asked = yield from asked_voxels_work(of, slices, sigma=sigma, denoise=denoise)
    peaks = None
    if asked.here.any():
        peaks = yield from fibre_peaks_work(of, asked.signals, asked.here, populations)
    part = replace(of, signals=asked.signals, mask=of.mask[asked.placed.rows])
    way = ComparedHow(populations, refine, water, count_by == BY_BIC)
    maps = FingerprintMaps(part, known, way, search)
    if peaks is not None:
        yield from _filled_work(maps, np.argwhere(asked.here), peaks, asked.sigma, search)
    scores = maps.scores()
    notes = [
        *of.notes,
        *correction_notes(corrected, denoise=denoise),
        *_notes(peaks, phases_of(dictionary).spins, water=water),
        *said,
        *search.notes,
        *noise_notes(scores["median misfit"]),
    ]
    if denoise:
        notes.append("σ is that of the scan before it was denoised: standard deviations are wide.")
    return MethodResult(
        asked.placed.maps_onto(maps.result()),
        scores,
        tuple(notes),
        decided={**asked.decided(), **dictionary_decided(dictionary)},
        inputs=(of.role,),
        device=search.device,
    )


def _filled_work(
    maps: FingerprintMaps,
    places: npt.NDArray[np.intp],
    peaks: FibrePeaks,
    sigma: float,
    search: VoxelSearch,
) -> Work[None]:
    """Compare voxels in batches, those of three populations last: after some seconds each."""
    three = maps.counts(places, peaks) == 3
    few, many = places[~three], places[three]
    several = ""
    if len(many):
        yield Progress(0, len(places), f"{len(many)} voxels have three populations: how long?")
        seconds = maps.seconds_of_three()
        several = f" of three populations, about {seconds:.1f} s each"
        yield Progress(
            0, len(places), f"{len(many)} voxels{several}, {told_time(seconds * len(many))} in all"
        )
    done = 0
    while done < len(few):
        yield Progress(done, len(places), "Comparing voxels")
        batch = search.batch  # smaller once memory was not enough
        maps.fill(few[done : done + batch], peaks, sigma)
        done += batch
    for start in range(0, len(many), THREES):
        yield Progress(len(few) + start, len(places), f"Comparing voxels{several}")
        maps.fill(many[start : start + THREES], peaks, sigma)


def told_time(seconds: float) -> str:
    """As ``"40 s"``, ``"12 min"`` or ``"3.5 h"``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


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
        The method's parameter: with 2 a second peak counts however small it is; with 3 as many as
        three clear ones are looked for.
    """
    return (
        yield from find_peaks_work(
            of.table,
            signals,
            mask=here,
            most=max(_MOST, populations),
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
            "crossing fibres cannot be estimated",
            where=of.role,
            remedy="Take a scan with two shells or more; the method tensor needs one alone",
        )


def _notes(peaks: FibrePeaks | None, spins: int, *, water: bool) -> list[str]:
    alone = "axons and free water" if water else "axons alone: no free water"
    missing = "no grey matter and no vessels are"
    found = [
        f"Each voxel is taken as {alone}{',' if not water else ':'} {missing} among the simulated "
        "signals, so such voxels are given the axons least unlike them.",
        f"Signals were simulated with {spins} spins a walk.",
    ]
    if water:
        found.append(
            "Free water (D = 3.0e-9 m²/s) is there where the Bayesian information criterion says "
            "so; shares ν are of the axons alone."
        )
    if peaks is not None:
        found.append(f"Fibre directions: {peaks.why}.")
    return found


def noise_notes(misfit: float | None) -> list[str]:
    """Whether the residuals are as large as the noise that was told or measured."""
    if misfit is None or _FIT[0] <= misfit <= _FIT[1]:
        return []
    size = "too large" if misfit < 1 else "too small, or the voxels hold something else than axons"
    return [
        f"Half of the voxels have residuals of less than {misfit:.2g} σ, where 1 is expected: σ is "
        f"{size}, and the standard deviations are wrong by about that."
    ]
