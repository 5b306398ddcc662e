"""Three populations in the maps, the voxel's explanation and the lines of a crossing phantom."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import ParameterError
from napari_sparseexplain.explanation.catalogue import explain_work
from napari_sparseexplain.explanation.microstructure.voxel_explanation import explain_voxel_of
from napari_sparseexplain.layers.fibre_directions import fibre_lines
from napari_sparseexplain.layers.plots.plot_theme import LIGHT, themed_figure
from napari_sparseexplain.layers.plots.voxel_plot import SIZE, draw_voxel
from napari_sparseexplain.microstructure.crossing_phantom import (
    crossing_phantom,
    write_crossing_phantom,
)
from napari_sparseexplain.microstructure.search.comparison import chosen_populations
from napari_sparseexplain.microstructure.search.three_populations import exhaustive_triples
from napari_sparseexplain.microstructure.search.triple_posterior import triple_posterior
from napari_sparseexplain.microstructure.walks.phases_file import save_phases

from ..command_line import run
from ..microstructure.small_dictionary import small_dictionary, small_phases, small_protocol

#: Where a third bundle passes, upwards, and its atom.
PLACE, ATOM = (1, 4, 4), 17


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The crossing phantom with one voxel of three bundles; and a dictionary."""
    folder = tmp_path_factory.mktemp("three")
    dictionary, table = small_dictionary(), small_protocol()
    made = crossing_phantom(dictionary, table, shape=(2, 9, 9), snr=80, seed=1)
    third = dictionary.basis(table, (1.0, 0.0, 0.0)) @ dictionary.atoms[:, ATOM]
    signals = made.signals.copy()
    noise = np.random.default_rng(4).normal(0, 0.75 * made.sigma, len(table))
    signals[PLACE] = 0.66 * signals[PLACE] + 0.34 * 1000 * third + noise
    write_crossing_phantom(replace(made, signals=signals), folder / "scan")
    save_phases(small_phases(), folder / "small.npz")
    (folder / "sigma").write_text(f"{made.sigma}", encoding="utf-8")
    return folder


def values_for(phantom: Path, **more: Any) -> dict[str, Any]:
    sigma = float((phantom / "sigma").read_text(encoding="utf-8"))
    return {"dictionary": str(phantom / "small.npz"), "sigma": sigma, "device": "cpu", **more}


@pytest.fixture(scope="module")
def steps() -> list[str]:
    """What the run said while it ran."""
    return []


@pytest.fixture(scope="module")
def explained(phantom: Path, steps: list[str]) -> Any:
    study = se.open_study(phantom / "scan")
    work = explain_work(study, None, "fingerprint", slices=1, **values_for(phantom, populations=3))
    while True:
        try:
            steps.append(next(work).message)
        except StopIteration as done:
            return done.value


def at(explained: Any, name: str) -> float:
    return float(np.asarray(explained[name].data)[(0, *PLACE[1:])])


def test_the_third_population_has_maps_of_its_own(explained: Any) -> None:
    assert at(explained, "populations") == 3
    assert explained["populations"].classes[3] == "Three populations"
    assert explained.scores["voxels with three populations"] >= 1
    shares = [at(explained, f"share-{k}") for k in (1, 2, 3)]
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    ways = [[at(explained, f"direction-{k}-{axis}") for axis in "spl"] for k in (1, 2, 3)]
    np.testing.assert_allclose(np.linalg.norm(ways, axis=1), 1, atol=1e-5)
    up = int(np.abs(np.array(ways)[:, 0]).argmax())
    assert abs(ways[up][0]) > np.cos(np.radians(6)), "the third bundle runs upwards"
    assert abs(shares[up] - 0.34) < 3 * at(explained, f"share-{up + 1}-sd") + 0.02
    r, f = small_dictionary().tissue.atoms[ATOM]
    for name, truth in (("radius", r), ("density", f)):
        mean, sd = at(explained, f"{name}-{up + 1}"), at(explained, f"{name}-{up + 1}-sd")
        assert abs(mean - truth) < 3 * sd + 0.02
    assert 0.7 < at(explained, "misfit") < 1.3
    count = np.asarray(explained["populations"].data)
    assert np.isnan(np.asarray(explained["radius-3"].data)[count < 3]).all()


