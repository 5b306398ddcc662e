"""Nodes where the integrand changes: exact on trapezoids, sharp at jumps, bounded in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.explanation.attribution.adaptive_quadrature import Node, adaptive_integral
from napari_sparseexplain.progress import drain


class Counted:
    """An integrand of two values, with the places where it was asked."""

    def __init__(self, function) -> None:
        self.function, self.asked = function, []

    def __call__(self, nodes: Sequence[Node]) -> torch.Tensor:
        self.asked += nodes
        t = torch.tensor([node.place for node in nodes], dtype=torch.float64)
        return torch.stack((self.function(t), 2 * self.function(t)), dim=1)


def late(t: torch.Tensor) -> torch.Tensor:
    """Nothing on the first two thirds, then jumps, as a network with thresholds."""
    return torch.where(t < 0.66, 0.0, torch.where(t < 0.71, 12.0, 3.0 - t))


EXACT = 12 * 0.05 + 3 * 0.29 - (1 - 0.71**2) / 2


@pytest.mark.parametrize("nodes", [2, 5, 9, 10, 50])
def test_a_line_is_integrated_exactly_with_as_many_nodes_as_asked(nodes: int) -> None:
    integrand = Counted(lambda t: 1 + 2 * t)
    found = drain(adaptive_integral(integrand, nodes))
    assert found.value.tolist() == pytest.approx([2.0, 4.0], rel=1e-14)
    assert len(integrand.asked) == len(set(integrand.asked)) == nodes


def test_jumps_are_found_where_even_nodes_miss_them() -> None:
    integrand = Counted(late)
    error = abs(float(drain(adaptive_integral(integrand, 50)).value[0]) / EXACT - 1)
    places, weights = np.polynomial.legendre.leggauss(50)
    even = late(torch.from_numpy((places + 1) / 2)).numpy() @ weights / 2
    assert error < 2e-3
    assert error < abs(even / EXACT - 1) / 5
    assert np.mean([node.place > 0.6 for node in integrand.asked]) > 0.7


def _smooth(nodes: int) -> torch.Tensor:
    return drain(adaptive_integral(Counted(lambda t: torch.exp(-3 * t)), nodes)).value


def test_it_converges_on_a_smooth_integrand() -> None:
    wanted = (1 - np.exp(-3.0)) / 3
    errors = [abs(float(_smooth(n)[0]) - wanted) for n in (20, 80)]
    assert errors[1] < errors[0] / 8


def test_more_than_memory_holds_is_refused() -> None:
    with pytest.raises(StudyError, match=r"GiB.*gauss-legendre"):
        drain(adaptive_integral(lambda places: torch.zeros(len(places), 10**6), 5000))


def test_paths_share_their_nodes_where_they_are_needed() -> None:
    """One path never changes, the other jumps: all nodes beyond the first go to the other."""
    asked: list[Node] = []

    def integrand(nodes: Sequence[Node]) -> torch.Tensor:
        asked.extend(nodes)
        t = torch.tensor([node.place for node in nodes], dtype=torch.float64)
        jumps = torch.tensor([node.path == 1 for node in nodes])
        return torch.where(jumps, late(t), 2.0)[:, None]

    found = drain(adaptive_integral(integrand, 40, paths=2))
    assert found.nodes == len(asked) == len(set(asked)) == 80
    assert float(found.value[0]) == pytest.approx(2 + EXACT, rel=2e-3)
    assert sum(node.path == 1 for node in asked) == 71


@pytest.mark.parametrize("tolerance", [0.1, 0.02, 0.005])
def test_it_stops_when_the_error_is_small_enough(tolerance: float) -> None:
    """Many jumps at random places, as a network of many thresholds."""
    rng = np.random.default_rng(3)
    places = torch.from_numpy(np.sort(rng.uniform(0.6, 1, 400)))
    steps = torch.from_numpy(rng.standard_normal((400, 30)))

    def integrand(nodes: Sequence[Node]) -> torch.Tensor:
        t = torch.tensor([node.place for node in nodes], dtype=torch.float64)
        return (t[:, None] > places).double() @ steps

    exact = ((1 - places)[:, None] * steps).sum(dim=0)
    found = drain(adaptive_integral(integrand, 5000, tolerance=tolerance))
    error = float(torch.linalg.vector_norm(found.value - exact) / torch.linalg.vector_norm(exact))
    assert error < 2 * tolerance
    assert found.error <= tolerance
    assert found.nodes < 5000


def test_nothing_to_find_is_found_at_once() -> None:
    found = drain(adaptive_integral(lambda n: torch.zeros(len(n), 3), 100, tolerance=0.02))
    assert found.nodes == 9
    assert not found.value.any()
