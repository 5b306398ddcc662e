"""Random walks of water across the fibres: inside a cylinder, and between those of an array.

Along the fibres nothing hinders diffusion, and its signal is known; only the plane across is
walked. A spin's phase is γ G · φ with φ the integral of its path weighted by the two gradient
pulses, +1 in the first and -1 in the second. φ is kept, so that one walk gives the signal of every
gradient strength (`phases.py`). Steps have one length and a random direction; a wall reflects them
as a mirror does, as often as a step meets one, so that spins stay evenly spread whatever the length
of a step.
"""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

from ..gradient_table import Timings
from ..in_threads import in_threads
from ..numba_lock import PARALLEL
from ..tissue import lattice_spacing

#: Share of the radius that a step inside goes, and longest step in µm.
STEP_SHARE, LONGEST_STEP = 0.1, 0.1

#: Times that one step may meet a wall before the spin is left where it is.
MOST_MIRRORS = 100


def inside_walk(
    radius: float, spins: int, timings: Timings, diffusivity: float, seed: int
) -> npt.NDArray[np.float32]:
    """|φ| of spins in a cylinder.

    Parameters
    ----------
    radius : float
        In µm.
    spins : int
    timings : Timings
    diffusivity : float
        m²/s.
    seed : int
        Each spin has its own stream of random numbers, whatever the number of threads.

    Returns
    -------
    ndarray, shape (spins,)
        In µm s.
    """
    step, count, first, second = walk_steps(STEP_SHARE * radius, timings, diffusivity)
    out = np.empty(spins)
    with PARALLEL:
        _inside(out, radius, step, count, first, second, seed)
    return (out * (timings.big_delta + timings.small_delta) / count).astype(np.float32)


def outside_walk(
    radius: float, density: float, spins: int, timings: Timings, diffusivity: float, seed: int
) -> npt.NDArray[np.float32]:
    """|φ| of spins between the cylinders of a hexagonal array; see `inside_walk`."""
    spacing = lattice_spacing(radius, density)
    step, count, first, second = walk_steps(STEP_SHARE * radius, timings, diffusivity)
    out = np.empty(spins)
    with PARALLEL:
        _outside(out, radius, spacing, step, count, first, second, seed)
    return (out * (timings.big_delta + timings.small_delta) / count).astype(np.float32)


def walk_steps(wanted: float, timings: Timings, diffusivity: float) -> tuple[float, int, int, int]:
    """Length of a step in µm, their number, where the first pulse ends and the second begins.

    In two dimensions ⟨x²⟩ = 4 D t, so that a step of length s takes s² / (4 D).
    """
    total = timings.big_delta + timings.small_delta
    count = math.ceil(total * 4 * diffusivity * 1e12 / min(wanted, LONGEST_STEP) ** 2)
    step = math.sqrt(4 * diffusivity * 1e12 * total / count)
    first = round(count * timings.small_delta / total)
    return step, count, first, count - first


