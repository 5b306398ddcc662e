"""Decompositions without a network: whatever the pursuit, the parts add to the study's values."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import imageio.v3 as iio
import nibabel as nib
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from napari_sparseexplain.cli import app
from napari_sparseexplain.errors import ReadError, SparseExplainError
from napari_sparseexplain.evidence.store import load_explanation
from napari_sparseexplain.explanation.components.image_pursuit import decompose_study
from napari_sparseexplain.progress import drain
from napari_sparseexplain.sparse.dictionary_file import read_dictionary
from napari_sparseexplain.sparse.slice_pursuit import METHODS, PursuitSettings
from napari_sparseexplain.volumes import Study, open_study


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two modalities, oblique and with axes flipped, in units far from 1."""
    rng = np.random.default_rng(0)
    place = np.stack(np.meshgrid(*(np.arange(n) for n in (24, 22, 3)), indexing="ij"))
    blob = 900 * np.exp(-((place[0] - 12) ** 2 + (place[1] - 10) ** 2) / 40)
    affine = np.diag([-1.0, 1.1, 5.0, 1.0])
    made = tmp_path / "case"
    made.mkdir()
    for role, sign in (("t1", 1.0), ("flair", 0.4)):
        data = (sign * blob + rng.normal(0, 5, blob.shape)).astype(np.float32)
        nib.save(nib.Nifti1Image(data, affine), made / f"case_{role}.nii.gz")
    return made


@pytest.fixture
def study(folder: Path) -> Study:
    return open_study(folder)


def settings(method: str, **changes) -> PursuitSettings:
    return PursuitSettings(
        **({"method": method, "width": 5, "atoms": 6, "iterations": 6} | changes)
    )


@pytest.mark.parametrize("method", METHODS)
def test_reconstruction_and_residual_add_to_the_values_of_the_file(study, method):
    found = drain(decompose_study(study, settings(method), slices=slice(1, 3))).explanation
    assert found.slices == slice(1, 3)
    for role in ("t1", "flair"):
        whole = found[f"reconstruction-{role}"].data + found[f"residual-{role}"].data
        true = study[role].spatial()[1:3]
        np.testing.assert_allclose(whole, true, rtol=0, atol=1e-3)
        share = np.linalg.norm(found[f"residual-{role}"].data) / np.linalg.norm(true)
        assert found.scores[f"residual {role}"] == pytest.approx(share, rel=1e-4)
        assert share < 1
    assert (found["codes-t1"].data >= 0).all()
    assert found["codes-t1"].data.any()


def test_classes_without_a_network_add_to_the_reconstruction(study):
    found = drain(decompose_study(study, settings("jf-ml-ista"), slices=slice(1, 2))).explanation
    parts = found["smooth-t1"].data + found["edges-t1"].data
    np.testing.assert_allclose(parts, found["reconstruction-t1"].data, rtol=0, atol=1e-3)
    # A blob, wide beside the atoms, is smooth.
    assert np.square(found["smooth-t1"].data).sum() > np.square(found["edges-t1"].data).sum()


@pytest.mark.parametrize("method", ["ista", "fista", "admm"])
def test_all_solvers_of_one_problem_end_at_one_objective_which_they_certify(study, method):
    # Circular borders (admm) and zero ones are not one problem: compare within each.
    given = settings(method, iterations=3000, tolerance=1e-3, sparsity=0.2)
    found = drain(decompose_study(study, given, slices=slice(1, 2)))
    assert found.explanation.scores["largest certified gap"] <= 1e-3
    assert not found.explanation.notes
    if method != "admm":
        other = drain(
            decompose_study(
                study,
                settings("fista", iterations=3000, tolerance=1e-4, sparsity=0.2),
                slices=slice(1, 2),
            )
        )
        assert found.explanation.scores["objective"] == pytest.approx(
            other.explanation.scores["objective"], rel=2e-3
        )


def test_stopping_early_is_said(study):
    found = drain(decompose_study(study, settings("fista", iterations=1), slices=slice(0, 1)))
    assert "more iterations" in found.explanation.notes[0]


def test_a_dictionary_for_both_modalities_codes_them_together(study):
    phi = torch.randn(4, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    found = drain(decompose_study(study, settings("fista"), slices=slice(1, 2), dictionary=[phi]))
    names = [m.name for m in found.explanation.maps]
    assert "codes" in names
    assert "codes-t1" not in names
    assert list(found.traces) == ["flair+t1 1"] or list(found.traces) == ["t1+flair 1"]


def test_a_learned_dictionary_leaves_less_than_as_many_random_atoms(study):
    given = settings("fista", iterations=40, learn=True, sparsity=0.1)
    learned = drain(decompose_study(study, given, slices=slice(0, 3)))
    assert learned.dictionary["phi"].shape == (6, 2, 5, 5)
    generator = torch.Generator().manual_seed(0)
    phi = torch.randn(6, 2, 5, 5, generator=generator)
    phi = phi / phi.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    random = drain(
        decompose_study(
            study,
            settings("fista", iterations=40, sparsity=0.1),
            slices=slice(0, 3),
            dictionary=[phi],
        )
    )
    for role in ("t1", "flair"):
        mine = learned.explanation.scores[f"residual {role}"]
        assert mine < random.explanation.scores[f"residual {role}"]


def test_progress_names_the_slice_and_cancelling_stops(study):
    work = decompose_study(study, settings("fista"), slices=slice(0, 3))
    said = [next(work) for _ in range(5)]
    assert any("0:" in step.message for step in said)
    assert said[-1].total == 6
    work.close()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": "magic"}, "fista"),
        ({"sparsity": 0.0}, "sparsity"),
        ({"sparsity": float("nan")}, "sparsity"),
        ({"filters": "wavelet"}, "cosine"),
        ({"width": 4}, "wide"),
        ({"atoms": 1000}, "there are no"),
        ({"method": "jf-ml-ista", "learn": True}, "smooth"),
    ],
)
def test_what_cannot_be_decomposed_is_refused(study, changes, said):
    with pytest.raises(SparseExplainError, match=said):
        drain(
            decompose_study(study, settings(**({"method": "fista"} | changes)), slices=slice(0, 1))
        )


