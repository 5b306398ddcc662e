"""Fingerprinting of a simulated crossing, from files to maps."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.explanation.microstructure.shipped_dictionary import phases_of
from napari_sparseexplain.microstructure.gradient_table import GradientTable
from napari_sparseexplain.microstructure.walks.phases_file import save_phases

from ..microstructure.small_dictionary import small_dictionary, small_phases, small_protocol

SIGMA = 1000 * np.exp(-57 / 70) / 60

#: One population runs along the columns, the other along the rows; they cross in the middle.
SIDE, BAND = 9, slice(3, 7)
ATOMS = ((2, 4), (5, 1))


def write_scan(folder: Path, table: GradientTable | None = None, *, name: str = "dwi") -> None:
    """Two slices of a crossing as FSL files, without timings."""
    table = small_protocol() if table is None else table
    dictionary = small_dictionary()
    known = [r * len(dictionary.tissue.densities) + f for r, f in ATOMS]
    ways = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    parts = [
        dictionary.basis(small_protocol(), way) @ dictionary.atoms[:, k]
        for way, k in zip(ways, known, strict=True)
    ]
    share = np.zeros((2, SIDE, SIDE, 2))
    share[:, BAND, :, 0] = 1
    share[:, :, BAND, 1] = 1
    share /= np.maximum(share.sum(axis=-1, keepdims=True), 1)
    clean = share @ np.stack(parts)
    noise = np.random.default_rng(0).normal(0, SIGMA, (2, *clean.shape))
    signals = np.hypot(1000 * clean + noise[0], noise[1])[..., : len(table)]
    folder.mkdir(exist_ok=True)
    # Axes of the file: left, posterior, superior; its determinant is positive, so x is flipped.
    affine = np.diag([-2.0, -2.0, 2.0, 1.0])
    image = nib.Nifti1Image(signals.transpose(2, 1, 0, 3).astype(np.float32), affine)
    nib.save(image, folder / f"{name}.nii.gz")
    vectors = table.directions[:, ::-1] * (-1, 1, 1)
    np.savetxt(folder / f"{name}.bvec", vectors.T, fmt="%.7f")
    np.savetxt(folder / f"{name}.bval", table.b[None], fmt="%g")


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crossing")
    write_scan(folder / "scan")
    save_phases(small_phases(), folder / "small.npz")
    return folder


@pytest.fixture(scope="module")
def explained(crossing: Path) -> Any:
    return se.explain(
        se.open_study(crossing / "scan"),
        None,
        "fingerprint",
        small_delta=12.9,
        big_delta=21.8,
        dictionary=str(crossing / "small.npz"),
        sigma=SIGMA,
        slices=1,
    )


def test_the_populations_and_their_tissue_are_found(explained: Any) -> None:
    populations = np.asarray(explained["populations"].data)[0]
    assert (populations[BAND, BAND] == 2).all()
    one = np.zeros((SIDE, SIDE), dtype=bool)
    one[BAND, :3] = one[BAND, 7:] = True
    assert (populations[one] == 1).mean() > 0.9
    assert (populations[:3, :3] == 0).all(), "nothing is compared in the background"
    dictionary = small_dictionary().tissue
    radius, density = (np.asarray(explained[f"{name}-1"].data)[0] for name in ("radius", "density"))
    truth = [(dictionary.radii[r], dictionary.densities[f]) for r, f in ATOMS]
    alone = one & (populations == 1)
    for values, name, expected in (
        (radius, "radius", truth[0][0]),
        (density, "density", truth[0][1]),
    ):
        spread = np.nanmedian(np.asarray(explained[f"{name}-1-sd"].data)[0][alone])
        assert abs(np.nanmean(values[alone]) - expected) < spread + 0.01
    crossed = np.zeros((SIDE, SIDE), dtype=bool)
    crossed[BAND, BAND] = True
    found = sorted(
        np.nanmean(np.asarray(explained[f"radius-{k}"].data)[0][crossed]) for k in (1, 2)
    )
    assert truth[0][0] - 0.8 < found[0] < found[1] < truth[1][0] + 0.8
    share = np.asarray(explained["share-1"].data)[0]
    assert abs(np.nanmean(share[crossed]) - 0.5) < 0.1
    np.testing.assert_allclose(share[one & (populations == 1)], 1.0)


def test_uncertainty_and_misfit_are_those_of_the_noise(explained: Any) -> None:
    populations = np.asarray(explained["populations"].data)[0]
    misfit = np.asarray(explained["misfit"].data)[0]
    assert np.isnan(misfit[populations == 0]).all()
    assert 0.85 < np.nanmedian(misfit) < 1.15, "what is left is the noise"
    assert set(explained.scores) == {"voxels", "voxels with two populations", "median misfit"}
    for shell in (1000, 3000, 6000):
        assert np.isfinite(np.asarray(explained[f"misfit-b{shell}"].data)[0][populations > 0]).all()
    spread = np.asarray(explained["radius-1-sd"].data)[0]
    assert np.nanmedian(spread[populations == 2]) > np.nanmedian(spread[populations == 1])


def test_what_must_be_known_is_said(explained: Any, crossing: Path) -> None:
    said = " ".join(explained.notes)
    for words in ("axons alone", "10000 spins", "spherical deconvolution", "eddy currents"):
        assert words in said
    said = explained.provenance.parameters
    assert said["small_delta"] == 12.9
    file = (crossing / "small.npz").read_bytes()
    assert said["dictionary_sha256"] == hashlib.sha256(file).hexdigest()
    assert said["gradients_checksum"]
    assert (said["corrected"], said["denoise"]) == ("not known", False)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "does not tell δ and Δ"),
        ({"small_delta": 20.0, "big_delta": 40.0}, "δ = 20 ms"),
        ({"small_delta": 12.9}, "belong together|both"),
        ({"scan": "t1"}, "there is no scan 't1'"),
        ({"dictionary": "nowhere.npz"}, "nowhere.npz"),
    ],
)
def test_what_is_missing_is_one_sentence(crossing: Path, values: dict[str, Any], said: str) -> None:
    study = se.open_study(crossing / "scan")
    given = {"dictionary": str(crossing / "small.npz"), **values}
    with pytest.raises(SparseExplainError, match=said):
        se.explain(study, None, "fingerprint", slices=1, **given)


def test_one_shell_is_refused_with_what_it_can_tell(crossing: Path, tmp_path: Path) -> None:
    whole = small_protocol()
    rows = slice(0, 26)
    write_scan(tmp_path / "one", GradientTable(whole.b[rows], whole.directions[rows]))
    with pytest.raises(SparseExplainError, match=r"one shell .*cannot be estimated.*tensor"):
        se.explain(
            se.open_study(tmp_path / "one"), None, "fingerprint", slices=1,
            small_delta=12.9, big_delta=21.8, dictionary=str(crossing / "small.npz"),
        )  # fmt: skip


def test_a_study_without_a_diffusion_scan_is_refused(tmp_path: Path) -> None:
    write_anatomy(tmp_path, 2.0, (0.0, 0.0, 0.0))
    with pytest.raises(SparseExplainError, match="no diffusion scan"):
        se.explain(se.open_study(tmp_path), None, "fingerprint", slices=3)


def test_a_noise_level_that_does_not_fit_the_residuals_is_said(crossing: Path) -> None:
    found = se.explain(
        se.open_study(crossing / "scan"), None, "fingerprint", slices=0, sigma=4 * SIGMA,
        small_delta=12.9, big_delta=21.8, dictionary=str(crossing / "small.npz"), refine=False,
    )  # fmt: skip
    assert any("σ" in note and "too large" in note for note in found.notes)


def test_a_slice_is_the_same_alone_and_among_others(crossing: Path, explained: Any) -> None:
    both = se.explain(
        se.open_study(crossing / "scan"), None, "fingerprint", sigma=SIGMA,
        small_delta=12.9, big_delta=21.8, dictionary=str(crossing / "small.npz"),
    )  # fmt: skip
    for name in ("populations", "radius-1", "misfit"):
        alone, among = np.asarray(explained[name].data)[0], np.asarray(both[name].data)[1]
        np.testing.assert_allclose(alone, among, rtol=1e-5)


def test_the_record_says_the_timings_that_were_used(crossing: Path, tmp_path: Path) -> None:
    write_scan(tmp_path / "scan")
    (tmp_path / "scan" / "dwi.json").write_text('{"SmallDelta": 0.0129, "LargeDelta": 0.0218}')
    found = se.explain(
        se.open_study(tmp_path / "scan"), None, "fingerprint", slices=0, sigma=SIGMA,
        dictionary=str(crossing / "small.npz"), refine=False,
    )  # fmt: skip
    said = found.provenance.parameters
    assert (said["small_delta"], said["big_delta"]) == (12.9, 21.8)
    shares = np.asarray(found["share-1-sd"].data)[0]
    assert np.isnan(shares[np.asarray(found["populations"].data)[0] == 1]).all()


def test_a_dictionary_written_anew_is_read_anew(tmp_path: Path) -> None:
    file = save_phases(small_phases(), tmp_path / "own.npz")
    first = phases_of(str(file))
    assert phases_of(str(file)) is first
    save_phases(replace(small_phases(), spins=77), file, overwrite=True)
    assert phases_of(str(file)).spins == 77


def write_anatomy(folder: Path, size: float, corner: tuple[float, float, float]) -> None:
    """A T1 of isotropic voxels about the crossing, whose grid becomes the study's."""
    affine = np.diag([size, -size, size, 1.0])  # right, posterior, superior
    affine[:3, 3] = corner
    data = np.random.default_rng(1).uniform(100, 200, (20, 22, 8)).astype(np.float32)
    nib.save(nib.Nifti1Image(data, affine), folder / "t1.nii.gz")


