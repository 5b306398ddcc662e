"""Random walks against what is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import j0, jnp_zeros

from napari_sparseexplain.microstructure.gradient_table import GAMMA, HCP_MGH, Timings
from napari_sparseexplain.microstructure.walks.homogenised_tissue import (
    effective_diffusivity,
    homogenised_phases,
)
from napari_sparseexplain.microstructure.walks.random_walk import inside_walk, outside_walk

D = 2e-9
B = np.array([1000.0, 3000.0, 5000.0, 10000.0])


def signal(phases: np.ndarray, timings: Timings = HCP_MGH) -> tuple[np.ndarray, np.ndarray]:
    """Signal at four b-values, and its standard error."""
    waves = j0(GAMMA * timings.strength(B)[:, None] * phases * 1e-6)
    return waves.mean(axis=1), waves.std(axis=1) / np.sqrt(phases.size)


def van_gelderen(radius: float) -> np.ndarray:
    """Signal across a cylinder in the Gaussian phase approximation (van Gelderen et al. 1994)."""
    roots = jnp_zeros(1, 60) / (radius * 1e-6)
    rate, small, big = roots**2 * D, HCP_MGH.small_delta, HCP_MGH.big_delta
    terms = 2 * rate * small - 2 + 2 * np.exp(-rate * small) + 2 * np.exp(-rate * big)
    terms -= np.exp(-rate * (big - small)) + np.exp(-rate * (big + small))
    below = roots**6 * D**2 * ((radius * 1e-6 * roots) ** 2 - 1)
    return np.exp(-2 * (GAMMA * HCP_MGH.strength(B)) ** 2 * (terms / below).sum())


@pytest.mark.parametrize("radius", [1.0, 2.0])
def test_inside_a_thin_cylinder_it_is_the_known_signal(radius: float) -> None:
    found, error = signal(inside_walk(radius, 800, HCP_MGH, D, seed=1))
    assert (abs(found - van_gelderen(radius)) < 3 * error).all()


def test_in_a_wide_cylinder_water_is_free() -> None:
    # In half a millisecond a spin goes 1.4 µm; few of those in 200 µm meet the wall.
    short = Timings(0.2e-3, 0.3e-3)
    phases = inside_walk(200.0, 10_000, short, D, seed=3)
    wave = j0(GAMMA * short.strength(250.0) * phases * 1e-6)
    error = wave.std() / np.sqrt(wave.size)
    assert abs(wave.mean() - np.exp(-250e6 * D)) < 3 * error + 2e-3


@pytest.mark.parametrize("density", [0.3, 0.75])
def test_between_cylinders_it_is_the_limit_of_long_times(density: float) -> None:
    found, error = signal(outside_walk(1.6, density, 250, HCP_MGH, D, seed=11))
    expected = np.exp(-B * 1e6 * effective_diffusivity(density, D))
    assert (abs(found - expected) < 3 * error).all()


def test_the_limit_of_long_times_as_phases_has_its_signal() -> None:
    found, _ = signal(homogenised_phases(0.6, HCP_MGH, D, 256))
    expected = np.exp(-B * 1e6 * effective_diffusivity(0.6, D))
    np.testing.assert_allclose(found, expected, atol=1.5e-3)


def test_the_same_seed_is_the_same_walk() -> None:
    first, again, other = (outside_walk(2.0, 0.5, 12, HCP_MGH, D, seed=s) for s in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
