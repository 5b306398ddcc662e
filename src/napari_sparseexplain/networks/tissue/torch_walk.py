"""Random walks of many tissues at once in torch: what `random_walk` does spin by spin.

The same steps and mirrors. Every spin has a stream of random numbers of its own, from the seed of
its walk and its number, so that a walk is the same whichever others are made beside it. They are
not the numbers of numba's walk, which draws directions otherwise.

A step asks for a hundred small operations, whatever the number of spins: on a graphics card many
walks are made together, those whose steps have one length.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...microstructure.gradient_table import Timings
from ...microstructure.tissue import lattice_spacing
from ...microstructure.walks.random_walk import (
    LONGEST_STEP,
    MOST_MIRRORS,
    STEP_SHARE,
    walk_steps,
)
from ...microstructure.walks.walker import ON_PROCESSOR, Walk, Walker
from ...progress import Progress, Work
from ..device import is_out_of_memory
from .card_choice import chosen_card
from .spin_streams import SpinStreams

#: Most spins at a time: some 40 numbers of each are held.
MOST_SPINS = 8_000_000

#: Steps after which a run can be cancelled.
_STEPS = 100


def walker_on(wanted: str) -> tuple[Walker, str]:
    """The walker on a device, and where it walks, in words; see `chosen_card`.

    Raises
    ------
    ModelError
        There is no such device.
    """
    device, why = chosen_card(wanted)
    if device is None:
        return ON_PROCESSOR, f"cpu: {why}" if why else "cpu"
    return TorchWalker(device), f"{device}: {torch.cuda.get_device_name(device)}"


class TorchWalker:
    """See `Walker`; in double precision.

    Parameters
    ----------
    device : torch.device
    """

    #: As in a folder of finished walks.
    name = "torch"

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def groups(self, walks: Sequence[Walk], spins: int) -> list[list[Walk]]:
        """Those that follow each other, are of one kind and have steps of one length."""
        found: list[list[Walk]] = []
        last: object = None
        for walk in walks:
            kind = (walk.density is None, min(STEP_SHARE * walk.radius, LONGEST_STEP))
            if kind != last or (len(found[-1]) + 1) * spins > MOST_SPINS:
                found.append([])
            found[-1].append(walk)
            last = kind
        return found

    def walked_work(
        self, walks: Sequence[Walk], spins: int, timings: Timings, diffusivity: float
    ) -> Work[list[npt.NDArray[np.float32]]]:
        """See `Walker.walked_work`; where memory is not enough, half of them after the other."""
        try:
            return (yield from self._together_work(walks, spins, timings, diffusivity))
        except RuntimeError as error:
            if len(walks) == 1 or not is_out_of_memory(error):
                raise
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        middle = len(walks) // 2
        first = yield from self.walked_work(walks[:middle], spins, timings, diffusivity)
        return first + (yield from self.walked_work(walks[middle:], spins, timings, diffusivity))

    def _together_work(
        self, walks: Sequence[Walk], spins: int, timings: Timings, diffusivity: float
    ) -> Work[list[npt.NDArray[np.float32]]]:
        steps = walk_steps(STEP_SHARE * walks[0].radius, timings, diffusivity)
        step, count, first, second = steps
        streams = SpinStreams([walk.seed for walk in walks], spins, self._device)
        radius = self._each([walk.radius for walk in walks], spins)
        if walks[0].density is None:
            place: _Inside | _Between = _Inside(radius)
        else:
            spacing = [lattice_spacing(walk.radius, walk.density or 0.0) for walk in walks]
            place = _Between(radius, self._each(spacing, spins))
        x, y = place.start(streams)
        x0, y0 = x, y
        px, py = torch.zeros_like(x), torch.zeros_like(y)
        for n in range(count):
            if n % _STEPS == 0:
                yield Progress(n, count, f"step {n:,} of {count:,}")
            turn = 2 * math.pi * streams.uniform()
            x, y = place.moved(x, y, turn.cos(), turn.sin(), step)
            if n < first:
                px, py = px + (x - x0), py + (y - y0)
            elif n >= second:
                px, py = px - (x - x0), py - (y - y0)
        size = torch.hypot(px, py) * ((timings.big_delta + timings.small_delta) / count)
        return list(size.reshape(len(walks), spins).to("cpu", torch.float32).numpy())

    def _each(self, values: Sequence[float], spins: int) -> Tensor:
        """A number of each walk, for each of its spins."""
        of = torch.tensor(values, dtype=torch.float64, device=self._device)
        return of.repeat_interleave(spins)


@dataclass(frozen=True, eq=False)
class _Inside:
    """Cylinders; radius of each spin's in µm."""

    radius: Tensor

    def start(self, streams: SpinStreams) -> tuple[Tensor, Tensor]:
        """Places spread evenly over the circle."""
        x, y = torch.zeros_like(self.radius), torch.zeros_like(self.radius)
        left = torch.arange(len(x), device=x.device)
        while left.numel():
            of = self.radius[left]
            x[left] = (2 * streams.uniform(left) - 1) * of
            y[left] = (2 * streams.uniform(left) - 1) * of
            left = left[x[left] ** 2 + y[left] ** 2 >= of * of]
        return x, y

    def moved(
        self, x: Tensor, y: Tensor, dx: Tensor, dy: Tensor, step: float
    ) -> tuple[Tensor, Tensor]:
        """Where a step leads."""
        nx, ny = x + step * dx, y + step * dy
        at = (nx * nx + ny * ny > self.radius**2).nonzero()[:, 0]
        x, y, dx, dy, radius = (of[at] for of in (x, y, dx, dy, self.radius))
        square, left = radius * radius, torch.full_like(x, step)
        for _ in range(MOST_MIRRORS):
            if not at.numel():
                break
            # Where the path leaves the circle: |p + t d| = r, d of unit length.
            along = x * dx + y * dy
            t = -along + (along * along + square - x * x - y * y).clamp(min=0.0).sqrt()
            x, y, left = x + t * dx, y + t * dy, left - t
            out_x, out_y = x / radius, y / radius
            across = 2 * (dx * out_x + dy * out_y)
            dx, dy = dx - across * out_x, dy - across * out_y
            # A little inside, so that rounding does not leave it outside.
            x, y = x * (1 - 1e-12), y * (1 - 1e-12)
            tx, ty = x + left * dx, y + left * dy
            again = tx * tx + ty * ty > square
            # One that meets a wall too often stays at it.
            nx[at], ny[at] = torch.where(again, x, tx), torch.where(again, y, ty)
            at, x, y, dx, dy, radius, square, left = (
                of[again] for of in (at, x, y, dx, dy, radius, square, left)
            )
        return nx, ny