def test_a_scan_beside_another_is_compared_in_its_own_voxels(
    crossing: Path, explained: Any, tmp_path: Path
) -> None:
    """The voxels of both grids agree: the same values as of the scan alone, nothing outside."""
    write_scan(tmp_path / "both")
    write_anatomy(tmp_path / "both", 2.0, (-26.0, 10.0, -4.0))
    study = se.open_study(tmp_path / "both", reference="t1")
    assert "dwi" in study.originals
    found = se.explain(
        study, None, "fingerprint", small_delta=12.9, big_delta=21.8, sigma=SIGMA,
        dictionary=str(crossing / "small.npz"), slices=3,
    )  # fmt: skip
    assert study.grid.shape == (8, 22, 20)
    own = study.originals["dwi"].grid
    corner = np.rint(study.grid.index(own.world((1, 0, 0)))).astype(int)
    assert corner[0] == 3, "the slice that was explained alone"
    rows, columns = (slice(k, k + SIDE) for k in corner[1:])
    for name in ("populations", "share-1", "radius-1", "density-2-sd", "entropy", "misfit-b3000"):
        values = np.asarray(found[name].data)[0]
        np.testing.assert_allclose(
            values[rows, columns], np.asarray(explained[name].data)[0], rtol=1e-5
        )
        outside = np.ones(values.shape, dtype=bool)
        outside[rows, columns] = False
        rest = values[outside]
        assert not (rest[np.isfinite(rest)] if rest.dtype.kind == "f" else rest).any()
    assert found.scores == explained.scores
    assert any("in its own voxels" in note and "nearest" in note for note in found.notes)


