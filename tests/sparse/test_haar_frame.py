"""The Haar transform is orthonormal, on aligned 2×2 blocks, and its own transpose's inverse."""

from __future__ import annotations

import math

import pytest
import torch

from napari_sparseexplain.sparse.haar_frame import haar_analysis, haar_synthesis, pad_to_multiple

LAYOUTS = [torch.contiguous_format, torch.channels_last]


def image(layout: torch.memory_format = torch.contiguous_format, maps: int = 3) -> torch.Tensor:
    x = torch.randn(2, maps, 12, 20, generator=torch.Generator().manual_seed(0))
    return x.to(memory_format=layout)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_perfect_reconstruction(layout):
    x = image(layout)
    torch.testing.assert_close(haar_synthesis(*haar_analysis(x)), x, rtol=0, atol=1e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_energy_is_preserved(layout):
    x = image(layout).double()
    low, high = haar_analysis(x)
    assert low.shape == (2, 3, 6, 10)
    assert high.shape == (2, 3, 3, 6, 10)
    energy = float(low.square().sum() + high.square().sum())
    assert math.isclose(energy, float(x.square().sum()), rel_tol=1e-6)


def test_each_band_is_a_difference_within_its_own_block():
    block = torch.tensor([[1.0, 2.0], [4.0, 8.0]])
    x = torch.zeros(1, 1, 4, 4)
    x[0, 0, 2:, :2] = block
    low, high = haar_analysis(x)
    assert float(low[0, 0, 1, 0]) == 7.5
    assert high[0, :, 0, 1, 0].tolist() == [-4.5, -2.5, 1.5]
    low[0, 0, 1, 0] = 0
    high[0, :, 0, 1, 0] = 0
    assert not low.any()
    assert not high.any()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_synthesis_is_the_transpose_of_analysis(layout):
    x = image(layout).double()
    low, high = torch.randn(2, 3, 6, 10).double(), torch.randn(2, 3, 3, 6, 10).double()
    a, b = haar_analysis(x)
    left = (a * low).sum() + (b * high).sum()
    right = (x * haar_synthesis(low, high)).sum()
    torch.testing.assert_close(left, right)


def test_gradients_of_both_are_right_to_second_order():
    x = torch.randn(1, 2, 4, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(haar_analysis, x)
    low = torch.randn(1, 2, 2, 3, dtype=torch.float64, requires_grad=True)
    high = torch.randn(1, 3, 2, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(haar_synthesis, (low, high))
    assert torch.autograd.gradgradcheck(haar_synthesis, (low, high))


def test_odd_sizes_and_foreign_bands_are_refused():
    with pytest.raises(ValueError, match="even"):
        haar_analysis(torch.zeros(1, 1, 5, 4))
    with pytest.raises(ValueError, match="do not belong"):
        haar_synthesis(torch.zeros(1, 1, 4, 4), torch.zeros(1, 3, 1, 4, 5))


@pytest.mark.parametrize(("height", "width"), [(16, 32), (17, 31), (1, 1), (240, 155)])
def test_padding_grows_to_a_multiple_and_is_cropped_back(height, width):
    x = torch.randn(1, 1, height, width)
    padded, crop = pad_to_multiple(x, 16)
    assert padded.shape[-2] % 16 == 0
    assert padded.shape[-1] % 16 == 0
    assert torch.equal(padded[..., crop[0], crop[1]], x)
    assert float(padded[0, 0, -1, -1]) == float(x[0, 0, -1, -1])
