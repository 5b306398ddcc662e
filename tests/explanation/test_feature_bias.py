"""Texture and size bias: on planted gratings and discs the right octave is named."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.explanation.proxy.feature_bias import (
    essential_tuning,
    masked,
    masking_curve_work,
)
from napari_sparseexplain.explanation.proxy.tuning import disc_tuning, grating_tuning, half_octaves
from napari_sparseexplain.networks.modules.sum_network import SumNetwork
from napari_sparseexplain.progress import drain
from napari_sparseexplain.sparse.thresholds import Shrinkage

SIZE = 31


def gabor(period: float) -> np.ndarray:
    """A cosine along the columns under a Gaussian, without mean, of unit gain at its period."""
    rows, columns = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    window = np.exp(-(rows**2 + columns**2) / (2 * (0.6 * period) ** 2))
    kernel = window * np.cos(2 * np.pi * columns / period)
    kernel -= window * kernel.sum() / window.sum()
    return kernel / (kernel * np.cos(2 * np.pi * columns / period)).sum()


def disc(diameter: float) -> np.ndarray:
    """A disc with a ring about it that takes its mean away."""
    rows, columns = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    radius = np.hypot(rows, columns)
    inner, ring = radius <= diameter / 2, (radius > diameter / 2) & (radius <= diameter)
    return inner / inner.sum() - ring / ring.sum()


class Bank(nn.Module):
    """Hand-made: filters as feature maps, a shrinkage on each, their sum as the signal."""

    in_channels, levels = 1, 0

    def __init__(self, kernels: list[np.ndarray]) -> None:
        super().__init__()
        weight = torch.from_numpy(np.stack(kernels)[:, None]).float()
        self.filters = nn.Parameter(weight, requires_grad=False)
        self.shrinkage = Shrinkage(len(kernels))

    def shrinkages(self) -> dict[str, Shrinkage]:
        return {"encoder.0.b": self.shrinkage}

    def forward(self, x: torch.Tensor, alpha: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        # Through the frequencies: torch's own convolution with so large a kernel takes minutes.
        size = [length + SIZE - 1 for length in x.shape[-2:]]
        spectra = torch.fft.rfft2(x, s=size) * torch.fft.rfft2(self.filters[:, 0], s=size).conj()
        whole = torch.fft.irfft2(spectra, s=size).roll((SIZE // 2, SIZE // 2), (-2, -1))
        maps = whole[..., : x.shape[-2], : x.shape[-1]]
        signal = self.shrinkage(maps, alpha).sum(dim=1, keepdim=True)
        return signal.clamp(0, 1), signal


PERIODS = (4.0, 8.0, 16.0)


@pytest.mark.parametrize("planted", PERIODS)
def test_masking_keeps_the_map_of_the_planted_texture_and_names_its_octave(
    planted: float,
) -> None:
    """Lesion: where a grating of one period is high. Maps of three periods; one is needed."""
    network = Bank([gabor(p) for p in PERIODS])
    rows, columns = np.mgrid[:64, :64] - 32
    grating = np.cos(2 * np.pi * columns / planted) * (np.hypot(rows, columns) < 24)
    x = torch.from_numpy(grating).float()[None, None]
    reference = torch.from_numpy((grating > 0.5) & (np.hypot(rows, columns) < 20))[None]
    curve = drain(masking_curve_work(network, x, reference, share=0.8))
    assert curve.kept[0] == 3
    assert list(curve.kept) == sorted(curve.kept, reverse=True)
    assert curve.essential_count == 1
    assert curve.essential["encoder.0.b"][PERIODS.index(planted)]
    gratings, _ = essential_tuning(network, curve, 1)
    assert gratings.octave is not None
    assert gratings.octave[0] <= planted <= gratings.octave[1]


@pytest.mark.parametrize("planted", [4.0, 8.0, 14.0])
def test_discs_name_the_size_that_the_network_is_made_for(planted: float) -> None:
    found = disc_tuning(Bank([disc(planted)]), half_octaves(2, 32), size=64)
    assert found.octave is not None
    assert found.octave[0] <= planted <= found.octave[1]


def test_grating_tuning_of_a_linear_network_is_its_frequency_response() -> None:
    kernel = gabor(8.0)
    periods = half_octaves(4, 16)
    found = grating_tuning(Bank([kernel]), periods, size=128, alpha=0.0)
    middle = np.arange(SIZE) - SIZE // 2
    for period, answer in zip(periods, found.answers, strict=True):
        wave = np.exp(-2j * np.pi * middle / period)
        assert answer == pytest.approx(np.abs((kernel * wave[None, :]).sum()), rel=0.02)


def test_closed_gates_silence_a_map_and_leave_no_trace() -> None:
    network = SumNetwork(maps=2, levels=2).eval().requires_grad_(False)
    x = torch.rand(1, 1, 16, 16)
    before = network(x)[1]
    shut = {n: torch.zeros(s.raw.numel()) for n, s in network.shrinkages().items()}
    with masked(network, shut):
        assert not network(x)[1].any()
    assert torch.equal(network(x)[1], before)


def test_the_curve_of_a_sum_runs_from_all_maps_to_few() -> None:
    torch.manual_seed(0)
    network = SumNetwork(maps=2, levels=2).eval().requires_grad_(False)
    x = torch.rand(1, 1, 32, 32)
    signal = network(x)[1]
    network.head.scale.weight.fill_(float(0.5 / signal.abs().quantile(0.8)))
    reference = network(x)[0][:, 0] > 0.5
    curve = drain(masking_curve_work(network, x, reference))
    assert curve.iou[0] == 1  # its own mask, all maps kept
    assert curve.kept[0] == 2 + 4 + 4
    assert curve.iou[list(curve.kept).index(curve.essential_count)] >= 0.9
    assert sum(curve.levels.values()) == pytest.approx(1)
    assert set(curve.levels) == {0, 1, 2}


def test_nothing_found_cannot_be_masked() -> None:
    network = Bank([gabor(8.0)])
    x = torch.zeros(1, 1, 32, 32)
    reference = torch.ones(1, 32, 32, dtype=torch.bool)
    with pytest.raises(StudyError, match="nothing can be masked"):
        drain(masking_curve_work(network, x, reference))
