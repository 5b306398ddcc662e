"""Free water beside axons, and the number of populations by the information criterion."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls

from napari_sparseexplain.microstructure.search.comparison import (
    chosen_populations,
    compared_voxels,
)
from napari_sparseexplain.microstructure.search.free_water import free_water_signal
from napari_sparseexplain.microstructure.simulated_voxels import simulated_voxels

from .small_dictionary import small_dictionary, small_protocol

SIGMA = 0.004


@pytest.fixture(scope="module")
def wet() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Crossings of which every second has 30 % free water: signals, directions, truth, water."""
    made = simulated_voxels(small_dictionary(), small_protocol(), 40, snr=0, seed=2)
    share = np.where(np.arange(40) % 2, 0.3, 0.0)
    signal = free_water_signal(small_protocol(), small_dictionary().timings)
    clean = (1 - share[:, None]) * made.signals + share[:, None] * signal
    noise = np.random.default_rng(0).normal(0, SIGMA, clean.shape)
    return clean + noise, made.directions, made.truth, share


def test_water_is_found_where_it_is(wet) -> None:
    y, directions, truth, share = wet
    found = compared_voxels(
        small_dictionary(), small_protocol(), y, directions, SIGMA,
        count=2, refine=False, water=True,
    )  # fmt: skip
    assert np.abs(found.water - share).mean() < 0.02
    assert (found.water[share == 0] == 0).mean() > 0.9
    dry = compared_voxels(
        small_dictionary(), small_protocol(), y, directions, SIGMA, count=2, refine=False
    )
    assert (dry.water == 0).all()
    errors = [np.abs(it.found.mean - truth)[share > 0, :, 0].mean() for it in (found, dry)]
    assert errors[0] < 0.5 * errors[1], "water that is not looked for is taken for axons"
    rest = np.sqrt(((y - found.fitted) ** 2).mean(axis=1)) / SIGMA
    assert rest.max() < 1.3
    same = share == 0
    assert np.allclose(found.found.mean[same & (found.water == 0)],
                       dry.found.mean[same & (found.water == 0)])  # fmt: skip


def test_the_pair_beside_water_is_that_of_all_pairs(wet) -> None:
    """Against non-negative least squares of every pair with the water, one after the other."""
    y, directions, _, share = wet
    dictionary, table = small_dictionary(), small_protocol()
    signal = free_water_signal(table, dictionary.timings)
    for p in np.flatnonzero(share)[:1]:
        found = compared_voxels(
            dictionary, table, y[p : p + 1], directions[p : p + 1], SIGMA,
            count=2, refine=False, water=True,
        )  # fmt: skip
        one, two = (dictionary.basis(table, way) @ dictionary.atoms for way in directions[p])
        best = min(
            nnls(np.column_stack([a, b, signal]), y[p])[1] ** 2 for a in one.T for b in two.T
        )
        assert ((y[p] - found.fitted[0]) ** 2).sum() == pytest.approx(best, rel=1e-6)


def test_two_populations_are_kept_where_they_explain_more() -> None:
    made = simulated_voxels(small_dictionary(), small_protocol(), 24, snr=0, seed=4)
    dictionary, table = small_dictionary(), small_protocol()
    alone = np.stack(
        [
            dictionary.basis(table, way[0]) @ dictionary.atoms[:, atom[0]]
            for way, atom in zip(made.directions[:12], made.atoms[:12], strict=True)
        ]
    )
    y = np.concatenate([alone, made.signals[12:]])
    y = y + np.random.default_rng(1).normal(0, SIGMA, y.shape)
    count, ways = chosen_populations(dictionary, table, y, made.directions, SIGMA, refine=False)
    assert count.tolist() == [1] * 12 + [2] * 12
    assert np.array_equal(ways, made.directions)
    count, ways = chosen_populations(
        dictionary, table, y[:12], made.directions[:12, ::-1], SIGMA, refine=False
    )
    assert (count == 1).all()
    assert np.array_equal(ways, made.directions[:12]), "it lies along the second of these"
