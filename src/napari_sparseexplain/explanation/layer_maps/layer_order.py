"""Which of a layer's maps matter: by energy, by agreement with a mask, by effect on the output."""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np
import numpy.typing as npt
import torch

from ...networks.running.layer_outputs import watched_layers
from ...progress import Progress, Work
from ..score_function import ScoreFunction

#: What maps can be ordered by.
ORDERS = ("energy", "agreement", "effect")

#: Maps switched off in one call of the network.
_TOGETHER = 8


class MapStatistics:
    """Adds up what is needed to order a layer's maps, slice by slice.

    Parameters
    ----------
    maps : int
    """

    def __init__(self, maps: int) -> None:
        self._pixels = 0
        self._sum, self._square, self._cross = (np.zeros(maps) for _ in range(3))
        self._mask, self._mask_square = 0.0, 0.0

    def add(
        self, maps: npt.NDArray[np.float32], mask: npt.NDArray[np.float32] | None = None
    ) -> None:
        """Maps (maps, h, w) of a slice, and the share of each pixel that is in a mask, (h, w)."""
        values = maps.reshape(len(maps), -1).astype(np.float64)
        self._pixels += values.shape[1]
        self._sum += values.sum(axis=1)
        self._square += np.square(values).sum(axis=1)
        if mask is not None:
            wanted = mask.reshape(-1).astype(np.float64)
            self._cross += values @ wanted
            self._mask += float(wanted.sum())
            self._mask_square += float(wanted @ wanted)

    @property
    def means(self) -> npt.NDArray[np.float64]:
        """Mean of each map."""
        return self._sum / max(1, self._pixels)

    @property
    def energies(self) -> npt.NDArray[np.float64]:
        """Mean square of each map."""
        return self._square / max(1, self._pixels)

    @property
    def agreements(self) -> npt.NDArray[np.float64]:
        """Correlation of each map with the mask, -1 to 1; 0 where one of both is constant."""
        n = max(1, self._pixels)
        product = self._cross - self._sum * self._mask / n
        spread = np.maximum(self._square - self._sum**2 / n, 0)
        scale = np.sqrt(spread * max(self._mask_square - self._mask**2 / n, 0.0))
        return np.divide(product, scale, out=np.zeros_like(product), where=scale > 1e-9 * n)


def effects(
    score: ScoreFunction, x: torch.Tensor, layer: str, maps: int, means: torch.Tensor
) -> Work[npt.NDArray[np.float64]]:
    """By how much the score falls when one map of a layer is held at its mean, shape (maps,).

    The score of all images is added. Exact: the network runs once a map.

    Parameters
    ----------
    score : ScoreFunction
    x : Tensor, shape (N, channels, rows, columns)
    means : Tensor, shape (maps,)
        What each map is held at.
    """
    rows = np.arange(len(x))
    before = _total(score, x, rows)
    found = np.empty(maps)
    for start in range(0, maps, _TOGETHER):
        chosen = list(range(start, min(start + _TOGETHER, maps)))
        total = np.zeros(len(chosen))
        for row in rows:
            images = x[row : row + 1].expand(len(chosen), -1, -1, -1).contiguous()
            with held(score, layer, [[map_] for map_ in chosen], means), torch.no_grad():
                total += score(images, np.full(len(chosen), row)).double().cpu().numpy()
        found[chosen] = before - total
        yield Progress(min(start + _TOGETHER, maps), maps, f"{layer}: without each map")
    return found


def ablation_curve(
    score: ScoreFunction,
    x: torch.Tensor,
    layer: str,
    order: npt.NDArray[np.intp],
    means: torch.Tensor,
) -> Work[tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]]:
    """Score with the first k maps of an order held at their means, k doubling up to all.

    Returns
    -------
    counts : ndarray of int
        How many are held, from 0 to all.
    scores : ndarray
        The score of all images with these, as a share of the score with none held.
    """
    counts = [0]
    step = 1
    while step < len(order):
        counts.append(step)
        step *= 2
    counts.append(len(order))
    rows = np.arange(len(x))
    whole = _total(score, x, rows)
    found = []
    for number, count in enumerate(counts, 1):
        with held(score, layer, [[int(i) for i in order[:count]]], means):
            found.append(sum(_total(score, x[row : row + 1], rows[row : row + 1]) for row in rows))
        yield Progress(number, len(counts), f"{layer}: without the first {count} maps")
    scale = abs(whole) if whole else 1.0
    return np.asarray(counts, dtype=np.intp), np.asarray(found) / scale


def held(
    score: ScoreFunction, layer: str, maps: list[list[int]], means: torch.Tensor
) -> AbstractContextManager[None]:
    """While inside, image b of a call has the maps ``maps[b]`` of a layer held at their means."""

    def change(name: str, output: torch.Tensor) -> torch.Tensor | None:
        if name != layer:
            return None
        changed = output.clone()
        for image, chosen in enumerate(maps):
            if chosen:
                changed[image, chosen] = means[chosen].to(changed)[:, None, None]
        return changed

    return watched_layers(score.model.network, change)


def _total(score: ScoreFunction, x: torch.Tensor, rows: npt.NDArray[np.integer]) -> float:
    with torch.no_grad():
        return float(
            sum(score(x[i : i + 1], rows[i : i + 1]).double().sum() for i in range(len(x)))
        )
