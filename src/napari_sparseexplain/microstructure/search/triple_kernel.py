"""All triples of atoms of one voxel: which explains most, and the posterior over them.

Two passes. The first keeps what each row of triples (one atom of the first population and one of
the third) explains at most; the second looks again at the rows that matter.
"""

from __future__ import annotations

import math

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
    # What is written with whole arrays stays out of the compiled parts: each takes from a tenth of
    # a second to a second of compiling there.
    signals = np.matmul(bases, v).transpose(0, 2, 1)
    lengths = np.sqrt(np.maximum(np.einsum("knm,knm->kn", signals, signals), 1e-300))
    units, inverse = signals / lengths[..., None], 1.0 / lengths
    common = units @ y
    c12, c31, c32 = units[0] @ units[1].T, units[2] @ units[0].T, units[2] @ units[1].T
    f12 = _pair_gains(c12, common[0], common[1])
    f31, f32 = _pair_gains(c31, common[2], common[0]), _pair_gains(c32, common[2], common[1])
    left1, y1 = _without(c31, common[0], common[2])
    left2, y2 = _without(c32, common[1], common[2])
    count = len(lengths[0])
    rows, out = np.empty((count, count)), np.empty(count)
    third = common[2].tolist()
    for m in range(count):
        _rows(
            rows[m], out, c12, c31[m], c32[m], left1[m], left2[m], y1[m], y2[m], third[m],
            f12, f31[m], f32[m],
        )  # fmt: skip
    best = max(float(rows.max()), 0.0)
    scale = 0.5 / (sigma * sigma) if sigma > 0 else 0.0
    looked = rows == best if best > 0 else np.zeros(rows.shape, dtype=bool)
    if sigma > 0:
        looked |= (rows - best) * scale >= _FAINT
    # The sums of chances, of their logarithms, of ν and ν² of each; whether the best was found.
    sums, w, found = np.zeros(8), np.zeros(3), np.zeros(1)
    for m in np.flatnonzero(looked.any(axis=1)).tolist():
        _look_again(
            np.flatnonzero(looked[m]), m, out, c12, c31[m], c32[m], left1[m], left2[m], y1[m],
            y2[m], common, inverse, f12, f31[m], f32[m], best, scale, w, found, atoms, weights,
            by_atom, sums, shares, faces, top,
        )  # fmt: skip
    share += sums[2:].reshape(3, 2)
    return max(float(y @ y) - best, 0.0), float(sums[0]), float(sums[1]), best


def _pair_gains(c, one, two):
    """What every pair of two populations explains with weights of at least 0, shape (N, N)."""
    one = one[:, None]
    rest, a, b = 1.0 - c * c, one - c * two, two - c * one
    both = (a > 0) & (b > 0) & (rest > _SAME)
    alone = np.maximum(np.maximum(one, two), 0.0) ** 2
    return np.where(both, one * one + b * b / np.maximum(rest, _SAME), alone)


