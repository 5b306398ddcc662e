"""Remove and debias: what a network makes of an image whose most important pixels are filled in.

Source: Y. Rong et al., A consistent and efficient evaluation strategy for attribution methods,
ICML 2022. Pixels that are set to a constant betray by their outline what was removed; here each
is filled in from its neighbours (weight 1/6 of the four beside it and 1/12 of the four at its
corners), with a little noise so that the filling itself is not told. The better a map, the sooner
the score falls when its highest pixels go, and the longer it stays when its lowest go.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from ...evidence.attribution_scores import importance
from ...progress import Progress, Work
from .insertion_deletion import Score, ranking

#: Shares of the pixels that are removed.
SHARES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7)

#: Standard deviation of the noise, as a share of the image's own.
_NOISE = 0.01

#: Steps to the neighbours, and their weights.
_NEIGHBOURS = tuple(
    (dy, dx, 1 / 6 if dy == 0 or dx == 0 else 1 / 12)
    for dy in (-1, 0, 1)
    for dx in (-1, 0, 1)
    if (dy, dx) != (0, 0)
)


def road(
    score: Score,
    image: npt.NDArray[Any],
    heat: npt.NDArray[Any],
    *,
    signed: bool = False,
    shares: tuple[float, ...] = SHARES,
    seed: int = 0,
) -> Work[dict[str, float]]:
    """Mean score with the most important pixels filled in, with the least important, and their gap.

    Parameters
    ----------
    score : callable
        Images (B, C, H, W) to scores (B,).
    image : ndarray, shape (C, H, W)
    heat : ndarray, shape (H, W)
        Importance; its absolute value where ``signed``.

    Returns
    -------
    dict
        ``ROAD most``: mean over ``shares``, lower is better; ``ROAD least``: higher is better;
        ``ROAD``: the second minus the first.
    """
    values = np.asarray(image, dtype=np.float32)
    order = ranking(importance(heat, signed=signed), np.ones(heat.shape, dtype=np.bool_), seed)
    generator = np.random.default_rng(seed)
    filled = []
    for done, share in enumerate(shares):
        yield Progress(done, len(shares), f"ROAD: {share:.0%} of the pixels")
        count = round(share * order.size)
        for chosen in (order[:count], order[order.size - count :]):
            gone = np.zeros(heat.shape, dtype=np.bool_)
            gone.ravel()[chosen] = True
            filled.append(filled_in(values, gone, generator))
    answers = score(np.stack(filled))
    most, least = float(answers[0::2].mean()), float(answers[1::2].mean())
    return {"ROAD": least - most, "ROAD most": most, "ROAD least": least}


def filled_in(
    image: npt.NDArray[np.float32],
    gone: npt.NDArray[np.bool_],
    generator: np.random.Generator,
) -> npt.NDArray[np.float32]:
    """An image (C, H, W) with some pixels the weighted mean of their neighbours, and noise.

    Every pixel that is gone equals the mean of its neighbours, those that are gone themselves
    included: a system of linear equations. At the border the weights that are there add to 1.
    """
    if not gone.any():
        return image
    if gone.all():
        return np.broadcast_to(image.mean(axis=(1, 2), keepdims=True), image.shape).copy()
    rows, columns = np.nonzero(gone)
    number = np.full(gone.shape, -1)
    number[rows, columns] = np.arange(len(rows))
    total = np.zeros(len(rows))
    known = np.zeros((len(image), len(rows)))
    entries: list[tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]] = []
    for dy, dx, weight in _NEIGHBOURS:
        y, x = rows + dy, columns + dx
        there = (y >= 0) & (y < gone.shape[0]) & (x >= 0) & (x < gone.shape[1])
        at = np.flatnonzero(there)
        other = number[y[at], x[at]]
        total[at] += weight
        seen = at[other < 0]
        known[:, seen] += weight * image[:, y[seen], x[seen]]
        entries.append((at[other >= 0], other[other >= 0], np.full((other >= 0).sum(), -weight)))
    entries.append((np.arange(len(rows)), np.arange(len(rows)), total))
    i, j, v = (np.concatenate(part) for part in zip(*entries, strict=True))
    system = coo_matrix((v, (i, j)), shape=(len(rows), len(rows))).tocsc()
    found = np.atleast_2d(spsolve(system, known.T).T)
    noise = generator.normal(0.0, _NOISE, found.shape) * image.std(axis=(1, 2))[:, None]
    result = image.copy()
    result[:, rows, columns] = found + noise
    return result
