"""A silent class can be taught again, and nothing but the gradient knows it."""

from __future__ import annotations

import pytest
import torch

from napari_sparseexplain.networks.jf_ml_ista_network import JfMlIstaNetwork
from napari_sparseexplain.sparse.helpful_relu import helpful_relu


def test_forwards_it_is_the_relu() -> None:
    z = torch.linspace(-1, 1, 21, dtype=torch.float64)
    assert torch.equal(helpful_relu(z, 0.1), torch.relu(z))


def test_backwards_it_leaks_only_where_descent_raises_the_value() -> None:
    z = torch.tensor([-1.0, -1.0, 0.5, 0.5], requires_grad=True)
    up_and_down = torch.tensor([-2.0, 2.0, -2.0, 2.0])
    helpful_relu(z, 0.1).backward(up_and_down)
    assert z.grad is not None
    torch.testing.assert_close(z.grad, torch.tensor([-0.2, 0.0, -2.0, 2.0]))


@pytest.mark.parametrize("separate", [False, True])
def test_a_class_without_codes_hears_the_loss_through_the_leak_alone(separate: bool) -> None:
    torch.manual_seed(0)
    network = JfMlIstaNetwork(2, 3, features=4, separate=separate)
    with torch.no_grad():
        network.thresholds[2, -1] = 100.0  # its deepest codes are 0 everywhere
    x = torch.rand(1, 2, 16, 16)
    found = {}
    for leak in (0.0, 0.1):
        network.zero_grad()
        coding = network.decompose(x, leak=leak)
        assert float(coding.decomposition.codes[2].abs().max()) == 0.0
        # The class is wanted everywhere.
        torch.nn.functional.cross_entropy(
            coding.logits, torch.full((1, 16, 16), 2, dtype=torch.long)
        ).backward()
        grad = network.thresholds.grad
        assert grad is not None
        found[leak] = (coding.logits.detach(), float(grad[2, -1]))
    assert torch.equal(found[0.0][0], found[0.1][0])
    assert found[0.0][1] == 0.0
    assert found[0.1][1] > 0.0  # descent lowers the threshold
