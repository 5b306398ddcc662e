"""Cascading weight randomisation: does a map depend on what the network has learned?

Source: J. Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018, section 3.1. Layer by
layer, from the output to the input, the weights are drawn anew, and after each layer the map is
made again. A map that still ranks the pixels alike when nothing learned is left shows the image,
not the network.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import stats
from torch import nn

from ...evidence.attribution_scores import importance
from ...progress import Progress, Work

#: Rank correlation, by its size, from which a map counts as unchanged by randomisation.
SURVIVES = 0.5

#: A network to its map (...) of one fixed image.
ExplainWith = Callable[[nn.Module], npt.NDArray[Any]]


@dataclass(frozen=True)
class RandomisationStage:
    """The map after some layers were drawn anew.

    Attributes
    ----------
    layer : str
        The layer drawn last; those above it were drawn before.
    correlation : float or None
        Spearman's rank correlation with the map of the trained network; None where the map is
        constant (the network answers nothing any more), so that it ranks nothing.
    around : float or None
        The same over a second, larger region, where one was given.
    """

    layer: str
    correlation: float | None
    around: float | None = None


@dataclass(frozen=True)
class Randomisation:
    """Rank correlations from the output layer down to the whole network.

    Attributes
    ----------
    stages : tuple of RandomisationStage
    """

    stages: tuple[RandomisationStage, ...]

    @property
    def final(self) -> float | None:
        """Correlation when every weight is random."""
        return self.stages[-1].correlation if self.stages else None

    @property
    def survives(self) -> bool:
        """Whether the map of a network that knows nothing ranks pixels like that of the trained."""
        return self.final is not None and abs(self.final) >= SURVIVES


def randomise_cascading(
    network: nn.Module,
    explain: ExplainWith,
    *,
    signed: bool = False,
    within: npt.NDArray[np.bool_] | None = None,
    around: npt.NDArray[np.bool_] | None = None,
    stages: int | None = None,
    seed: int = 0,
) -> Work[Randomisation]:
    """Draw the weights anew from the output down and follow the map.

    The network given is not touched. Every tensor is drawn from a normal distribution about 0
    with its own root mean square, so that signals keep their size: what is compared is what the
    weights say, not whether activations overflow.

    Parameters
    ----------
    network : torch.nn.Module
    explain : callable
        Network to map; everything else about the explanation (image, fixed mask, seed) stays.
    signed : bool
        The map's sign has a meaning: absolute values are compared, as a person looks at them.
    within : ndarray of bool, optional
        Pixels compared. Leave out the background, where most maps are 0 with any weights and
        equal zeros would count as agreement; and where the target is a fixed mask, all outside
        of it: there every map falls off with the distance from the mask, whatever the weights.
    around : ndarray of bool, optional
        A second region, to be compared beside.
    stages : int, optional
        Maps made; neighbouring layers are drawn together when there are more layers. All when
        not given.
    seed : int
        Of the weights.
    """
    copied = copy.deepcopy(network)
    with _Watching(copied) as executed:
        first = explain(copied)
    layers = randomised_layers(copied, executed)
    groups = _grouped(layers, stages or len(layers))
    generator = torch.Generator().manual_seed(seed)
    found = []
    for done, group in enumerate(groups):
        yield Progress(done, len(groups), f"Randomising {group[-1][0]}")
        for _, tensors in group:
            for tensor in tensors:
                _draw(tensor, generator)
        now = explain(copied)
        found.append(
            RandomisationStage(
                group[-1][0],
                _compared(first, now, signed, within),
                None if around is None else _compared(first, now, signed, around),
            )
        )
    yield Progress(len(groups), len(groups), "Randomised")
    return Randomisation(tuple(found))


def untrained(network: nn.Module, *, seed: int = 0) -> nn.Module | None:
    """A copy of a network with every weight drawn anew, as in `randomise_cascading`.

    None of one that shows no weights.
    """
    copied = copy.deepcopy(network)
    layers = randomised_layers(copied)
    generator = torch.Generator().manual_seed(seed)
    for _, tensors in layers:
        for tensor in tensors:
            _draw(tensor, generator)
    return copied if layers else None


def rank_correlation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float | None:
    """Spearman's ρ of two flat arrays, ties at their mean rank; None where one is constant."""
    if one.size < 2 or one.min() == one.max() or other.min() == other.max():
        return None
    ranks = stats.rankdata(one), stats.rankdata(other)
    return float(np.corrcoef(*ranks)[0, 1])


def randomised_layers(
    network: nn.Module, executed: Iterable[nn.Module] = ()
) -> list[tuple[str, list[torch.Tensor]]]:
    """Name and weights of every layer, the last to act first.

    A layer is a module with weights of its own. Those that ``executed`` lists come in its order;
    weights that a network uses without calling the module that holds them come as registered,
    each by itself, since nothing tells which acts later.
    """
    names = {module: name or "network" for name, module in network.named_modules()}
    order: dict[nn.Module, None] = {}
    for module in executed:
        order.pop(module, None)  # a module that acts twice stands where it acted last
        order[module] = None
    seen: set[int] = set()
    called: list[tuple[str, list[torch.Tensor]]] = []
    for module in order:
        tensors = _own(module, seen)
        if tensors and module is not network:
            called.append((names[module], tensors))
            seen.update(id(t) for t in tensors)
    others: list[tuple[str, list[torch.Tensor]]] = [
        (name, [weight])
        for name, weight in network.named_parameters()
        if id(weight) not in seen and weight.is_floating_point()
    ]
    return [*reversed(others), *reversed(called)]


def _own(module: nn.Module, seen: set[int]) -> list[torch.Tensor]:
    return [
        weight
        for weight in module.parameters(recurse=False)
        if id(weight) not in seen and weight.is_floating_point()
    ]


class _Watching:
    """Which modules with weights of their own a network calls, in order."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.executed: list[nn.Module] = []
        self.handles: list[torch.utils.hooks.RemovableHandle] = []

    def __enter__(self) -> list[nn.Module]:
        for module in self.network.modules():
            # A scripted module cannot be watched: its weights come as registered.
            if isinstance(module, torch.jit.ScriptModule):
                continue
            if next(module.parameters(recurse=False), None) is not None:
                self.handles.append(module.register_forward_hook(self._note))
        return self.executed

    def _note(self, module: nn.Module, given: Any, result: Any) -> None:
        self.executed.append(module)

    def __exit__(self, *_: object) -> None:
        for handle in self.handles:
            handle.remove()


def _grouped(
    layers: list[tuple[str, list[torch.Tensor]]], count: int
) -> list[list[tuple[str, list[torch.Tensor]]]]:
    """Neighbouring layers in ``count`` groups of nearly equal size, none empty."""
    groups = min(count, len(layers))
    bounds = [round(k * len(layers) / groups) for k in range(groups + 1)] if groups else []
    return [layers[a:b] for a, b in itertools.pairwise(bounds)]


def _draw(weight: torch.Tensor, generator: torch.Generator) -> None:
    # Drawn on the CPU in one precision, so that every device gets the same numbers.
    with torch.no_grad():
        size = weight.detach().double().pow(2).mean().sqrt().cpu()
        noise = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
        weight.copy_((noise * size).to(dtype=weight.dtype, device=weight.device))


def _compared(
    one: npt.NDArray[Any],
    other: npt.NDArray[Any],
    signed: bool,
    within: npt.NDArray[np.bool_] | None,
) -> float | None:
    chosen = slice(None) if within is None else within
    return rank_correlation(
        importance(one, signed=signed)[chosen].ravel(),
        importance(other, signed=signed)[chosen].ravel(),
    )
