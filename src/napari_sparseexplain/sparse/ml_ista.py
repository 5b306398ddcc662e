"""ML-ISTA: one class's dictionaries in layers, all of them coded together.

Sulam, Aberdam, Beck and Elad 2020 (*On multi-layer basis pursuit*), Algorithm 1; with several
modalities it is the MM-ML-ISTA of the JF-ML-ISTA paper (Eq. 7), since the sum over modalities is
the channel sum of a convolution. It aims at ``½ ‖x - Φ D_1 … D_L γ‖² + Σ_l λ_l ‖h_l‖₁`` (Eq. 6)
with the effective multipliers of `effective_thresholds`; only without thresholds in the middle, and
with two-sided shrinkage, is it ISTA and sure to fall.
"""

from __future__ import annotations

import torch

from ..progress import Progress, Work
from .convolutional_dictionary import analysis, synthesis
from .ista import shrink
from .jf_ml_ista import ClassModel, Prox, check_classes, objective
from .pursuit_trace import Pursuit, TraceRow, check_images, check_numbers


def ml_ista(
    x: torch.Tensor,
    model: ClassModel,
    *,
    iterations: int = 100,
    tolerance: float = 0.0,
    prox: Prox = "relu",
) -> Work[Pursuit]:
    """Codes of every layer by ML-ISTA.

    Parameters
    ----------
    x : Tensor, shape (B, n, H, W)
    model : ClassModel
        Dictionaries, thresholds and steps.
    iterations : int
        At most so many.
    tolerance : float
        Relative change of the deepest codes to stop at.
    prox : {"relu", "soft"}
        As in the paper's Table I, or two-sided.

    Returns
    -------
    Work of Pursuit
        ``codes`` are ``h_0 … h_L`` with ``h_{l-1} = D_l h_l``.

    Raises
    ------
    SparseExplainError
        No dictionary, other channels, or values that are not finite.
    """
    check_images(x, model.phi.shape[1])
    check_classes([model])
    check_numbers(iterations, tolerance=tolerance)
    width = (model.layers[-1] if model.layers else model.phi).shape[0]
    codes = _layers(x.new_zeros(x.shape[0], width, *x.shape[2:]), model)
    residual = x
    trace: list[TraceRow] = []
    done = False
    for k in range(1, iterations + 1):
        z = codes[0] + model.step * analysis(residual, model.phi)
        z = shrink(z, float(model.step * model.threshold), prox)
        rows = zip(model.layers, model.layer_steps, model.layer_thresholds, strict=True)
        for place, (weight, step, threshold) in enumerate(rows, start=1):
            above = codes[place] + step * analysis(z - codes[place - 1], weight)
            z = shrink(above, float(step * threshold), prox)
        change = float((z - codes[-1]).norm())
        codes = _layers(z, model)
        residual = x - synthesis(codes[0], model.phi)
        active = int(torch.count_nonzero(z)) / z.numel()
        value = float(objective(x, [model], [codes], residual).sum())
        trace.append(TraceRow(k, value, float(residual.norm()), active))
        yield Progress(k, iterations, f"objective {value:.5g}", trace[-1])
        done = change <= tolerance * float(z.norm())
        if done:
            break
    return Pursuit(tuple(codes), x - residual, residual, tuple(trace), done)


def _layers(deepest: torch.Tensor, model: ClassModel) -> list[torch.Tensor]:
    """``h_L`` to ``[h_0, …, h_L]``."""
    found = [deepest]
    for weight in reversed(model.layers):
        found.append(synthesis(found[-1], weight))
    return found[::-1]
