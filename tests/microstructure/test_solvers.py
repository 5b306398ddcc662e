"""The search over pairs and the sparse projection, against plain double-precision solutions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls

from napari_sparseexplain.errors import ParameterError
from napari_sparseexplain.microstructure.gradient_table import HCP_MGH
from napari_sparseexplain.microstructure.numba_lock import PARALLEL
from napari_sparseexplain.microstructure.search import nnls as projection
from napari_sparseexplain.microstructure.search import two_populations as exhaustive
from napari_sparseexplain.microstructure.search.nnls import nnls_weights
from napari_sparseexplain.microstructure.search.refinement import refined_directions
from napari_sparseexplain.microstructure.search.two_populations import exhaustive_pairs
from napari_sparseexplain.microstructure.simulated_voxels import (
    Voxels,
    simulated_voxels,
    without_rician_bias,
)
from napari_sparseexplain.microstructure.walks import random_walk as walk

from .small_dictionary import small_dictionary, small_protocol

COUNT = 40


@pytest.fixture(scope="module")
def voxels() -> Voxels:
    return simulated_voxels(small_dictionary(), small_protocol(), COUNT, snr=40, seed=2)


@pytest.fixture(scope="module")
def bases(voxels: Voxels) -> np.ndarray:
    found = [small_dictionary().basis(small_protocol(), voxels.directions[:, k]) for k in (0, 1)]
    return np.stack(found, axis=1)


def all_pairs(y: np.ndarray, one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """‖y - D w‖² of every pair with w ≥ 0, from the normal equations of two atoms."""
    out = np.empty((one.shape[1], two.shape[1]))
    for i in range(one.shape[1]):
        for j in range(two.shape[1]):
            _, rest = nnls(np.stack([one[:, i], two[:, j]], axis=1), y)
            out[i, j] = rest**2
    return out


def test_the_best_pair_is_that_of_plain_least_squares(voxels: Voxels, bases: np.ndarray) -> None:
    atoms = small_dictionary().atoms
    known = small_dictionary().tissue.atoms
    found = exhaustive_pairs(voxels.signals, bases[:, 0], bases[:, 1], atoms, known)
    for p in range(2):
        one, two = bases[p, 0] @ atoms, bases[p, 1] @ atoms
        residual = all_pairs(voxels.signals[p], one, two)
        assert found.residual[p] == pytest.approx(residual.min(), rel=1e-8)
        i, j = found.pair[p]
        assert residual[i, j] == pytest.approx(residual.min(), rel=1e-9)
        fitted = one[:, i] * found.weights[p, 0] + two[:, j] * found.weights[p, 1]
        assert ((voxels.signals[p] - fitted) ** 2).sum() == pytest.approx(found.residual[p])


def test_the_posterior_is_that_of_all_pairs(voxels: Voxels, bases: np.ndarray) -> None:
    atoms, known = small_dictionary().atoms, small_dictionary().tissue.atoms
    sigma = voxels.sigma
    found = exhaustive_pairs(voxels.signals[:2], bases[:2, 0], bases[:2, 1], atoms, known, sigma)
    for p in range(2):
        residual = all_pairs(voxels.signals[p], bases[p, 0] @ atoms, bases[p, 1] @ atoms)
        weight = np.exp(-(residual - residual.min()) / (2 * sigma**2))
        weight /= weight.sum()
        radius = (weight.sum(axis=1) * known[:, 0]).sum()
        spread = np.sqrt((weight.sum(axis=1) * (known[:, 0] - radius) ** 2).sum())
        assert found.mean[p, 0, 1] == pytest.approx(radius, abs=1e-4)
        assert found.sd[p, 0, 1] == pytest.approx(spread, abs=1e-3)
        bits = -(weight * np.log2(np.maximum(weight, 1e-300))).sum()
        assert found.entropy[p] == pytest.approx(bits, abs=1e-3)


def test_without_noise_the_truth_is_found() -> None:
    clean = simulated_voxels(small_dictionary(), small_protocol(), 20, snr=0, seed=3)
    one, two = (small_dictionary().basis(small_protocol(), clean.directions[:, k]) for k in (0, 1))
    atoms, known = small_dictionary().atoms, small_dictionary().tissue.atoms
    found = exhaustive_pairs(clean.signals, one, two, atoms, known)
    np.testing.assert_array_equal(found.pair, clean.atoms)
    np.testing.assert_allclose(found.weights, clean.truth[..., 0], atol=1e-6)
    assert np.isnan(found.mean).all(), "without a noise level there is no posterior"


def test_a_voxel_of_one_population_gives_the_other_nothing() -> None:
    dictionary, table = small_dictionary(), small_protocol()
    one, two = dictionary.basis(table, [[1.0, 0, 0]]), dictionary.basis(table, [[0, 1.0, 0]])
    signal = 0.7 * one[0] @ dictionary.atoms[:, 5]
    known = dictionary.tissue.atoms
    found = exhaustive_pairs(signal[None], one, two, dictionary.atoms, known)
    assert found.pair[0, 0] == 5
    assert found.weights[0, 0] == pytest.approx(0.7, rel=1e-6)
    assert found.weights[0, 1] == pytest.approx(0.0, abs=1e-6)


def test_projection_is_scipys(voxels: Voxels, bases: np.ndarray) -> None:
    atoms = small_dictionary().atoms
    found = nnls_weights(voxels.signals, bases, atoms)
    for p in range(6):
        whole = np.concatenate([bases[p, 0] @ atoms, bases[p, 1] @ atoms], axis=1)
        expected, _ = nnls(whole, voxels.signals[p])
        assert abs(found[p].ravel() - expected).max() < 1e-8
        np.testing.assert_array_equal(found[p].ravel() > 0, expected > 0)


def test_silence_has_no_weights(bases: np.ndarray) -> None:
    atoms, known = small_dictionary().atoms, small_dictionary().tissue.atoms
    silent = np.zeros((1, len(small_protocol())))
    found = exhaustive_pairs(silent, bases[:1, 0], bases[:1, 1], atoms, known, 0.01)
    assert (found.weights == 0).all()
    assert (found.pair == -1).all()
    assert (nnls_weights(silent, bases[:1], atoms) == 0).all()


def test_values_that_are_no_numbers_are_refused(voxels: Voxels, bases: np.ndarray) -> None:
    atoms, known = small_dictionary().atoms, small_dictionary().tissue.atoms
    bad = voxels.signals.copy()
    bad[0, 3] = np.nan
    with pytest.raises(ParameterError, match="no number"):
        exhaustive_pairs(bad, bases[:, 0], bases[:, 1], atoms, known)
    with pytest.raises(ParameterError, match="no number"):
        nnls_weights(bad, bases, atoms)
    with pytest.raises(ParameterError, match="do not go together"):
        exhaustive_pairs(voxels.signals, bases[:, 0, :5], bases[:, 1], atoms, known)
    with pytest.raises(ParameterError, match="do not go together"):
        nnls_weights(voxels.signals, bases[..., :3], atoms)


@pytest.mark.parametrize("seed", range(6))
def test_weights_of_columns_that_depend_on_each_other(seed: int) -> None:
    """Twice the same, sums of others, zeros, more columns than rows: the least residual is met."""
    rng = np.random.default_rng(seed)
    atoms = rng.random((5, 12))
    atoms[:, 3], atoms[:, 7] = atoms[:, 2], atoms[:, 0] + atoms[:, 1]
    atoms[:, 9] = 0
    basis = np.eye(7, 5)[None, None]
    y = rng.normal(0.5, 1.0, (1, 7))
    weights = nnls_weights(y, basis, atoms)[0, 0]
    whole = basis[0, 0] @ atoms
    assert (weights >= 0).all()
    expected = nnls(whole, y[0])[1]
    assert np.linalg.norm(whole @ weights - y[0]) == pytest.approx(expected, abs=1e-9)
    slope = whole.T @ (y[0] - whole @ weights)
    assert slope.max() < 1e-9, "no atom would make it better"
    assert np.abs(slope[weights > 0]).max(initial=0) < 1e-9


def test_the_rician_correction_takes_the_bias_out() -> None:
    rng = np.random.default_rng(0)
    for signal in (1.0, 0.3):
        noise = rng.normal(0, 0.1, (2, 200_000))
        measured = np.hypot(signal + noise[0], noise[1])
        corrected = without_rician_bias(measured, 0.1)
        assert abs(corrected.mean() - signal) < 0.2 * abs(measured.mean() - signal)
    silent = np.hypot(*rng.normal(0, 0.1, (2, 200_000)))
    assert abs(without_rician_bias(silent, 0.1).mean()) < 0.4 * silent.mean()


def test_refinement_brings_directions_nearer_and_not_together() -> None:
    dictionary, table = small_dictionary(), small_protocol()
    clean = simulated_voxels(dictionary, table, 12, snr=0, seed=5)
    tilt = np.cross(clean.directions, [0.3, 0.5, 0.8])
    tilt /= np.linalg.norm(tilt, axis=-1, keepdims=True)
    off = np.cos(np.radians(5)) * clean.directions + np.sin(np.radians(5)) * tilt
    found = refined_directions(dictionary, table, clean.signals, off, clean.atoms)
    angle = np.degrees(np.arccos(np.clip(abs((found * clean.directions).sum(-1)), 0, 1)))
    assert np.median(angle) < 2
    # One fibre, given as two a little apart.
    way = np.array([0.0, 0.0, 1.0])
    signal = dictionary.basis(table, way) @ dictionary.atoms[:, 9]
    near = np.radians(12.5)
    pair = np.array([[[0, np.sin(s * near), np.cos(s * near)] for s in (1, -1)]])
    found = refined_directions(dictionary, table, signal[None], pair, np.array([[9, 9]]))
    between = np.degrees(np.arccos(abs((found[0, 0] * found[0, 1]).sum())))
    assert between >= 20 - 1e-6


def test_parallel_loops_run_one_at_a_time(
    voxels: Voxels, bases: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once end the process where numba has the layer workqueue alone."""
    held = []
    for module, name in (
        (exhaustive, "_search"), (projection, "_solve_all"), (walk, "_inside"), (walk, "_outside"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, lambda *given: held.append(PARALLEL.locked()))
    dictionary = small_dictionary()
    exhaustive_pairs(
        voxels.signals, bases[:, 0], bases[:, 1], dictionary.atoms, dictionary.tissue.atoms
    )
    nnls_weights(voxels.signals, bases, dictionary.atoms)
    walk.inside_walk(2.0, 10, HCP_MGH, 2e-9, 0)
    walk.outside_walk(2.0, 0.5, 10, HCP_MGH, 2e-9, 0)
    assert held == [True] * 4
    assert not PARALLEL.locked()
