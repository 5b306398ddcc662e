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


@numba.njit(parallel=True, cache=True)
def _solve_all(y, bases, v, out):
    populations, rank, count = bases.shape[1], v.shape[0], v.shape[1]
    for p in numba.prange(len(y)):
        stacked = np.empty((y.shape[1], populations * rank))
        for k in range(populations):
            stacked[:, k * rank : (k + 1) * rank] = bases[p, k]
        q, r = np.linalg.qr(stacked)
        small = np.empty((r.shape[0], populations * count))
        for k in range(populations):
            part = np.ascontiguousarray(r[:, k * rank : (k + 1) * rank])
            small[:, k * count : (k + 1) * count] = np.dot(part, v)
        weights = _lawson_hanson(small, np.dot(np.ascontiguousarray(q.T), y[p]))
        for k in range(populations):
            out[p, k] = weights[k * count : (k + 1) * count]


@numba.njit(cache=True)
def _lawson_hanson(a, y):
    columns = a.shape[1]
    weights = np.zeros(columns)
    active = np.empty(0, dtype=np.int64)
    member = np.zeros(columns, dtype=np.bool_)
    slope = np.dot(a.T, y)
    flat = _FLAT * max(np.abs(slope).max(), 1e-300)
    for _ in range(3 * columns):
        best, where = flat, -1
        for j in range(columns):
            if not member[j] and slope[j] > best:
                best, where = slope[j], j
        if where < 0:
            break
        active = np.append(active, where)
        member[where] = True
        while True:
            part = np.empty((a.shape[0], active.size))
            for k in range(active.size):
                part[:, k] = a[:, active[k]]
            found = np.linalg.lstsq(part, y)[0]
            least = 0.0 if active.size == 0 else found.min()
            if active.size == 0 or least > 0:
                for k in range(active.size):
                    weights[active[k]] = found[k]
                break
            # As far as the first weight that would become negative.
            step = 1.0
            for k in range(active.size):
                if found[k] <= 0:
                    now = weights[active[k]]
                    step = min(step, now / (now - found[k]) if now > found[k] else 0.0)
            kept = np.empty(active.size, dtype=np.bool_)
            for k in range(active.size):
                j = active[k]
                weights[j] += step * (found[k] - weights[j])
                kept[k] = weights[j] > 1e-14 and not (found[k] <= 0 and weights[j] <= 1e-14)
                if not kept[k]:
                    weights[j] = 0.0
                    member[j] = False
            if kept.all():
                # Nothing left by rounding alone: the least one goes.
                drop = found.argmin()
                kept[drop] = False
                weights[active[drop]] = 0.0
                member[active[drop]] = False
            active = active[kept]
        rest = y.copy()
        for k in range(active.size):
            for m in range(rest.size):
                rest[m] -= a[m, active[k]] * weights[active[k]]
        slope = np.dot(a.T, rest)
    return weights
