"""SDS, FDV, FDS: properties that hold for any response (SUM paper, Appendix C)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.signal import convolve2d

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.explanation.proxy.response_metrics import (
    frequency_magnitude,
    frequency_spread,
    frequency_variation,
    response_metrics,
    space_spread,
)


def dirac(size: int = 128) -> np.ndarray:
    array = np.zeros((size, size))
    array[size // 2, size // 2] = 1
    return array


def test_a_dirac_has_no_spread_in_space_and_a_flat_spectrum() -> None:
    found = response_metrics(dirac())
    assert found.sds == 0
    assert found.sds_energy == 0
    assert found.fdv == pytest.approx(0, abs=1e-10)
    # "Input impulse … FD spread: 48.97" in Fig. 3
    assert found.fds == pytest.approx(48.975, abs=5e-4)


def test_a_constant_has_only_the_zero_frequency() -> None:
    assert response_metrics(np.ones((128, 128))).fds == pytest.approx(0, abs=1e-9)


def test_metrics_do_not_change_with_scale_or_sign() -> None:
    response = gaussian_filter(dirac(64), 2) - 0.3 * gaussian_filter(dirac(64), 5)
    expected = response_metrics(response).as_dict()
    for factor in (-1.0, 1e-4, 37.0):
        assert response_metrics(factor * response).as_dict() == pytest.approx(expected)


def test_spread_of_a_gaussian_is_its_mean_radius() -> None:
    """Mean radius of a 2-D Gaussian is σ·sqrt(π/2) (to the pixel grid); its square has σ/√2."""
    rows, columns = np.mgrid[:128, :128] - 64.0
    response = np.exp(-(rows**2 + columns**2) / (2 * 5.0**2))
    found = response_metrics(response)
    assert found.sds == pytest.approx(5 * np.sqrt(np.pi / 2), rel=2e-3)
    assert found.sds_energy == pytest.approx(5 * np.sqrt(np.pi) / 2, rel=2e-3)


def test_variation_agrees_with_the_printed_sobel_kernels() -> None:
    """Eq. 26-28 computed with scipy and the kernels written out, -2 0 2 in the middle row."""
    f = frequency_magnitude(np.random.default_rng(0).normal(size=(24, 31)))
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    horizontal = convolve2d(f, sobel, mode="valid")
    vertical = convolve2d(f, sobel.T, mode="valid")
    expected = np.hypot(horizontal, vertical).sum() / np.linalg.norm(f)
    assert frequency_variation(f) == pytest.approx(expected)


def test_metrics_of_a_stack_are_those_of_its_members() -> None:
    stack = np.random.default_rng(1).normal(size=(2, 3, 16, 16))
    spread = space_spread(stack)
    frequency = frequency_spread(frequency_magnitude(stack))
    assert spread.shape == frequency.shape == (2, 3)
    assert spread[1, 2] == pytest.approx(response_metrics(stack[1, 2]).sds)
    assert frequency[1, 2] == pytest.approx(response_metrics(stack[1, 2]).fds)


def test_the_impulse_may_lie_elsewhere() -> None:
    shifted = np.roll(dirac(32), (3, -4), axis=(0, 1))
    assert space_spread(shifted) == pytest.approx(5)
    assert space_spread(shifted, impulse=(19, 12)) == 0


@pytest.mark.parametrize("bad", [np.zeros((8, 8)), np.full((8, 8), np.nan)])
def test_a_response_of_nothing_is_an_error(bad: np.ndarray) -> None:
    with pytest.raises(ModelError, match="no spread"):
        response_metrics(bad)
