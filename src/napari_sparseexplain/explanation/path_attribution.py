"""The attribution under XRAI: the mean of integrated gradients from the darkest and the brightest.

Kapishnikov et al. (ICCV 2019), Section 3.2: with one baseline alone, pixels of its grey value get
nothing, however much they matter; with both ends of the range none is blind. A finished slice is
kept by everything it depends on, so XRAI in 2-D and 3-D, with whatever parameters, share it.
"""

from __future__ import annotations

import itertools
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ..networks.bundle import Model
from ..networks.preparation import Prepared
from ..progress import Progress, Work
from .attribution import Attribution, explain_slices
from .baselines import baseline_images
from .bounded_cache import BoundedCache, checksum
from .integrated_gradients import integrated_gradients
from .score_function import ScoreFunction

#: The two ends of the range, as baselines.
ENDS = ("minimum", "maximum")


@dataclass(frozen=True, eq=False)
class SliceAttribution:
    """One slice: values (channels, H, W) in double precision, and what they should add up to."""

    values: npt.NDArray[np.float64]
    change: float

    @property
    def gap(self) -> float:
        """``|Σ values - change|``."""
        return abs(float(self.values.sum()) - self.change)


_KEPT: BoundedCache[SliceAttribution] = BoundedCache(256 * 2**20, lambda item: item.values.nbytes)


def attribute_slices(
    score: ScoreFunction, prepared: Prepared, rows: npt.NDArray[np.int64], nodes: int
) -> Work[dict[int, SliceAttribution]]:
    """Mean of integrated gradients over both ends, for some prepared slices.

    Parameters
    ----------
    rows : ndarray of int
        Slices of ``prepared``.
    nodes : int
        Gradients a slice and baseline.

    Returns
    -------
    dict of int to SliceAttribution
        By row.

    Raises
    ------
    ModelError
        A gradient is NaN or infinite, or there is none.
    """
    weights = _fingerprint(score.model)
    keys = {int(row): _key(score, prepared, int(row), nodes, weights) for row in rows}
    found: dict[int, SliceAttribution] = {}
    for row, key in keys.items():
        if key is not None and (kept := _KEPT.get(key)) is not None:
            found[row] = kept

    def compute(
        score: ScoreFunction,
        x: torch.Tensor,
        chunk: npt.NDArray[np.int64],
        numbers: npt.NDArray[np.int64],
    ) -> Work[Attribution]:
        values: Any = 0
        change: Any = 0
        for place, end in enumerate(ENDS):
            start = baseline_images(end, x, numbers)
            work = integrated_gradients(score, x, start, chunk, nodes=nodes)
            part = yield from _half(work, place)
            values = values + part.values / len(ENDS)
            change = change + part.change / len(ENDS)
        arrays = values.double().cpu().numpy(), change.double().cpu().numpy()
        for row, value, total in zip(chunk.tolist(), *arrays, strict=True):
            found[row] = SliceAttribution(value.copy(), float(total))
            if (key := keys[row]) is not None:
                _KEPT.put(key, found[row])
        return Attribution(values, change)

    missing = np.array([row for row in keys if row not in found], dtype=np.int64)
    if missing.size:
        yield from explain_slices(score, prepared, missing, compute)
    return found


def forget() -> None:
    """Forget every kept attribution."""
    _KEPT.clear()


def _half(work: Work[Attribution], place: int) -> Work[Any]:
    """Progress of one of two equal parts."""
    while True:
        try:
            step = next(work)
        except StopIteration as end:
            return end.value
        done = place * step.total + step.done
        yield Progress(done, len(ENDS) * step.total, f"{step.message}, {ENDS[place]} baseline")


#: A number for each network object, for as long as it lives.
_NUMBERS: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()
_COUNTER = itertools.count()


def _fingerprint(model: Model) -> str:
    """What tells this model apart; empty when it has no weights, so nothing would tell a change.

    The weights as they are now and not their checksum on the card: a test of the map may just have
    randomised them. What a network does with them is known of a bundle; of any other, only the
    very object is the same.
    """
    state = model.network.state_dict()
    tensors = {name: t for name, t in state.items() if isinstance(t, torch.Tensor) and t.numel()}
    if not tensors:
        return ""
    card = model.card
    parts: list[Any] = [card.name, card.architecture, dict(card.arguments), card.weights_sha256]
    if not card.weights_sha256:
        parts.append(_NUMBERS.setdefault(model.network, next(_COUNTER)))
    for name, tensor in tensors.items():
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        parts += [name, tuple(tensor.shape), flat.view(torch.uint8).numpy()]
    return checksum(*parts)


def _key(
    score: ScoreFunction, prepared: Prepared, row: int, nodes: int, weights: str
) -> str | None:
    if not weights:
        return None
    mask = None if score.weights is None else score.weights[row].cpu().numpy()
    return checksum(
        "attribution",
        prepared.array[row],
        weights,
        mask,
        score.channels,
        score.alpha,
        score.probability,
        nodes,
        str(score.model.device),
    )
