"""The baselines of the SUM paper: 16 maps, 4 levels, with and without batch normalisation."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.networks.modules.unet import UNet


@pytest.mark.parametrize("batch_norm", [True, False])
def test_it_returns_mask_and_signal_of_any_size(batch_norm):
    network = UNet(maps=4, batch_norm=batch_norm).eval()
    mask, signal = network(torch.rand(2, 1, 37, 50))
    assert mask.shape == signal.shape == (2, 1, 37, 50)
    torch.testing.assert_close(mask, network.head(signal))
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert bool(norms) == batch_norm


def test_the_paper_baseline_has_16_maps_and_four_poolings():
    network = UNet()
    assert network.encoder[0][0].out_channels == 16
    assert network.encoder[-1][0].out_channels == 256
    assert network.multiple == 16


def test_alpha_means_nothing_to_it_and_is_refused():
    with pytest.raises(ModelError, match="no thresholds"):
        UNet(maps=2, levels=1)(torch.rand(1, 1, 8, 8), alpha=0.5)


def test_the_signal_is_not_clipped():
    torch.manual_seed(0)
    network = UNet(maps=4, levels=2, batch_norm=False).eval()
    network.last.bias.data[:] = -1.0
    mask, signal = network(torch.rand(1, 1, 16, 16))
    assert signal.min() < 0
    assert mask.min() >= 0
