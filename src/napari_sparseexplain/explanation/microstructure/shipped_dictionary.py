"""The dictionary that a run uses: the one that ships, or a person's own."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...microstructure.dictionary import Dictionary, dictionary_work
from ...microstructure.walks.phases import Phases
from ...microstructure.walks.phases_file import load_phases
from ...progress import Work, drain

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


#: The dictionaries that were made last, by file and b-values.
_MADE: OrderedDict[tuple[Path, tuple[int, int], tuple[float, ...]], Dictionary] = OrderedDict()
_KEPT = 2


def dictionary_for(path: str, b: np.ndarray) -> Dictionary:
    """The dictionary of a file at some b-values; kept, since it takes seconds to make."""
    return drain(dictionary_for_work(path, b))


def dictionary_for_work(path: str, b: np.ndarray) -> Work[Dictionary]:
    """`dictionary_for` with its progress."""
    file = Path(path) if path else SHIPPED
    key = (file, _stamp(file), tuple(float(value) for value in b))
    found = _MADE.get(key)
    if found is None:
        found = yield from dictionary_work(_loaded(*key[:2]), np.array(key[2]))
        _MADE[key] = found
        while len(_MADE) > _KEPT:
            _MADE.popitem(last=False)
    return found


@lru_cache(maxsize=2)
def phases_sha256(path: Path, _of: tuple[int, int]) -> str:
    """Checksum of a file of phases, as it was when it had this stamp."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def dictionary_sha256(path: str) -> str:
    """Checksum of the file that a run's dictionary is made from."""
    file = Path(path) if path else SHIPPED
    return phases_sha256(file, _stamp(file))
