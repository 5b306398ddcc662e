"""How well a mask can be read from a layer by a linear rule: ridge regression on its maps.

A probe that reads the mask from layer k as well as from the last says that the network knew it
there. It is fitted on some slices (or patients) and judged on others [1]_.

References
----------
.. [1] G. Alain and Y. Bengio, Understanding intermediate layers using linear classifier probes,
       ICLR workshop, 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Ridge penalty, as a share of the mean variance of a map.
_RIDGE = 1e-3


@dataclass(frozen=True)
class ProbeScore:
    """What a probe of a layer reads on slices that it was not fitted on.

    Attributes
    ----------
    layer : str
    maps : int
    dice : float
        Of all judged pixels, at the threshold that was best on the fitted ones; at the layer's own
        resolution, against the pixels that lie in the mask by half or more.
    correlation : float
        Between what the probe gives and the share of each pixel in the mask.
    """

    layer: str
    maps: int
    dice: float
    correlation: float


class RidgeProbe:
    """Adds up what a layer holds of some slices; solved when asked.

    Memory is that of one layer's covariance, however many slices are seen.

    Parameters
    ----------
    maps : int
    """

    def __init__(self, maps: int) -> None:
        self._square = np.zeros((maps + 1, maps + 1))
        self._product = np.zeros(maps + 1)

    def add(self, maps: npt.NDArray[np.float32], mask: npt.NDArray[np.float32]) -> None:
        """Maps (maps, h, w) of a slice and the share of each pixel in the mask, (h, w)."""
        values = _with_one(maps)
        wanted = mask.reshape(-1).astype(np.float64)
        self._square += values.T @ values
        self._product += values.T @ wanted

    def weights(self) -> npt.NDArray[np.float64]:
        """Weight of each map and the constant, shape (maps + 1,)."""
        square = self._square.copy()
        strength = _RIDGE * float(np.trace(square[:-1, :-1])) / max(1, len(square) - 1)
        square[np.arange(len(square) - 1), np.arange(len(square) - 1)] += max(strength, 1e-12)
        return np.asarray(np.linalg.lstsq(square, self._product, rcond=None)[0], np.float64)


def probe_values(
    weights: npt.NDArray[np.float64], maps: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """What a probe gives at every pixel of maps (maps, h, w)."""
    return (_with_one(maps) @ weights).reshape(maps.shape[1:])


def score_probe(
    layer: str,
    weights: npt.NDArray[np.float64],
    given: Sequence[tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]],
    told: Sequence[tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]],
) -> ProbeScore:
    """Scores of a probe by what it gives (`probe_values`) on slices, and their masks (h, w).

    Parameters
    ----------
    given, told : sequence of (ndarray, ndarray)
        On the slices that it was fitted on, and on those that it is judged on.
    """
    threshold = _best_threshold(
        np.concatenate([v.ravel() for v, _ in given]), np.concatenate([m.ravel() for _, m in given])
    )
    values = np.concatenate([v.ravel() for v, _ in told])
    mask = np.concatenate([m.ravel() for _, m in told])
    found, true = values >= threshold, mask >= 0.5
    total = int(found.sum() + true.sum())
    dice = 2 * int((found & true).sum()) / total if total else float("nan")
    spread = float(values.std() * mask.std())
    correlation = float(np.corrcoef(values, mask)[0, 1]) if spread > 0 else float("nan")
    return ProbeScore(layer, len(weights) - 1, dice, correlation)


def _best_threshold(values: npt.NDArray[np.float64], mask: npt.NDArray[np.float32]) -> float:
    """The value from which on the Dice with the mask is largest, halfway to the next one below."""
    order = np.argsort(values)[::-1]
    true = (mask >= 0.5)[order]
    inside = np.cumsum(true)
    dice = 2 * inside / (np.arange(1, len(values) + 1) + max(1, int(true.sum())))
    best = int(dice.argmax())
    return float(values[order][best : best + 2].mean())


def _with_one(maps: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    flat = maps.reshape(len(maps), -1).T.astype(np.float64)
    return np.concatenate([flat, np.ones((len(flat), 1))], axis=1)
