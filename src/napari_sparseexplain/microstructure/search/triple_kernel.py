"""All triples of atoms of one voxel: which explains most, and the posterior over them.

Two passes. The first keeps what each row of triples (one atom of the first population and one of
the third) explains at most; the second looks again at the rows that matter.
"""

from __future__ import annotations

import numba
import numpy as np

#: As in the search over pairs: triples less likely than exp of this are left out of the posterior,
#: and two atoms whose 1 - c² is below the other are one.
_FAINT, _SAME = -18.0, 1e-6


@numba.njit(cache=True)
def search_triples(y, bases, v, sigma, atoms, weights, by_atom, share, shares, faces, top):
    """Look at all triples of a voxel.

    Parameters
    ----------
    y : ndarray, shape (M,)
    bases : ndarray, shape (3, M, R)
    v : ndarray, shape (R, N)
    sigma : float
        0: no posterior, and nothing below but atoms and weights is filled.
    atoms, weights : ndarray, shape (3,)
        Filled with the best triple; -1 and 0 where a population has no weight.
    by_atom : ndarray, shape (3, N)
        Filled with the chance of each atom that has a weight, not yet divided by the sum of all.
    share : ndarray, shape (3, 2)
        Filled with the sums of ν and ν² of each population.
    shares : ndarray, shape (B,)
        Filled with the chance of the first population's ν in B equal bins; B may be 0.
    faces : ndarray, shape (3, N, N) or empty
        Filled with the chance of pairs: of populations 1 and 2, 1 and 3, 2 and 3.
    top : ndarray, shape (T, 7)
        Filled with the T best triples of three weights: gain, three atoms, three weights.

    Returns
    -------
    residual, total, log_sum, best : float
        ‖y - D w‖² of the best; the sum of all chances against it and of their logarithms.
    """
    count = v.shape[1]
    lengths, common = np.empty((3, count)), np.empty((3, count))
    units = np.empty((3, count, y.size))
    for k in range(3):
        signals = np.ascontiguousarray(np.dot(bases[k], v).T)
        for n in range(count):
            lengths[k, n] = np.sqrt(max(np.dot(signals[n], signals[n]), 1e-300))
            units[k, n] = signals[n] / lengths[k, n]
            common[k, n] = np.dot(units[k, n], y)
    c12 = np.dot(units[0], units[1].T)
    c31, c32 = np.dot(units[2], units[0].T), np.dot(units[2], units[1].T)
    f12 = _pair_gains(c12, common[0], common[1])
    f31, f32 = _pair_gains(c31, common[2], common[0]), _pair_gains(c32, common[2], common[1])
    energy = np.dot(y, y)

    rows, out = np.empty((count, count)), np.empty(count)
    left1, y1 = np.empty(count), np.empty(count)
    left2, y2 = np.empty(count), np.empty(count)
    for m in range(count):
        _without(c31[m], common[0], common[2, m], left1, y1)
        _without(c32[m], common[1], common[2, m], left2, y2)
        for i in range(count):
            rows[m, i] = _row(
                out, c12[i], c31[m, i], c32[m], left1[i], left2, y1[i], y2, common[2, m],
                f12[i], f31[m, i], f32[m],
            )  # fmt: skip
    best = rows.max()
    total, log_sum = 0.0, 0.0
    scale = 0.5 / (sigma * sigma) if sigma > 0 else 0.0
    w, placed = np.zeros(3), np.zeros(3, dtype=np.int64)
    sought = best > 0
    for m in range(count):
        fresh = True
        for i in range(count):
            exact = sought and rows[m, i] == best
            if not exact and (sigma <= 0 or (rows[m, i] - best) * scale < _FAINT):
                continue
            if fresh:
                _without(c31[m], common[0], common[2, m], left1, y1)
                _without(c32[m], common[1], common[2, m], left2, y2)
                fresh = False
            _row(
                out, c12[i], c31[m, i], c32[m], left1[i], left2, y1[i], y2, common[2, m],
                f12[i], f31[m, i], f32[m],
            )  # fmt: skip
            for j in range(count):
                this = exact and out[j] == best
                exponent = (out[j] - best) * scale
                if not this and (sigma <= 0 or exponent < _FAINT):
                    continue
                placed[0], placed[1], placed[2] = i, j, m
                _weights(w, placed, c12[i, j], c31[m, i], c32[m, j], common, f12, f31, f32)
                kinds = 0
                for k in range(3):
                    w[k] /= lengths[k, placed[k]]
                    kinds += w[k] > 0
                if this:
                    for k in range(3):
                        weights[k] = w[k]
                        atoms[k] = placed[k] if w[k] > 0 else -1
                    sought = exact = False
                whole = w[0] + w[1] + w[2]
                if sigma <= 0 or whole <= 0:
                    continue
                chance = np.exp(exponent)
                total += chance
                log_sum += chance * exponent
                for k in range(3):
                    nu = w[k] / whole
                    share[k, 0] += chance * nu
                    share[k, 1] += chance * nu * nu
                    if nu > 0:
                        by_atom[k, placed[k]] += chance
                if shares.size:
                    shares[min(int(w[0] / whole * shares.size), shares.size - 1)] += chance
                if kinds == 3:
                    _keep(top, out[j], placed, w)
                elif faces.size:
                    if w[2] <= 0:
                        faces[0, i, j] += chance
                    elif w[1] <= 0:
                        faces[1, i, m] += chance
                    else:
                        faces[2, j, m] += chance
    return max(energy - best, 0.0), total, log_sum, best


