"""How to decompose an image without a network: the pursuits and their settings. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .jf_ml_ista import Prox

Method = Literal["ista", "fista", "ml-ista", "admm", "jf-ml-ista"]

#: The pursuits, and how many iterations each makes unless told otherwise (jf-ml-ista: rounds).
METHODS: Mapping[str, int] = {
    "ista": 300,
    "fista": 150,
    "ml-ista": 100,
    "admm": 300,
    "jf-ml-ista": 20,
}


@dataclass(frozen=True)
class PursuitSettings:
    """How to decompose.

    Attributes
    ----------
    method : {"ista", "fista", "ml-ista", "admm", "jf-ml-ista"}
    sparsity : float
        λ as a share of the smallest one that codes nothing, over the slices chosen (jf-ml-ista:
        of each class, slice by slice).
    filters : {"cosine", "gabor"}
        Atoms, where there is no dictionary and none is learned. jf-ml-ista has its own two
        classes: what is smooth, and what has edges.
    width, atoms : int, int or None
        Pixels across an atom (odd), and how many; None is all, or 16 learned ones.
    iterations : int or None
        At most so many; `METHODS`.
    tolerance : float
        Certified relative gap to stop at (ml-ista: relative change of the codes).
    prox : {"soft", "relu"}
        Two-sided codes, or none below 0.
    learn : bool
        Learn the dictionary from the slices chosen (at most eight of them, evenly spaced).
    seed : int
        Of the learning.
    """

    method: Method = "fista"
    sparsity: float = 0.05
    filters: str = "cosine"
    width: int = 7
    atoms: int | None = None
    iterations: int | None = None
    tolerance: float = 0.01
    prox: Prox = "soft"
    learn: bool = False
    seed: int = 0
