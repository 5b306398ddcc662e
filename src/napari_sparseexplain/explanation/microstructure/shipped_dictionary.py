"""The dictionary that a run uses: the one that ships, or a person's own."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from ...microstructure.dictionary import Dictionary, dictionary_of
from ...microstructure.phases import Phases
from ...microstructure.phases_file import load_phases

#: Phases of the MGH-USC protocol's timings, walked by `sparseexplain simulate`.
SHIPPED = Path(__file__).parents[2] / "microstructure" / "dictionaries" / "mgh_usc.npz"


def phases_of(path: str = "") -> Phases:
    """Simulated phases from a file, or those that ship for an empty path.

    Raises
    ------
    ReadError
        No such file, or no dictionary.
    """
    return _loaded(Path(path) if path else SHIPPED)


@lru_cache(maxsize=2)
def _loaded(path: Path) -> Phases:
    return load_phases(path)


@lru_cache(maxsize=2)
def _made(path: Path, b: tuple[float, ...]) -> Dictionary:
    return dictionary_of(_loaded(path), np.array(b))


def dictionary_for(path: str, b: np.ndarray) -> Dictionary:
    """The dictionary of a file at some b-values; kept, since it takes seconds to make."""
    return _made(Path(path) if path else SHIPPED, tuple(float(value) for value in b))
