"""Shapley values of the shells."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from napari_sparseexplain.errors import ParameterError
from napari_sparseexplain.microstructure.search.shell_shapley import ShellValues, shell_values
from napari_sparseexplain.microstructure.search.two_populations import exhaustive_pairs
from napari_sparseexplain.microstructure.simulated_voxels import Voxels, simulated_voxels

from .small_dictionary import small_dictionary, small_protocol


@pytest.fixture(scope="module")
def voxels() -> Voxels:
    return simulated_voxels(small_dictionary(), small_protocol(), 3, snr=40, seed=8)


@pytest.fixture(scope="module")
def found(voxels: Voxels) -> ShellValues:
    return shell_values(
        small_dictionary(), small_protocol(), voxels.signals, voxels.directions, voxels.sigma
    )


def posterior(voxels: Voxels, shells: tuple[int, ...]) -> np.ndarray:
    """Means from some shells, searched once more."""
    dictionary, table = small_dictionary(), small_protocol()
    rows = np.concatenate([table.b0_rows, *(table.shells[n].rows for n in shells)])
    bases = [dictionary.basis(table, voxels.directions[:, k])[:, rows] for k in (0, 1)]
    known = dictionary.tissue.atoms
    searched = exhaustive_pairs(
        voxels.signals[:, rows], *bases, dictionary.atoms, known, voxels.sigma
    )
    prior = np.array([0.5, *known.mean(axis=0)])
    return np.where(np.isfinite(searched.mean), searched.mean, prior)


def test_values_add_up_to_what_all_shells_tell(voxels: Voxels, found: ShellValues) -> None:
    total = found.prior + found.values.sum(axis=1)
    assert abs(total - found.whole).max() < 1e-10
    np.testing.assert_allclose(found.whole, posterior(voxels, (0, 1, 2)), atol=1e-9)


def test_a_value_is_the_mean_over_all_orders(voxels: Voxels, found: ShellValues) -> None:
    prior = found.prior
    expected = np.zeros_like(found.values)
    for order in permutations(range(3)):
        before = prior
        for n, player in enumerate(order):
            after = posterior(voxels, tuple(sorted(order[: n + 1])))
            expected[:, player] += (after - before) / 6
            before = after
    np.testing.assert_allclose(found.values, expected, atol=1e-9)


def test_leaving_a_shell_out_is_the_posterior_of_the_others(
    voxels: Voxels, found: ShellValues
) -> None:
    np.testing.assert_allclose(found.without[:, 1], posterior(voxels, (0, 2)), atol=1e-9)
    assert found.b == (1000.0, 3000.0, 6000.0)


def test_without_noise_level_there_are_none(voxels: Voxels) -> None:
    with pytest.raises(ParameterError, match="noise level"):
        shell_values(small_dictionary(), small_protocol(), voxels.signals, voxels.directions, 0.0)
