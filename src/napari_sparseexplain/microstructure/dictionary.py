"""A dictionary of simulated signals in low rank: for any fibre direction it is B V."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import ParameterError
from ..progress import Progress, Work, drain
from .gradient_table import B0_MOST, GradientTable, Timings
from .tissue import Tissue
from .walks.phases import Phases

#: Rank that leaves less than the noise of the simulation, and places along |u · g|.
RANK, COSINES = 32, 513

#: b-values are the same within so many s/mm².
_B_STEP = 5.0


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Signals of all atoms at the b-values of a protocol.

    Attributes
    ----------
    tissue : Tissue
    timings : Timings
    b : ndarray, shape (S,)
        b-values, s/mm², from low to high; the first is 0.
    tables : ndarray, shape (S, K, R)
        At each b-value and |u · g| from 0 to 1, coefficients of the atoms.
    atoms : ndarray, shape (R, N)
        V: orthonormal rows.
    """

    tissue: Tissue
    timings: Timings
    b: npt.NDArray[np.float64]
    tables: npt.NDArray[np.float64]
    atoms: npt.NDArray[np.float64]

    @property
    def rank(self) -> int:
        """R."""
        return len(self.atoms)

    def basis(self, table: GradientTable, direction: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """B of a fibre direction: the sub-dictionary of a protocol is ``B @ atoms``.

        Parameters
        ----------
        table : GradientTable
        direction : array_like, shape (3,) or (P, 3)
            Unit vectors.

        Returns
        -------
        ndarray, shape (M, R) or (P, M, R)

        Raises
        ------
        ParameterError
            The protocol has other timings, or b-values that the dictionary lacks.
        """
        rows = self.rows_of(table)
        cosine = np.abs(np.asarray(direction, dtype=np.float64) @ table.directions.T)
        place = np.clip(cosine, 0.0, 1.0) * (self.tables.shape[1] - 1)
        low = np.minimum(place.astype(int), self.tables.shape[1] - 2)
        part = (place - low)[..., None]
        return (1 - part) * self.tables[rows, low] + part * self.tables[rows, low + 1]

    def rows_of(self, table: GradientTable) -> npt.NDArray[np.intp]:
        """Which b-value of the dictionary each measurement has; refuses a foreign protocol."""
        timings = table.known_timings
        for name, title in (("small_delta", "δ"), ("big_delta", "Δ")):
            ours, theirs = getattr(self.timings, name), getattr(timings, name)
            if abs(ours - theirs) > 1e-3 * ours:
                raise ParameterError(
                    f"the scan has {title} = {1e3 * theirs:g} ms, the dictionary {1e3 * ours:g} ms",
                    where="dictionary",
                    remedy="Simulate a dictionary for these timings (sparseexplain simulate)",
                )
        wanted = np.where(table.b <= B0_MOST, 0.0, table.b)
        rows = np.abs(wanted[:, None] - self.b).argmin(axis=1)
        off = np.abs(self.b[rows] - wanted)
        if (far := off > 0.5 * _B_STEP + 1e-9).any():
            first = int(np.flatnonzero(far)[0])
            raise ParameterError(
                f"the scan measures at b = {table.b[first]:g} s/mm², which the dictionary lacks",
                where="dictionary",
                remedy="Make the dictionary for this protocol from its phases",
            )
        return rows


def distinct_b(table: GradientTable) -> npt.NDArray[np.float64]:
    """b-values of a protocol, rounded to 5 s/mm², from low to high; the first is 0."""
    weighted = table.b[table.b > B0_MOST]
    return np.unique(np.concatenate([[0.0], np.round(weighted / _B_STEP) * _B_STEP]))


def dictionary_of(
    phases: Phases, b: npt.ArrayLike, *, rank: int = RANK, cosines: int = COSINES
) -> Dictionary:
    """Signals of all atoms at some b-values, in low rank.

    One singular value decomposition of the signals at all b-values and angles together: a rotated
    sub-dictionary of any protocol is then a product of a small matrix with the same V.

    Parameters
    ----------
    phases : Phases
    b : array_like
        s/mm², with 0.
    rank : int
        At most so many singular vectors.
    cosines : int
        Places along |u · g|, between which signals are interpolated linearly.
    """
    return drain(dictionary_work(phases, b, rank=rank, cosines=cosines))


def dictionary_work(
    phases: Phases, b: npt.ArrayLike, *, rank: int = RANK, cosines: int = COSINES
) -> Work[Dictionary]:
    """`dictionary_of` with its progress, a b-value a step."""
    values = np.asarray(b, dtype=np.float64)
    if not values.size or values.min() < 0:
        raise ParameterError("a dictionary needs b-values of 0 and more", where="dictionary")
    places = np.linspace(0.0, 1.0, cosines)
    made = []
    for number, value in enumerate(values):
        yield Progress(number, len(values) + 1, "Making the dictionary")
        made.append(phases.atoms(value, places))
    yield Progress(len(values), len(values) + 1, "Making the dictionary")
    signals = np.stack(made)
    flat = signals.reshape(-1, signals.shape[-1])
    left, sizes, right = np.linalg.svd(flat, full_matrices=False)
    kept = min(rank, len(sizes))
    tables = (left[:, :kept] * sizes[:kept]).reshape(len(values), cosines, kept)
    return Dictionary(phases.tissue, phases.timings, values, tables, right[:kept])
