"""What each volume of a diffusion scan measured: b-value, direction, strength and timings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..errors import ParameterError

#: Gyromagnetic ratio of the proton, rad / (s T) (CODATA 2018).
GAMMA = 2.6752218744e8

#: Up to this b-value, s/mm², a volume counts as one without diffusion weighting.
B0_MOST = 50.0

#: b-values of one shell lie within this share of each other.
SHELL_WIDTH = 0.08

#: A direction counts as a unit vector within this.
_UNIT = 0.02


@dataclass(frozen=True)
class Timings:
    """Timings of pulsed-gradient spin echo, in seconds.

    Attributes
    ----------
    small_delta, big_delta : float
        Length of a gradient pulse, and from the start of the first to that of the second.
    echo_time : float
        TE; 0 where it is not known.
    """

    small_delta: float
    big_delta: float
    echo_time: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.small_delta <= self.big_delta < 1:
            raise ParameterError(
                f"δ = {1e3 * self.small_delta:g} ms and Δ = {1e3 * self.big_delta:g} ms cannot be "
                "timings of a gradient pulse",
                where="timings",
                remedy="Give both in milliseconds, δ not longer than Δ",
            )

    @property
    def diffusion_time(self) -> float:
        """Δ - δ / 3, in seconds."""
        return self.big_delta - self.small_delta / 3

    def strength(self, b: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Gradient strength in T/m that gives b-values in s/mm²: b = (γ G δ)² (Δ - δ/3)."""
        si = np.maximum(np.asarray(b, dtype=np.float64), 0.0) * 1e6
        return np.sqrt(si / self.diffusion_time) / (GAMMA * self.small_delta)


#: The Human Connectome Project's MGH-USC Adult Diffusion protocol (Setsompop et al. 2013).
HCP_MGH = Timings(12.9e-3, 21.8e-3, 57e-3)


@dataclass(frozen=True, eq=False)
class Shell:
    """Measurements of one b-value.

    Attributes
    ----------
    b : float
        Mean b-value, s/mm².
    rows : ndarray of int
        Which measurements.
    """

    b: float
    rows: npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class GradientTable:
    """The protocol of a diffusion scan.

    Attributes
    ----------
    b : ndarray, shape (M,)
        b-values in s/mm².
    directions : ndarray, shape (M, 3)
        Unit vectors (x, y, z) in the axes that orientations are told in; zero where there is no
        diffusion weighting.
    timings : Timings or None
        None where the scan does not tell them: then no simulated signal can be compared with it.
    """

    b: npt.NDArray[np.float64]
    directions: npt.NDArray[np.float64]
    timings: Timings | None = None

    def __post_init__(self) -> None:
        b = np.asarray(self.b, dtype=np.float64)
        directions = np.asarray(self.directions, dtype=np.float64)
        if b.ndim != 1 or directions.shape != (len(b), 3):
            raise ParameterError(
                f"{b.size} b-values and directions of shape {directions.shape} do not go together",
                where="gradient table",
                remedy="Give one b-value and one direction (x, y, z) for each volume",
            )
        if not np.isfinite(b).all() or (b < 0).any():
            raise ParameterError(
                "a b-value is negative or no number", where="gradient table",
                remedy="Check the file of b-values; they are in s/mm²",
            )  # fmt: skip
        weighted = b > B0_MOST
        length = np.linalg.norm(np.nan_to_num(directions), axis=1)
        if (wrong := np.flatnonzero(weighted & (abs(length - 1) > _UNIT))).size:
            raise ParameterError(
                f"{wrong.size} directions are not unit vectors (volume {wrong[0]}, b = "
                f"{b[wrong[0]]:g}: length {length[wrong[0]]:.3g})",
                where="gradient table",
                remedy="Check the file of directions, and that it belongs to these b-values",
            )
        unit = np.where(
            weighted[:, None], np.nan_to_num(directions) / np.maximum(length, 1e-12)[:, None], 0.0
        )
        object.__setattr__(self, "b", b)
        object.__setattr__(self, "directions", unit)

    def __len__(self) -> int:
        return len(self.b)

    @cached_property
    def b0_rows(self) -> npt.NDArray[np.intp]:
        """Measurements without diffusion weighting."""
        return np.flatnonzero(self.b <= B0_MOST)

    @cached_property
    def shells(self) -> tuple[Shell, ...]:
        """Weighted measurements by b-value, from low to high."""
        rows = np.flatnonzero(self.b > B0_MOST)
        rows = rows[np.argsort(self.b[rows], kind="stable")]
        found: list[list[int]] = []
        for row in rows:
            if found and self.b[row] <= self.b[found[-1][0]] * (1 + SHELL_WIDTH) + 1e-9:
                found[-1].append(int(row))
            else:
                found.append([int(row)])
        return tuple(
            Shell(float(self.b[group].mean()), np.sort(np.array(group, dtype=np.intp)))
            for group in found
        )

    @property
    def strength(self) -> npt.NDArray[np.float64]:
        """Gradient strengths in T/m.

        Raises
        ------
        ParameterError
            The timings are not known.
        """
        return self.known_timings.strength(self.b)

    @property
    def known_timings(self) -> Timings:
        """The timings.

        Raises
        ------
        ParameterError
            They are not known.
        """
        if self.timings is None:
            raise ParameterError(
                "the scan does not tell δ and Δ, the timings of its gradients",
                where="gradient table",
                remedy="Give them in milliseconds (--small-delta, --big-delta)",
            )
        return self.timings

    def with_timings(self, timings: Timings) -> GradientTable:
        """The same measurements with timings."""
        return replace(self, timings=timings)

    def rotated(self, matrix: npt.ArrayLike) -> GradientTable:
        """Directions in other axes.

        Parameters
        ----------
        matrix : array_like, shape (3, 3)
            Orthogonal; takes a vector of the axes of now into the new ones. Axes that are
            permuted or flipped are such matrices.
        """
        return replace(self, directions=self.directions @ np.asarray(matrix, dtype=np.float64).T)


