"""Fibre directions moved a little until the atoms that were found explain more.

Directions of spherical deconvolution are off by some degrees, and a wrong direction is taken for
another radius and density. With the pair of atoms held, each direction is tried at places about
it, nearer and nearer, and kept where the residual of non-negative weights falls.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..dictionary import Dictionary
from ..gradient_table import GradientTable

#: Two populations are not moved nearer to each other than this, in degrees: one fibre with two
#: peaks would be split into halves that lie on each other.
LEAST_ANGLE = 20.0

#: Angles of the places that are tried, in degrees, one round each; places a round.
ANGLES, PLACES = (6.0, 3.0, 1.5, 0.75), 6


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
    directions : array_like, shape (P, 2, 3)
        Unit vectors.
    pair : array_like of int, shape (P, 2)
        Atoms; a population with -1 keeps its direction.

    Returns
    -------
    ndarray, shape (P, 2, 3)
    """
    y = np.asarray(signals, dtype=np.float64)
    now = np.array(directions, dtype=np.float64)
    atoms = np.asarray(pair)
    columns = dictionary.atoms[:, np.maximum(atoms, 0)].transpose(1, 2, 0)  # (P, 2, R)
    columns = np.where((atoms >= 0)[..., None], columns, 0.0)

    def signal(of: npt.NDArray[np.float64], k: int) -> npt.NDArray[np.float64]:
        return np.einsum("pmr,pr->pm", dictionary.basis(table, of), columns[:, k])

    alone = (atoms < 0).any(axis=1)
    # What is nearer from the start may stay so, and come no nearer.
    start = abs((now[:, 0] * now[:, 1]).sum(axis=1))
    nearest = np.maximum(start, np.cos(np.radians(LEAST_ANGLE)))
    parts = [signal(now[:, k], k) for k in (0, 1)]
    best = _residual(y, *parts)
    for angle in np.radians(ANGLES):
        for k in (0, 1):
            here = now[:, k].copy()
            first = _across(here)
            second = np.cross(here, first)
            for turn in np.arange(PLACES) * 2 * np.pi / PLACES:
                tangent = np.cos(turn) * first + np.sin(turn) * second
                tried = np.cos(angle) * here + np.sin(angle) * tangent
                moved = signal(tried, k)
                rest = _residual(y, *((moved, parts[1]) if k == 0 else (parts[0], moved)))
                apart = abs((tried * now[:, 1 - k]).sum(axis=1)) <= nearest
                better = (rest < best) & (atoms[:, k] >= 0) & (apart | alone)
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
    y: npt.NDArray[np.float64], one: npt.NDArray[np.float64], two: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """‖y - w₁ one - w₂ two‖² with the best w ≥ 0."""
    n1, n2 = (np.maximum((part**2).sum(axis=1), 1e-300) for part in (one, two))
    y1, y2, c = (one * y).sum(axis=1), (two * y).sum(axis=1), (one * two).sum(axis=1)
    rest = np.maximum(n1 * n2 - c**2, 1e-12 * n1 * n2)
    w1, w2 = (n2 * y1 - c * y2) / rest, (n1 * y2 - c * y1) / rest
    alone = np.maximum(np.maximum(y1, 0) ** 2 / n1, np.maximum(y2, 0) ** 2 / n2)
    both = np.where((w1 > 0) & (w2 > 0), w1 * y1 + w2 * y2, alone)
    return (y**2).sum(axis=1) - both
