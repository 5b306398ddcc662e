"""What a training keeps in its folder, as somebody reads it who looks on. Loads no torch itself.

``log.jsonl`` (else ``log.csv``) has an entry a line; ``watched/epoch-NNNN.npz`` what each layer
held for one fixed slice after an epoch, where a recipe keeps that. Both are replaced as a whole by
the training, so that a reader beside it never sees half of one.
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ReadError, reason_of
from ...files.npz_file import read_npz
from ...files.regular_file import is_regular, regular_size

LOG_FILE, CSV_FILE = "log.jsonl", "log.csv"

#: Folder of the maps of a watched slice.
WATCHED = "watched"

#: Name of the last map of a watched slice: the probability of the first class.
OUTPUT = "output"

#: Bytes of a log at most: some hundred thousand entries.
_LARGEST = 64 << 20

#: Bytes of the maps of one epoch at most.
_MOST_BYTES = 64 << 20

_EPOCH = re.compile(r"epoch-(\d{1,9})\.npz")

_REMEDY = "Choose the folder of a training: BUNDLE/training, in which log.jsonl lies"


@dataclass(frozen=True, eq=False)
class FollowedTraining:
    """A training as far as it is.

    Attributes
    ----------
    folder : Path
        Where the log lies.
    stamp : tuple of int
        Of the log and the watched maps: another one where anything was added.
    entries : tuple of dict
        Lines of the log: numbers by name, each with its ``step``.
    watched : dict of int to Path
        Maps of the watched slice by epoch, in order; empty where the recipe keeps none.
    """

    folder: Path
    stamp: tuple[int, ...]
    entries: tuple[dict[str, float], ...]
    watched: dict[int, Path]

    @property
    def by_epoch(self) -> bool:
        """Whether entries are counted by epochs; else by steps."""
        return all("epoch" in entry for entry in self.entries)

    @property
    def places(self) -> npt.NDArray[np.float64]:
        """Epoch or step of each entry."""
        return self.values("epoch" if self.by_epoch else "step")

    @property
    def names(self) -> tuple[str, ...]:
        """All that is logged, in the order in which it first was."""
        return tuple(dict.fromkeys(name for entry in self.entries for name in entry))

    def values(self, name: str) -> npt.NDArray[np.float64]:
        """One column; NaN in entries without it."""
        return np.array([entry.get(name, np.nan) for entry in self.entries], dtype=np.float64)

    def entry_of(self, epoch: int) -> dict[str, float]:
        """The entry of an epoch; empty where there is none."""
        return next((e for e in self.entries if e.get("epoch") == epoch), {})


def find_log(folder: str | Path) -> Path:
    """The folder of the log: the one given, its ``training/``, or the one beside a file of it.

    Raises
    ------
    ReadError
        There is no folder, or no log in it.
    """
    root = Path(folder)
    if root.is_file() and root.name in (LOG_FILE, CSV_FILE):
        root = root.parent
    if not root.is_dir():
        raise ReadError("there is no such folder", where=folder, remedy=_REMEDY)
    for place in (root, root / "training"):
        if any(is_regular(place / name) for name in (LOG_FILE, CSV_FILE)):
            return place
    raise ReadError("the folder holds no log of a training", where=folder, remedy=_REMEDY)


def read_training(folder: str | Path, known: FollowedTraining | None = None) -> FollowedTraining:
    """Read log and list of watched epochs.

    Parameters
    ----------
    folder : str or Path
        As `find_log` takes it.
    known : FollowedTraining, optional
        As read before; the same comes back where nothing was added.

    Raises
    ------
    ReadError
        No log, or one that is not a training's.
    """
    place = find_log(folder)
    path = place / (LOG_FILE if is_regular(place / LOG_FILE) else CSV_FILE)
    try:
        said = path.stat()
        watched = _watched(place / WATCHED)
        newest = max((file.stat().st_mtime_ns for file in watched.values()), default=0)
    except OSError as error:
        raise _damaged(path, reason_of(error)) from error
    stamp = (said.st_mtime_ns, said.st_size, len(watched), newest)
    if known is not None and known.folder == place and known.stamp == stamp:
        return known
    if regular_size(path) > _LARGEST:
        raise _damaged(path, "it is too large")
    try:
        text = path.read_text(encoding="utf-8")
        lines = _json_lines(text) if path.name == LOG_FILE else _csv_lines(text)
        entries = tuple(_entry(line) for line in lines)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        why = reason_of(error) if isinstance(error, OSError) else "a line of it is no entry"
        raise _damaged(path, why) from error
    if not entries:
        raise ReadError(
            "the log has no entry yet", where=path, remedy="Wait for the training's first epoch"
        )
    return FollowedTraining(place, stamp, entries, watched)


def read_watched(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Maps of the watched slice after an epoch: by layer, shape (maps, rows, columns).

    The first map of a layer is the root mean square over all of its maps.

    Raises
    ------
    ReadError
        The file cannot be read, or holds other arrays.
    """
    remedy = "Let the training write it again, or take it away"
    found = read_npz(
        path, problem="the maps of the epoch cannot be read", remedy=remedy, most_bytes=_MOST_BYTES
    )
    if not found or any(maps.ndim != 3 or not maps.size for maps in found.values()):
        raise ReadError("these are no maps of a watched slice", where=path, remedy=remedy)
    return {name: maps.astype(np.float32) for name, maps in found.items()}


def _watched(folder: Path) -> dict[int, Path]:
    if not folder.is_dir():
        return {}
    found = {
        int(matched[1]): path
        for path in folder.iterdir()
        if (matched := _EPOCH.fullmatch(path.name)) and is_regular(path)
    }
    return dict(sorted(found.items()))


def _json_lines(text: str) -> list[Any]:
    # By Python's own parser: a loss that ran away is logged as Infinity.
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _csv_lines(text: str) -> list[Any]:
    rows = csv.DictReader(io.StringIO(text))
    return [{name: float(value) for name, value in row.items() if value} for row in rows]


def _entry(line: Any) -> dict[str, float]:
    entry = {
        str(name): float(value)
        for name, value in line.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    if "step" not in entry:
        raise ValueError("no step")
    return entry


def _damaged(path: Path, why: str) -> ReadError:
    return ReadError(f"this is no log of a training ({why})", where=path, remedy=_REMEDY)
