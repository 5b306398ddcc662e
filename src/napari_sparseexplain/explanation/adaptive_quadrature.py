"""Quadrature along a path that puts its nodes where the integrand changes.

Networks with thresholds answer nothing on much of the way from a dark baseline to the image: SUM's
gradient is exactly 0 on its first two thirds, and then jumps wherever a threshold is passed.
Nodes that are laid out beforehand are spent where nothing happens. Here trapezoids are halved, the
one whose ends differ most first. Of a smooth integrand Gauss-Legendre needs fewer nodes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import torch

from ..errors import StudyError
from ..progress import Progress, Work

#: Equidistant nodes at first; in between, nothing short is found that none of them sees.
FIRST = 9

#: Trapezoids halved at once, before the next look at which are the worst.
TOGETHER = 4

#: Power of a trapezoid's width in its merit, beside the difference of its ends. A jump's error
#: falls as the width, that of a bend faster.
POWER = 1.5

#: Bytes of integrands that may be held: all of them are needed until the end.
LIMIT = 2 * 2**30

#: Places in [0, 1] to the integrand there, shape (places, …).
Integrand = Callable[[list[float]], torch.Tensor]


def adaptive_integral(integrand: Integrand, nodes: int) -> Work[torch.Tensor]:
    """``∫₀¹`` of an integrand of any shape, by trapezoids whose ends are ``nodes`` places.

    Raises
    ------
    StudyError
        So many nodes do not fit in memory.
    ValueError
        Fewer than 2 nodes.
    """
    if nodes < 2:
        raise ValueError("trapezoids have two ends")
    first = min(FIRST, nodes)
    places = [n / (first - 1) for n in range(first)]
    held = [*integrand(places)]
    needed = held[0].numel() * held[0].element_size() * nodes
    if needed > LIMIT:
        raise StudyError(
            f"{nodes} nodes of the adaptive rule would take {needed / 2**30:.1f} GiB",
            where="integrated-gradients",
            remedy="Take fewer nodes, or the rule gauss-legendre",
        )
    differences = [_distance(a, b) for a, b in itertools.pairwise(held)]
    yield Progress(first, nodes, f"Gradient {first} of {nodes}")
    while len(places) < nodes:
        widths = np.diff(places)
        merit = widths**POWER * np.asarray(differences)
        count = min(TOGETHER, nodes - len(places), len(merit))
        # From the right, so that places further left keep their number.
        chosen = sorted(np.argsort(-merit, kind="stable")[:count].tolist(), reverse=True)
        between = [(places[n] + places[n + 1]) / 2 for n in chosen]
        for n, place, value in zip(chosen, between, integrand(between), strict=True):
            differences[n : n + 1] = [_distance(held[n], value), _distance(value, held[n + 1])]
            places.insert(n + 1, place)
            held.insert(n + 1, value)
        yield Progress(len(places), nodes, f"Gradient {len(places)} of {nodes}")
    widths = np.diff(places)
    weights = (np.append(widths, 0.0) + np.append(0.0, widths)) / 2
    total = torch.zeros_like(held[0])
    for weight, value in zip(weights.tolist(), held, strict=True):
        total += weight * value
    return total


def _distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.linalg.vector_norm(one - other))
