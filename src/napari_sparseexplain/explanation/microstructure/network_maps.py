"""The hybrid and the learned network as methods: the paper's second and third way.

Rensonnet et al. 2021, sections 3.3 and 3.4. The hybrid reads the sparse projection of a voxel on
the dictionary of its two fibre directions, so it takes any gradients that the dictionary has. The
learned network reads the measurements themselves, so it takes those that it was trained with.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from ...evidence import ExplanationMap
from ...microstructure.dictionary import Dictionary, distinct_b
from ...microstructure.gradient_table import GradientTable, Timings
from ...microstructure.protocol.peaks import FibrePeaks
from ...microstructure.search.comparison import compared_voxels
from ...microstructure.simulated_voxels import without_rician_bias
from ...microstructure.tissue import Tissue
from ...microstructure.tissue_samples import sparse_projection
from ...networks.tissue.tissue_card import TissueCard
from ...networks.tissue.tissue_network import TissueNetwork, has_half_products
from ...networks.tissue.tissue_network_file import load_tissue_network
from ...progress import Progress, Work
from ...volumes import Study
from ..method_result import MethodResult
from .asked_voxels import asked_voxels_work, dictionary_decided
from .corrections import correction_notes
from .diffusion_scan import diffusion_scan
from .fingerprint import check_shells, fibre_peaks_work, noise_notes
from .shipped_dictionary import dictionary_for_work, phases_of
from .tissue_maps import direction_maps, parameter_map, population_maps, populations_map

#: Voxels read at a time.
BATCH = 512

#: Directions are the same within this cosine, about 1°; b-values within this share.
_SAME_DIRECTION, _SAME_B = 0.9998, 0.02


def hybrid_work(
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
    network: str,
    refine: bool,
    corrected: str,
    denoise: bool,
) -> Work[MethodResult]:
    """The method ``hybrid-microstructure``.

    Returns
    -------
    MethodResult
        ``share-1``, ``radius-1``, ``density-1`` … by population (1: the larger peak), ``atoms``
        (how many have weight in the sparse projection), ``misfit`` of the projection (rms residual
        over σ), ``direction-1-s``, ``-p``, ``-l`` … along which it was projected, ``populations``.
        Not a number where nothing was read.

    Raises
    ------
    SparseExplainError
        As `fingerprint.fingerprint_work`; or the network cannot be loaded, or was trained with
        other atoms than the dictionary's.
    """
    yield Progress(0, 0, "Reading the gradients")
    of = diffusion_scan(study, scan, small_delta=small_delta, big_delta=big_delta, resampled=True)
    check_shells(of)
    trained = load_tissue_network("hybrid", network)
    check_atoms(trained.card, phases_of(dictionary).tissue)
    known = yield from dictionary_for_work(dictionary, distinct_b(of.table))
    known.rows_of(of.table)
    asked = yield from asked_voxels_work(of, slices, sigma=sigma, denoise=denoise)
    here, signals, noise = asked.here, asked.signals, asked.sigma
    peaks = None
    if here.any():
        peaks = yield from fibre_peaks_work(of, signals, here, populations)
    maps = _NetworkMaps(here.shape, trained.card)
    atoms, misfit = maps.empty(), maps.empty()
    ways = np.full((2, 3, *here.shape), np.nan, dtype=np.float32)
    places = np.argwhere(here)
    for start in range(0, len(places), BATCH):
        yield Progress(start, len(places), "Reading voxels")
        part = places[start : start + BATCH]
        assert peaks is not None
        counts, directions = _directions(peaks, part, populations)
        part, counts, directions = part[counts > 0], counts[counts > 0], directions[counts > 0]
        if not len(part):
            continue
        # Of this dictionary's atoms, whatever its echo time: weights of 1 are those of a voxel.
        size = unweighted_signal(known.timings, known.tissue)
        y, scale = scaled_signals(signals[tuple(part.T)], of.table, noise, size)
        if refine:
            directions = _refined(known, of.table, y, directions, counts)
        ways[(slice(None), slice(None), *part.T)] = directions.transpose(1, 2, 0)
        weights = sparse_projection(known, of.table, y, directions)
        found = trained.tissue(weights)
        found[counts == 1, 0, 0] = 1.0
        found[counts == 1, 1] = np.nan
        used = np.diff(weights.indptr)
        # Without an atom the network was told nothing: it would answer with its own middle.
        found[used == 0] = np.nan
        maps.fill(part, found, np.where(used > 0, counts, 0))
        at = tuple(part.T)
        atoms[at] = used
        rest = (y - _fitted(known, of.table, weights.toarray(), directions)) * scale / noise
        misfit[at] = np.sqrt((rest**2).mean(axis=1))
    more = (
        parameter_map("atoms", atoms, "Atoms with weight", "", (0.0, 20.0)),
        parameter_map("misfit", misfit, "Misfit of the sparse projection", "σ", (0.0, 3.0)),
        *direction_maps(ways),
    )
    fit = misfit[np.isfinite(misfit)]
    scores = {**maps.scores(), "median misfit": float(np.median(fit)) if fit.size else None}
    notes = [*of.notes, *correction_notes(corrected, denoise=denoise)]
    notes += _notes(trained, "the sparse projection of the signals")
    notes += noise_notes(scores["median misfit"])
    if peaks is not None:
        how = "refined by the search over pairs" if refine else "not refined"
        notes.append(f"Fibre directions: {peaks.why}; they are {how}.")
    return MethodResult(
        asked.placed.maps_onto((*maps.result(), *more, populations_map(maps.populations))),
        scores,
        tuple(notes),
        decided={
            **asked.decided(),
            **dictionary_decided(dictionary),
            "network_sha256": trained.card.weights_sha256,
        },
        inputs=(of.role,),
    )


def learned_work(
    study: Study,
    model: None,
    *,
    target: None,
    slices: slice,
    scan: str,
    small_delta: float,
    big_delta: float,
    sigma: float,
    network: str,
    corrected: str,
    denoise: bool,
) -> Work[MethodResult]:
    """The method ``learned-microstructure``.

    Returns
    -------
    MethodResult
        ``share-1``, ``radius-1``, ``density-1`` … by population; 1 has the larger share. Not a
        number where nothing was read.

    Raises
    ------
    SparseExplainError
        No diffusion scan or no gradients, other measurements than the network was trained with, or
        the network cannot be loaded.
    """
    yield Progress(0, 0, "Reading the gradients")
    of = diffusion_scan(study, scan, small_delta=small_delta, big_delta=big_delta, resampled=True)
    trained = load_tissue_network("learned", network)
    order = measurement_order(of.table, trained.card)
    asked = yield from asked_voxels_work(of, slices, sigma=sigma, denoise=denoise)
    here, signals, noise = asked.here, asked.signals, asked.sigma
    maps = _NetworkMaps(here.shape, trained.card)
    places = np.argwhere(here)
    for start in range(0, len(places), BATCH):
        yield Progress(start, len(places), "Reading voxels")
        part = places[start : start + BATCH]
        size = trained.card.unweighted
        y, _ = scaled_signals(signals[tuple(part.T)], of.table, noise, size)
        found = trained.tissue(y[:, order])
        # Nothing but the share tells populations apart here.
        turned = found[:, 1, 0] > found[:, 0, 0]
        found[turned] = found[turned, ::-1]
        # A smaller share than it was trained with is not told from none.
        counts = np.where(found[:, 1, 0] < trained.card.least_share, 1, 2)
        found[counts == 1, 0, 0] = 1.0
        found[counts == 1, 1] = np.nan
        maps.fill(part, found, counts)
    notes = [*of.notes, *correction_notes(corrected, denoise=denoise)]
    notes += _notes(trained, "the signals themselves, without fibre directions")
    notes.append("Population 1 is the one of the larger share; the network tells no directions.")
    return MethodResult(
        asked.placed.maps_onto((*maps.result(), populations_map(maps.populations))),
        maps.scores(),
        tuple(notes),
        decided={
            **asked.decided(),
            "network_sha256": trained.card.weights_sha256,
            # Answers of the learned network differ by some .05 µm between the two.
            "products": "bfloat16" if has_half_products() else "float32",
        },
        inputs=(of.role,),
    )


def check_atoms(card: TissueCard, tissue: Tissue) -> None:
    """Refuse a dictionary of other atoms than a hybrid was trained with."""
    if not (
        np.array_equal(card.radii, tissue.radii)
        and np.array_equal(card.densities, tissue.densities)
    ):
        raise ModelError(
            f"the network was trained with {card.atoms} atoms, and the dictionary has "
            f"{len(tissue.atoms)} or others",
            where="hybrid network",
            remedy="Train one for this dictionary: sparseexplain train microstructure-hybrid "
            "--dictionary FILE",
        )


def measurement_order(table: GradientTable, card: TissueCard) -> npt.NDArray[np.intp]:
    """Which measurement of a scan is which of those that a learned network was trained with.

    Raises
    ------
    ModelError
        One of them is missing, or the scan has others or other timings.
    """
    own = np.array(card.gradients)
    timings = table.known_timings
    same = np.allclose(
        (1e3 * timings.small_delta, 1e3 * timings.big_delta),
        (card.small_delta, card.big_delta),
        rtol=1e-3,
    )
    found = np.zeros(len(own), dtype=np.intp)
    if same and len(own) == len(table):
        free = np.ones(len(table), dtype=bool)
        cosines = np.abs(own[:, 1:] @ table.directions.T)
        weighted = own[:, 0] > 50
        near = np.abs(table.b - own[:, :1]) <= np.maximum(_SAME_B * own[:, :1], 50.0)
        fits = near & (~weighted[:, None] | (cosines >= _SAME_DIRECTION))
        for number, row in enumerate(fits):
            chosen = np.flatnonzero(row & free)
            if not chosen.size:
                same = False
                break
            found[number] = chosen[cosines[number, chosen].argmax()]
            free[found[number]] = False
    else:
        same = False
    if not same:
        raise ModelError(
            f"the learned network reads the {len(own)} measurements that it was trained with, and "
            "the scan's gradients or timings are others",
            where="learned network",
            remedy="Train one for this scan (sparseexplain train microstructure-learned "
            "--protocol STUDY), or take the hybrid, which reads any gradients",
        )
    return found


def unweighted_signal(timings: Timings, tissue: Tissue) -> float:
    """Signal of all atoms without diffusion weighting: exp(-TE / T2)."""
    return float(np.exp(-timings.echo_time / tissue.t2))


def scaled_signals(
    signals: npt.NDArray[np.floating], table: GradientTable, sigma: float, unweighted: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Signals (P, M) as networks are fed them, and what they were divided by (P, 1).

    Without the bias of their noise, and of the size of the simulated ones, which have
    ``unweighted`` at b = 0: a network takes weights that add up to 1.
    """
    y = without_rician_bias(signals, sigma)
    measured = y[:, table.b0_rows].mean(axis=1, keepdims=True)
    scale = np.maximum(measured, sigma) / unweighted
    return y / scale, scale


