"""Non-negative least squares over the atoms of all fibre directions: the sparse projection.

Lawson and Hanson 1974, *Solving Least Squares Problems*, chapter 23. Slawski and Hein 2011 show why
its solutions are sparse without a penalty. The data are first turned into the small space that the
bases span (a QR decomposition of M × 2R), which changes no solution.
"""

from __future__ import annotations

import math

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
            common = np.ascontiguousarray(r[:, across])
            rows, columns = small.shape
            most = min(rows, columns)
            # The compiled part makes no array: each takes a tenth of a second to compile.
            _lawson_hanson(
                small, common, out[p].reshape(-1), np.zeros(columns, dtype=np.bool_),
                np.empty(most + 1, dtype=np.int64), np.empty((most + 1, rows)), np.empty(most + 1),
                np.empty((most + 2, rows)), np.empty(most + 1), np.empty(columns),
            )  # fmt: skip

    in_threads(part, len(y))


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _lawson_hanson(a, y, weights, member, active, factor, diagonal, turned, found, slope):
    """Fill in the weights of the columns, which are 0; of those that take part by least squares.

    Of these a QR factorisation is kept: an atom that comes is added to it, and after one that goes
    it is made anew from there on.

    Which atoms take part stands in ``active`` in the order in which they came, and whether one does
    in ``member``. ``factor`` has of each of them a column of R above its ``diagonal`` and a
    reflector from there on, ``turned`` the data after as many reflections. ``y`` becomes what is
    left of the data.
    """
    rows, columns = a.shape
    # A product, since for a 0 that stands here numba compiles `_add_column` once more.
    most, many = active.size - 1, 0 * rows
    for m in range(rows):
        turned[0, m] = y[m]
    flat, fresh = 0.0, True
    for turn in range(3 * columns):
        if fresh:
            # What each column has in common with what is left.
            for j in range(columns):
                slope[j] = 0.0
            for m in range(rows):
                for j in range(columns):
                    slope[j] += a[m, j] * y[m]
        if turn == 0:
            flat = 1e-300
            for j in range(columns):
                flat = abs(slope[j]) if abs(slope[j]) > flat else flat
            flat *= _FLAT
        best, where = flat, -1
        for j in range(columns):
            if not member[j] and slope[j] > best:
                best, where = slope[j], j
        if where < 0:
            break
        fresh = many < most
        if fresh:
            active[many] = where
            member[where] = True
        same, kept, first = many, many + 1, fresh
        while fresh:
            for k in range(same, kept):
                j = active[k]
                if _add_column(a, j, many, factor, diagonal, turned):
                    active[many] = j
                    many += 1
                else:
                    weights[j] = 0.0
                    member[j] = False
            fresh = many > same or not first
            if many == 0 or not fresh:
                break
            first = False
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
                    part = now / (now - found[k]) if now > found[k] else 0.0
                    step = part if part < step else step
            kept, same = 0, many
            for k in range(many):
                j = active[k]
                weights[j] += step * (found[k] - weights[j])
                if weights[j] > 1e-14:
                    active[kept] = j
                    kept += 1
                else:
                    same = k if k < same else same
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
        if not fresh:
            slope[where] = 0.0  # a sum of those that take part already: the next best one
            continue
        for m in range(rows):
            y[m] = turned[0, m]
        for k in range(many):
            for m in range(rows):
                y[m] -= a[m, active[k]] * weights[active[k]]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _add_column(a, j, k, factor, diagonal, turned):
    """Add column ``j`` to a QR factorisation of ``k`` columns; False if it depends on these.

    ``factor[k]`` gets its part of R before entry k and its reflector, of length 1, from there on;
    ``turned[k + 1]`` the data after that reflection. Golub and Van Loan, *Matrix
    Computations*, 5.2.
    """
    rows = a.shape[0]
    whole = 0.0
    for m in range(rows):
        factor[k, m] = a[m, j]
        whole += factor[k, m] * factor[k, m]
    for i in range(k):
        total = 0.0
        for m in range(i, rows):
            total += factor[i, m] * factor[k, m]
        for m in range(i, rows):
            factor[k, m] -= 2 * total * factor[i, m]
    left = 0.0
    for m in range(k, rows):
        left += factor[k, m] * factor[k, m]
    if left <= _DEPENDENT * whole:
        return False
    size = math.sqrt(left)
    diagonal[k] = -size if factor[k, k] > 0 else size
    factor[k, k] -= diagonal[k]
    # What is left of the column changed in its first entry alone.
    size = math.sqrt(2 * diagonal[k] * (diagonal[k] - (factor[k, k] + diagonal[k])))
    total = 0.0
    for m in range(k, rows):
        factor[k, m] /= size
        total += factor[k, m] * turned[k, m]
    for m in range(rows):
        turned[k + 1, m] = turned[k, m]
    for m in range(k, rows):
        turned[k + 1, m] -= 2 * total * factor[k, m]
    return True
