"""A silent class can be taught again, and nothing but the gradient knows it."""

from __future__ import annotations

import pytest
import torch

from napari_sparseexplain.networks.modules.jf_ml_ista_network import JfMlIstaNetwork
from napari_sparseexplain.sparse.surrogate_gradient_clamp import helpful_clamp


def test_forwards_it_is_the_clamp() -> None:
    z = torch.linspace(-2, 2, 21, dtype=torch.float64)
    assert torch.equal(helpful_clamp(z, 0.0, None, 0.1, closed=False), torch.relu(z))
    assert torch.equal(helpful_clamp(z, 0.0, 1.0, 0.1), z.clamp(0.0, 1.0))


@pytest.mark.parametrize("closed", [True, False])
def test_without_a_leak_its_gradient_is_that_of_torch(closed: bool) -> None:
    values = torch.linspace(-2, 2, 9, dtype=torch.float64)  # 0 and 1 are among them
    weight = torch.arange(9, dtype=torch.float64) - 4
    ours, theirs = (values.clone().requires_grad_() for _ in range(2))
    (
        weight * helpful_clamp(ours, 0.0, 1.0 if closed else None, 0.0, closed=closed)
    ).sum().backward()
    (weight * (theirs.clamp(0.0, 1.0) if closed else torch.relu(theirs))).sum().backward()
    assert ours.grad is not None
    assert theirs.grad is not None
    assert torch.equal(ours.grad, theirs.grad)


def test_backwards_it_leaks_only_where_descent_comes_back() -> None:
    z = torch.tensor([-1.0, -1.0, 0.5, 0.5, 3.0, 3.0], requires_grad=True)
    up_and_down = torch.tensor([-2.0, 2.0, -2.0, 2.0, -2.0, 2.0])
    helpful_clamp(z, 0.0, 1.0, 0.1).backward(up_and_down)
    assert z.grad is not None
    torch.testing.assert_close(z.grad, torch.tensor([-0.2, 0.0, -2.0, 2.0, 0.0, 0.2]))


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