#: Whole numbers of 64 bits, made here: each call of ``np.uint64`` takes numba time to compile.
_GOLDEN, _MIX, _MIX_AGAIN = (
    np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
_11, _27, _30, _31, _32 = (np.uint64(n) for n in (11, 27, 30, 31, 32))
_STREAM, _LOW = np.uint64(0xD1342543DE82EF95), np.uint64(0xFFFFFFFF)


@numba.njit(error_model="numpy")
def _next(state):
    """One step of splitmix64 (Steele, Lea and Flood 2014)."""
    state = state + _GOLDEN
    z = state
    z = (z ^ (z >> _30)) * _MIX
    z = (z ^ (z >> _27)) * _MIX_AGAIN
    return state, z ^ (z >> _31)


@numba.njit(error_model="numpy")
def _uniform(state):
    state, z = _next(state)
    return state, (z >> _11) * (1.0 / 9007199254740992.0)


@numba.njit(error_model="numpy")
def _direction(state):
    """A random unit vector, without sine or cosine (Marsaglia 1972)."""
    while True:
        state, z = _next(state)
        # Two numbers of 32 bits, in (-1, 1).
        u = (z >> _32) * (2.0 / 4294967296.0) - 1.0
        v = (z & _LOW) * (2.0 / 4294967296.0) - 1.0
        square = u * u + v * v
        if 1e-12 < square < 1:
            # The double angle of (u, v).
            return state, (u * u - v * v) / square, 2 * u * v / square


def _inside(out: npt.NDArray[np.float64], *how: float) -> None:
    in_threads(lambda start, stop: _inside_part(start, stop, out, *how), out.size)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _inside_part(start, stop, out, radius, step, count, first, second, seed):
    square = radius * radius
    for spin in range(start, stop):
        state = np.uint64(seed) * _STREAM + np.uint64(spin)
        state, _ = _next(state)
        while True:
            state, a = _uniform(state)
            state, b = _uniform(state)
            x, y = (2 * a - 1) * radius, (2 * b - 1) * radius
            if x * x + y * y < square:
                break
        px = py = 0.0
        for n in range(count):
            state, dx, dy = _direction(state)
            left = step
            nx, ny = x + left * dx, y + left * dy
            mirrors = 0
            while nx * nx + ny * ny > square and mirrors < MOST_MIRRORS:
                # Where the path leaves the circle: |p + t d| = r, d of unit length.
                along = x * dx + y * dy
                t = -along + math.sqrt(max(along * along + square - x * x - y * y, 0.0))
                x, y = x + t * dx, y + t * dy
                left -= t
                out_x, out_y = x / radius, y / radius
                across = dx * out_x + dy * out_y
                dx, dy = dx - 2 * across * out_x, dy - 2 * across * out_y
                # A little inside, so that rounding does not leave it outside.
                x, y = x * (1 - 1e-12), y * (1 - 1e-12)
                nx, ny = x + left * dx, y + left * dy
                mirrors += 1
            if nx * nx + ny * ny <= square:
                x, y = nx, ny
            if n < first:
                px, py = px + x, py + y
            elif n >= second:
                px, py = px - x, py - y
        out[spin] = math.sqrt(px * px + py * py)


def _outside(out: npt.NDArray[np.float64], *how: float) -> None:
    in_threads(lambda start, stop: _outside_part(start, stop, out, *how), out.size)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _outside_part(start, stop, out, radius, spacing, step, count, first, second, seed):
    square, height = radius * radius, spacing * math.sqrt(3.0) / 2
    for spin in range(start, stop):
        state = np.uint64(seed) * _STREAM + np.uint64(spin)
        state, _ = _next(state)
        while True:
            state, a = _uniform(state)
            state, b = _uniform(state)
            x, y = (a - 0.5) * spacing, (2 * b - 1) * height
            # The centres about the origin's cell, of which one is nearest.
            least = min(x * x + y * y, (abs(x) - spacing / 2) ** 2 + (abs(y) - height) ** 2)
            if least > square:
                break
        x0, y0 = x, y
        px = py = 0.0
        for n in range(count):
            state, dx, dy = _direction(state)
            left = step
            mirrors = 0
            while mirrors < MOST_MIRRORS:
                t, out_x, out_y = _first_wall(x, y, dx, dy, left, spacing, height, square)
                if t >= left:
                    x, y = x + left * dx, y + left * dy
                    break
                x, y = x + t * dx, y + t * dy
                left -= t
                across = 2 * (dx * out_x + dy * out_y) / square
                dx, dy = dx - across * out_x, dy - across * out_y
                # A little outside, so that rounding does not leave it within.
                x, y = x + 1e-12 * out_x, y + 1e-12 * out_y
                mirrors += 1
            if n < first:
                px, py = px + (x - x0), py + (y - y0)
            elif n >= second:
                px, py = px - (x - x0), py - (y - y0)
        out[spin] = math.sqrt(px * px + py * py)


@numba.njit(error_model="numpy")
def _first_wall(x, y, dx, dy, left, spacing, height, square):
    """How far it is to the first wall, and the place there as seen from its centre.

    The array is its own mirror image in x and in y and repeats after ``spacing`` and twice the
    distance of rows, so that a place stands for one with 0 ≤ x ≤ spacing / 2 and 0 ≤ y ≤ height. A
    step from there, shorter than a third of the spacing, meets one of four circles.
    """
    u = x - spacing * math.floor(x / spacing + 0.5)
    v = y - 2 * height * math.floor(y / (2 * height) + 0.5)
    sx = -1.0 if u < 0 else 1.0
    sy = -1.0 if v < 0 else 1.0
    u, v, ex, ey = u * sx, v * sy, dx * sx, dy * sy
    best, bx, by = left, 0.0, 0.0
    half = spacing / 2
    for k in range(4):
        ox = u if k == 0 else (u - half if k == 1 else (u + half if k == 2 else u - spacing))
        oy = v if k == 0 or k == 3 else v - height
        along = ox * ex + oy * ey
        rest = ox * ox + oy * oy - square
        inner = along * along - rest
        if along < 0 and inner > 0:
            t = -along - math.sqrt(inner)
            if t < best:
                best = max(t, 0.0)
                bx, by = ox + best * ex, oy + best * ey
    return best, bx * sx, by * sy
