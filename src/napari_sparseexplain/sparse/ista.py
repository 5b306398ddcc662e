"""ISTA: sparse codes of one convolutional dictionary by gradient steps and shrinkage.

``min_z ½ ‖x - D z‖² + λ ‖z‖₁`` (z >= 0 with the ReLU), ``z ← P(z + μ Dᵀ (x - D z), μ λ)`` with
``μ <= 1 / ‖D‖²`` (Daubechies, Defrise and De Mol 2004). Zero padding at the borders, any number
of modalities that share their codes.
"""

from __future__ import annotations

import torch

from ..errors import SparseExplainError
from ..progress import Progress, Work
from .convolutional_dictionary import analysis, check_dictionary, norm_bound, synthesis
from .jf_ml_ista import Prox
from .lasso_gap import lower_bound, relative_gap
from .pursuit_trace import Pursuit, TraceRow, check_images, check_numbers
from .thresholds import soft


def ista(
    x: torch.Tensor,
    weight: torch.Tensor,
    multiplier: float,
    *,
    iterations: int = 100,
    tolerance: float = 0.0,
    step: float | None = None,
    prox: Prox = "soft",
    start: torch.Tensor | None = None,
) -> Work[Pursuit]:
    """Sparse codes by ISTA.

    Parameters
    ----------
    x : Tensor, shape (B, n, H, W)
    weight : Tensor, shape (F, n, k, k)
        The dictionary; k odd.
    multiplier : float
        λ.
    iterations : int
        At most so many.
    tolerance : float
        Certified relative gap to stop at.
    step : float, optional
        μ; ``1 / norm_bound(weight)``, with which the objective never rises.
    prox : {"soft", "relu"}
        Two-sided codes, or codes of at least 0.
    start : Tensor, shape (B, F, H, W), optional
        Codes to start from; zero.

    Returns
    -------
    Work of Pursuit

    Raises
    ------
    SparseExplainError
        No dictionary, other channels, or values that are not finite.
    """
    step = check_lasso(x, weight, multiplier, iterations, step)
    codes = x.new_zeros(x.shape[0], weight.shape[0], *x.shape[2:]) if start is None else start
    residual = x - synthesis(codes, weight)
    slope = analysis(residual, weight)
    trace: list[TraceRow] = []
    for k in range(1, iterations + 1):
        codes = shrink(codes + step * slope, step * multiplier, prox)
        residual = x - synthesis(codes, weight)
        slope = analysis(residual, weight)
        trace.append(lasso_row(k, x, codes, residual, slope, multiplier, prox))
        yield Progress(k, iterations, f"objective {trace[-1].objective:.5g}", trace[-1])
        if trace[-1].gap <= tolerance:
            break
    done = trace[-1].gap <= tolerance
    return Pursuit((codes,), x - residual, residual, tuple(trace), done)


def shrink(z: torch.Tensor, threshold: float, prox: Prox) -> torch.Tensor:
    """P(z, threshold): two-sided soft thresholding, or ``relu(z - threshold)``."""
    return soft(z, threshold) if prox == "soft" else torch.relu(z - threshold)


def lasso_row(
    iteration: int,
    x: torch.Tensor,
    codes: torch.Tensor,
    residual: torch.Tensor,
    slope: torch.Tensor,
    multiplier: float,
    prox: Prox,
) -> TraceRow:
    """Objective, residual, sparsity and certified gap of codes of one layer."""
    over = (1, 2, 3)
    value = 0.5 * residual.square().sum(dim=over) + multiplier * codes.abs().sum(dim=over)
    return TraceRow(
        iteration,
        float(value.sum()),
        float(residual.norm()),
        int(torch.count_nonzero(codes)) / codes.numel(),
        relative_gap(value, lower_bound(x, residual, slope, multiplier, prox)),
    )


def check_lasso(
    x: torch.Tensor, weight: torch.Tensor, multiplier: float, iterations: int, step: float | None
) -> float:
    """Refuse what has no codes; return the step.

    Raises
    ------
    SparseExplainError
        See `ista`.
    """
    check_dictionary(weight)
    check_images(x, weight.shape[1])
    check_numbers(iterations, multiplier=multiplier, step_size=step or 0.0)
    if step is not None:
        return step
    bound = float(norm_bound(weight))
    if bound <= 0:
        raise SparseExplainError(
            "a dictionary of zeros explains nothing", remedy="Give atoms that are not zero"
        )
    return 1.0 / bound