def _directions(
    peaks: FibrePeaks, places: npt.NDArray[np.intp], populations: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """How many populations, and their directions: (0, 0, 0) of one that is not there."""
    index = tuple(places.T)
    counts = np.minimum(peaks.count[index], populations or 2)
    directions = np.array(peaks.directions[index], dtype=np.float64)
    directions[counts < 2, 1] = 0.0
    return counts, directions


def _refined(
    dictionary: Dictionary,
    table: GradientTable,
    signals: npt.NDArray[np.float64],
    directions: npt.NDArray[np.float64],
    counts: npt.NDArray[np.intp],
) -> npt.NDArray[np.float64]:
    """Directions as the search over pairs moves them."""
    found = directions.copy()
    for count in (1, 2):
        rows = np.flatnonzero(counts == count)
        if rows.size:
            compared = compared_voxels(
                dictionary, table, signals[rows], directions[rows], 0.0, count=count, refine=True
            )
            found[rows, :count] = compared.directions[:, :count]
    return found


def _fitted(
    dictionary: Dictionary,
    table: GradientTable,
    weights: npt.NDArray[np.float32],
    directions: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Signals of the sparse projection, shape (P, M)."""
    halves = weights.reshape(len(weights), 2, -1)
    total = np.zeros((len(weights), len(table)))
    for k in (0, 1):
        coefficients = halves[:, k].astype(np.float64) @ dictionary.atoms.T
        basis = dictionary.basis(table, directions[:, k])
        total += np.einsum("pmr,pr->pm", basis, coefficients)
    return total


def _notes(trained: TissueNetwork, reads: str) -> list[str]:
    card = trained.card
    nu, r, f = card.errors
    return [
        f"A network reads {reads}. It was trained on {card.samples:,} simulated voxels of axons "
        "alone, without free water, grey matter or vessels; its mean absolute errors in simulated "
        f"voxels were {nu:.3f} (ν), {r:.2f} µm (r) and {f:.3f} (f).",
        "It gives no uncertainty: the method fingerprint does.",
    ]


class _NetworkMaps:
    """What is found, put together voxel by voxel."""

    def __init__(self, shape: tuple[int, ...], card: TissueCard) -> None:
        self._largest, self._shape = max(card.radii), shape
        self._values = np.full((2, 3, *shape), np.nan, dtype=np.float32)
        self.populations = np.zeros(shape, dtype=np.uint8)

    def empty(self) -> npt.NDArray[np.float32]:
        """A map without a value."""
        return np.full(self._shape, np.nan, dtype=np.float32)

    def fill(
        self,
        places: npt.NDArray[np.intp],
        tissue: npt.NDArray[np.float64],
        counts: npt.NDArray[np.integer],
    ) -> None:
        """Tissue (P, 2, 3) and number of populations of some voxels, by their indices (P, 3)."""
        at = tuple(places.T)
        self.populations[at] = counts
        for k in (0, 1):
            for n in range(3):
                self._values[(k, n, *at)] = tissue[:, k, n]

    def result(self) -> tuple[ExplanationMap, ...]:
        """The maps of both populations."""
        return tuple(population_maps(self._values, self._largest))

    def scores(self) -> dict[str, float | None]:
        """How much was read."""
        return {
            "voxels": float((self.populations > 0).sum()),
            "voxels with two populations": float((self.populations == 2).sum()),
        }
