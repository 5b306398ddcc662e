"""Attributions of slices, kept for whoever asks again: the same map is not computed twice.

A finished slice is kept by everything that it depends on: image, fixed mask, weights as they are
now, method and parameters. So a trust table scores the map that was just shown without making it
again, XRAI in 2-D and 3-D share their gradients, and a range that was cancelled half way goes on
where it stopped.
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

from ...networks.bundle.model import Model
from ...networks.running.preparation import Prepared
from ..bounded_cache import BoundedCache, checksum
from ..score_function import ScoreFunction


@dataclass(frozen=True, eq=False)
class SliceAttribution:
    """One slice.

    Attributes
    ----------
    values : ndarray of float64, shape (channels, H, W), read-only
    change : float or None
        What they should add up to; None of a method for which that means nothing.
    error : float or None
        Standard error of their sum about ``change``, of a method that samples.
    """

    values: npt.NDArray[np.float64]
    change: float | None
    error: float | None = None

    @property
    def gap(self) -> float:
        """``|Σ values - change|``.

        Raises
        ------
        ValueError
            The method has no change to add up to.
        """
        if self.change is None:
            raise ValueError("this attribution has no change of score to add up to")
        return abs(float(self.values.sum()) - self.change)


_KEPT: BoundedCache[SliceAttribution] = BoundedCache(256 * 2**20, lambda item: item.values.nbytes)


class KeptAttributions:
    """What is kept of one method on some prepared slices, and what is still to be computed.

    Parameters
    ----------
    rows : ndarray of int
        Slices of ``prepared``.
    parts : sequence
        The method, its parameters, and whatever else a map depends on (arrays or plain values).
    each : mapping of int to a sequence, optional
        The same for single rows: the number that seeds a slice's noise, its baseline image.

    Attributes
    ----------
    found : dict of int to SliceAttribution
        By row.
    """

    def __init__(
        self,
        score: ScoreFunction,
        prepared: Prepared,
        rows: npt.NDArray[np.int64],
        parts: tuple[Any, ...],
        each: dict[int, tuple[Any, ...]] | None = None,
    ) -> None:
        weights = _fingerprint(score.model)
        self.rows = rows
        self.found: dict[int, SliceAttribution] = {}
        self._keys: dict[int, str] = {}
        for row in rows.tolist() if weights else ():
            own = () if each is None else each[row]
            key = _key(score, prepared, row, weights, (*parts, *own))
            self._keys[row] = key
            if (kept := _KEPT.get(key)) is not None:
                self.found[row] = kept

    @property
    def missing(self) -> npt.NDArray[np.int64]:
        """Rows that have to be computed, in order."""
        left = [row for row in self.rows.tolist() if row not in self.found]
        return np.array(left, dtype=np.int64)

    def keep(
        self,
        rows: npt.NDArray[np.int64],
        values: torch.Tensor,
        change: torch.Tensor | None,
        error: torch.Tensor | None = None,
    ) -> None:
        """Keep what was found for some rows: values (B, channels, H, W), change and error (B,)."""
        arrays = values.detach().cpu().double().numpy()
        changes, errors = (
            [None] * len(rows) if numbers is None else numbers.detach().cpu().double().tolist()
            for numbers in (change, error)
        )
        for row, value, total, about in zip(rows.tolist(), arrays, changes, errors, strict=True):
            item = SliceAttribution(value.copy(), total, about)
            # Whoever is given it may look on as long as he likes: nobody may change it.
            item.values.setflags(write=False)
            self.found[row] = item
            if row in self._keys:
                _KEPT.put(self._keys[row], item)


def forget() -> None:
    """Forget every kept attribution."""
    _KEPT.clear()


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
    score: ScoreFunction, prepared: Prepared, row: int, weights: str, parts: tuple[Any, ...]
) -> str:
    mask = None if score.weights is None else score.weights[row].cpu().numpy()
    return checksum(
        "attribution",
        prepared.array[row],
        weights,
        mask,
        None if score.inside is None else score.inside[row].cpu().numpy(),
        score.channels,
        score.alpha,
        score.probability,
        str(score.model.device),
        *parts,
    )
