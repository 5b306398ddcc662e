"""Joint-feature multilayer ISTA: one scan as the sum of what each class explains of it.

The pursuit of Eq. 5-7 of the JF-ML-ISTA paper inside the outer loop of morphological component
analysis: classes are coded in turn against what the others leave over, with thresholds that fall
from salient to fine. *Merged* codes all layers together (MM-ML-ISTA, Eq. 7); *separate* codes the
first layer alone and the deeper ones afterwards, as the paper's reference [8] did.

The arithmetic is arranged for speed and is otherwise Eq. 7 to the letter: the synthesis of every
layer is computed once an iteration and used both as the next iteration's starting point and for
the component; weights carry their step size, and thresholds are the convolution's bias.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as functional

from ..errors import SparseExplainError
from .convolutional_dictionary import check_dictionary
from .surrogate_gradient_clamp import helpful_clamp
from .thresholds import soft

Prox = Literal["relu", "soft"]


@dataclass(frozen=True, eq=False)
class ClassModel:
    """Dictionaries, thresholds and steps of one class.

    Attributes
    ----------
    phi : Tensor, shape (F0, n, k, k)
        Φ_c of every modality, side by side: the sum over modalities in Eq. 7 is the channel sum
        of a convolution.
    layers : sequence of Tensor, shape (F_l, F_{l-1}, k, k)
        D_1 … D_L; none for a single layer.
    threshold, step : Tensor, scalar
        λ_min and μ.
    layer_thresholds, layer_steps : sequence of Tensor, scalars
        λ_l and μ_l.
    """

    phi: torch.Tensor
    layers: Sequence[torch.Tensor]
    threshold: torch.Tensor
    step: torch.Tensor
    layer_thresholds: Sequence[torch.Tensor]
    layer_steps: Sequence[torch.Tensor]


class Stage(NamedTuple):
    """Where a pursuit stands after one inner iteration; read it, do not write into it.

    Attributes
    ----------
    outer, which, inner : int
        t, the class, and the iteration within.
    layer_codes : list of list of Tensor
        For each class ``[h_0, …, h_L]``, ``h_{l-1} = D_l h_l``; empty before it was first coded.
    components : list of Tensor or None
        Φ_c h_0 of every class, shape (B, n, H, W).
    residual : Tensor, shape (B, n, H, W)
        What no class explains.
    """

    outer: int
    which: int
    inner: int
    layer_codes: list[list[torch.Tensor]]
    components: list[torch.Tensor | None]
    residual: torch.Tensor


class Decomposition(NamedTuple):
    """The end of a pursuit.

    Attributes
    ----------
    codes : tuple of Tensor, shape (B, F_L, H, W)
        Deepest codes of every class.
    layer_codes : tuple of tuple of Tensor
        ``h_0 … h_L`` of every class.
    components : tuple of Tensor, shape (B, n, H, W)
        They and the residual add to the input.
    residual : Tensor, shape (B, n, H, W)
    """

    codes: tuple[torch.Tensor, ...]
    layer_codes: tuple[tuple[torch.Tensor, ...], ...]
    components: tuple[torch.Tensor, ...]
    residual: torch.Tensor


def jf_ml_ista(
    x: torch.Tensor,
    classes: Sequence[ClassModel],
    *,
    outer: int = 3,
    inner: int = 2,
    salience: float = 0.5,
    prox: Prox = "relu",
    separate: bool = False,
    order: Sequence[int] | None = None,
    layer_iterations: int | None = None,
    gradient_rounds: int | None = None,
    leak: float = 0.0,
    observe: Callable[[Stage], None] | None = None,
) -> Decomposition:
    """Decompose images into the components of several classes.

    Parameters
    ----------
    x : Tensor, shape (B, n, H, W)
        n modalities on one grid.
    classes : sequence of ClassModel
        One entry a class.
    outer : int
        T, rounds over the classes.
    inner : int
        M, iterations of Eq. 7 for a class in a round.
    salience : float
        λ_max of the first round, as a share of the largest ``|Φ_cᵀ x|`` over all classes of that
        image; thresholds fall linearly from it to each class's own. The paper leaves λ_max open.
        At 1 the first round codes nothing.
    prox : {"relu", "soft"}
        ReLU as in the paper's Table I, or two-sided soft thresholding.
    separate : bool
        Code the first layer alone, the deeper ones afterwards.
    order : sequence of int, optional
        In which order the classes are coded in a round, that of ``classes`` when not given. It
        matters: this is block coordinate descent, and who comes first explains most.
    layer_iterations : int, optional
        ML-ISTA iterations of *separate*; ``outer · inner``, as many as *merged* makes.
    gradient_rounds : int, optional
        Rounds at the end that gradients go back through; all when not given. Parameters are
        shared over rounds, so the last ones say where to move them at half the price.
    leak : float
        Slope of the ReLU's gradient below 0 where descent raises the code (`helpful_clamp`), for
        the start of a training; what is computed stays the same. Of no effect with ``prox="soft"``.
    observe : callable, optional
        Called after every inner iteration.

    Returns
    -------
    Decomposition

    Raises
    ------
    SparseExplainError
        No class, unlike dictionaries, another number of modalities, or numbers that are not
        finite.

    Notes
    -----
    With mid-layer thresholds of 0 and L = 1, Eq. 7 is ISTA with step ``μ μ_1`` and threshold
    ``μ_1 λ_1``: it minimises with ``λ_1 / μ``. See `effective_thresholds`.
    """
    _check(x, classes, outer, inner)
    thresholds = _falling_thresholds(x, classes, outer, salience)
    prepared = [_Prepared(c, prox, leak, with_layers=not separate) for c in classes]
    layer_codes: list[list[torch.Tensor]] = [[] for _ in classes]
    components: list[torch.Tensor | None] = [None for _ in classes]
    residual = x
    taught = outer if gradient_rounds is None else gradient_rounds
    for t in range(outer):
        with torch.set_grad_enabled(torch.is_grad_enabled() and t >= outer - taught):
            for c in range(len(prepared)) if order is None else order:
                code = prepared[c]
                for k in range(inner):
                    layer_codes[c] = code.iterate(residual, layer_codes[c], thresholds[t][c])
                    before, component = components[c], code.synthesise(layer_codes[c][0])
                    change = -component if before is None else before - component
                    residual = residual + change
                    components[c] = component
                    if observe is not None:
                        observe(Stage(t, c, k, layer_codes, components, residual))
    if separate:
        times = outer * inner if layer_iterations is None else layer_iterations
        return _code_deeper(x, classes, prox, leak, layer_codes, times, observe, outer)
    done = tuple(c for c in components if c is not None)
    return Decomposition(
        tuple(h[-1] for h in layer_codes), tuple(tuple(h) for h in layer_codes), done, residual
    )


def effective_thresholds(model: ClassModel) -> tuple[torch.Tensor, ...]:
    """The multipliers that Eq. 7 minimises Eq. 5 with: λ_0 and ``λ_l / (μ_0 … μ_{l-1})``."""
    steps = [model.step, *model.layer_steps]
    found = [model.threshold]
    product = torch.ones_like(model.step)
    for threshold, step in zip(model.layer_thresholds, steps[:-1], strict=True):
        product = product * step
        found.append(threshold / product)
    return tuple(found)


def objective(
    x: torch.Tensor,
    classes: Sequence[ClassModel],
    layer_codes: Sequence[Sequence[torch.Tensor]],
    residual: torch.Tensor,
) -> torch.Tensor:
    """Eq. 5 with the effective multipliers, one value an image, shape (B,)."""
    value = 0.5 * residual.square().sum(dim=(1, 2, 3))
    for model, codes in zip(classes, layer_codes, strict=True):
        for multiplier, code in zip(effective_thresholds(model), codes, strict=False):
            value = value + multiplier * code.abs().sum(dim=(1, 2, 3))
    return value


class _Prepared:
    """One class's weights, scaled and flipped once for all iterations."""

    def __init__(self, model: ClassModel, prox: Prox, leak: float, *, with_layers: bool) -> None:
        self.prox: Prox = prox
        self.leak = leak
        self.reach = model.phi.shape[-1] // 2
        self.phi_scaled = model.phi * model.step
        # A transposed convolution of stride 1 is a convolution with flipped, transposed weights.
        self.phi_synthesis = _flipped(model.phi)
        self.layers: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
        if with_layers:
            rows = zip(model.layers, model.layer_steps, model.layer_thresholds, strict=True)
            self.layers = [(w * s, _flipped(w), s * t) for w, s, t in rows]

    def synthesise(self, first: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(first, self.phi_synthesis, padding=self.reach)

    def iterate(
        self, residual: torch.Tensor, codes: list[torch.Tensor], threshold: torch.Tensor
    ) -> list[torch.Tensor]:
        """One iteration of Eq. 7 from ``codes`` ([] is zero); x̂ - Φ h_0 is the residual itself."""
        scaled = functional.conv2d(residual, self.phi_scaled, padding=self.reach)
        z = self._shrink(scaled, codes[0] if codes else None, threshold)
        for place, (weight, _, level) in enumerate(self.layers, start=1):
            change = _minus(z, codes[place - 1]) if codes else z
            reach = weight.shape[-1] // 2
            if self.prox == "relu":
                bias = (-level).expand(weight.shape[0])
                scaled = functional.conv2d(change, weight, bias, padding=reach)
                z = self._shrink(scaled, codes[place] if codes else None, None)
            else:
                scaled = functional.conv2d(change, weight, padding=reach)
                z = self._shrink(scaled, codes[place] if codes else None, level)
        return self.downwards(z)

    def downwards(self, deepest: torch.Tensor) -> list[torch.Tensor]:
        """``h_L`` to ``[h_0, …, h_L]``."""
        found = [deepest]
        for _, weight, _ in reversed(self.layers):
            found.append(functional.conv2d(found[-1], weight, padding=weight.shape[-1] // 2))
        return found[::-1]

    def _shrink(
        self, scaled: torch.Tensor, start: torch.Tensor | None, threshold: torch.Tensor | None
    ) -> torch.Tensor:
        """P(start + scaled, threshold), in place: a convolution's own output is overwritten."""
        z = scaled if start is None else scaled.add_(start)
        if self.prox == "soft" and threshold is not None:
            return soft(z, threshold)  # pyright: ignore[reportArgumentType]
        if threshold is not None:
            z = z.sub_(threshold)
        if self.leak and torch.is_grad_enabled():
            return helpful_clamp(z, 0.0, None, self.leak, closed=False)
        return z.relu_()


def _minus(z: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """z - h, over z where no gradient needs it."""
    return z - h if torch.is_grad_enabled() else z.sub_(h)


def _flipped(weight: torch.Tensor) -> torch.Tensor:
    return weight.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last)


def _code_deeper(
    x: torch.Tensor,
    classes: Sequence[ClassModel],
    prox: Prox,
    leak: float,
    first: list[list[torch.Tensor]],
    times: int,
    observe: Callable[[Stage], None] | None,
    outer: int,
) -> Decomposition:
    """ML-ISTA of every class's first-layer codes; the components are those of the deepest codes."""
    every: list[list[torch.Tensor]] = []
    components: list[torch.Tensor] = []
    residual = x
    for c, (model, codes) in enumerate(zip(classes, first, strict=True)):
        whole = _Prepared(model, prox, leak, with_layers=True)
        found: list[torch.Tensor] = []
        for k in range(times):
            z = codes[0]
            for place, (weight, _, level) in enumerate(whole.layers, start=1):
                # The first layer is given: Eq. 7 with Φ = 1, μ = 1 and no threshold on it.
                change = z - found[place - 1] if found else z
                scaled = functional.conv2d(change, weight, padding=weight.shape[-1] // 2)
                z = whole._shrink(scaled, found[place] if found else None, level)
            found = whole.downwards(z)
            if observe is not None and k == times - 1:
                observe(Stage(outer, c, k, [*every, found], [*components], residual))
        every.append(found if found else [codes[0]])
        component = whole.synthesise(every[-1][0])
        components.append(component)
        residual = residual - component
    return Decomposition(
        tuple(h[-1] for h in every), tuple(tuple(h) for h in every), tuple(components), residual
    )


def _falling_thresholds(
    x: torch.Tensor, classes: Sequence[ClassModel], outer: int, salience: float
) -> list[list[torch.Tensor]]:
    """``τ_0(c, t)`` of every round and class, scalars or shape (B, 1, 1, 1)."""
    if outer == 1:
        return [[c.step * c.threshold for c in classes]]
    with torch.no_grad():
        strongest = torch.stack(
            [
                functional.conv2d(x, c.phi, padding=c.phi.shape[-1] // 2).abs().amax(dim=(1, 2, 3))
                for c in classes
            ]
        ).amax(dim=0)
        highest = (salience * strongest).view(-1, 1, 1, 1)
    rounds = []
    for t in range(outer):
        share = (outer - 1 - t) / (outer - 1)
        row = []
        for c in classes:
            if share == 0.0:
                row.append(c.step * c.threshold)
            else:
                row.append(c.step * (c.threshold + share * (highest - c.threshold).clamp_min(0.0)))
        rounds.append(row)
    return rounds


def check_classes(classes: Sequence[ClassModel]) -> None:
    """Refuse classes whose layers do not follow each other, or whose numbers are not finite.

    Raises
    ------
    SparseExplainError
    """
    for model in classes:
        below = model.phi
        check_dictionary(below)
        for weight in model.layers:
            check_dictionary(weight)
            if weight.shape[1] != below.shape[0]:
                raise SparseExplainError(
                    f"a layer for {weight.shape[1]} maps cannot follow one of {below.shape[0]}",
                    remedy="Give each layer as many channels as the one before has atoms",
                )
            below = weight
        scalars = [model.threshold, model.step, *model.layer_thresholds, *model.layer_steps]
        if not all(bool(torch.isfinite(s).all()) for s in scalars):
            raise SparseExplainError(
                "a threshold or step size is not finite",
                remedy="Reset it, or get the model again",
            )


def _check(x: torch.Tensor, classes: Sequence[ClassModel], outer: int, inner: int) -> None:
    if not classes or outer < 1 or inner < 1:
        raise SparseExplainError(
            "a decomposition needs at least one class, one round and one iteration",
            remedy="Give classes, outer >= 1 and inner >= 1",
        )
    if x.ndim != 4:
        raise SparseExplainError(
            f"images of shape {tuple(x.shape)} cannot be decomposed",
            remedy="Give (images, modalities, rows, columns)",
        )
    check_classes(classes)
    for model in classes:
        if model.phi.shape[1] != x.shape[1]:
            raise SparseExplainError(
                f"the dictionary is for {model.phi.shape[1]} modalities and there are {x.shape[1]}",
                remedy="Give the modalities that it was made for, in their order",
            )
    if not bool(torch.isfinite(x).all()):
        raise SparseExplainError(
            "the images hold NaN or infinite values", remedy="Replace them (0 outside the brain)"
        )
