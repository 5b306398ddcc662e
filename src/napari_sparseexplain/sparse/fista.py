"""FISTA: ISTA with momentum, so that the objective falls with 1/k² where ISTA's falls with 1/k.

Beck and Teboulle 2009, *A fast iterative shrinkage-thresholding algorithm*, with the restart of
O'Donoghue and Candès 2015 (their gradient scheme, here image by image): momentum is dropped where
it points uphill.
"""

from __future__ import annotations

import torch

from ..progress import Progress, Work
from .convolutional_dictionary import analysis, synthesis
from .ista import check_lasso, lasso_row, shrink
from .jf_ml_ista import Prox
from .pursuit_trace import Pursuit, TraceRow


def fista(
    x: torch.Tensor,
    weight: torch.Tensor,
    multiplier: float,
    *,
    iterations: int = 100,
    tolerance: float = 0.0,
    step: float | None = None,
    prox: Prox = "soft",
    restart: bool = True,
) -> Work[Pursuit]:
    """Sparse codes by FISTA.

    Parameters
    ----------
    x, weight, multiplier, iterations, tolerance, step, prox
        As in `ista`, for the same minimum.
    restart : bool
        Drop momentum that points uphill.

    Returns
    -------
    Work of Pursuit

    Raises
    ------
    SparseExplainError
        No dictionary, other channels, or values that are not finite.

    Notes
    -----
    ``D`` is linear: the slope at the extrapolated point is that of the last two codes,
    extrapolated alike. So an iteration costs what one of ISTA does, its certificate included.
    """
    step = check_lasso(x, weight, multiplier, iterations, step)
    codes = x.new_zeros(x.shape[0], weight.shape[0], *x.shape[2:])
    residual, slope = x, analysis(x, weight)
    ahead, slope_ahead = codes, slope
    momentum = x.new_ones(x.shape[0], 1, 1, 1)
    trace: list[TraceRow] = []
    for k in range(1, iterations + 1):
        before, slope_before = codes, slope
        codes = shrink(ahead + step * slope_ahead, step * multiplier, prox)
        residual = x - synthesis(codes, weight)
        slope = analysis(residual, weight)
        change = codes - before
        if restart:
            uphill = ((ahead - codes) * change).sum(dim=(1, 2, 3), keepdim=True) > 0
            momentum = torch.where(uphill, 1.0, momentum)
        following = 0.5 * (1.0 + torch.sqrt(1.0 + 4.0 * momentum.square()))
        share = (momentum - 1.0) / following
        momentum = following
        ahead = torch.addcmul(codes, share, change)
        slope_ahead = torch.addcmul(slope, share, slope - slope_before)
        trace.append(lasso_row(k, x, codes, residual, slope, multiplier, prox))
        yield Progress(k, iterations, f"objective {trace[-1].objective:.5g}", trace[-1])
        if trace[-1].gap <= tolerance:
            break
    done = trace[-1].gap <= tolerance
    return Pursuit((codes,), x - residual, residual, tuple(trace), done)
