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
        Filled with the chance of the first population's ν in B equal bins; where B is 0 this and
        what follows are not filled.
    faces : ndarray, shape (3, N, N)
        Filled with the chance of pairs: of populations 1 and 2, 1 and 3, 2 and 3.
    top : ndarray, shape (T, 7)
        Filled with the T best triples of three weights: gain, three atoms, three weights.

    Returns
    -------
    residual, total, log_sum, best : float
        ‖y - D w‖² of the best; the sum of all chances against it and of their logarithms.
    """
    # What is written with whole arrays stays out of the compiled part: each product of two of them
    # takes a second of compiling there.
    signals = np.matmul(bases, v).transpose(0, 2, 1)
    lengths = np.sqrt(np.maximum(np.einsum("knm,knm->kn", signals, signals), 1e-300))
    units = signals / lengths[..., None]
    common = units @ y
    c12, c31, c32 = units[0] @ units[1].T, units[2] @ units[0].T, units[2] @ units[1].T
    f12 = _pair_gains(c12, common[0], common[1])
    f31, f32 = _pair_gains(c31, common[2], common[0]), _pair_gains(c32, common[2], common[1])
    total, log_sum, best = _search(
        common, 1.0 / lengths, c12, c31, c32, f12, f31, f32, sigma, atoms, weights, by_atom, share,
        shares, faces, top,
    )  # fmt: skip
    return max(float(y @ y) - best, 0.0), total, log_sum, best


@numba.njit(nogil=True, cache=True)
def _search(
    common, inverse, c12, c31, c32, f12, f31, f32, sigma, atoms, weights, by_atom, share, shares,
    faces, top,
):  # fmt: skip
    """The two passes, from what the atoms at length 1 have in common and what pairs explain."""
    count = common.shape[1]
    rows, out = np.empty((count, count)), np.empty(count)
    left1, y1 = np.empty(count), np.empty(count)
    left2, y2 = np.empty(count), np.empty(count)
    best = 0.0
    for m in range(count):
        _without(c31[m], common[0], common[2, m], left1, y1)
        _without(c32[m], common[1], common[2, m], left2, y2)
        for i in range(count):
            rows[m, i] = _row(
                out, c12[i], c31[m, i], c32[m], left1[i], left2, y1[i], y2, common[2, m],
                f12[i], f31[m, i], f32[m],
            )  # fmt: skip
            best = max(best, rows[m, i])
    total, log_sum, sought = 0.0, 0.0, best > 0
    scale = 0.5 / (sigma * sigma) if sigma > 0 else 0.0
    w = np.zeros(3)
    sums, placed = np.zeros((3, 2)), np.zeros(3, dtype=np.int64)
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
                # Weights of three atoms at length 1; where one is not positive, of the best pair.
                c = (c12[i, j] - c31[m, i] * c32[m, j]) * left1[i] * left2[j]
                rest = 1.0 - c * c
                one = two = last = 0.0
                if rest > _SAME:
                    one = (y1[i] - c * y2[j]) / rest * left1[i]
                    two = (y2[j] - c * y1[i]) / rest * left2[j]
                    last = common[2, m] - c31[m, i] * one - c32[m, j] * two
                three = one > 0 and two > 0 and last > 0
                if three:
                    w[0], w[1], w[2] = one, two, last
                else:
                    _best_pair(
                        w, common[0, i], common[1, j], common[2, m], c12[i, j], c31[m, i],
                        c32[m, j], f12[i, j], f31[m, i], f32[m, j],
                    )  # fmt: skip
                w[0] *= inverse[0, i]
                w[1] *= inverse[1, j]
                w[2] *= inverse[2, m]
                if this:
                    atoms[0], atoms[1], atoms[2] = i, j, m
                    for k in range(3):
                        weights[k] = w[k]
                        if w[k] <= 0:
                            atoms[k] = -1
                    sought = exact = False
                whole = w[0] + w[1] + w[2]
                if sigma <= 0 or whole <= 0:
                    continue
                chance, part = np.exp(exponent), 1.0 / whole
                total += chance
                log_sum += chance * exponent
                for k in range(3):
                    nu = w[k] * part
                    sums[k, 0] += chance * nu
                    sums[k, 1] += chance * nu * nu
                by_atom[0, i] += chance * (w[0] > 0)
                by_atom[1, j] += chance * (w[1] > 0)
                by_atom[2, m] += chance * (w[2] > 0)
                if shares.size:
                    shares[min(int(w[0] * part * shares.size), shares.size - 1)] += chance
                    if three:
                        placed[0], placed[1], placed[2] = i, j, m
                        _keep(top, out[j], placed, w)
                    elif w[2] <= 0:
                        faces[0, i, j] += chance
                    elif w[1] <= 0:
                        faces[1, i, m] += chance
                    else:
                        faces[2, j, m] += chance
    for k in range(3):
        share[k, 0] += sums[k, 0]
        share[k, 1] += sums[k, 1]
    return total, log_sum, best


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
def _best_pair(w, one, two, three, c12, c13, c23, f12, f13, f23):
    """Weights of the best pair of three atoms at length 1."""
    w[:] = 0.0
    if f12 >= f13 and f12 >= f23:
        w[0], w[1] = _two(one, two, c12)
    elif f13 >= f23:
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
