"""One slice by any of the pursuits: which dictionary, which λ, and parts under names of their own.

What a person chooses is the same for all of them (`PursuitSettings`); what they need differs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from ..progress import Progress, Work
from .analytic_dictionaries import analytic_dictionary, clustering_layer, morphological_classes
from .convolutional_dictionary import analysis, norm_bound
from .csc_admm import csc_admm
from .dictionary_learning import learn_dictionary
from .fista import fista
from .ista import ista
from .jf_ml_ista import ClassModel, Stage, jf_ml_ista, objective
from .ml_ista import ml_ista
from .pursuit_settings import METHODS, PursuitSettings
from .pursuit_trace import TraceRow


class Coded(NamedTuple):
    """One slice of one group: codes (F, H, W), parts by name (n, H, W), trace."""

    codes: torch.Tensor
    parts: dict[str, torch.Tensor]
    trace: tuple[TraceRow, ...]


def choose_dictionary(
    settings: PursuitSettings, dictionary: list[torch.Tensor] | None, scaled: torch.Tensor
) -> Work[list[torch.Tensor]]:
    """Φ and the layers behind it: given, learned or analytic.

    Parameters
    ----------
    settings : PursuitSettings
    dictionary : list of Tensor or None
        What was given.
    scaled : Tensor, shape (S, n, H, W)
        The slices to learn from.
    """
    if settings.method == "jf-ml-ista":
        classes = morphological_classes(settings.width)
        return [torch.cat([c.phi for c in classes.values()]).float()]
    if dictionary is not None:
        weights = list(dictionary)
    elif settings.learn:
        chosen = np.unique(np.linspace(0, len(scaled) - 1, min(8, len(scaled))).round())
        # admm codes one modality at a time: they share atoms, not codes.
        x = scaled[torch.from_numpy(chosen.astype(np.int64))]
        x = x.flatten(0, 1)[:, None] if settings.method == "admm" else x
        start = analytic_dictionary("cosine", settings.width).float()
        level = settings.sparsity * float(analysis(x.flatten(0, 1)[:, None], start).abs().max())
        learned = yield from learn_dictionary(
            x.contiguous(),
            level,
            atoms=settings.atoms or 16,
            width=settings.width,
            rounds=30,
            prox=settings.prox,
            seed=settings.seed,
        )
        weights = [learned.weight]
    else:
        weights = [analytic_dictionary(settings.filters, settings.width, settings.atoms).float()]
    if settings.method == "ml-ista" and len(weights) == 1:
        weights.append(clustering_layer(len(weights[0])).float())
    return weights


def multiplier(x: torch.Tensor, phi: torch.Tensor, settings: PursuitSettings) -> float:
    """λ: the share of the largest ``|Φᵀ x|``, slice by slice so that no more is held."""
    return settings.sparsity * max(float(analysis(s[None], phi).abs().max()) for s in x)


def code_slice(
    x: torch.Tensor, weights: list[torch.Tensor], level: float, settings: PursuitSettings
) -> Work[Coded]:
    """Code one slice, shape (1, n, H, W), with ``level`` as λ and dictionaries that fit."""
    most = settings.iterations or METHODS[settings.method]
    if settings.method == "jf-ml-ista":
        return (yield from _code_classes(x, most, settings))
    if settings.method == "admm":
        found = yield from csc_admm(
            x[0, 0], weights[0][:, 0], level, iterations=most, tolerance=settings.tolerance
        )
    elif settings.method == "ml-ista":
        found = yield from ml_ista(
            x,
            _layered(weights, level),
            iterations=most,
            tolerance=settings.tolerance,
            prox=settings.prox,
        )
    else:
        pursuit = ista if settings.method == "ista" else fista
        found = yield from pursuit(
            x,
            weights[0],
            level,
            iterations=most,
            tolerance=settings.tolerance,
            prox=settings.prox,
        )
    parts = {"reconstruction": found.reconstruction[0], "residual": found.residual[0]}
    return Coded(found.codes[-1][0], parts, found.trace)


def _layered(weights: list[torch.Tensor], level: float) -> ClassModel:
    """One class with steps ``1 / ‖D_l‖²`` and λ_eff = ``level`` on the deepest codes alone.

    Eq. 7 minimises with ``λ_l / (μ_0 … μ_{l-1})``: the deepest threshold is scaled to undo that.
    Without thresholds before it the objective is sure to fall with two-sided codes.
    """
    steps = [1.0 / norm_bound(w) for w in weights]
    nothing = torch.zeros(())
    deep = [nothing] * (len(weights) - 1)
    if deep:
        deep[-1] = level * torch.stack(steps[:-1]).prod()
    first = nothing if deep else torch.tensor(level)
    return ClassModel(weights[0], weights[1:], first, steps[0], deep, steps[1:])


def _code_classes(x: torch.Tensor, rounds: int, settings: PursuitSettings) -> Work[Coded]:
    """Smooth parts and edges by JF-ML-ISTA, from salient to fine.

    Each class has a λ of its own, the share of its own largest ``|Φ_cᵀ x|`` in the slice: edges are
    far fainter than what is smooth, and one λ for both would leave them out.
    """
    named = {}
    for name, c in morphological_classes(settings.width).items():
        phi = c.phi.float()
        level = settings.sparsity * analysis(x, phi).abs().max()
        named[name] = ClassModel(phi, [], level, c.step.float(), [], [])
    classes = list(named.values())
    rows: list[TraceRow] = []

    def look(stage: Stage) -> None:
        coded = [(m, h) for m, h in zip(classes, stage.layer_codes, strict=True) if h]
        value = objective(x, [m for m, _ in coded], [h for _, h in coded], stage.residual)
        every = torch.cat([h[-1].flatten() for _, h in coded])
        active = int(torch.count_nonzero(every)) / every.numel()
        left = float(stage.residual.norm())
        rows.append(TraceRow(len(rows) + 1, float(value.sum()), left, active))

    yield Progress(0, rounds, "coding the classes in turn")
    found = jf_ml_ista(x, classes, outer=rounds, inner=2, prox=settings.prox, observe=look)
    parts = {n: c[0] for n, c in zip(named, found.components, strict=True)}
    parts |= {"reconstruction": (x - found.residual)[0], "residual": found.residual[0]}
    return Coded(torch.cat([c[0] for c in found.codes]), parts, tuple(rows))
