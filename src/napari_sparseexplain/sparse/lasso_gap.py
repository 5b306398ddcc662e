"""How far one layer's codes can be from the minimum: a gap certified by duality.

Every θ with ``Dᵀ θ <= λ`` (``|Dᵀ θ| <= λ`` for two-sided codes) bounds the minimum of
``½ ‖x - D z‖² + λ ‖z‖₁`` from below by ``⟨x, θ⟩ - ½ ‖θ‖²``. The residual, scaled until it is
such a θ, becomes the best one as z becomes the minimiser.
"""

from __future__ import annotations

import torch

from .jf_ml_ista import Prox


def lower_bound(
    x: torch.Tensor, residual: torch.Tensor, slope: torch.Tensor, multiplier: float, prox: Prox
) -> torch.Tensor:
    """A value that the minimum is not below, one an image, shape (B,).

    Parameters
    ----------
    x, residual : Tensor, shape (B, n, H, W)
        Images, and what the codes leave of them.
    slope : Tensor, shape (B, F, H, W)
        ``Dᵀ residual``.
    multiplier : float
        λ.
    prox : {"relu", "soft"}
        ReLU stands for codes of at least 0: only steep ascents count.
    """
    over = (1, 2, 3)
    steepest = (slope.abs() if prox == "soft" else slope).amax(dim=over)
    along, size = (x * residual).sum(dim=over), residual.square().sum(dim=over)
    tiny = torch.finfo(x.dtype).tiny
    most = torch.where(steepest > 0, multiplier / steepest.clamp_min(tiny), torch.inf)
    # For two-sided codes -θ is feasible with θ; for one-sided ones only 0 surely is.
    scale = (along / size.clamp_min(tiny)).clamp_min(0.0).minimum(most)
    return scale * along - 0.5 * scale.square() * size


def relative_gap(objective: torch.Tensor, bound: torch.Tensor) -> float:
    """``(objective - bound) / objective`` over all images together, at least 0; 0 for 0."""
    value = float(objective.sum())
    return max((value - float(bound.sum())) / value, 0.0) if value > 0 else 0.0
