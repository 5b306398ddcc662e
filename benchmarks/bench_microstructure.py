"""Microstructure: the search over all pairs, the sparse projection, and what low rank costs.

Voxels are simulated with the paper's protocol of 552 measurements at SNR 50 and the dictionary that
ships, truth on its grid. The peer of the search is a loop over all pairs written from the paper's
equations in numba, with the full sub-dictionaries; that of the projection is `scipy.optimize.nnls`.
Bases are made before; fibre directions are given. On a graphics card, where there is one, bases are
made too.
"""

from __future__ import annotations

import time
from typing import Any

import numba
import numpy as np
import torch
from scipy.optimize import nnls

from napari_sparseexplain.explanation.microstructure.shipped_dictionary import SHIPPED
from napari_sparseexplain.microstructure.dictionary import dictionary_of, distinct_b
from napari_sparseexplain.microstructure.gradient_table import paper_protocol
from napari_sparseexplain.microstructure.search.comparison import seconds_of_three
from napari_sparseexplain.microstructure.search.nnls import nnls_weights
from napari_sparseexplain.microstructure.search.three_populations import exhaustive_triples
from napari_sparseexplain.microstructure.search.two_populations import exhaustive_pairs
from napari_sparseexplain.microstructure.simulated_voxels import simulated_voxels
from napari_sparseexplain.microstructure.tissue_samples import tissue_samples_work
from napari_sparseexplain.microstructure.walks.phases_file import load_phases
from napari_sparseexplain.progress import drain
from napari_sparseexplain.training.evaluate.card_times import card_run
from napari_sparseexplain.training.evaluate.tissue_evaluation import (
    HYBRID,
    LEARNED,
    PAPER_SECONDS,
    networks_for,
    time_work,
)
from paired_timing import Row, paired

#: Voxels searched in one call of ours and of the loop, and compared with double precision.
OURS, LOOP, COMPARED = 100, 1, 1000


@numba.njit(parallel=True, cache=True)
def _loop(y: Any, one: Any, two: Any) -> Any:
    """The pair with the least residual: for every pair two unknowns, none below 0."""
    count = one.shape[1]
    best, where = np.empty(count), np.empty(count, dtype=np.int64)
    for i in numba.prange(count):
        best[i], where[i] = -1.0, 0
        for j in range(count):
            aa = ab = bb = ay = by = 0.0
            for m in range(y.size):
                aa += one[m, i] * one[m, i]
                ab += one[m, i] * two[m, j]
                bb += two[m, j] * two[m, j]
                ay += one[m, i] * y[m]
                by += two[m, j] * y[m]
            rest = aa * bb - ab * ab
            w1, w2 = (bb * ay - ab * by) / rest, (aa * by - ab * ay) / rest
            if w1 > 0 and w2 > 0:
                gain = w1 * ay + w2 * by
            else:
                gain = max(max(ay, 0.0) ** 2 / aa, max(by, 0.0) ** 2 / bb)
            if gain > best[i]:
                best[i], where[i] = gain, j
    i = best.argmax()
    return i, where[i]


