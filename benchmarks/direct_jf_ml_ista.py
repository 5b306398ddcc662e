"""The equations of JF-ML-ISTA line by line, with no thought of speed: what ours is held against.

Eq. 5-7 inside the outer loop of morphological component analysis, every synthesis computed where
the equation names it. It shares nothing with the package but the shape of its inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as functional

from napari_sparseexplain.sparse.jf_ml_ista import ClassModel

Codes = list[torch.Tensor]


def analyse(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Dᵀ x."""
    return functional.conv2d(x, weight, padding=weight.shape[-1] // 2)


def synthesise(codes: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """D γ."""
    return functional.conv_transpose2d(codes, weight, padding=weight.shape[-1] // 2)


def proximal(prox: str) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Table I's ReLU, or two-sided soft thresholding."""
    if prox == "relu":
        return lambda z, t: torch.relu(z - t)
    return lambda z, t: torch.sign(z) * torch.clamp(torch.abs(z) - t, min=0)


def down(deepest: torch.Tensor, layers: Sequence[torch.Tensor]) -> Codes:
    """``[γ, D_1 … , D_{L-1} D_L γ_L, D_L γ_L, γ_L]``: codes of every layer, the first one first."""
    found = [deepest]
    for weight in reversed(layers):
        found.insert(0, synthesise(found[0], weight))
    return found


def direct_jf_ml_ista(
    x: torch.Tensor,
    classes: Sequence[ClassModel],
    *,
    outer: int = 3,
    inner: int = 2,
    salience: float = 0.5,
    prox: str = "relu",
    separate: bool = False,
) -> tuple[Codes, Codes, torch.Tensor]:
    """Deepest codes and component of every class, and the residual."""
    shrink = proximal(prox)
    images, _, rows, columns = x.shape
    layers = [[] if separate else list(c.layers) for c in classes]
    width = [(d[-1] if d else c.phi).shape[0] for c, d in zip(classes, layers, strict=True)]
    gamma = [x.new_zeros(images, f, rows, columns) for f in width]
    component = [torch.zeros_like(x) for _ in classes]
    strongest = torch.stack([analyse(x, c.phi).abs().amax((1, 2, 3)) for c in classes]).amax(0)
    highest = salience * strongest.view(-1, 1, 1, 1)
    for t in range(outer):
        for c, model in enumerate(classes):
            level = model.threshold + x.new_zeros(images, 1, 1, 1)
            if outer > 1:
                fall = (highest - model.threshold).clamp(min=0)
                level = model.threshold + fall * (outer - 1 - t) / (outer - 1)
            marginal = x - sum(component[o] for o in range(len(classes)) if o != c)
            for _ in range(inner):
                h = down(gamma[c], layers[c])
                gradient = analyse(synthesise(h[0], model.phi) - marginal, model.phi)
                z = shrink(h[0] - model.step * gradient, model.step * level)
                for i, weight in enumerate(layers[c]):
                    step, threshold = model.layer_steps[i], model.layer_thresholds[i]
                    gradient = analyse(synthesise(h[i + 1], weight) - z, weight)
                    z = shrink(h[i + 1] - step * gradient, step * threshold)
                gamma[c] = z
            component[c] = synthesise(down(gamma[c], layers[c])[0], model.phi)
    if separate:
        gamma = [
            ml_ista(g, m, times=outer * inner, prox=prox)
            for g, m in zip(gamma, classes, strict=True)
        ]
        component = [
            synthesise(down(g, list(m.layers))[0], m.phi)
            for g, m in zip(gamma, classes, strict=True)
        ]
    return gamma, component, x - sum(component)


def ml_ista(first: torch.Tensor, model: ClassModel, *, times: int, prox: str) -> torch.Tensor:
    """ML-ISTA of given first-layer codes with D_1 … D_L alone, from zero."""
    shrink = proximal(prox)
    images, _, rows, columns = first.shape
    if not model.layers:
        return first
    gamma = first.new_zeros(images, model.layers[-1].shape[0], rows, columns)
    for _ in range(times):
        h = down(gamma, list(model.layers))
        z = first
        for i, weight in enumerate(model.layers):
            step, threshold = model.layer_steps[i], model.layer_thresholds[i]
            z = shrink(
                h[i + 1] - step * analyse(synthesise(h[i + 1], weight) - z, weight),
                step * threshold,
            )
        gamma = z
    return gamma
