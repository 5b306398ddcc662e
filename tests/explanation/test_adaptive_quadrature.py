"""Nodes where the integrand changes: exact on trapezoids, sharp at jumps, bounded in memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_sparseexplain.errors import StudyError
from napari_sparseexplain.explanation.adaptive_quadrature import adaptive_integral
from napari_sparseexplain.progress import drain


class Counted:
    """An integrand of two values, with the places where it was asked."""

    def __init__(self, function) -> None:
        self.function, self.asked = function, []

    def __call__(self, places: list[float]) -> torch.Tensor:
        self.asked += places
        t = torch.tensor(places, dtype=torch.float64)
        return torch.stack((self.function(t), 2 * self.function(t)), dim=1)


def late(t: torch.Tensor) -> torch.Tensor:
    """Nothing on the first two thirds, then jumps, as a network with thresholds."""
    return torch.where(t < 0.66, 0.0, torch.where(t < 0.71, 12.0, 3.0 - t))


EXACT = 12 * 0.05 + 3 * 0.29 - (1 - 0.71**2) / 2


@pytest.mark.parametrize("nodes", [2, 5, 9, 10, 50])
def test_a_line_is_integrated_exactly_with_as_many_nodes_as_asked(nodes: int) -> None:
    integrand = Counted(lambda t: 1 + 2 * t)
    found = drain(adaptive_integral(integrand, nodes))
    assert found.tolist() == pytest.approx([2.0, 4.0], rel=1e-14)
    assert len(integrand.asked) == len(set(integrand.asked)) == nodes


def test_jumps_are_found_where_even_nodes_miss_them() -> None:
    integrand = Counted(late)
    error = abs(float(drain(adaptive_integral(integrand, 50))[0]) / EXACT - 1)
    places, weights = np.polynomial.legendre.leggauss(50)
    even = late(torch.from_numpy((places + 1) / 2)).numpy() @ weights / 2
    assert error < 2e-3
    assert error < abs(even / EXACT - 1) / 5
    assert np.mean(np.asarray(integrand.asked) > 0.6) > 0.7


def test_it_converges_on_a_smooth_integrand() -> None:
    wanted = (1 - np.exp(-3.0)) / 3
    errors = [
        abs(float(drain(adaptive_integral(Counted(lambda t: torch.exp(-3 * t)), n))[0]) - wanted)
        for n in (20, 80)
    ]
    assert errors[1] < errors[0] / 8


def test_more_than_memory_holds_is_refused() -> None:
    with pytest.raises(StudyError, match=r"GiB.*gauss-legendre"):
        drain(adaptive_integral(lambda places: torch.zeros(len(places), 10**6), 5000))
