"""A convolutional dictionary: exact adjoints, a bound that is never below the norm."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import SparseExplainError
from napari_sparseexplain.sparse.convolutional_dictionary import (
    analysis,
    check_dictionary,
    norm_bound,
    operator_norm,
    project_to_unit_norm,
    synthesis,
)

#: Atoms, channels, width of an atom, size of the image: odd and even sizes, smaller than an atom
#: too, more atoms than channels and fewer.
CASES = [
    (1, 1, 1, (5, 4)),
    (4, 1, 3, (9, 8)),
    (2, 5, 3, (7, 16)),
    (16, 4, 3, (24, 20)),
    (6, 2, 5, (12, 11)),
    (3, 4, 7, (20, 5)),
    (1, 1, 9, (30, 30)),
    (8, 8, 3, (1, 1)),
]


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("atoms", "channels", "k", "size"), CASES)
def test_synthesis_and_analysis_are_adjoint(atoms, channels, k, size):
    weight = drawn(atoms, channels, k, k)
    x, y = drawn(2, channels, *size, seed=1), drawn(2, atoms, *size, seed=2)
    left = (synthesis(y, weight) * x).sum()
    right = (y * analysis(x, weight)).sum()
    scale = float(weight.norm() * x.norm() * y.norm())
    assert abs(float(left - right)) <= 1e-12 * scale


def test_a_unit_code_paints_its_atom_in_every_channel():
    weight = drawn(3, 2, 5, 5)
    codes = torch.zeros(1, 3, 11, 11, dtype=torch.float64)
    codes[0, 1, 5, 4] = 2.0
    painted = synthesis(codes, weight)[0]
    torch.testing.assert_close(painted[:, 3:8, 2:7], 2.0 * weight[1])
    painted[:, 3:8, 2:7] = 0
    assert not painted.any()


def dense(weight: torch.Tensor, size: tuple[int, int]) -> np.ndarray:
    """The matrix of D on images of one size, a column a unit code."""
    count = weight.shape[0] * size[0] * size[1]
    unit = torch.eye(count, dtype=weight.dtype).view(count, weight.shape[0], *size)
    return synthesis(unit, weight).reshape(count, -1).T.numpy()


@pytest.mark.parametrize(("atoms", "channels", "k", "size"), CASES)
@pytest.mark.parametrize("kind", ["normal", "constant", "positive"])
def test_the_bound_is_above_the_norm_and_the_bigger_the_image_the_closer(
    atoms, channels, k, size, kind
):
    weight = drawn(atoms, channels, k, k)
    if kind == "constant":
        weight = torch.ones_like(weight)
    elif kind == "positive":
        weight = weight.abs()
    bound = float(norm_bound(weight))
    assert operator_norm(weight, size) <= bound * (1 + 1e-12)
    large = operator_norm(weight, (32, 32), iterations=100)
    assert large <= bound * (1 + 1e-12)
    # cos⁴(π/16) = 0.925 at most is lost between the samples, the rest at the image's edges.
    assert large >= 0.8 * bound


def test_power_iteration_finds_the_largest_singular_value():
    weight, size = drawn(3, 2, 3, 3), (7, 6)
    exact = float(np.linalg.norm(dense(weight, size), 2) ** 2)
    found = operator_norm(weight, size, iterations=2000)
    assert found == pytest.approx(exact, rel=1e-6)
    assert found <= exact * (1 + 1e-12)
    assert exact <= float(norm_bound(weight))


@pytest.mark.parametrize("samples", [24, 48, 200])
def test_the_bound_holds_however_sparsely_frequencies_are_sampled(samples):
    # A pure cosine whose crest lies between the samples.
    phase = torch.arange(-2, 3, dtype=torch.float64) * (2 * math.pi * 2.5 / 24)
    weight = (torch.cos(phase)[:, None] * torch.cos(phase)[None]).view(1, 1, 5, 5)
    fine = torch.fft.rfft2(weight, s=(960, 960)).abs().square().max()
    assert float(norm_bound(weight, samples)) >= float(fine)


def test_the_bound_is_differentiable_and_of_second_degree():
    weight = drawn(4, 2, 3, 3).requires_grad_()
    bound = norm_bound(weight)
    (slope,) = torch.autograd.grad(bound, weight)
    # Euler: a function of degree 2 has ⟨slope, W⟩ = 2 f.
    torch.testing.assert_close((slope * weight).sum(), 2 * bound)
    torch.testing.assert_close(norm_bound(3 * weight), 9 * bound)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("atoms", "channels", "k", "size"), CASES)
def test_projection_gives_a_bound_of_one_and_keeps_the_direction(atoms, channels, k, size, dtype):
    weight = (37.0 * drawn(atoms, channels, k, k)).to(dtype)
    projected = project_to_unit_norm(weight)
    assert projected.dtype == dtype
    bound = float(norm_bound(projected.double()))
    assert bound <= 1.0
    assert bound >= 1 - 1e-5
    assert operator_norm(projected, size) <= 1.0 + 1e-6
    cosine = (projected * weight).sum() / (projected.norm() * weight.norm())
    assert float(cosine) == pytest.approx(1.0, abs=1e-6)
    torch.testing.assert_close(project_to_unit_norm(projected), projected)


def test_a_dictionary_of_zeros_stays_as_it_is():
    weight = torch.zeros(3, 2, 3, 3)
    assert torch.equal(project_to_unit_norm(weight), weight)


@pytest.mark.parametrize(
    "weight",
    [
        torch.zeros(3, 3, 3),
        torch.zeros(2, 1, 3, 5),
        torch.zeros(2, 1, 4, 4),
        torch.full((2, 1, 3, 3), float("nan")),
        torch.full((2, 1, 3, 3), float("inf")),
    ],
)
def test_what_is_no_dictionary_is_refused(weight):
    with pytest.raises(SparseExplainError):
        check_dictionary(weight)