@numba.njit(cache=True)
def _pair_gains(c, one, two):
    """What every pair of two populations explains with weights of at least 0, shape (N, N)."""
    out = np.empty(c.shape)
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            rest = 1.0 - c[i, j] * c[i, j]
            a, b = one[i] - c[i, j] * two[j], two[j] - c[i, j] * one[i]
            if a > 0 and b > 0 and rest > _SAME:
                out[i, j] = one[i] * one[i] + b * b / rest
            else:
                out[i, j] = max(max(one[i], two[j]), 0.0) ** 2
    return out


@numba.njit(cache=True)
def _without(c, common, third, left, y):
    """Atoms without what the third one explains: 1 / their lengths, and what is in the data."""
    for n in range(c.size):
        # Where an atom is the third one nothing is left of it: it explains nothing more.
        rest = 1.0 - c[n] * c[n]
        left[n] = 1.0 / np.sqrt(rest) if rest > _SAME else 0.0
        y[n] = (common[n] - c[n] * third) * left[n]


@numba.njit(cache=True, fastmath={"contract", "reassoc", "nsz", "nnan"})
def _row(out, c12, c13, c23, left1, left2, y1, y2, y3, f12, f13, f23):
    """What the triples of one row explain, one for each atom of the second population."""
    most, alone = 0.0, y3 * y3 + y1 * y1
    for j in range(out.size):
        c = (c12[j] - c13 * c23[j]) * left1 * left2[j]
        rest = 1.0 - c * c
        safe = max(rest, _SAME)
        a, b = y1 - c * y2[j], y2[j] - c * y1
        third = y3 * safe - c13 * a * left1 - c23[j] * b * left2[j]
        inside = (a > 0) & (b > 0) & (third > 0) & (rest > _SAME)
        whole, part = alone + b * b / safe, max(max(f12[j], f13), f23[j])
        gain = whole if inside else part
        out[j] = gain
        most = max(most, gain)
    return most


@numba.njit(cache=True)
def _weights(w, placed, c12, c13, c23, common, f12, f31, f32):
    """Weights of a triple's atoms at length 1: three, else those of its best pair."""
    i, j, m = placed
    one, two, three = common[0, i], common[1, j], common[2, m]
    rest1, rest2 = 1.0 - c13 * c13, 1.0 - c23 * c23
    if rest1 > _SAME and rest2 > _SAME:
        left1, left2 = 1.0 / np.sqrt(rest1), 1.0 / np.sqrt(rest2)
        y1, y2 = (one - c13 * three) * left1, (two - c23 * three) * left2
        c = (c12 - c13 * c23) * left1 * left2
        rest = 1.0 - c * c
        if rest > _SAME:
            w[0] = (y1 - c * y2) / rest * left1
            w[1] = (y2 - c * y1) / rest * left2
            w[2] = three - c13 * w[0] - c23 * w[1]
            if w[0] > 0 and w[1] > 0 and w[2] > 0:
                return
    w[:] = 0.0
    first, second, third = f12[i, j], f31[m, i], f32[m, j]
    if first >= second and first >= third:
        w[0], w[1] = _two(one, two, c12)
    elif second >= third:
        w[0], w[2] = _two(one, three, c13)
    else:
        w[1], w[2] = _two(two, three, c23)


@numba.njit(cache=True)
def _two(one, two, c):
    rest = 1.0 - c * c
    a, b = one - c * two, two - c * one
    if a > 0 and b > 0 and rest > _SAME:
        return a / rest, b / rest
    if one >= two:
        return max(one, 0.0), 0.0
    return 0.0, max(two, 0.0)


@numba.njit(cache=True)
def _keep(top, gain, placed, w):
    """Keep a triple among the best, which are in no order."""
    if not len(top):
        return
    least = 0
    for n in range(1, len(top)):
        if top[n, 0] < top[least, 0]:
            least = n
    if gain > top[least, 0]:
        top[least, 0] = gain
        for k in range(3):
            top[least, 1 + k], top[least, 4 + k] = placed[k], w[k]
