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

#: Share of a column's squared length that must be left beside those before it.
_DEPENDENT = 1e-24


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
    """Weights of the columns; those of the atoms that take part are found by least squares.

    Of these a QR factorisation is kept: an atom that comes is added to it, and after one that goes
    it is made anew from there on.
    """
    rows, columns = a.shape
    most = min(rows, columns)
    weights = np.zeros(columns)
    # Which atoms take part, in the order in which they came, and whether one does.
    active, many = np.empty(most + 1, dtype=np.int64), 0
    member = np.zeros(columns, dtype=np.bool_)
    # Of each of them a column of R above its diagonal, and a reflector from there on.
    factor, diagonal = np.empty((most + 1, rows)), np.empty(most + 1)
    turned, found = np.empty((most + 2, rows)), np.empty(most + 1)
    for m in range(rows):
        turned[0, m] = y[m]
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
        if many == most or not _add_column(a, where, many, factor, diagonal, turned):
            slope[where] = 0.0  # a sum of those that take part already: the next best one
            continue
        active[many] = where
        many += 1
        member[where] = True
        while many:
            drop = 0
            for k in range(many - 1, -1, -1):
                total = turned[many, k]
                for i in range(k + 1, many):
                    total -= factor[i, k] * found[i]
                found[k] = total / diagonal[k]
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
            kept, same = 0, many
            for k in range(many):
                j = active[k]
                weights[j] += step * (found[k] - weights[j])
                if weights[j] > 1e-14:
                    active[kept] = j
                    kept += 1
                else:
                    same = min(same, k)
                    weights[j] = 0.0
                    member[j] = False
            if kept == many:
                # Nothing left by rounding alone: the least one goes.
                same = drop
                weights[active[drop]] = 0.0
                member[active[drop]] = False
                for k in range(drop, many - 1):
                    active[k] = active[k + 1]
                kept -= 1
            many = same
            for k in range(same, kept):
                if _add_column(a, active[k], many, factor, diagonal, turned):
                    active[many] = active[k]
                    many += 1
                else:
                    weights[active[k]] = 0.0
                    member[active[k]] = False
        rest = y.copy()
        for k in range(many):
            for m in range(rows):
                rest[m] -= a[m, active[k]] * weights[active[k]]
        slope = _common(a, rest)
    return weights


@numba.njit(nogil=True, cache=True)
def _add_column(a, j, k, factor, diagonal, turned):
    """Add column ``j`` to a QR factorisation of ``k`` columns; False if it depends on these.

    ``factor[k]`` gets its part of R before entry k and its reflector, of length 1, from there on;
    ``turned[k + 1]`` the data after that reflection. Golub and Van Loan, *Matrix
    Computations*, 5.2.
    """
    rows = a.shape[0]
    column = factor[k]
    whole = 0.0
    for m in range(rows):
        column[m] = a[m, j]
        whole += column[m] * column[m]
    for i in range(k):
        reflector, total = factor[i], 0.0
        for m in range(i, rows):
            total += reflector[m] * column[m]
        for m in range(i, rows):
            column[m] -= 2 * total * reflector[m]
    left = 0.0
    for m in range(k, rows):
        left += column[m] * column[m]
    if left <= _DEPENDENT * whole:
        return False
    size = np.sqrt(left)
    diagonal[k] = -size if column[k] > 0 else size
    column[k] -= diagonal[k]
    # What is left of the column changed in its first entry alone.
    size = np.sqrt(2 * diagonal[k] * (diagonal[k] - (column[k] + diagonal[k])))
    total = 0.0
    for m in range(k, rows):
        column[m] /= size
        total += column[m] * turned[k, m]
    for m in range(rows):
        turned[k + 1, m] = turned[k, m]
    for m in range(k, rows):
        turned[k + 1, m] -= 2 * total * column[m]
    return True


@numba.njit(nogil=True, cache=True)
def _common(a, y):
    """What each column has in common with the data."""
    found = np.zeros(a.shape[1])
    for m in range(a.shape[0]):
        for j in range(a.shape[1]):
            found[j] += a[m, j] * y[m]
    return found
