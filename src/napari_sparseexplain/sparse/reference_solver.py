"""The minimum of Eq. 5 itself: a convex solver to hold unrolled pursuits against.

Eq. 5 of the JF-ML-ISTA paper, all classes at once, for any number of layers and two-sided codes:
``min_γ ½ ‖x - Σ_c Φ_c D_1 … D_L γ_c‖² + Σ_c Σ_l λ_{c,l} ‖D_{l+1} … D_L γ_c‖₁``, ``l = 0 … L``.
Unrolled pursuits make a few steps with shrinkages that are not the proximal operators of the sum.
This is ADMM (Boyd et al. 2011) with a variable of its own for every term, ``w_{c,l} = h_{c,l}``:
the quadratic step by conjugate gradients, warm-started, then one shrinkage a term. It stops by a
duality gap, so that its answer is certified.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..errors import SparseExplainError
from ..progress import Progress, Work
from .convolutional_dictionary import analysis, synthesis
from .jf_ml_ista import ClassModel, check_classes, effective_thresholds
from .pursuit_trace import check_images, check_numbers
from .thresholds import soft

#: Multipliers of every class: λ_{c,0} … λ_{c,L}.
Multipliers = Sequence[Sequence[float]]

#: A correction of ρ by less than this factor is not worth making.
_BALANCED = 1.3

#: After so many iterations ρ stays, without which ADMM need not converge.
_SETTLED = 300


@dataclass(frozen=True, eq=False)
class Reference:
    """The minimum, and how well it is known.

    Attributes
    ----------
    codes : tuple of Tensor, shape (B, F_L, H, W)
        Deepest codes of every class.
    objective, bound : float
        Eq. 5 at these codes, and a value that it is nowhere below; sums over the images.
    iterations : int
    multipliers : tuple of tuple of float
        The problem: λ of every class and layer.
    """

    codes: tuple[torch.Tensor, ...]
    objective: float
    bound: float
    iterations: int
    multipliers: tuple[tuple[float, ...], ...]

    @property
    def gap(self) -> float:
        """``(objective - bound) / objective``, certified; 0 for 0."""
        return (self.objective - self.bound) / self.objective if self.objective > 0 else 0.0


def multipliers_of(classes: Sequence[ClassModel]) -> tuple[tuple[float, ...], ...]:
    """λ_eff of every class and layer: what Eq. 7 minimises Eq. 5 with."""
    return tuple(tuple(float(t) for t in effective_thresholds(c)) for c in classes)


def layers_of(model: ClassModel, deepest: torch.Tensor) -> list[torch.Tensor]:
    """``h_L`` to ``[h_0, …, h_L]``."""
    found = [deepest]
    for weight in reversed(model.layers):
        found.append(synthesis(found[-1], weight))
    return found[::-1]


def equation_5(
    x: torch.Tensor,
    classes: Sequence[ClassModel],
    codes: Sequence[torch.Tensor],
    multipliers: Multipliers | None = None,
) -> float:
    """Eq. 5 at given deepest codes, with λ_eff unless others are given; a sum over the images."""
    residual, value = x, 0.0
    for model, deepest, row in zip(
        classes, codes, multipliers or multipliers_of(classes), strict=True
    ):
        layers = layers_of(model, deepest)
        residual = residual - synthesis(layers[0], model.phi)
        value += sum(m * float(h.abs().sum()) for m, h in zip(row, layers, strict=True))
    return value + 0.5 * float(residual.square().sum())


def gap_to_reference(
    x: torch.Tensor,
    classes: Sequence[ClassModel],
    codes: Sequence[torch.Tensor],
    reference: Reference,
) -> float:
    """How far above the minimum an unrolled pursuit ended, as a share of the minimum.

    Parameters
    ----------
    x, classes
        As given to `solve_equation_5`.
    codes : sequence of Tensor, shape (B, F_L, H, W)
        Deepest codes of every class, as `Decomposition.codes`.
    reference : Reference

    Returns
    -------
    float
        Not below ``-reference.gap``; infinite where the minimum is 0 and the pursuit is not there.
    """
    value = equation_5(x, classes, codes, reference.multipliers)
    if reference.objective > 0:
        return value / reference.objective - 1.0
    return math.inf if value > 0 else 0.0


def solve_equation_5(
    x: torch.Tensor,
    classes: Sequence[ClassModel],
    *,
    multipliers: Multipliers | None = None,
    iterations: int = 1000,
    tolerance: float = 1e-6,
    look_every: int = 10,
) -> Work[Reference]:
    """Minimise Eq. 5.

    Parameters
    ----------
    x : Tensor, shape (B, n, H, W)
        float64 where a gap below 1e-5 is wanted.
    classes : sequence of ClassModel
        Only their dictionaries are used, and their thresholds and steps for λ_eff.
    multipliers : sequence of sequence of float, optional
        λ of every class and layer; `multipliers_of`.
    iterations : int
        At most so many.
    tolerance : float
        Relative duality gap to stop at. Where a deepest λ is 0 no finite bound but 0 is certified.
    look_every : int
        Iterations between looks at the gap.

    Returns
    -------
    Work of Reference
        The best codes seen, not the last.

    Raises
    ------
    SparseExplainError
        No class, dictionaries that do not fit, a λ that is negative, or values that are not finite.
    """
    rows = _checked(x, classes, multipliers, iterations)
    gamma = [x.new_zeros(len(x), _depth(c).shape[0], *x.shape[2:]) for c in classes]
    split = [layers_of(c, g) for c, g in zip(classes, gamma, strict=True)]
    duals = [[torch.zeros_like(h) for h in hs] for hs in split]
    rho, accuracy = 0.1, 1e-2
    best, best_codes, bound = math.inf, list(gamma), 0.0
    k = 0
    for k in range(1, iterations + 1):
        wanted = [
            torch.add(g, d)
            for g, d in zip(
                _back(classes, [x] * len(classes)),
                [
                    rho * _gathered(c, [w - u for w, u in zip(ws, us, strict=True)])
                    for c, ws, us in zip(classes, split, duals, strict=True)
                ],
                strict=True,
            )
        ]
        gamma = _conjugate_gradients(classes, gamma, wanted, rho, accuracy)
        primal = dual = 0.0
        for c, (model, row) in enumerate(zip(classes, rows, strict=True)):
            for place, h in enumerate(layers_of(model, gamma[c])):
                above = 1.8 * h - 0.8 * split[c][place] + duals[c][place]
                w = soft(above, row[place] / rho)
                dual += float((w - split[c][place]).square().sum())
                primal += float((h - w).square().sum())
                split[c][place], duals[c][place] = w, above - w
        if k % look_every == 0 or k == iterations:
            for codes in ([ws[-1] for ws in split], gamma):
                value = equation_5(x, classes, codes, rows)
                if value < best:
                    best, best_codes = value, [g.clone() for g in codes]
            bound = max(bound, _lower_bound(x, classes, gamma, duals, rho, rows))
            gap = (best - bound) / best if best > 0 else 0.0
            yield Progress(k, iterations, f"gap {gap:.1e}")
            if gap <= tolerance:
                break
            accuracy = min(accuracy, 0.1 * gap)
            if k <= _SETTLED:
                rho = _rebalanced(rho, primal, dual, split, duals)
    return Reference(tuple(best_codes), best, bound, k, rows)


def _rebalanced(
    rho: float,
    primal: float,
    dual: float,
    split: Sequence[Sequence[torch.Tensor]],
    duals: Sequence[Sequence[torch.Tensor]],
) -> float:
    """ρ by which ‖h - w‖ / ‖w‖ and ‖w - w before‖ / ‖u‖ are alike; u is the multiplier / ρ."""
    codes = sum(float(w.square().sum()) for ws in split for w in ws)
    multipliers = sum(float(u.square().sum()) for us in duals for u in us)
    if min(primal, dual, codes, multipliers) <= 0:
        return rho
    factor = ((primal / codes) / (dual / multipliers)) ** 0.25
    if 1 / _BALANCED < factor < _BALANCED:
        return rho
    factor = min(max(factor, 0.2), 5.0)
    for us in duals:
        for u in us:
            u.div_(factor)
    return rho * factor


def _painted(classes: Sequence[ClassModel], gamma: Sequence[torch.Tensor]) -> torch.Tensor:
    """``Σ_c Φ_c D_1 … D_L γ_c``."""
    parts = [synthesis(layers_of(c, g)[0], c.phi) for c, g in zip(classes, gamma, strict=True)]
    return torch.stack(parts).sum(dim=0)


def _back(classes: Sequence[ClassModel], images: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """``D_Lᵀ … D_1ᵀ Φ_cᵀ`` of one image a class."""
    found = []
    for model, image in zip(classes, images, strict=True):
        maps = analysis(image, model.phi)
        for weight in model.layers:
            maps = analysis(maps, weight)
        found.append(maps)
    return found


def _gathered(model: ClassModel, layers: Sequence[torch.Tensor]) -> torch.Tensor:
    """``Σ_l D_Lᵀ … D_{l+1}ᵀ v_l``: the adjoint of `layers_of`."""
    maps = layers[0]
    for weight, v in zip(model.layers, layers[1:], strict=True):
        maps = analysis(maps, weight) + v
    return maps


def _conjugate_gradients(
    classes: Sequence[ClassModel],
    start: Sequence[torch.Tensor],
    wanted: Sequence[torch.Tensor],
    rho: float,
    accuracy: float,
) -> list[torch.Tensor]:
    """Solve ``(Aᵀ A + ρ Kᵀ K) γ = wanted`` from ``start``, to a share of ``wanted``'s norm.

    K holds the identity, so the eigenvalues lie in [ρ, ‖A‖² + ρ ‖K‖²].
    """

    def applied(gamma: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        image = _painted(classes, gamma)
        data = _back(classes, [image] * len(classes))
        return [
            d + rho * _gathered(c, layers_of(c, g))
            for c, d, g in zip(classes, data, gamma, strict=True)
        ]

    def product(a: Sequence[torch.Tensor], b: Sequence[torch.Tensor]) -> float:
        return sum(float((p * q).sum()) for p, q in zip(a, b, strict=True))

    gamma = list(start)
    left = [w - f for w, f in zip(wanted, applied(gamma), strict=True)]
    direction = list(left)
    energy = product(left, left)
    limit = accuracy**2 * product(wanted, wanted)
    for _ in range(200):
        if energy <= limit:
            break
        image = applied(direction)
        step = energy / product(direction, image)
        gamma = [g + step * d for g, d in zip(gamma, direction, strict=True)]
        left = [r - step * i for r, i in zip(left, image, strict=True)]
        before, energy = energy, product(left, left)
        direction = [r + energy / before * d for r, d in zip(left, direction, strict=True)]
    return gamma


def _lower_bound(
    x: torch.Tensor,
    classes: Sequence[ClassModel],
    gamma: Sequence[torch.Tensor],
    duals: Sequence[Sequence[torch.Tensor]],
    rho: float,
    rows: Sequence[Sequence[float]],
) -> float:
    """``⟨x, θ⟩ - ½ ‖θ‖²`` with the residual and the multipliers ``v = ρ u`` scaled to be feasible.

    θ is when ``|D_Lᵀ(… D_1ᵀ(Φᵀ θ - v_0) …)| <= λ_L`` and ``|v_l| <= λ_l``, l < L, for every class;
    shrinkage leaves the second true, and one factor on θ and all v keeps it and mends the first.
    """
    residual = x - _painted(classes, gamma)
    over, tiny = (1, 2, 3), torch.finfo(x.dtype).tiny
    most = x.new_full((len(x),), math.inf)
    for model, us, row in zip(classes, duals, rows, strict=True):
        ascent = analysis(residual, model.phi)
        for weight, u in zip(model.layers, us[:-1], strict=True):
            ascent = analysis(ascent - rho * u, weight)
        steepest = ascent.abs().amax(dim=over)
        # v may not grow past λ_l either, so the factor stays at or below 1 where there are any.
        allowed = torch.where(steepest > 0, row[-1] / steepest.clamp_min(tiny), math.inf)
        most = most.minimum(allowed.clamp_max(1.0) if model.layers else allowed)
    along, size = (x * residual).sum(dim=over), residual.square().sum(dim=over)
    scale = torch.where(size > 0, along / size.clamp_min(tiny), 0.0).clamp_min(0.0).minimum(most)
    return float((scale * along - 0.5 * scale.square() * size).sum())


def _depth(model: ClassModel) -> torch.Tensor:
    return model.layers[-1] if model.layers else model.phi


def _checked(
    x: torch.Tensor,
    classes: Sequence[ClassModel],
    multipliers: Multipliers | None,
    iterations: int,
) -> tuple[tuple[float, ...], ...]:
    if not classes:
        raise SparseExplainError("a decomposition needs at least one class")
    check_classes(classes)
    for model in classes:
        check_images(x, model.phi.shape[1])
    rows = multipliers_of(classes) if multipliers is None else multipliers
    if len(rows) != len(classes) or any(
        len(r) != len(c.layers) + 1 for r, c in zip(rows, classes, strict=False)
    ):
        raise SparseExplainError(
            "there is not one multiplier for every class and layer",
            remedy="Give λ_0 … λ_L of each class",
        )
    for row in rows:
        for value in row:
            check_numbers(iterations, multiplier=value)
    return tuple(tuple(float(v) for v in row) for row in rows)
