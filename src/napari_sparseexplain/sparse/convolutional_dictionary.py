"""A convolutional dictionary: synthesis, its exact adjoint, and a certified bound of its norm.

A dictionary with weights ``W`` (F, n, k, k), k odd, turns F code maps into n images by
``conv_transpose2d`` and images into maps by ``conv2d``, both with stride 1 and zero padding
k // 2. With these the two are exact adjoints: ⟨D y, x⟩ = ⟨y, Dᵀ x⟩.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as functional

from ..errors import SparseExplainError


def analysis(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """``Dᵀ x``: correlate images with every atom.

    Parameters
    ----------
    x : Tensor, shape (B, n, H, W)
    weight : Tensor, shape (F, n, k, k)

    Returns
    -------
    Tensor, shape (B, F, H, W)
    """
    return functional.conv2d(x, weight, padding=weight.shape[-1] // 2)


def synthesis(codes: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """``D y``: the images that codes stand for.

    Parameters
    ----------
    codes : Tensor, shape (B, F, H, W)
    weight : Tensor, shape (F, n, k, k)

    Returns
    -------
    Tensor, shape (B, n, H, W)
    """
    return functional.conv_transpose2d(codes, weight, padding=weight.shape[-1] // 2)


def check_dictionary(weight: torch.Tensor) -> None:
    """Refuse what is no dictionary.

    Raises
    ------
    SparseExplainError
        Not of shape (F, n, k, k) with k odd, or with values that are not finite.
    """
    if weight.ndim != 4 or weight.shape[-1] != weight.shape[-2] or weight.shape[-1] % 2 == 0:
        raise SparseExplainError(
            f"weights of shape {tuple(weight.shape)} are no convolutional dictionary",
            remedy="Give (atoms, channels, k, k) with k odd",
        )
    if not bool(torch.isfinite(weight).all()):
        raise SparseExplainError(
            "the dictionary holds NaN or infinite values", remedy="Get its weights again"
        )


def norm_bound(weight: torch.Tensor, samples: int = 24) -> torch.Tensor:
    """An upper bound of ``‖D‖²`` on images of any size, differentiable.

    Zero padding only removes rows of the circular operator on a larger torus, so
    ``‖D‖² <= sup_ω σ_max(Ŵ(ω))²``, and σ_max² is a trigonometric polynomial of degree at most
    2 d, d = (k - 1) / 2, along each axis: sampled at N points it is at most
    ``max / cos⁴(π d / N)`` between them (a factor cos² an axis: the classical bound of a
    polynomial of degree 2 d by its samples on a grid of N points).

    Parameters
    ----------
    weight : Tensor, shape (F, n, k, k)
    samples : int
        N, the frequencies sampled along each axis; more than ``2 (k - 1)``.

    Returns
    -------
    Tensor
        Scalar; the true norm is never above it.
    """
    reach = (weight.shape[-1] - 1) // 2
    count = max(samples, 8 * weight.shape[-1])
    spectrum = torch.fft.rfft2(weight.to(torch.float64), s=(count, count)).permute(2, 3, 0, 1)
    # The Gram matrix of the smaller side has the same largest eigenvalue.
    gram = spectrum.mH @ spectrum if weight.shape[1] <= weight.shape[0] else spectrum @ spectrum.mH
    largest = torch.linalg.eigvalsh(gram)[..., -1].max()
    return (largest / math.cos(math.pi * reach / count) ** 4).to(weight.dtype)


def operator_norm(
    weight: torch.Tensor, size: tuple[int, int], iterations: int = 200, seed: int = 0
) -> float:
    """``‖D‖²`` on images of one size by power iteration: from below, to check the bound with.

    Parameters
    ----------
    weight : Tensor, shape (F, n, k, k)
    size : (int, int)
        Rows and columns of the images.
    """
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn((1, weight.shape[1], *size), generator=generator, dtype=weight.dtype)
    value = 0.0
    for _ in range(iterations):
        x = x / x.norm()
        y = analysis(x, weight)
        value = float(y.square().sum())
        x = synthesis(y, weight)
    return value


@torch.no_grad()
def project_to_unit_norm(weight: torch.Tensor) -> torch.Tensor:
    """The dictionary scaled so that its certified bound is 1 (all zeros stay as they are).

    A common scale for the whole dictionary: thresholds then compare across classes and layers.
    """
    bound = norm_bound(weight)
    if bound <= 0:
        return weight.clone()
    # A hair below 1, so that rounding to the weights' own precision cannot lift it above.
    shrink = 1.0 - 4.0 * torch.finfo(weight.dtype).eps
    return weight * (shrink / bound.sqrt())
