"""The SUM against what the paper, and the counts noted from it, say of it."""

from __future__ import annotations

import pytest
import torch

from napari_sparseexplain.networks.modules.sum_network import SumNetwork


@pytest.fixture
def network() -> SumNetwork:
    """Double precision, thresholds of both signs, as after training."""
    torch.manual_seed(0)
    network = SumNetwork(maps=2).double().eval()
    for layer in network.shrinkages().values():
        layer.raw.data.normal_(0, 0.05)
    return network


def test_the_paper_network_has_343474_parameters_and_no_bias():
    network = SumNetwork()
    assert sum(p.numel() for p in network.parameters()) == 343_474
    assert not any("bias" in name for name, _ in network.named_parameters())


def test_at_alpha_zero_the_encoder_decoder_is_linear(network):
    x, y = torch.randn(2, 1, 1, 32, 48, dtype=torch.float64)
    together = network.linear(2.0 * x - 3.0 * y)
    torch.testing.assert_close(together, 2.0 * network.linear(x) - 3.0 * network.linear(y))
    with_thresholds = network.signal(2.0 * x - 3.0 * y)
    apart = 2.0 * network.signal(x) - 3.0 * network.signal(y)
    assert not torch.allclose(with_thresholds, apart)


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
def test_the_encoder_decoder_is_odd_for_every_alpha(network, alpha):
    x = torch.randn(1, 1, 32, 32, dtype=torch.float64)
    torch.testing.assert_close(network.signal(-x, alpha), -network.signal(x, alpha))


def test_shifts_by_two_to_the_levels_pass_through_inside_the_border(network):
    """The decimated transform is shift-varying with period 16, exactly."""
    x = torch.zeros(1, 1, 320, 320, dtype=torch.float64)
    x[0, 0, 148:172, 150:170] = torch.rand(24, 20, dtype=torch.float64)
    moved = torch.roll(x, (16, -16), (-2, -1))
    inside = (..., slice(110, 210), slice(110, 210))
    with torch.inference_mode():
        expected = torch.roll(network.signal(x), (16, -16), (-2, -1))
        torch.testing.assert_close(network.signal(moved)[inside], expected[inside])
        off = torch.roll(network.signal(x), (3, 0), (-2, -1))
        assert not torch.allclose(network.signal(torch.roll(x, 3, -2))[inside], off[inside])


@pytest.mark.parametrize("shape", [(16, 16), (33, 47), (1, 5), (240, 155)])
def test_any_size_goes_in_and_comes_out(network, shape):
    mask, signal = network(torch.rand(1, 1, *shape, dtype=torch.float64))
    assert mask.shape == signal.shape == (1, 1, *shape)
    assert mask.min() >= 0
    assert mask.max() <= 1


def test_the_mask_is_the_scaled_signal_clipped(network):
    x = torch.rand(1, 1, 32, 32, dtype=torch.float64)
    mask, signal = network(x, 0.5)
    torch.testing.assert_close(mask, (network.head.scale.weight.item() * signal).clamp(0, 1))


def test_every_shrinkage_is_named_in_order_of_flow_and_knows_its_level(network):
    names = list(network.shrinkages())
    assert names[:3] == ["encoder.0.a", "encoder.0.b", "encoder.1.a"]
    assert names[8:12] == ["bottom.a", "bottom.b", "decoder.3.a", "decoder.3.b"]
    assert names[-1] == "decoder.0.b"
    met: list[str] = []
    for name, layer in network.shrinkages().items():
        layer.register_forward_hook(lambda *_, name=name: met.append(name))
    network(torch.rand(1, 1, 16, 16, dtype=torch.float64))
    assert met == names
    levels = {name: layer.level for name, layer in network.shrinkages().items()}
    assert all(
        level == (4 if "bottom" in n else int(n.split(".")[1])) for n, level in levels.items()
    )


def test_several_classes_have_a_signal_each():
    network = SumNetwork(in_channels=4, classes=3, maps=2, levels=2).eval()
    mask, signal = network(torch.rand(2, 4, 20, 20))
    assert mask.shape == signal.shape == (2, 3, 20, 20)
    network.head.scale.weight.data[1] = 0
    assert not network(torch.rand(1, 4, 20, 20))[0][:, 1].any()


def test_channels_last_gives_the_same(network):
    x = torch.rand(2, 1, 32, 32, dtype=torch.float64)
    expected = network.signal(x)
    network.to(memory_format=torch.channels_last)
    torch.testing.assert_close(network.signal(x), expected)


def test_sizes_below_one_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        SumNetwork(maps=0)
