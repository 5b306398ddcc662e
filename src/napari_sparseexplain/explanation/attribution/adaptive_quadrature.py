"""Quadrature along paths that puts its nodes where the integrand changes, and stops when it may.

Networks with thresholds answer nothing on much of the way from a dark baseline to the image: SUM's
gradient is exactly 0 on its first two thirds, and then jumps wherever a threshold is passed.
Nodes that are laid out beforehand are spent where nothing happens. Here trapezoids are halved, the
one whose ends differ most first, whichever of several paths it lies on. Of a smooth integrand
Gauss-Legendre needs fewer nodes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch

from ...errors import StudyError
from ...progress import Progress, Work

#: Equidistant nodes of each path at first; in between, nothing short is found that none of them
#: sees.
FIRST = 9

#: Trapezoids halved at once on each path, before the next look at which are the worst.
TOGETHER = 4

#: Power of a trapezoid's width in its merit, beside the difference of its ends. A jump's error
#: falls as the width, that of a bend faster.
POWER = 1.5

#: Bytes of integrands that may be held: all of them are needed until the end.
LIMIT = 2 * 2**30


class Node(NamedTuple):
    """A place in [0, 1] of a path, counted from 0."""

    path: int
    place: float


#: Nodes to the integrand there, shape (nodes, …).
Integrand = Callable[[Sequence[Node]], torch.Tensor]


@dataclass(frozen=True, eq=False)
class Integral:
    """What a quadrature found.

    Attributes
    ----------
    value : Tensor
        Sum over the paths.
    nodes : int
        Places at which the integrand was taken.
    error : float
        Expected error of the value, relative to its norm.
    places : tuple of tuple of float
        Where the integrand was taken, of each path in order.
    differences : tuple of tuple of float
        Norm of what the integrand changes between neighbouring places, one fewer a path.
    """

    value: torch.Tensor
    nodes: int
    error: float
    places: tuple[tuple[float, ...], ...] = ()
    differences: tuple[tuple[float, ...], ...] = ()


@dataclass(eq=False)
class _Path:
    """Nodes of one path in order, with the integrand there."""

    number: int
    places: list[float]
    held: list[torch.Tensor]
    differences: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self.differences = [_distance(a, b) for a, b in itertools.pairwise(self.held)]

    def halve(self, n: int, value: torch.Tensor) -> None:
        place = (self.places[n] + self.places[n + 1]) / 2
        both = [_distance(self.held[n], value), _distance(value, self.held[n + 1])]
        self.differences[n : n + 1] = both
        self.places.insert(n + 1, place)
        self.held.insert(n + 1, value)

    def total(self) -> torch.Tensor:
        widths = np.diff(self.places)
        weights = (np.append(widths, 0.0) + np.append(0.0, widths)) / 2
        total = torch.zeros_like(self.held[0])
        for weight, value in zip(weights.tolist(), self.held, strict=True):
            total += weight * value
        return total


def adaptive_integral(
    integrand: Integrand, nodes: int, *, paths: int = 1, tolerance: float = 0.0
) -> Work[Integral]:
    """``Σ ∫₀¹`` of an integrand of any shape over some paths, by trapezoids.

    Parameters
    ----------
    nodes : int
        At most so many places a path; paths share them.
    tolerance : float
        Stop as soon as the expected error is that small, relative to the norm of the integral;
        0: never before all nodes are used.

    Raises
    ------
    StudyError
        So many nodes do not fit in memory.
    ValueError
        Fewer than 2 nodes.

    Notes
    -----
    Where the integrand jumps once at an unknown place within a trapezoid, the error of that
    trapezoid is its width times the jump times a number spread evenly over (-1/2, 1/2), whose
    standard deviation is 1/√12. Trapezoids err independently, so their errors add in squares.
    """
    if nodes < 2:
        raise ValueError("trapezoids have two ends")
    first, budget = min(FIRST, nodes), nodes * paths
    places = [n / (first - 1) for n in range(first)]
    start = [Node(path, place) for path in range(paths) for place in places]
    values = integrand(start)
    needed = values[0].numel() * values[0].element_size() * budget
    if needed > LIMIT:
        raise StudyError(
            f"{budget} nodes of the adaptive rule would take {needed / 2**30:.1f} GiB",
            where="integrated-gradients",
            remedy="Take fewer nodes, or the rule gauss-legendre",
        )
    found = [
        _Path(number, list(places), [*values[number * first : (number + 1) * first]])
        for number in range(paths)
    ]
    used = len(start)
    yield Progress(used, budget, f"Gradient {used} of {budget}")
    while used < budget:
        if tolerance and _error(found) <= tolerance:
            break
        chosen = _worst(found, min(TOGETHER * paths, budget - used))
        asked = [Node(path.number, (path.places[n] + path.places[n + 1]) / 2) for path, n in chosen]
        for (path, n), value in zip(chosen, integrand(asked), strict=True):
            path.halve(n, value)
        used += len(chosen)
        yield Progress(used, budget, f"Gradient {used} of {budget}")
    return Integral(
        _sum(found),
        used,
        _error(found),
        tuple(tuple(path.places) for path in found),
        tuple(tuple(path.differences) for path in found),
    )


def _worst(paths: Sequence[_Path], count: int) -> list[tuple[_Path, int]]:
    """The trapezoids to halve next; of one path those further right first.

    Halved in this order, those further left keep their number.
    """
    merits = [np.diff(path.places) ** POWER * np.asarray(path.differences) for path in paths]
    owners = np.repeat(np.arange(len(paths)), [len(merit) for merit in merits])
    numbers = np.concatenate([np.arange(len(merit)) for merit in merits])
    merit = np.concatenate(merits)
    # Where nothing changes nothing is gained, as long as something changes elsewhere.
    order = np.argsort(-merit, kind="stable")[: min(count, np.count_nonzero(merit) or count)]
    chosen = sorted(((int(owners[k]), int(numbers[k])) for k in order), reverse=True)
    return [(paths[owner], number) for owner, number in chosen]


def _sum(paths: Sequence[_Path]) -> torch.Tensor:
    total = paths[0].total()
    for path in paths[1:]:
        total += path.total()
    return total


def _error(paths: Sequence[_Path]) -> float:
    """Expected error of the sum, relative to its norm; 0 where nothing is there to err."""
    terms = [np.diff(path.places) * np.asarray(path.differences) for path in paths]
    error = float(np.sqrt(np.square(np.concatenate(terms)).sum() / 12))
    norm = float(torch.linalg.vector_norm(_sum(paths)))
    if not error:
        return 0.0
    return error / norm if norm else float("inf")


def _distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.linalg.vector_norm(one - other))