@dataclass(frozen=True, eq=False)
class _Between:
    """Hexagonal arrays of cylinders; radius and spacing of each spin's in µm."""

    radius: Tensor
    spacing: Tensor

    def start(self, streams: SpinStreams) -> tuple[Tensor, Tensor]:
        """Places spread evenly between the circles of a cell of the array."""
        x, y = torch.zeros_like(self.radius), torch.zeros_like(self.radius)
        left = torch.arange(len(x), device=x.device)
        while left.numel():
            spacing = self.spacing[left]
            height = spacing * (math.sqrt(3.0) / 2)
            x[left] = (streams.uniform(left) - 0.5) * spacing
            y[left] = (2 * streams.uniform(left) - 1) * height
            near = _nearest(x[left].abs(), y[left].abs(), spacing, height)
            left = left[near <= self.radius[left] ** 2]
        return x, y

    def moved(
        self, x: Tensor, y: Tensor, dx: Tensor, dy: Tensor, step: float
    ) -> tuple[Tensor, Tensor]:
        """Where a step leads."""
        nx, ny = x + step * dx, y + step * dy
        height = self.spacing * (math.sqrt(3.0) / 2)
        u, v, _, _ = _folded(x, y, self.spacing, height)
        # Only those this near to a wall can meet one.
        near = _nearest(u, v, self.spacing, height) < (self.radius + step) ** 2
        at = near.nonzero()[:, 0]
        x, y, dx, dy = (of[at] for of in (x, y, dx, dy))
        spacing, height, square = self.spacing[at], height[at], self.radius[at] ** 2
        left = torch.full_like(x, step)
        for _ in range(MOST_MIRRORS):
            if not at.numel():
                break
            t, out_x, out_y = _first_wall(x, y, dx, dy, left, spacing, height, square)
            met = t < left
            x, y, left = x + t * dx, y + t * dy, left - t
            # One that meets a wall too often stays at it.
            nx[at], ny[at] = x, y
            at, x, y, dx, dy, left, out_x, out_y, spacing, height, square = (
                of[met] for of in (at, x, y, dx, dy, left, out_x, out_y, spacing, height, square)
            )
            across = 2 * (dx * out_x + dy * out_y) / square
            dx, dy = dx - across * out_x, dy - across * out_y
            # A little outside, so that rounding does not leave it within.
            x, y = x + 1e-12 * out_x, y + 1e-12 * out_y
        return nx, ny


def _folded(
    x: Tensor, y: Tensor, spacing: Tensor, height: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The place that stands for one in the array, and the signs that lead back; see numba's."""
    u = x - spacing * (x / spacing + 0.5).floor()
    v = y - 2 * height * (y / (2 * height) + 0.5).floor()
    return u.abs(), v.abs(), torch.where(u < 0, -1.0, 1.0), torch.where(v < 0, -1.0, 1.0)


def _nearest(u: Tensor, v: Tensor, spacing: Tensor, height: Tensor) -> Tensor:
    """Square of the distance to the nearest centre, from a place with u, v ≥ 0."""
    return torch.minimum(u * u + v * v, (u - spacing / 2) ** 2 + (v - height) ** 2)


def _first_wall(
    x: Tensor,
    y: Tensor,
    dx: Tensor,
    dy: Tensor,
    left: Tensor,
    spacing: Tensor,
    height: Tensor,
    square: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """How far it is to the first wall, and the place there as seen from its centre."""
    u, v, sx, sy = _folded(x, y, spacing, height)
    ex, ey, half = dx * sx, dy * sy, spacing / 2
    best, bx, by = left, torch.zeros_like(x), torch.zeros_like(x)
    for ox, oy in ((u, v), (u - half, v - height), (u + half, v - height), (u - spacing, v)):
        along = ox * ex + oy * ey
        inner = along * along - (ox * ox + oy * oy - square)
        t = -along - inner.clamp(min=0.0).sqrt()
        nearer = (along < 0) & (inner > 0) & (t < best)
        best = torch.where(nearer, t.clamp(min=0.0), best)
        bx = torch.where(nearer, ox + best * ex, bx)
        by = torch.where(nearer, oy + best * ey, by)
    return best, bx * sx, by * sy
