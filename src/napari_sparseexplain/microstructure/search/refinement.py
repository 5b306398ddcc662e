"""Fibre directions moved a little until the atoms that were found explain more.

Directions of spherical deconvolution are off by some degrees, and a wrong direction is taken for
another radius and density. With the atoms held, each direction is tried at places about
it, nearer and nearer, and kept where the residual of non-negative weights falls.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from ..dictionary import Dictionary
from ..gradient_table import GradientTable

#: Two populations are not moved nearer to each other than this, in degrees: one fibre with two
#: peaks would be split into halves that lie on each other.
LEAST_ANGLE = 20.0

#: Angles of the places that are tried, in degrees, one round each; places a round.
ANGLES, PLACES = (6.0, 3.0, 1.5, 0.75), 6

#: What is divided by is no less: the square of this is still above 0.
_LEAST = 1e-150


def refined_directions(
    dictionary: Dictionary,
    table: GradientTable,
    signals: npt.ArrayLike,
    directions: npt.ArrayLike,
    pair: npt.ArrayLike,
) -> npt.NDArray[np.float64]:
    """Directions that explain the signals better with the same atoms.

    Parameters
    ----------
    dictionary : Dictionary
    table : GradientTable
    signals : array_like, shape (P, M)
    directions : array_like, shape (P, K, 3)
        Unit vectors of two populations or three.
    pair : array_like of int, shape (P, K)
        Atoms; a population with -1 keeps its direction.

    Returns
    -------
    ndarray, shape (P, K, 3)
    """
    y = np.asarray(signals, dtype=np.float64)
    now = np.array(directions, dtype=np.float64)
    atoms = np.asarray(pair)
    columns = dictionary.atoms[:, np.maximum(atoms, 0)].transpose(1, 2, 0)  # (P, K, R)
    columns = np.where((atoms >= 0)[..., None], columns, 0.0)
    numbers = range(now.shape[1])

    def signal(of: npt.NDArray[np.float64], k: int) -> npt.NDArray[np.float64]:
        return np.einsum("pmr,pr->pm", dictionary.basis(table, of), columns[:, k])

    # What is nearer from the start may stay so, and come no nearer.
    start = abs(np.einsum("pkd,pld->pkl", now, now))
    nearest = np.maximum(start, np.cos(np.radians(LEAST_ANGLE)))
    parts = [signal(now[:, k], k) for k in numbers]
    best = _residual(y, parts)
    for angle in np.radians(ANGLES):
        for k in numbers:
            others = [n for n in numbers if n != k]
            here = now[:, k].copy()
            first = _across(here)
            second = np.cross(here, first)
            for turn in np.arange(PLACES) * 2 * np.pi / PLACES:
                tangent = np.cos(turn) * first + np.sin(turn) * second
                tried = np.cos(angle) * here + np.sin(angle) * tangent
                moved = signal(tried, k)
                rest = _residual(y, [moved if n == k else parts[n] for n in numbers])
                better = (rest < best) & (atoms[:, k] >= 0)
                for n in others:
                    apart = abs((tried * now[:, n]).sum(axis=1)) <= nearest[:, k, n]
                    better &= apart | (atoms[:, n] < 0)
                now[better, k] = tried[better]
                best[better] = rest[better]
            parts[k] = signal(now[:, k], k)
    return now


def _across(direction: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A unit vector at right angles to each."""
    axis = np.zeros_like(direction)
    axis[np.arange(len(direction)), np.abs(direction).argmin(axis=1)] = 1.0
    found = np.cross(direction, axis)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def _residual(
    y: npt.NDArray[np.float64], parts: list[npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64]:
    """‖y - Σ wₖ partₖ‖² with the best w ≥ 0, of two parts or three."""
    gain = [_gain(y, *pair) for pair in combinations(parts, 2)]
    found = (y**2).sum(axis=1) - np.maximum.reduce(gain)
    if len(parts) == 2:
        return found
    stacked = np.stack(parts, axis=1)
    gram = np.einsum("pkm,plm->pkl", stacked, stacked)
    gram += 1e-12 * np.trace(gram, axis1=1, axis2=2)[:, None, None] * np.eye(len(parts)) + _LEAST
    common = np.einsum("pkm,pm->pk", stacked, y)
    weights = np.linalg.solve(gram, common[..., None])[..., 0]
    inside = (y**2).sum(axis=1) - (weights * common).sum(axis=1)
    return np.where((weights > 0).all(axis=1), np.minimum(inside, found), found)


def _gain(
    y: npt.NDArray[np.float64], one: npt.NDArray[np.float64], two: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """How much of ‖y‖² two parts explain with w ≥ 0."""
    n1, n2 = (np.maximum((part**2).sum(axis=1), _LEAST) for part in (one, two))
    y1, y2, c = (one * y).sum(axis=1), (two * y).sum(axis=1), (one * two).sum(axis=1)
    rest = np.maximum(n1 * n2 - c**2, 1e-12 * n1 * n2)
    w1, w2 = (n2 * y1 - c * y2) / rest, (n1 * y2 - c * y1) / rest
    alone = np.maximum(np.maximum(y1, 0) ** 2 / n1, np.maximum(y2, 0) ** 2 / n2)
    return np.where((w1 > 0) & (w2 > 0), w1 * y1 + w2 * y2, alone)