def spread_directions(count: int, seed: int = 0) -> npt.NDArray[np.float64]:
    """Unit vectors spread over the sphere, of which no two are nearly along one line.

    Electrostatic repulsion of points and their opposites (Jones, Horsfield and Simmons 1999), from
    a seeded start, some hundred steps: enough for simulations.
    """
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((count, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    for step in range(200):
        # Of points on the sphere ‖p ∓ q‖² is 2 ∓ 2 p · q, and what p and q do to each other along p
        # is taken away below. Sums, not products of matrices: those differ between machines.
        x, y, z = points.T
        cosine = x[:, None] * x + y[:, None] * y + z[:, None] * z
        np.fill_diagonal(cosine, 0.0)
        near, far = np.maximum(2.0 - 2.0 * cosine, 1e-12), np.maximum(2.0 + 2.0 * cosine, 1e-12)
        force = 1.0 / (far * np.sqrt(far)) - 1.0 / (near * np.sqrt(near))
        away = np.stack([(force * of).sum(axis=1) for of in (x, y, z)], axis=1)
        away -= (away * points).sum(axis=1, keepdims=True) * points
        length = np.linalg.norm(away, axis=1, keepdims=True).max() if count > 1 else 0.0
        if length == 0:
            break
        points += away / length * 0.3 / np.sqrt(count) * 0.98**step
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points


def shell_protocol(
    shells: Sequence[tuple[float, int]], timings: Timings | None, *, seed: int = 0
) -> GradientTable:
    """A protocol with so many measurements at each b-value (s/mm²), directions spread anew in each.

    Examples
    --------
    >>> from napari_sparseexplain.microstructure.gradient_table import HCP_MGH, shell_protocol
    >>> len(shell_protocol([(0, 4), (1000, 12)], HCP_MGH))
    16
    """
    b, directions = [], []
    for number, (value, count) in enumerate(shells):
        b.append(np.full(count, float(value)))
        directions.append(
            spread_directions(count, seed + number) if value > B0_MOST else np.zeros((count, 3))
        )
    return GradientTable(np.concatenate(b), np.concatenate(directions), timings)


def paper_protocol() -> GradientTable:
    """The paper's 552 measurements: 40 b0, 64 at 1000, 64 at 3000, 128 at 5000, 256 at 10000 s/mm².

    The directions are our own: the paper's are the scanner's and not printed.
    """
    return shell_protocol([(0, 40), (1000, 64), (3000, 64), (5000, 128), (10000, 256)], HCP_MGH)