def _best_pair(y: np.ndarray, one: np.ndarray, two: np.ndarray) -> tuple[int, int]:
    """The same in double precision by matrices."""
    n1, n2 = np.linalg.norm(one, axis=0), np.linalg.norm(two, axis=0)
    y1, y2 = one.T @ y / n1, two.T @ y / n2
    c = (one / n1).T @ (two / n2)
    a, b = y1[:, None] - c * y2, y2 - c * y1[:, None]
    alone = np.maximum(np.maximum(y1, 0)[:, None] ** 2, np.maximum(y2, 0) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where((a > 0) & (b > 0), y1[:, None] ** 2 + b**2 / (1 - c**2), alone)
    i, j = divmod(int(np.nan_to_num(gain).argmax()), c.shape[1])
    return i, j


def measure(repeats: int) -> list[Row]:
    """Speed of search and projection, and what they agree in."""
    table, phases = paper_protocol(), load_phases(SHIPPED)
    dictionary = dictionary_of(phases, distinct_b(table))
    atoms, known = dictionary.atoms, dictionary.tissue.atoms
    voxels = simulated_voxels(dictionary, table, COMPARED, snr=50, seed=1)
    y = voxels.signals
    bases = [dictionary.basis(table, voxels.directions[:OURS, k]) for k in (0, 1)]
    one, two = (np.ascontiguousarray(basis[0] @ atoms) for basis in bases)

    def ours(sigma: float = 0.0) -> Any:
        return exhaustive_pairs(y[:OURS], bases[0], bases[1], atoms, known, sigma)

    ours(), ours(voxels.sigma), _loop(y[0], one, two)
    mine, other, _ = paired(ours, lambda: _loop(y[0], one, two), repeats, clock=time.perf_counter)
    threads = numba.get_num_threads()
    mine, other = 1e3 * mine / OURS, 1e3 * other / LOOP
    rows = [
        Row(
            f"all {known.shape[0]} × {known.shape[0]} pairs, {len(table)} measurements, a voxel",
            f"{mine:.2f} ms on {threads} thread(s)",
            f"plain numba loop {other:.0f} ms",
            f"{other / mine:.0f}× faster",
            "≤ 1.5 ms on two threads, ≥ 150×",
            mine <= 1.5 and other / mine >= 150,
        )
    ]
    start = time.perf_counter()
    ours(voxels.sigma)
    with_posterior = 1e3 * (time.perf_counter() - start) / OURS
    rows.append(
        Row(
            "the same with posterior mean, sd and entropy",
            f"{with_posterior:.2f} ms",
            f"without {mine:.2f} ms",
            f"{with_posterior / mine:.2f}× the time",
            "beside",
            True,
        )
    )
    rows += [_triples(dictionary, table), *_on_card(dictionary, table, voxels)]
    rows += [_agreement(dictionary, phases, table, voxels), _projection(dictionary, table, voxels)]
    return [*rows, *_networks(dictionary, table), _samples(dictionary, table)]


def _triples(dictionary: Any, table: Any) -> Row:
    """All triples with the posterior, of as many voxels as there are threads."""
    rng, threads = np.random.default_rng(3), numba.get_num_threads()
    bases = np.stack([dictionary.basis(table, way) for way in np.eye(3)])
    atoms = rng.integers(0, dictionary.atoms.shape[1], (threads, 3))
    shares = rng.dirichlet([4, 4, 4], threads)
    y = np.einsum("kmr,rpk,pk->pm", bases, dictionary.atoms[:, atoms], shares)
    sigma = float(y.max(axis=1).mean()) / 50
    y += rng.normal(0, sigma, y.shape)
    stacked = np.repeat(bases[None], threads, axis=0)
    known = dictionary.tissue.atoms
    exhaustive_triples(y, stacked, dictionary.atoms[:, :20], known[:20], sigma)
    start = time.perf_counter()
    exhaustive_triples(y, stacked, dictionary.atoms, known, sigma)
    seconds = (time.perf_counter() - start) / threads
    return Row(
        f"all {known.shape[0]}³ triples with posterior, a voxel",
        f"{seconds:.1f} s on {threads} thread(s)",
        f"as told before a run {seconds_of_three(dictionary, table):.1f} s",
        "",
        "beside",
        True,
    )


def _on_card(dictionary: Any, table: Any, voxels: Any) -> list[Row]:
    """All pairs with the posterior on a graphics card; no row where there is none."""
    card = card_run(dictionary, table, voxels)
    if card is None:
        return []
    card.run()
    start = time.perf_counter()
    card.run()
    seconds = time.perf_counter() - start
    return [
        Row(
            f"{card.voxels:,} voxels, all pairs with posterior, on {card.card}",
            f"{seconds:.1f} s",
            f"{1e3 * seconds / card.voxels:.3f} ms a voxel",
            "",
            "seconds",
            seconds < 60,
        )
    ]


def _networks(dictionary: Any, table: Any) -> list[Row]:
    """Hybrid and learned network, without finding the fibre directions."""
    pair = networks_for(dictionary)
    assert pair is not None
    found = {row.name: 1e3 * row.seconds for row in drain(time_work(pair, dictionary, table))}
    threads = f"{numba.get_num_threads()} and {torch.get_num_threads()} threads"
    beside = f"finding directions {found.get('finding the fibre directions', float('nan')):.2f} ms"
    return [
        Row(
            f"{name}, a voxel",
            f"{found[name]:.3g} ms on {threads} of numba and torch",
            f"{beside}; the paper {1e3 * PAPER_SECONDS[name]:.3g} ms",
            f"{1e3 * PAPER_SECONDS[name] / found[name]:.3g}× the paper's",
            f"≤ {wanted:g} ms",
            found[name] <= wanted,
        )
        for name, wanted in ((HYBRID, 1.5), (LEARNED, 0.02))
    ]


def _samples(dictionary: Any, table: Any, count: int = 4096, wanted: int = 400_000) -> Row:
    """Training samples with their sparse projections."""
    start = time.perf_counter()
    drain(tissue_samples_work(dictionary, table, count, seed=9))
    minutes = (time.perf_counter() - start) / 60 * wanted / count
    return Row(
        f"{wanted:,} training samples with their projections, from {count:,}",
        f"{minutes:.1f} min on {numba.get_num_threads()} thread(s)",
        "the paper's projections 16 h (4e5 × 145 ms)",
        f"{wanted * 0.145 / 60 / minutes:.0f}× the paper's",
        "≤ 20 min on two threads",
        minutes <= 20,
    )


def _agreement(dictionary: Any, phases: Any, table: Any, voxels: Any) -> Row:
    """Pairs against double precision on the same dictionary, and on the one of full rank."""
    atoms, known, same, full = dictionary.atoms, dictionary.tissue.atoms, 0, 0
    cosines = np.linspace(0, 1, dictionary.tables.shape[1])
    whole = np.stack([phases.atoms(b, cosines) for b in dictionary.b])
    rows = dictionary.rows_of(table)
    for start in range(0, COMPARED, 50):
        part = slice(start, start + 50)
        bases = [dictionary.basis(table, voxels.directions[part, k]) for k in (0, 1)]
        found = exhaustive_pairs(voxels.signals[part], *bases, atoms, known)
        for p in range(50):
            y = voxels.signals[start + p]
            pair = tuple(int(n) for n in found.pair[p])
            same += _best_pair(y, bases[0][p] @ atoms, bases[1][p] @ atoms) == pair
            exact = []
            for k in (0, 1):
                place = abs(table.directions @ voxels.directions[start + p, k])
                place = np.clip(place, 0, 1) * (len(cosines) - 1)
                low = np.minimum(place.astype(int), len(cosines) - 2)
                rest = (place - low)[:, None]
                exact.append((1 - rest) * whole[rows, low] + rest * whole[rows, low + 1])
            full += _best_pair(y, *exact) == pair
    return Row(
        f"same pair as double precision on {COMPARED} voxels",
        f"{same} of {COMPARED}",
        f"dictionary of full rank: {full} of {COMPARED}",
        f"{1 - full / COMPARED:.1%} differ from full rank",
        "all of the same dictionary",
        same == COMPARED,
    )


def _projection(dictionary: Any, table: Any, voxels: Any) -> Row:
    count = 40
    bases = np.stack(
        [dictionary.basis(table, voxels.directions[:count, k]) for k in (0, 1)], axis=1
    )
    y, atoms = voxels.signals[:count], dictionary.atoms
    found = nnls_weights(y, bases, atoms)
    start = time.perf_counter()
    nnls_weights(y, bases, atoms)
    mine = 1e3 * (time.perf_counter() - start) / count
    worst, supports, spent = 0.0, 0, 0.0
    for p in range(count):
        whole = np.concatenate([bases[p, 0] @ atoms, bases[p, 1] @ atoms], axis=1)
        start = time.perf_counter()
        expected, _ = nnls(whole, y[p])
        spent += time.perf_counter() - start
        worst = max(worst, float(abs(found[p].ravel() - expected).max()))
        supports += bool(((found[p].ravel() > 0) == (expected > 0)).all())
    other = 1e3 * spent / count
    return Row(
        f"non-negative least squares over {2 * atoms.shape[1]} atoms, a voxel",
        f"{mine:.2f} ms",
        f"scipy {other:.1f} ms",
        f"{other / mine:.0f}× faster, |Δw| {worst:.0e}, same support {supports} of {count}",
        "≥ 8×, < 1e-8, same support",
        other / mine >= 8 and worst < 1e-8 and supports == count,
    )