def test_how_long_it_takes_is_said_before(explained: Any, steps: list[str]) -> None:
    (said,) = [n for n, words in enumerate(steps) if "s each" in words and "in all" in words]
    assert said < steps.index("Comparing voxels")
    assert steps[-1].startswith("Comparing voxels of three populations, about")


def test_lines_show_the_third(explained: Any) -> None:
    study_grid = explained.grid
    lines = fibre_lines(explained, study_grid)
    here = (np.abs(lines.vectors[:, 0] - np.array(PLACE)) < 0.5).all(axis=1)
    assert here.sum() == 3


def test_a_click_tells_all_three(phantom: Path, explained: Any) -> None:
    found = explain_voxel_of(explained, se.open_study(phantom / "scan"), PLACE)
    assert found.populations == 3
    np.testing.assert_allclose(
        found.mean[:, 0], [at(explained, f"share-{k}") for k in (1, 2, 3)], atol=1e-3
    )
    assert found.misfit == pytest.approx(at(explained, "misfit"), abs=1e-3)
    told = found.shells.prior + found.shells.values.sum(axis=1)
    np.testing.assert_allclose(told, found.shells.whole, atol=1e-10)
    np.testing.assert_allclose(found.shells.whole[0], found.mean, atol=1e-10)
    assert len(json.loads(json.dumps(found.numbers()))["best_pairs"][0]["atoms"]) == 3
    figure = themed_figure(LIGHT, size=SIZE)
    draw_voxel(figure, found, LIGHT)
    said = [text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text"))]
    for words in ("Population 3", "|u₃ · g|", "Most likely triples", "ν 3"):
        assert words in said


def test_the_command_takes_three(phantom: Path, tmp_path: Path) -> None:
    given = [f"{name}={value}" for name, value in values_for(phantom, populations=3).items()
             if name != "device"]  # fmt: skip
    sets = [word for one in given for word in ("--set", one)]
    done = run(
        "explain", str(phantom / "scan"), "--method", "fingerprint", "--slices", "1:2",
        "--device", "cpu", "--out", str(tmp_path), *sets,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "voxels with three populations" in done.stdout
    with pytest.raises(ParameterError, match="between 0 and 2"):
        se.explain(se.open_study(phantom / "scan"), None, "hybrid-microstructure", populations=3)


@pytest.fixture(scope="module")
def voxel() -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Signal of two bundles, a little less than theirs; bases; atoms of a coarse dictionary; σ."""
    dictionary, table = small_dictionary(), small_protocol()
    atoms = dictionary.atoms[:, ::6]
    bases = np.stack([dictionary.basis(table, way) for way in np.eye(3)])
    clean = sum(
        s * bases[k] @ atoms[:, n] for k, (s, n) in enumerate(((0.5, 2), (0.45, 6), (-0.02, 4)))
    )
    sigma = 0.01
    return clean + np.random.default_rng(3).normal(0, sigma, clean.shape), bases, atoms, sigma


def test_the_posterior_is_that_of_all_triples(voxel: Any) -> None:
    """Against non-negative least squares of every triple, one after the other."""
    from scipy.optimize import nnls

    y, bases, atoms, sigma = voxel
    each, count = bases @ atoms, atoms.shape[1]
    known = small_dictionary().tissue.atoms[::6]
    index = np.array(np.meshgrid(*[np.arange(count)] * 3, indexing="ij")).reshape(3, -1).T
    solved = [nnls(np.stack([each[k][:, n] for k, n in enumerate(row)], 1), y) for row in index]
    weights = np.array([one[0] for one in solved])
    rest = np.array([one[1] ** 2 for one in solved])
    chance = np.exp(-(rest - rest.min()) / (2 * sigma**2))
    chance /= chance.sum()
    found = exhaustive_triples(y[None], bases[None], atoms, known, sigma)
    told = triple_posterior(y, bases, atoms, sigma)
    nu = weights / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.mean[0, :, 0], chance @ nu, atol=1e-5)
    spread = np.sqrt(chance @ (nu - chance @ nu) ** 2)
    np.testing.assert_allclose(found.sd[0, :, 0], spread, atol=1e-5)
    for k in range(3):
        there = chance * (weights[:, k] > 0)
        by_atom = np.bincount(index[:, k], weights=there, minlength=count)
        assert told.absent[k] == pytest.approx(1 - by_atom.sum(), abs=1e-5)
        by_atom /= by_atom.sum()
        np.testing.assert_allclose(told.atoms[k], by_atom, atol=1e-5)
        np.testing.assert_allclose(found.mean[0, k, 1:], by_atom @ known, atol=1e-4)
    assert told.absent[2] > 0.05, "the third one may be absent"
    bits = -(chance * np.log2(np.maximum(chance, 1e-300))).sum()
    assert found.entropy[0] == pytest.approx(bits, abs=1e-4)
    counted, _ = np.histogram(nu[:, 0], bins=len(told.share), range=(0, 1), weights=chance)
    np.testing.assert_allclose(np.cumsum(told.share), np.cumsum(counted), atol=1e-5)
    keys: dict[tuple[int, ...], float] = {}
    for row, w, one in zip(index, weights, chance, strict=True):
        key = tuple(int(n) if part > 0 else -1 for n, part in zip(row, w, strict=True))
        keys[key] = keys.get(key, 0.0) + float(one)
    expected = sorted(keys.items(), key=lambda item: -item[1])[:5]
    assert [pair.atoms for pair in told.best] == [key for key, _ in expected]
    np.testing.assert_allclose(
        [pair.chance for pair in told.best], [one for _, one in expected], atol=1e-5
    )
    assert min(pair.worse for pair in told.best) >= -1e-6


def test_the_criterion_leaves_out_what_is_not_there() -> None:
    dictionary, table = small_dictionary(), small_protocol()
    bases = np.stack([dictionary.basis(table, way) for way in np.eye(3)])
    parts = [bases[k] @ dictionary.atoms[:, n] for k, n in enumerate((9, 30, 44))]
    y = np.array([parts[1], 0.5 * parts[0] + 0.5 * parts[2], sum(parts) / 3])
    y = y + np.random.default_rng(2).normal(0, 0.004, y.shape)
    ways = np.repeat(np.eye(3)[None], 3, axis=0)
    count, turned = chosen_populations(dictionary, table, y, ways, 0.004, refine=False)
    assert count.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(turned[0, 0], ways[0, 1])
    np.testing.assert_array_equal(turned[1, :2], ways[1, [0, 2]])


def test_errors_are_as_large_as_is_told() -> None:
    """Of voxels drawn from the prior the posterior's standard deviation is that of its errors."""
    dictionary, table, count = small_dictionary(), small_protocol(), 200
    known, rng = dictionary.tissue.atoms, np.random.default_rng(5)
    bases = np.stack([dictionary.basis(table, way) for way in np.eye(3)])
    atoms = rng.integers(0, len(known), (count, 3))
    share = rng.dirichlet([3, 3, 3], count)
    sigma = 0.44 / 50
    clean = np.einsum("kmr,rpk,pk->pm", bases, dictionary.atoms[:, atoms], share)
    y = clean + rng.normal(0, sigma, clean.shape)
    found = exhaustive_triples(
        y, np.repeat(bases[None], count, axis=0), dictionary.atoms, known, sigma
    )
    truth = np.concatenate([share[..., None], known[atoms]], axis=-1)
    errors = found.mean - truth
    told = np.sqrt(np.nanmean((errors / np.maximum(found.sd, 1e-3)) ** 2, axis=(0, 1)))
    print("errors over sd", told, "mean absolute errors", np.nanmean(abs(errors), axis=(0, 1)))
    assert (abs(told - 1) < 0.15).all()
