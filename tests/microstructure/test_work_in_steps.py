"""Noise, denoising, deconvolution and dictionary go in steps, between which they are cancelled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_sparseexplain.microstructure.dictionary import dictionary_of, dictionary_work
from napari_sparseexplain.microstructure.protocol import noise as noise_module
from napari_sparseexplain.microstructure.protocol import peaks as peaks_module
from napari_sparseexplain.microstructure.protocol.noise import (
    denoised,
    denoised_work,
    noise_level,
    noise_level_work,
)
from napari_sparseexplain.microstructure.protocol.peaks import find_peaks, find_peaks_work
from napari_sparseexplain.progress import Progress, drain

from .small_dictionary import small_dictionary, small_phases, small_protocol

pytest.importorskip("dipy")

SIGMA = 20.0


@pytest.fixture(scope="module")
def scan() -> np.ndarray:
    """Signals (S, P, L, M) that change slowly, with Rician noise and no background."""
    rng = np.random.default_rng(2)
    rate = np.linspace(0.2, 1.5, 8 * 20 * 5).reshape(8, 20, 5, 1)
    clean = 800 * np.exp(-rate * np.linspace(0, 1, 14)) + 200
    noise = rng.normal(0, SIGMA, (2, *clean.shape))
    return np.hypot(clean + noise[0], noise[1])


def steps(work: Any) -> tuple[Any, list[Progress]]:
    seen: list[Progress] = []
    return drain(work, seen.append), seen


def test_slices_are_denoised_as_dipy_has_them(scan: np.ndarray) -> None:
    from dipy.denoise.localpca import mppca

    mask = np.ones(scan.shape[:3], dtype=bool)
    mask[0, :4] = False
    whole = mppca(scan, mask=mask, patch_radius=1, suppress_warning=True)
    found, seen = steps(denoised_work(scan, slice(1, 5), mask=mask))
    assert len(seen) > 4
    np.testing.assert_allclose(found, whole[1:5], rtol=1e-5)
    np.testing.assert_allclose(denoised(scan, mask=mask)[mask], whole[mask], rtol=1e-5)
    np.testing.assert_allclose(denoised(scan, mask=mask)[~mask], scan[~mask], rtol=1e-6)


def test_noise_is_measured_slice_by_slice(
    scan: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert noise_level(scan).sigma == pytest.approx(SIGMA, rel=0.15)
    monkeypatch.setattr(noise_module, "_MOST_PATCHES", 60)
    found, seen = steps(noise_level_work(scan))
    assert found.how == "mppca"
    assert found.sigma == pytest.approx(SIGMA, rel=0.15)
    assert len(seen) >= 8


def test_the_dictionary_and_the_directions_go_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    made, seen = steps(dictionary_work(small_phases(), [0.0, 1000.0, 3000.0], cosines=33))
    assert len(seen) == 4
    same = dictionary_of(small_phases(), [0.0, 1000.0, 3000.0], cosines=33)
    np.testing.assert_array_equal(made.tables, same.tables)
    table, dictionary = small_protocol(), small_dictionary()
    ways = np.array([[0.0, 0, 1.0], [0, 1.0, 0], [0.6, 0.8, 0]])
    signals = 1000 * np.stack([dictionary.basis(table, w) @ dictionary.atoms[:, 5] for w in ways])
    monkeypatch.setattr(peaks_module, "_BATCH", 1)
    found, seen = steps(find_peaks_work(table, signals, most=1))
    assert sum(step.message == "Finding the fibre directions" for step in seen) == 3
    once = find_peaks(table, signals, most=1)
    np.testing.assert_array_equal(found.directions, once.directions)
    assert (abs((found.directions[:, 0] * ways).sum(axis=1)) > 0.98).all()


def test_a_cancelled_step_goes_no_further(
    scan: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(noise_module, "_PATCHES_A_STEP", 10)
    real = noise_module._without_noise
    monkeypatch.setattr(noise_module, "_without_noise", lambda a: calls.append(1) or real(a))
    work = denoised_work(scan, slice(0, 8))
    next(work)
    next(work)
    work.close()
    assert len(calls) == 10
