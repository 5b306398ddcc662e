"""Shrinkage against the SUM paper's Eq. 17 and 18."""

from __future__ import annotations

import pytest
import torch

from napari_sparseexplain.sparse.thresholds import Shrinkage, shrink, soft

X = torch.linspace(-2, 2, 401, dtype=torch.float64)


@pytest.mark.parametrize("b", [0.0, 0.3, 1.0])
def test_both_equations_are_one_function_for_thresholds_of_at_least_zero(b):
    torch.testing.assert_close(shrink(X, b), soft(X, b))


def test_below_zero_they_differ_eq_18_is_continuous_and_eq_17_jumps():
    b = -0.4
    assert shrink(X, b).diff().abs().max() <= 2 * X.diff().max() + 1e-12
    jump = soft(torch.tensor(1e-9), b) - soft(torch.tensor(-1e-9), b)
    assert float(jump) == pytest.approx(2 * abs(b), abs=1e-6)


def test_below_zero_small_values_are_doubled_and_large_ones_pushed_out():
    assert float(shrink(torch.tensor(0.1), -0.4)) == pytest.approx(0.2)
    assert float(shrink(torch.tensor(1.0), -0.4)) == pytest.approx(1.4)


@pytest.mark.parametrize("b", [-0.7, 0.0, 0.7])
def test_shrinkage_is_odd(b):
    torch.testing.assert_close(shrink(-X, b), -shrink(X, b))


def layer_with(thresholds: list[float]) -> Shrinkage:
    layer = Shrinkage(len(thresholds)).double()
    layer.raw.data[:] = torch.tensor(thresholds)
    return layer


@pytest.mark.parametrize("alpha", [0.25, 1.0])
def test_the_layer_is_eq_18_with_alpha_times_its_threshold(alpha):
    thresholds = [-0.5, 0.0, 0.5]
    layer = layer_with(thresholds)
    x = torch.randn(2, 3, 8, 9, dtype=torch.float64)
    expected = torch.stack([shrink(x[:, c], alpha * t) for c, t in enumerate(thresholds)], dim=1)
    torch.testing.assert_close(layer(x, alpha), expected)


def test_the_layers_gradient_is_that_of_eq_18():
    layer = layer_with([-0.5, 0.2, 0.6])
    x = torch.randn(2, 3, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: layer(x, 0.7), x)
    out = layer(x, 0.7)
    weight = torch.randn_like(out)
    (out * weight).sum().backward()
    b = torch.tensor([-0.5, 0.2, 0.6], dtype=torch.float64, requires_grad=True)
    (shrink(x.detach(), 0.7 * b.view(1, 3, 1, 1)) * weight).sum().backward()
    torch.testing.assert_close(layer.raw.grad, b.grad, rtol=1e-5, atol=1e-6)


def test_a_threshold_that_starts_at_zero_can_move():
    layer = Shrinkage(1)
    layer(torch.full((1, 1, 2, 2), 3.0)).sum().backward()
    assert float(layer.raw.grad) == -4.0


def test_at_alpha_zero_it_is_the_identity_whatever_the_thresholds():
    x = torch.randn(1, 2, 6, 6, dtype=torch.float64)
    assert torch.equal(layer_with([5.0, -5.0])(x, 0.0), x)


def test_positive_thresholds_stay_positive_and_start_close_to_zero():
    layer = Shrinkage(4, positive=True)
    assert 0 < float(layer.thresholds.detach().max()) < 0.01
    layer.raw.data[:] = torch.tensor([-3.0, -0.1, 0.1, 3.0])
    assert (layer.thresholds >= 0).all()
