"""Tensor, colours, peaks and noise against phantoms whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import napari_sparseexplain as se
from napari_sparseexplain.errors import ParameterError, SparseExplainError
from napari_sparseexplain.microstructure.gradient_table import GradientTable, shell_protocol
from napari_sparseexplain.microstructure.protocol.checks import protocol_findings
from napari_sparseexplain.microstructure.protocol.of_volume import gradient_table_of
from napari_sparseexplain.microstructure.protocol.scan_signals import head_of, signals_of

from .diffusion_scans import AXIAL, RADIAL, fibre_signals

pytest.importorskip("dipy")

from napari_sparseexplain.microstructure.protocol.coherence import gradient_axes_check
from napari_sparseexplain.microstructure.protocol.noise import denoised, noise_level
from napari_sparseexplain.microstructure.protocol.peaks import csd_shell, find_peaks
from napari_sparseexplain.microstructure.protocol.tensor import (
    direction_colours,
    fit_tensor,
    tensor_rows,
)

TABLE = shell_protocol([(0, 4), (1000, 30), (3000, 60)], None)


def fibres(count: int, seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).standard_normal((count, 3))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_a_tensor_is_found_as_it_was_made() -> None:
    truth = fibres(50)
    maps = fit_tensor(TABLE, fibre_signals(truth, TABLE.b, TABLE.directions))
    assert np.allclose(abs((maps.principal * truth).sum(axis=1)), 1, atol=1e-5)
    assert np.allclose(maps.eigenvalues, [AXIAL, RADIAL, RADIAL], atol=1e-6)
    assert np.allclose(maps.md, (AXIAL + 2 * RADIAL) / 3, atol=1e-6)
    # FA of an axially symmetric tensor: (λ1 - λ2) / sqrt(λ1² + 2 λ2²).
    assert np.allclose(maps.fa, (AXIAL - RADIAL) / np.hypot(AXIAL, np.sqrt(2) * RADIAL), atol=1e-4)
    assert set(TABLE.b[maps.rows]) == {0, 1000}, "a tensor does not hold at b = 3000"


def test_voxels_outside_the_mask_are_zero_and_bad_values_do_no_harm() -> None:
    signals = fibre_signals(fibres(8), TABLE.b, TABLE.directions).reshape(2, 2, 2, -1)
    signals[0, 0, 0, 5] = np.nan
    signals[0, 0, 1, 6] = 0
    signals[1, 1, 1] = 0
    mask = np.ones((2, 2, 2), dtype=bool)
    mask[1, 0, 0] = False
    maps = fit_tensor(TABLE, signals, mask=mask)
    assert maps.fa[1, 0, 0] == 0
    assert not maps.principal[1, 0, 0].any()
    assert all(np.isfinite(a).all() for a in (maps.fa, maps.md, maps.eigenvalues, maps.colours))


def test_colours_are_red_for_left_right_green_for_front_back_blue_for_head_foot() -> None:
    """Pajevic and Pierpaoli 1999, on components (S, P, L)."""
    colours = direction_colours(np.eye(3), [1.0, 0.5, 0.25])
    assert np.allclose(colours, [[0, 0, 1], [0, 0.5, 0], [0.25, 0, 0]])


def test_measurements_of_a_tensor() -> None:
    high = shell_protocol([(0, 2), (2000, 20), (3000, 20)], None)
    assert set(high.b[tensor_rows(high)]) == {0, 2000}
    for shells in ([(0, 2), (1000, 5)], [(1000, 30)]):
        with pytest.raises(ParameterError, match="a tensor needs"):
            tensor_rows(shell_protocol(shells, None))
    flat = TABLE.directions * [1, 1, 0]
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    with pytest.raises(ParameterError, match="a tensor needs"):
        tensor_rows(GradientTable(TABLE.b, flat))


def test_two_fibres_that_cross_are_two_peaks() -> None:
    one, other = np.array([1.0, 0, 0]), np.array([0.0, 0.6, 0.8])
    clean = [fibre_signals(v[None], TABLE.b, TABLE.directions)[0] for v in (one, other)]
    signals = np.stack([*clean, *([0.5 * (clean[0] + clean[1])] * 3)])
    signals = np.concatenate([signals, fibre_signals(fibres(100), TABLE.b, TABLE.directions)])
    rng = np.random.default_rng(1)
    signals = np.hypot(signals + rng.normal(0, 15, signals.shape), rng.normal(0, 15, signals.shape))
    peaks = find_peaks(TABLE, signals)
    assert peaks.how == "csd"
    assert "b = 3000" in peaks.why
    for voxel in range(2, 5):
        assert peaks.count[voxel] == 2
        found = abs(peaks.directions[voxel, :2] @ np.stack([one, other]).T)
        assert np.all(found.max(axis=0) > np.cos(np.radians(8)))
    assert np.median(peaks.count[5:]) == 1


def test_with_few_directions_peaks_are_the_tensors_and_say_so() -> None:
    few = shell_protocol([(0, 2), (1000, 16)], None)
    truth = fibres(5)
    peaks = find_peaks(few, fibre_signals(truth, few.b, few.directions), most=2)
    assert peaks.how == "tensor"
    assert "has 16" in peaks.why
    assert np.allclose(abs((peaks.directions[:, 0] * truth).sum(axis=1)), 1, atol=1e-5)
    assert np.all(peaks.count == 1)
    assert csd_shell(few) is None
    with pytest.raises(ParameterError, match="cannot be found"):
        find_peaks(few, np.ones((1, 18)), most=0)


def noisy_block(sigma: float, background: bool) -> np.ndarray:
    size = 16
    signals = np.broadcast_to(
        fibre_signals(np.array([[1.0, 0, 0]]), TABLE.b, TABLE.directions)[0], (size,) * 3 + (94,)
    ).copy()
    if background:
        signals[:, :6] = 0
    rng = np.random.default_rng(2)
    return np.hypot(
        signals + rng.normal(0, sigma, signals.shape), rng.normal(0, sigma, signals.shape)
    )


@pytest.mark.parametrize(("background", "how"), [(True, "piesno"), (False, "mppca")])
def test_noise_is_found_as_it_was_made(background: bool, how: str) -> None:
    level = noise_level(noisy_block(12.0, background)[:6])
    assert level.how == how
    assert abs(level.sigma - 12.0) < 1.2


def test_denoising_takes_noise_away_and_keeps_the_signal() -> None:
    block = noisy_block(12.0, False)[:7, :7, :7]
    clean = fibre_signals(np.array([[1.0, 0, 0]]), TABLE.b, TABLE.directions)[0]
    rows = TABLE.b == 1000
    error = [np.std((b - clean)[..., rows]) for b in (block, denoised(block))]
    assert error[1] < 0.5 * error[0]


@pytest.mark.parametrize("bad", [np.ones((3, 3)), np.zeros((3, 3, 3, 5)), np.ones((1, 1, 1, 30))])
def test_what_tells_no_noise_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ParameterError):
        noise_level(bad)


# ---------------------------------------------------------------- real scans


def real(shared_data: Path, name: str):
    path = shared_data / "diffusion" / name
    if not path.is_file():
        pytest.skip(f"{name} is not there")
    study = se.open_study(path)
    return study[study.reference]


@pytest.mark.realdata
def test_a_head_from_the_scanner_has_its_fibres_along_its_axes(shared_data: Path) -> None:
    """A whole head of one shell: what can and cannot be told, and no other axes fit better."""
    volume = real(shared_data, "uih_dti/dti_tra_dir16_AP_9_134431.nii")
    table, findings = gradient_table_of(volume)
    assert table.timings is None
    assert {f.code for f in findings} == {"gradients-read", "no-gradient-timings"}
    signals = signals_of(volume)
    level = noise_level(signals)
    assert level.how == "piesno"
    said = {f.code for f in protocol_findings(table, signals, spacing=volume.grid.spacing)}
    assert said == {"few-unweighted", "single-shell", "signal-not-positive"}
    maps = fit_tensor(table, signals)
    # A tensor turns as its gradients do (`test_protocol_checks`).
    turned = (maps.directions * (1, 1, -1)).astype(np.float32)
    wrong = gradient_axes_check(replace(maps, directions=turned))
    assert wrong.proposes
    assert wrong.words == "left-right flipped"
    inside = head_of(table, signals)
    assert 0.5e-3 < np.median(maps.md[inside]) < 1.2e-3, "mm²/s in a brain"


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dipy_small/small_64D.nii", "single-shell"),
        ("dipy_small/small_25.nii.gz", "single-shell"),
        ("spinal_cord/dmri.nii.gz", "directions-badly-spread"),
    ],
)
def test_small_real_scans(shared_data: Path, name: str, said: str) -> None:
    volume = real(shared_data, name)
    table, _ = gradient_table_of(volume)
    signals = signals_of(volume)
    codes = {f.code for f in protocol_findings(table, signals, spacing=volume.grid.spacing)}
    assert said in codes
    assert "gradient-axes" not in codes
    middle = np.zeros(signals.shape[:3], dtype=bool)
    middle[signals.shape[0] // 2, 2:6, 2:6] = True
    peaks = find_peaks(table, signals, mask=middle)
    assert (peaks.how == "csd") == ("64D" in name)
    assert peaks.count[middle].min() >= 0
    assert np.isfinite(peaks.directions).all()


@pytest.mark.realdata
def test_a_volume_without_weighting_alone_is_refused(shared_data: Path) -> None:
    with pytest.raises(SparseExplainError, match="several volumes"):
        gradient_table_of(real(shared_data, "dipy_small/S0_10slices.nii.gz"))