def test_each_voxel_of_a_finer_grid_takes_the_nearest(
    crossing: Path, explained: Any, tmp_path: Path
) -> None:
    write_scan(tmp_path / "both")
    write_anatomy(tmp_path / "both", 1.0, (-16.5, 0.5, -0.5))
    found = se.explain(
        se.open_study(tmp_path / "both", reference="t1"), None, "fingerprint",
        small_delta=12.9, big_delta=21.8, sigma=SIGMA,
        dictionary=str(crossing / "small.npz"), slices=slice(2, 4),
    )  # fmt: skip
    assert found.scores["voxels"] == explained.scores["voxels"], "each was compared once"
    values = np.asarray(found["populations"].data)
    alone = np.asarray(explained["populations"].data)[0]
    np.testing.assert_array_equal(values[0], values[1])
    step = values[0][::2, ::2]
    np.testing.assert_array_equal(step, values[0][1::2, 1::2])
    assert (step > 0).sum() == (alone > 0).sum()


def test_of_several_scans_the_one_with_gradients_is_meant(crossing: Path, tmp_path: Path) -> None:
    write_scan(tmp_path / "two")
    write_scan(tmp_path / "two", name="bold")
    for end in ("bval", "bvec"):
        (tmp_path / "two" / f"bold.{end}").unlink()
    given = {"small_delta": 12.9, "big_delta": 21.8, "dictionary": str(crossing / "small.npz")}
    found = se.explain(
        se.open_study(tmp_path / "two"), None, "fingerprint", slices=0, sigma=SIGMA, refine=False,
        populations=1, **given,
    )  # fmt: skip
    assert found.provenance.parameters["scan"] == "dwi"
    write_scan(tmp_path / "two", name="bold")
    with pytest.raises(SparseExplainError, match=r"bold.*dwi|dwi.*bold"):
        se.explain(se.open_study(tmp_path / "two"), None, "fingerprint", slices=0, **given)