def _without(c, common, third):
    """Atoms without what each third one explains: 1 / their lengths, and what is in the data."""
    # Where an atom is the third one nothing is left of it: it explains nothing more.
    rest = 1.0 - c * c
    left = np.where(rest > _SAME, 1.0 / np.sqrt(np.maximum(rest, _SAME)), 0.0)
    return left, (common - c * third[:, None]) * left


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _rows(rows, out, c12, c31, c32, left1, left2, y1, y2, y3, f12, f31, f32):
    """What each row of triples with one third atom explains at most."""
    for i in range(rows.size):
        rows[i] = _row(
            out, c12[i], c31[i], c32, left1[i], left2, y1[i], y2, y3, f12[i], f31[i], f32
        )


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _look_again(
    numbers, m, out, c12, c31, c32, left1, left2, y1, y2, common, inverse, f12, f31, f32, best,
    scale, w, found, atoms, weights, by_atom, sums, shares, faces, top,
):  # fmt: skip
    """The rows of one third atom that may hold the best triple, or some of the posterior."""
    y3 = common[2, m]
    for n in range(numbers.size):
        i = numbers[n]
        _row(out, c12[i], c31[i], c32, left1[i], left2, y1[i], y2, y3, f12[i], f31[i], f32)
        for j in range(out.size):
            this = found[0] == 0 and out[j] == best and best > 0
            exponent = (out[j] - best) * scale
            if not this and (scale == 0 or exponent < _FAINT):
                continue
            # Weights of three atoms at length 1; where one is not positive, of the best pair.
            c = (c12[i, j] - c31[i] * c32[j]) * left1[i] * left2[j]
            rest = 1.0 - c * c
            one = two = last = 0.0
            if rest > _SAME:
                one = (y1[i] - c * y2[j]) / rest * left1[i]
                two = (y2[j] - c * y1[i]) / rest * left2[j]
                last = y3 - c31[i] * one - c32[j] * two
            three = one > 0 and two > 0 and last > 0
            if three:
                w[0], w[1], w[2] = one, two, last
            else:
                _best_pair(
                    w, common[0, i], common[1, j], y3, c12[i, j], c31[i], c32[j], f12[i, j],
                    f31[i], f32[j],
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
                found[0] = 1.0
            whole = w[0] + w[1] + w[2]
            if scale == 0 or whole <= 0:
                continue
            chance, part = math.exp(exponent), 1.0 / whole
            sums[0] += chance
            sums[1] += chance * exponent
            for k in range(3):
                nu = w[k] * part
                sums[2 + 2 * k] += chance * nu
                sums[3 + 2 * k] += chance * nu * nu
            if w[0] > 0:
                by_atom[0, i] += chance
            if w[1] > 0:
                by_atom[1, j] += chance
            if w[2] > 0:
                by_atom[2, m] += chance
            if shares.size:
                shares[min(int(w[0] * part * shares.size), shares.size - 1)] += chance
                if three:
                    _keep(top, out[j], i, j, m, w)
                elif w[2] <= 0:
                    faces[0, i, j] += chance
                elif w[1] <= 0:
                    faces[1, i, m] += chance
                else:
                    faces[2, j, m] += chance


@numba.njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "nnan"})
def _row(out, c12, c13, c23, left1, left2, y1, y2, y3, f12, f13, f23):
    """What the triples of one row explain, one for each atom of the second population."""
    most, alone = 0.0, y3 * y3 + y1 * y1
    for j in range(out.size):
        c = (c12[j] - c13 * c23[j]) * left1 * left2[j]
        rest = 1.0 - c * c
        safe = rest if rest > _SAME else _SAME
        a, b = y1 - c * y2[j], y2[j] - c * y1
        third = y3 * safe - c13 * a * left1 - c23[j] * b * left2[j]
        inside = (a > 0) & (b > 0) & (third > 0) & (rest > _SAME)
        part = f12[j] if f12[j] > f13 else f13
        part = f23[j] if f23[j] > part else part
        gain = alone + b * b / safe if inside else part
        out[j] = gain
        most = gain if gain > most else most
    return most


@numba.njit(cache=True, error_model="numpy")
def _best_pair(w, one, two, three, c12, c13, c23, f12, f13, f23):
    """Weights of the best pair of three atoms at length 1."""
    w[0] = w[1] = w[2] = 0.0
    if f12 >= f13 and f12 >= f23:
        w[0], w[1] = _two(one, two, c12)
    elif f13 >= f23:
        w[0], w[2] = _two(one, three, c13)
    else:
        w[1], w[2] = _two(two, three, c23)


@numba.njit(cache=True, error_model="numpy")
def _two(one, two, c):
    rest = 1.0 - c * c
    a, b = one - c * two, two - c * one
    if a > 0 and b > 0 and rest > _SAME:
        return a / rest, b / rest
    if one >= two:
        return one if one > 0 else 0.0, 0.0
    return 0.0, two if two > 0 else 0.0


@numba.njit(cache=True, error_model="numpy")
def _keep(top, gain, i, j, m, w):
    """Keep a triple among the best, which are in no order."""
    if top.shape[0] == 0:
        return
    least = 0
    for n in range(1, top.shape[0]):
        if top[n, 0] < top[least, 0]:
            least = n
    if gain > top[least, 0]:
        top[least, 0], top[least, 1], top[least, 2], top[least, 3] = gain, i, j, m
        for k in range(3):
            top[least, 4 + k] = w[k]
