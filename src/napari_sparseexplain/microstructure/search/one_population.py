"""Exhaustive search where one fibre population is seen: the atom that explains a voxel best."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .two_populations import Fingerprints


def exhaustive_singles(
    signals: npt.ArrayLike,
    bases: npt.ArrayLike,
    atoms: npt.ArrayLike,
    parameters: npt.ArrayLike,
    sigma: npt.ArrayLike = 0.0,
) -> Fingerprints:
    """As `exhaustive_pairs` with one population: ν is 1, the second population is absent.

    Parameters
    ----------
    signals : array_like, shape (P, M)
    bases : array_like, shape (P, M, R)
    atoms : array_like, shape (R, N)
    parameters : array_like, shape (N, 2)
    sigma : float or array_like, shape (P,)
    """
    y = np.asarray(signals, dtype=np.float64)
    basis = np.asarray(bases, dtype=np.float64)
    v, known = np.asarray(atoms, dtype=np.float64), np.asarray(parameters, dtype=np.float64)
    count = len(y)
    noise = np.broadcast_to(np.asarray(sigma, dtype=np.float64), (count,))
    found = Fingerprints(
        np.full((count, 2), -1, dtype=np.intp), np.zeros((count, 2)), np.zeros(count),
        np.full((count, 2, 3), np.nan), np.full((count, 2, 3), np.nan), np.full(count, np.nan),
    )  # fmt: skip
    for p in range(count):
        gram = basis[p].T @ basis[p]
        lengths = np.sqrt(np.maximum(np.einsum("rn,rn->n", v, gram @ v), 1e-300))
        common = (basis[p].T @ y[p]) @ v / lengths
        gains = np.maximum(common, 0.0) ** 2
        best = int(gains.argmax())
        energy = float(y[p] @ y[p])
        if gains[best] > 0:
            found.pair[p, 0] = best
            found.weights[p, 0] = common[best] / lengths[best]
        found.residual[p] = max(energy - gains[best], 0.0)
        if noise[p] > 0 and gains[best] > 0:
            exponent = (gains - gains[best]) / (2 * noise[p] ** 2)
            weight = np.exp(exponent)
            weight /= weight.sum()
            mean = weight @ known
            found.mean[p, 0] = (1.0, *mean)
            found.sd[p, 0] = (0.0, *np.sqrt(np.maximum(weight @ (known - mean) ** 2, 0.0)))
            found.entropy[p] = -float(weight @ np.log2(np.maximum(weight, 1e-300)))
    return found
