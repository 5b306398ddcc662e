"""Dictionaries: physics of an atom, low rank, rotation, foreign protocols, files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_sparseexplain.errors import ParameterError, ReadError
from napari_sparseexplain.microstructure.gradient_table import (
    HCP_MGH,
    GradientTable,
    Timings,
    paper_protocol,
    shell_protocol,
)
from napari_sparseexplain.microstructure.tissue import Tissue
from napari_sparseexplain.microstructure.walks.homogenised_tissue import homogenised_phases
from napari_sparseexplain.microstructure.walks.interpolated_walks import interpolated_outside
from napari_sparseexplain.microstructure.walks.phases import Phases, quantile_means
from napari_sparseexplain.microstructure.walks.phases_file import load_phases, save_phases
from napari_sparseexplain.microstructure.walks.simulation import forget_parts, simulate_work
from napari_sparseexplain.progress import drain

from .small_dictionary import TISSUE, small_dictionary, small_phases, small_protocol


def test_strengths_are_those_of_the_paper() -> None:
    strength = HCP_MGH.strength([1000, 3000, 5000, 10000])
    np.testing.assert_allclose(strength, [0.0693, 0.1200, 0.1549, 0.2190], atol=1e-4)


def test_the_papers_protocol() -> None:
    table = paper_protocol()
    assert len(table) == 552
    assert len(table.b0_rows) == 40
    assert [(round(s.b), len(s.rows)) for s in table.shells] == [
        (1000, 64), (3000, 64), (5000, 128), (10000, 256),
    ]  # fmt: skip
    assert len(Tissue().atoms) == 782


def test_along_the_fibre_diffusion_is_free() -> None:
    phases = small_phases()
    signal = phases.atoms(2000.0, [1.0])[0]
    expected = np.exp(-57 / 70) * np.exp(-2000e6 * 2e-9)
    np.testing.assert_allclose(signal, expected, rtol=1e-6)


def test_low_rank_and_places_between_cost_little() -> None:
    phases, dictionary, table = small_phases(), small_dictionary(), small_protocol()
    direction = np.array([0.36, 0.48, 0.8])
    product = dictionary.basis(table, direction) @ dictionary.atoms
    cosine = np.abs(table.directions @ direction)
    exact = np.stack([phases.atoms(b, [c])[0] for b, c in zip(table.b, cosine, strict=True)])
    assert abs(product - exact).max() < 2e-4


def test_a_rotated_fibre_in_rotated_gradients_is_the_same() -> None:
    dictionary, table = small_dictionary(), small_protocol()
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    direction = np.array([0.0, 0.6, 0.8])
    np.testing.assert_allclose(
        dictionary.basis(table.rotated(turn), turn @ direction),
        dictionary.basis(table, direction),
        atol=1e-9,
    )


@pytest.mark.parametrize(
    ("timings", "b", "said"),
    [
        (Timings(20e-3, 40e-3), 1000, "δ = 20 ms"),
        (None, 1000, "does not tell δ and Δ"),
        (HCP_MGH, 2000, "b = 2000"),
    ],
)
def test_a_foreign_protocol_is_refused(timings: Timings | None, b: float, said: str) -> None:
    table = shell_protocol([(0, 1), (b, 6)], timings)
    with pytest.raises(ParameterError, match=said):
        small_dictionary().basis(table, [0, 0, 1])


@pytest.mark.parametrize(
    ("b", "directions", "said"),
    [
        ([0, 1000], [[0, 0, 0]], "do not go together"),
        ([0, 1000], [[0, 0, 0], [0, 0, 2]], "not unit vectors"),
        ([0, -5], [[0, 0, 0], [0, 0, 1]], "negative"),
        ([0, 1000], [[0, 0, 0], [np.nan, 0, 0]], "not unit vectors"),
    ],
)
def test_a_table_that_cannot_be_is_refused(b: list, directions: list, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        GradientTable(np.array(b, dtype=float), np.array(directions, dtype=float))


def test_quantiles_keep_the_mean_of_smooth_functions() -> None:
    phases = np.random.default_rng(0).rayleigh(0.04, 10_000)
    for wave in (5.0, 20.0, 60.0):
        exact = np.cos(wave * phases).mean()
        assert abs(np.cos(wave * quantile_means(phases)).mean() - exact) < 5e-4


def test_phases_come_back_from_their_file(tmp_path: Path) -> None:
    path = save_phases(small_phases(), tmp_path / "small.npz")
    back = load_phases(path)
    np.testing.assert_array_equal(back.inside, small_phases().inside)
    np.testing.assert_array_equal(back.outside, small_phases().outside)
    np.testing.assert_array_equal(back.tissue.atoms, TISSUE.atoms)
    assert (back.timings, back.spins) == (HCP_MGH, 10_000)


def test_a_damaged_or_foreign_file_is_one_clear_error(tmp_path: Path) -> None:
    path = save_phases(small_phases(), tmp_path / "small.npz")
    with np.load(path) as held:
        arrays = dict(held)
    for name, value in (
        ("inside", arrays["inside"][:2]),
        ("version", 9),
        ("radii", -arrays["radii"]),
    ):
        other = tmp_path / f"{name}.npz"
        np.savez(other, **{**arrays, name: value})
        with pytest.raises(ReadError, match="simulate"):
            load_phases(other)
    del arrays["seed"]
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(ReadError, match="seed missing"):
        load_phases(tmp_path / "other.npz")
    (tmp_path / "cut.npz").write_bytes(path.read_bytes()[:300])
    with pytest.raises(ReadError):
        load_phases(tmp_path / "cut.npz")


def test_a_simulation_that_was_stopped_goes_on_with_the_same_result(tmp_path: Path) -> None:
    tissue, short = Tissue(np.array([0.8, 1.4]), np.array([0.4])), Timings(1e-3, 2e-3)
    whole = drain(simulate_work(tissue, short, spins=100, seed=4))
    parts = tmp_path / "parts"
    work = simulate_work(tissue, short, spins=100, seed=4, parts=parts)
    for _ in range(3):
        next(work)
    work.close()
    assert len(list(parts.glob("walk-*.npy"))) == 2
    (parts / "walk-0000.npy").write_bytes(b"damaged")
    again = drain(simulate_work(tissue, short, spins=100, seed=4, parts=parts))
    np.testing.assert_array_equal(again.inside, whole.inside)
    np.testing.assert_array_equal(again.outside, whole.outside)
    with pytest.raises(ParameterError, match="another simulation"):
        drain(simulate_work(tissue, short, spins=100, seed=5, parts=parts))
    forget_parts(parts)
    assert not parts.exists()


def test_walks_of_a_coarse_grid_are_met_and_the_limit_is_kept_between() -> None:
    walked = small_phases()
    met = interpolated_outside(walked, walked.tissue)
    np.testing.assert_allclose(met, walked.outside, rtol=1e-5)
    coarse = Tissue(np.array([2.0, 6.0]), np.array([0.3, 0.8]))
    limit = np.stack(
        [[homogenised_phases(f, HCP_MGH, coarse.diffusivity, 64) for f in coarse.densities]] * 2
    )
    held = Phases(coarse, HCP_MGH, np.zeros((2, 64), np.float32), limit, 1000, 0)
    fine = interpolated_outside(held, Tissue(np.array([0.4, 3.0]), np.array([0.55])))
    expected = homogenised_phases(0.55, HCP_MGH, coarse.diffusivity, 64)
    np.testing.assert_allclose(fine[:, 0], np.stack([expected] * 2), rtol=1e-5)
    with pytest.raises(ParameterError, match="beyond"):
        interpolated_outside(held, Tissue(np.array([7.0]), np.array([0.5])))
