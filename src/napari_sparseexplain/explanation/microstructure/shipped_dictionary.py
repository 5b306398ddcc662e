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
    file = Path(path) if path else SHIPPED
    return _loaded(file, _stamp(file))


def _stamp(path: Path) -> tuple[int, int]:
    """Tells a file that was written anew; (0, 0) where there is none, which reading then says."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return 0, 0
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=2)
def _loaded(path: Path, _stamp: tuple[int, int]) -> Phases:
    return load_phases(path)


@lru_cache(maxsize=2)
def _made(path: Path, stamp: tuple[int, int], b: tuple[float, ...]) -> Dictionary:
    return dictionary_of(_loaded(path, stamp), np.array(b))


def dictionary_for(path: str, b: np.ndarray) -> Dictionary:
    """The dictionary of a file at some b-values; kept, since it takes seconds to make."""
    file = Path(path) if path else SHIPPED
    return _made(file, _stamp(file), tuple(float(value) for value in b))
