"""Non-negative least squares over the atoms of all fibre directions: the sparse projection.

Lawson and Hanson 1974, *Solving Least Squares Problems*, chapter 23. Slawski and Hein 2011 show why
its solutions are sparse without a penalty. The data are first turned into the small space that the
bases span (a QR decomposition of M × 2R), which changes no solution.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from ...errors import ParameterError
from ..in_threads import in_threads
from ..numba_lock import PARALLEL

#: A gradient below this share of the largest at the start counts as none.
_FLAT = 1e-10


def nnls_weights(
    signals: npt.ArrayLike, bases: npt.ArrayLike, atoms: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Weights w ≥ 0 with the least ‖y - [B₁V … B_KV] w‖² in each voxel.

    Parameters
    ----------
    signals : array_like, shape (P, M)
    bases : array_like, shape (P, K, M, R)
        Of the K fibre directions of each voxel.
    atoms : array_like, shape (R, N)

    Returns
    -------
    ndarray, shape (P, K, N)

    Raises
    ------
    ParameterError
        Shapes that do not go together, or values that are not finite.
    """
    y = np.ascontiguousarray(signals, dtype=np.float64)
    b = np.ascontiguousarray(bases, dtype=np.float64)
    v = np.ascontiguousarray(atoms, dtype=np.float64)
    if y.ndim != 2 or b.ndim != 4 or b.shape[::2] != (len(y), y.shape[1]) or b.shape[3] != len(v):
        raise ParameterError(
            f"signals {y.shape}, bases {b.shape} and atoms {v.shape} do not go together",
            where="non-negative least squares",
        )
    if not np.isfinite(y).all():
        raise ParameterError(
            "a voxel holds a value that is no number", where="non-negative least squares",
            remedy="Leave such voxels out of the mask",
        )  # fmt: skip
    out = np.zeros((len(y), b.shape[1], v.shape[1]))
    with PARALLEL:
        _solve_all(y, b, v, out)
    return out


def _solve_all(
    y: npt.NDArray[np.float64],
    bases: npt.NDArray[np.float64],
    v: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64],
) -> None:
    across = bases.shape[1] * len(v)

    def part(start: int, stop: int) -> None:
        for p in range(start, stop):
            # R of the bases, and beside it what they have in common with the data: Qᵀy.
            beside = np.column_stack([*bases[p], y[p]])
            r = np.asarray(np.linalg.qr(beside, mode="r"))[:across]
            # Row by row, each population's part of it times the atoms.
            small = (r[:, :across].reshape(-1, len(v)) @ v).reshape(len(r), -1)
            found = _lawson_hanson(small, np.ascontiguousarray(r[:, across]))
            out[p] = found.reshape(out.shape[1:])

    in_threads(part, len(y))


@numba.njit(nogil=True, cache=True)
def _lawson_hanson(a, y):
    """Weights of the columns; those of the atoms that take part are found by least squares."""
    rows, columns = a.shape
    weights = np.zeros(columns)
    # Which atoms take part, in the order in which they came, and whether one does.
    active, many = np.empty(columns, dtype=np.int64), 0
    member = np.zeros(columns, dtype=np.bool_)
    slope = _common(a, y)
    flat = 1e-300
    for j in range(columns):
        flat = max(flat, abs(slope[j]))
    flat *= _FLAT
    for _ in range(3 * columns):
        best, where = flat, -1
        for j in range(columns):
            if not member[j] and slope[j] > best:
                best, where = slope[j], j
        if where < 0:
            break
        active[many] = where
        many += 1
        member[where] = True
        while many:
            part = np.empty((rows, many))
            for m in range(rows):
                for k in range(many):
                    part[m, k] = a[m, active[k]]
            found = np.linalg.lstsq(part, y)[0]
            drop = 0
            for k in range(many):
                if found[k] < found[drop]:
                    drop = k
            if found[drop] > 0:
                for k in range(many):
                    weights[active[k]] = found[k]
                break
            # As far as the first weight that would become negative.
            step = 1.0
            for k in range(many):
                if found[k] <= 0:
                    now = weights[active[k]]
                    step = min(step, now / (now - found[k]) if now > found[k] else 0.0)
            kept = 0
            for k in range(many):
                j = active[k]
                weights[j] += step * (found[k] - weights[j])
                if weights[j] > 1e-14 and not (found[k] <= 0 and weights[j] <= 1e-14):
                    active[kept] = j
                    kept += 1
                else:
                    weights[j] = 0.0
                    member[j] = False
            if kept == many:
                # Nothing left by rounding alone: the least one goes.
                weights[active[drop]] = 0.0
                member[active[drop]] = False
                for k in range(drop, many - 1):
                    active[k] = active[k + 1]
                kept -= 1
            many = kept
        rest = y.copy()
        for m in range(rows):
            for k in range(many):
                rest[m] -= a[m, active[k]] * weights[active[k]]
        slope = _common(a, rest)
    return weights


@numba.njit(cache=True)
def _common(a, y):
    """What each column has in common with the data."""
    found = np.zeros(a.shape[1])
    for m in range(a.shape[0]):
        for j in range(a.shape[1]):
            found[j] += a[m, j] * y[m]
    return found
