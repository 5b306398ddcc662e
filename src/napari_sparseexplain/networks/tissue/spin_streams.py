"""A stream of random numbers for every spin, in torch: splitmix64 (Steele, Lea and Flood 2014)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def _signed(number: int) -> int:
    """The 64 bits of a number as torch has them."""
    bits = number % 2**64
    return bits - 2**64 if bits >= 2**63 else bits


_STEP = _signed(0x9E3779B97F4A7C15)
_FIRST, _SECOND = _signed(0xBF58476D1CE4E5B9), _signed(0x94D049BB133111EB)
#: By which the seed of a walk is spread, as in numba's walk.
_SPREAD = 0xD1342543DE82EF95


class SpinStreams:
    """Numbers of many spins, each of which draws its own, whichever others there are.

    Parameters
    ----------
    seeds : sequence of int
        Of each walk.
    spins : int
        Of a walk.
    device : torch.device
    """

    def __init__(self, seeds: Sequence[int], spins: int, device: torch.device) -> None:
        starts = torch.tensor([_signed(seed * _SPREAD) for seed in seeds], device=device)
        numbers = torch.arange(spins, device=device)
        self._state = (starts[:, None] + numbers).flatten() + _STEP

    def uniform(self, index: Tensor | None = None) -> Tensor:
        """The next number of all spins, or of some, in [0, 1)."""
        if index is None:
            self._state += _STEP
            z = self._state
        else:
            z = self._state[index] + _STEP
            self._state[index] = z
        z = (z ^ _shifted(z, 30)) * _FIRST
        z = (z ^ _shifted(z, 27)) * _SECOND
        z = z ^ _shifted(z, 31)
        return _shifted(z, 11).to(torch.float64) * (1.0 / 9007199254740992.0)


def _shifted(z: Tensor, places: int) -> Tensor:
    """Shifted to the right, zeros from the left; torch repeats the sign."""
    return (z >> places) & ((1 << (64 - places)) - 1)
