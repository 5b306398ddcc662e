"""Segmentation as matched filtering (SUM paper, Appendix I): properties and the gap."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_sparseexplain.networks.modules.matched_filter import MatchedFilterNetwork
from napari_sparseexplain.progress import Progress, drain
from napari_sparseexplain.training.evaluate.matched_filter_demo import (
    LENGTH,
    NOISE,
    PERIOD,
    MatchedFilterResult,
    bursts,
    matched_filter_demo,
    squared_envelope,
)


@pytest.fixture(scope="module")
def result() -> MatchedFilterResult:
    return drain(matched_filter_demo(seeds=(3,), steps=300))


def test_filters_have_the_sizes_of_eq_30() -> None:
    network = MatchedFilterNetwork("shrink")
    assert network.encoder.shape == (2, 1, 18)
    assert network.decoder.shape == (1, 2, 18)
    assert network.threshold.shape == (2,)


@pytest.mark.parametrize("threshold", [-0.7, 0.0, 0.4])
def test_shrinkage_is_odd_and_a_rectifier_is_not(threshold: float) -> None:
    x = torch.randn(3, 1, 64, generator=torch.Generator().manual_seed(0))
    for activation, odd in (("shrink", True), ("relu", False)):
        network = MatchedFilterNetwork(activation, generator=torch.Generator().manual_seed(1))
        network.threshold.data.fill_(threshold)
        gap = (network(x)[1] + network(-x)[1]).abs().max()
        assert (gap < 1e-5) == odd


def test_the_even_filters_do_not_shift_the_mask() -> None:
    """Impulses as filters, one tap before the middle and one behind: the signal comes back."""
    network = MatchedFilterNetwork("shrink")
    for weight in (network.encoder, network.decoder, network.threshold):
        weight.data.zero_()
    network.encoder.data[0, 0, 8] = 1
    network.decoder.data[0, 0, 9] = 1
    x = torch.randn(1, 1, 50)
    assert torch.equal(network(x)[1], x)


def test_the_quadrature_filter_does_not_see_the_phase() -> None:
    time = torch.arange(LENGTH)
    phases = torch.linspace(0, 1, 7)[:, None]
    x = torch.sin(2 * torch.pi * (time / PERIOD + phases))[:, None]
    inside = squared_envelope(x)[..., PERIOD:-PERIOD]
    assert torch.allclose(inside, torch.full_like(inside, (PERIOD / 2) ** 2), rtol=1e-4)


def test_bursts_hold_noise_of_the_stated_size_and_repeat_with_the_seed() -> None:
    a, b = (bursts(200, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(a.x, b.x)
    assert float((a.x - a.s).std()) == pytest.approx(NOISE, rel=0.02)
    assert torch.equal(a.s * a.mask, a.s)


def test_a_rectifier_does_what_an_odd_network_cannot(result: MatchedFilterResult) -> None:
    """An odd network marks at most part of a burst whose polarity it cannot tell."""
    assert result.dice["relu"][0] > 0.9
    assert result.dice["matched filter"][0] > 0.9
    assert result.dice["shrink"][0] < 0.75


def test_the_table_and_the_example_agree_with_the_run(result: MatchedFilterResult) -> None:
    assert f"{result.dice['relu'][0]:.3f}" in result.table()
    assert np.allclose(result.clean + result.noise, result.observed, atol=1e-6)
    for example in result.examples.values():
        assert np.array_equal(example.mask, np.clip(example.decoded, 0, 1))


def test_progress_is_reported_and_closing_stops() -> None:
    work = matched_filter_demo(seeds=(0,), steps=100)
    assert isinstance(next(work), Progress)
    work.close()