@pytest.mark.parametrize(
    ("method", "shapes", "said"),
    [
        ("fista", [(3, 3, 5, 5)], "3 modalities and there are 2"),
        ("admm", [(3, 2, 5, 5)], "own"),
        ("fista", [(3, 1, 5, 5), (2, 3, 3, 3)], "ml-ista"),
    ],
)
def test_a_dictionary_that_does_not_fit_is_refused(study, method, shapes, said):
    dictionary = [torch.rand(s) for s in shapes]
    with pytest.raises(SparseExplainError, match=said):
        drain(decompose_study(study, settings(method), slices=slice(0, 1), dictionary=dictionary))


def test_a_dictionary_file_is_read_as_it_was_written_and_others_are_refused(tmp_path):
    phi, deep = np.random.default_rng(0).random((2, 4, 1, 3, 3)).astype(np.float32)
    deep = np.repeat(deep, 4, axis=1)
    np.savez(tmp_path / "a.npz", phi=phi, layer_1=deep)
    found = read_dictionary(tmp_path / "a.npz")
    assert [np.array_equal(a.numpy(), b) for a, b in zip(found, (phi, deep), strict=True)]
    np.savez(tmp_path / "flat.npz", phi=phi[:, 0])
    assert read_dictionary(tmp_path / "flat.npz")[0].shape == (4, 1, 3, 3)
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "other.npz", filters=phi)
    np.savez(tmp_path / "even.npz", phi=phi[..., :2, :2])
    np.savez(tmp_path / "objects.npz", phi=np.array([{"a": 1}], dtype=object))
    for name in ("missing", "text", "other", "even", "objects"):
        with pytest.raises(ReadError, match=name):
            read_dictionary(tmp_path / f"{name}.npz")


def test_the_command_writes_everything_on_the_grid_of_the_input(folder, tmp_path):
    out = tmp_path / "out"
    done = CliRunner().invoke(
        app,
        [
            *("decompose", str(folder), "--method", "admm", "--slice", "1", "--width", "5"),
            *("--iterations", "20", "--out", str(out)),
        ],
    )
    assert done.exit_code == 0, done.output
    for word in ("objective", "residual t1", "nonzero codes"):
        assert word in done.output
    like = nib.load(folder / "case_t1.nii.gz")
    for name in ("reconstruction-t1", "residual-flair", "codes-t1"):
        image = nib.load(out / f"admm_{name}.nii.gz")
        assert image.shape == like.shape
        np.testing.assert_allclose(image.affine, like.affine)
    saved = load_explanation(out)
    assert saved.provenance.parameters["method"] == "admm"
    assert set(saved.provenance.inputs) == {"t1", "flair"}
    with (out / "admm_trace.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["image"] for row in rows} == {"t1 1", "flair 1"}
    assert int(rows[-1]["iteration"]) == 20
    assert len(json.loads((out / "admm_codes.json").read_text())) == 2 * 25
    again = CliRunner().invoke(
        app,
        [
            *("decompose", str(folder), "--slice", "1", "--iterations", "3", "--width", "5"),
            *("--dictionary", str(out / "admm_dictionary.npz"), "--out", str(out)),
        ],
    )
    assert again.exit_code == 0, again.output
    assert (out / "fista_trace.csv").is_file()


def test_a_picture_gets_pictures(tmp_path):
    plane = np.zeros((20, 26), np.uint8)
    plane[6:14, 5:20] = 200
    iio.imwrite(tmp_path / "square.png", plane)
    out = tmp_path / "out"
    done = CliRunner().invoke(
        app,
        [
            *("decompose", str(tmp_path / "square.png"), "--width", "5", "--lambda", "0.01"),
            *("--iterations", "200", "--out", str(out)),
        ],
    )
    assert done.exit_code == 0, done.output
    painted = iio.imread(out / "fista_reconstruction-scan-1.png")
    rest = iio.imread(out / "fista_residual-scan-1.png")
    assert painted.shape == plane.shape
    assert painted.dtype == np.uint8
    assert np.abs(painted.astype(int) - plane).max() < 40
    whole = painted.astype(int) + rest.astype(int) - 128
    inside = (painted > 0) & (painted < 255)
    assert np.abs(whole - plane)[inside].max() <= 1
