"""Why a voxel of a simulated crossing was given its values."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.explanation.microstructure.voxel_explanation import (
    VoxelExplanation,
    explain_voxel_of,
    voxel_explanation,
    voxel_work,
)
from napari_sparseexplain.layers.fibre_directions import fibre_lines
from napari_sparseexplain.microstructure.search.free_water import free_water_signal
from napari_sparseexplain.microstructure.search.nnls import nnls_weights
from napari_sparseexplain.microstructure.simulated_voxels import simulated_voxels
from napari_sparseexplain.microstructure.walks.phases_file import save_phases
from napari_sparseexplain.progress import drain

from ..microstructure.small_dictionary import small_dictionary, small_phases, small_protocol
from .test_fingerprint import SIGMA, write_scan

#: A voxel of the crossing and one of a single bundle, in slice 1.
CROSSED, ALONE = (1, 4, 4), (1, 4, 0)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The parameters of the run."""
    folder = tmp_path_factory.mktemp("voxel")
    save_phases(small_phases(), folder / "small.npz")
    return {
        "small_delta": 12.9, "big_delta": 21.8, "sigma": SIGMA,
        "dictionary": str(folder / "small.npz"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("scan") / "scan"
    write_scan(folder)
    return se.open_study(folder)


@pytest.fixture(scope="module")
def result(study: Any, given: dict[str, Any]) -> Any:
    return se.explain(study, None, "fingerprint", slices=1, **given)


@pytest.fixture(scope="module", params=[CROSSED, ALONE], ids=["crossed", "alone"])
def found(request: pytest.FixtureRequest, result: Any, study: Any) -> VoxelExplanation:
    return explain_voxel_of(result, study, request.param)


def at(result: Any, name: str, index: tuple[int, ...]) -> float:
    return float(np.asarray(result[name].data)[0, index[1], index[2]])


def test_it_is_what_the_maps_say(found: VoxelExplanation, result: Any) -> None:
    assert found.populations == at(result, "populations", found.index)
    for k in range(found.populations):
        for n, name in enumerate(("share", "radius", "density")):
            for values, end in ((found.mean, ""), (found.sd, "-sd")):
                expected = at(result, f"{name}-{k + 1}{end}", found.index)
                assert values[k, n] == pytest.approx(expected, abs=1e-4, nan_ok=True)
    assert found.entropy == pytest.approx(at(result, "entropy", found.index), abs=1e-4)
    assert found.misfit == pytest.approx(at(result, "misfit", found.index), abs=1e-4)
    for shell in found.table.shells:
        rms = np.sqrt((found.residuals[shell.rows] ** 2).mean())
        assert rms == pytest.approx(at(result, f"misfit-b{shell.b:.0f}", found.index), abs=1e-4)


def test_the_posterior_sums_to_one_and_has_the_maps_mean(found: VoxelExplanation) -> None:
    atoms = small_dictionary().tissue.atoms
    np.testing.assert_allclose(found.posterior.atoms.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(found.posterior.atoms @ atoms, found.mean[:, 1:], atol=1e-9)
    spread = found.posterior.atoms @ atoms**2 - (found.posterior.atoms @ atoms) ** 2
    np.testing.assert_allclose(np.sqrt(spread), found.sd[:, 1:], atol=1e-6)
    assert found.posterior.share.sum() == pytest.approx(1.0, abs=1e-12)
    middles = (np.arange(len(found.posterior.share)) + 0.5) / len(found.posterior.share)
    assert middles @ found.posterior.share == pytest.approx(found.mean[0, 0], abs=0.011)


def test_the_best_pairs_are_told_best_first(found: VoxelExplanation) -> None:
    best = found.posterior.best
    assert best[0].worse == pytest.approx(0.0, abs=1e-6)
    assert all(pair.worse >= 0 for pair in best)
    chances = [pair.chance for pair in best]
    assert chances == sorted(chances, reverse=True)
    assert 0 < sum(chances) <= 1 + 1e-12
    if found.populations == 2:  # the atoms that the fit is made of
        dictionary, table = small_dictionary(), small_protocol()
        fitted = sum(
            weight * dictionary.basis(table, way) @ dictionary.atoms[:, atom]
            for weight, way, atom in zip(
                best[0].weights, found.directions, best[0].atoms, strict=True
            )
        )
        np.testing.assert_allclose(found.fitted, fitted, rtol=1e-5)


def test_all_atoms_together_fit_no_worse_than_the_best_pair(found: VoxelExplanation) -> None:
    dictionary, table = small_dictionary(), small_protocol()
    bases = np.stack([dictionary.basis(table, way) for way in found.directions])
    expected = nnls_weights(found.measured[None], bases[None], dictionary.atoms)[0]
    np.testing.assert_allclose(found.weights, expected, rtol=1e-3)
    signal = np.einsum("kmr,rn,kn->m", bases, dictionary.atoms, found.weights)
    rest = ((found.measured - signal) ** 2).sum()
    assert rest <= (found.residuals**2).sum() * found.sigma**2 * (1 + 1e-9)
    assert (found.weights > 0).sum() < 12, "few of them have a weight"


def test_what_each_shell_told_adds_up(found: VoxelExplanation) -> None:
    shells = found.shells
    total = shells.prior + shells.values.sum(axis=1)
    assert abs(total - shells.whole).max() < 1e-10
    np.testing.assert_allclose(shells.whole[0], found.mean, atol=1e-9)
    assert shells.without.shape == (1, 3, found.populations, 3)


def test_alone_and_from_a_result_without_directions_it_is_the_same(
    found: VoxelExplanation, result: Any, study: Any, given: dict[str, Any]
) -> None:
    alone = drain(voxel_work(study, found.index, **given))
    np.testing.assert_allclose(alone.directions, found.directions, atol=1e-6)
    np.testing.assert_allclose(alone.mean, found.mean, atol=1e-5)
    kept = tuple(item for item in result.maps if not item.name.startswith("direction"))
    former = explain_voxel_of(replace(result, maps=kept), study, found.index)
    np.testing.assert_allclose(former.directions, alone.directions, atol=1e-9)


def test_all_numbers_go_into_json(found: VoxelExplanation) -> None:
    said = json.loads(json.dumps(found.numbers(), allow_nan=False))
    assert said["voxel"] == list(found.index)
    assert len(said["populations"]) == found.populations
    assert said["shells"]["b"] == [1000.0, 3000.0, 6000.0]
    assert len(said["measurements"]["residual"]) == len(small_protocol())
    first = said["populations"][0]
    assert first["mean"]["radius"] == pytest.approx(found.mean[0, 1])
    assert (first["sd"]["share"] is None) == (found.populations == 1)
    weights = [atom["weight"] for atom in first["atoms"]]
    assert weights == sorted(weights, reverse=True)


@pytest.mark.parametrize("index", [(1, 0, 0), (0, 4, 4), (1, 40, 4)])
def test_where_nothing_was_compared_it_is_said(
    index: tuple[int, int, int], result: Any, study: Any
) -> None:
    with pytest.raises(SparseExplainError, match=r"was not compared|has no voxel"):
        explain_voxel_of(result, study, index)


def test_a_population_that_is_not_there_is_told_as_absent() -> None:
    dictionary, table = small_dictionary(), small_protocol()
    voxels = simulated_voxels(dictionary, table, 1, snr=50, seed=4)
    first, second = voxels.directions[0]
    signal = dictionary.basis(table, first) @ dictionary.atoms[:, 20]
    found = voxel_explanation(dictionary, table, signal, [first, second], voxels.sigma)
    assert found.posterior.absent[1] > 0.05
    assert found.mean[0, 0] > 0.9
    alone = [pair for pair in found.posterior.best if pair.atoms[1] == -1]
    assert sum(pair.chance for pair in alone) <= found.posterior.absent[1] + 1e-12
    assert len({pair.atoms for pair in found.posterior.best}) == len(found.posterior.best)


def test_two_populations_wherever_there_is_a_second_peak(
    study: Any, result: Any, given: dict[str, Any]
) -> None:
    both = se.explain(study, None, "fingerprint", slices=1, populations=2, **given)
    before, after = (np.asarray(r["populations"].data)[0] for r in (result, both))
    assert (after >= before).all()
    assert (after[before == 1] == 2).mean() > 0.5
    assert ((after > 0) == (before > 0)).all()
    # One that is not there gets little weight.
    shares = np.asarray(both["share-1"].data)[0][(before == 1) & (after == 2)]
    assert np.median(np.maximum(shares, 1 - shares)) > 0.9


def test_fibre_lines_are_as_long_as_the_share_and_coloured_by_direction(
    result: Any, study: Any
) -> None:
    lines = fibre_lines(result, study.grid)
    assert len(lines) == np.asarray(result["populations"].data).sum()
    assert (lines.centres[:, 0] == 1).all(), "the slice that was run"
    (alone,) = np.flatnonzero((lines.centres == ALONE).all(axis=1))
    np.testing.assert_allclose(lines.colours[alone], (1, 0, 0, 1), atol=0.2)
    both = np.flatnonzero((lines.centres == CROSSED).all(axis=1))
    length = 2 * np.linalg.norm(lines.halves * study.grid.spacing, axis=1)
    assert length[both].sum() == pytest.approx(length[alone], rel=1e-5), "ν adds up to 1"
    assert length[both[0]] / length[alone] == pytest.approx(at(result, "share-1", CROSSED))
    assert len(lines.on_slice(0, 0)) == 0
    across = lines.on_slice(1, 4)
    assert len(across) == (lines.centres[:, 1] == 4).sum() > 0


def test_a_wet_voxel_is_explained_as_it_was_compared() -> None:
    """Posterior and shells are of the same search as the map: beside the water."""
    dictionary, table = small_dictionary(), small_protocol()
    made = simulated_voxels(dictionary, table, 3, snr=60, seed=8)
    water = free_water_signal(table, dictionary.timings)
    y = 0.7 * made.signals + 0.3 * water
    for p in range(3):
        found = voxel_explanation(
            dictionary, table, y[p], made.directions[p], made.sigma, water=True
        )
        assert found.water == pytest.approx(0.3, abs=0.08)
        atoms = dictionary.tissue.atoms
        np.testing.assert_allclose(found.posterior.atoms @ atoms, found.mean[:, 1:], atol=1e-9)
        np.testing.assert_allclose(found.shells.whole[0], found.mean, atol=1e-9)
        assert found.misfit < 1.3
        dry = voxel_explanation(dictionary, table, y[p], made.directions[p], made.sigma)
        assert dry.water == 0
        assert dry.misfit > found.misfit


def test_another_protocol_than_the_results_is_not_explained(
    result: Any, tmp_path: Path, given: dict[str, Any]
) -> None:
    write_scan(tmp_path / "scan")
    file = tmp_path / "scan" / "dwi.bvec"
    vectors = np.loadtxt(file)
    np.savetxt(file, vectors[[1, 0, 2]], fmt="%.7f")
    with pytest.raises(SparseExplainError, match="gradients are not those of the result"):
        explain_voxel_of(result, se.open_study(tmp_path / "scan"), CROSSED)
