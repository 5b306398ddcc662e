"""Fibre directions of a batch of voxels refined in torch: as `refined_directions`, of two."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ...microstructure.search.refinement import ANGLES, LEAST_ANGLE, PLACES


def refined(
    basis: Callable[[Tensor], Tensor], v: Tensor, y: Tensor, directions: Tensor, atoms: Tensor
) -> Tensor:
    """Directions (P, 2, 3) that explain signals (P, M) better with the same atoms (P, 2).

    Parameters
    ----------
    basis : callable
        Bases (P, M, R) of directions (P, 3).
    v : Tensor, shape (R, N)
    """
    now = directions.clone()
    columns = v[:, atoms.clamp(min=0)].permute(1, 2, 0) * (atoms >= 0)[..., None]

    def signal(of: Tensor, k: int) -> Tensor:
        return (basis(of) @ columns[:, k, :, None])[..., 0]

    alone = (atoms < 0).any(1)
    start = (now[:, 0] * now[:, 1]).sum(1).abs()
    nearest = start.clamp(min=math.cos(math.radians(LEAST_ANGLE)))
    parts = [signal(now[:, k], k) for k in (0, 1)]
    best = _residual(y, *parts)
    for angle in map(math.radians, ANGLES):
        aside, ahead = math.sin(angle), math.cos(angle)
        for k in (0, 1):
            here = now[:, k].clone()
            first = _across(here)
            second = torch.linalg.cross(here, first)
            for place in range(PLACES):
                turn = place * 2 * math.pi / PLACES
                tangent = math.cos(turn) * first + math.sin(turn) * second
                tried = ahead * here + aside * tangent
                moved = signal(tried, k)
                rest = _residual(y, *((moved, parts[1]) if k == 0 else (parts[0], moved)))
                apart = (tried * now[:, 1 - k]).sum(1).abs() <= nearest
                better = (rest < best) & (atoms[:, k] >= 0) & (apart | alone)
                now[:, k] = torch.where(better[:, None], tried, now[:, k])
                best = torch.where(better, rest, best)
            parts[k] = signal(now[:, k], k)
    return now


def _across(direction: Tensor) -> Tensor:
    """A unit vector at right angles to each."""
    axis = torch.zeros_like(direction)
    axis.scatter_(1, direction.abs().argmin(1, keepdim=True), 1.0)
    found = torch.linalg.cross(direction, axis)
    return found / torch.linalg.vector_norm(found, dim=1, keepdim=True)


def _residual(y: Tensor, one: Tensor, two: Tensor) -> Tensor:
    """‖y - w₁ one - w₂ two‖² with the best w ≥ 0."""
    n1, n2 = ((part**2).sum(1).clamp(min=1e-150) for part in (one, two))
    y1, y2, c = (one * y).sum(1), (two * y).sum(1), (one * two).sum(1)
    rest = torch.maximum(n1 * n2 - c**2, 1e-12 * n1 * n2)
    w1, w2 = (n2 * y1 - c * y2) / rest, (n1 * y2 - c * y1) / rest
    alone = torch.maximum(y1.clamp(min=0) ** 2 / n1, y2.clamp(min=0) ** 2 / n2)
    both = torch.where((w1 > 0) & (w2 > 0), w1 * y1 + w2 * y2, alone)
    return (y**2).sum(1) - both
