"""Time two ways of doing one thing, turn about, so that a drifting machine harms both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the benchmark table.

    ``ratio`` is how many times better ours is than the peer (or the allowed cost, as ``meaning``
    says); ``wanted`` is the number the project set itself.
    """

    name: str
    ours: str
    peer: str
    ratio: str
    wanted: str
    met: bool
    meaning: str = ""


def paired(
    ours: Callable[[], object],
    peer: Callable[[], object],
    repeats: int,
    warmup: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[float, float, float]:
    """Median seconds of ours, of the peer, and the median of peer/ours pair by pair.

    ``clock`` may be `time.process_time`: what other programs take of a shared core is then not
    counted.
    """
    for _ in range(warmup):
        ours()
        peer()
    mine: list[float] = []
    theirs: list[float] = []
    for _ in range(repeats):
        start = clock()
        ours()
        middle = clock()
        peer()
        end = clock()
        mine.append(middle - start)
        theirs.append(end - middle)
    ratios = [b / a for a, b in zip(mine, theirs, strict=True)]
    return statistics.median(mine), statistics.median(theirs), statistics.median(ratios)


def milliseconds(seconds: float) -> str:
    """Seconds as text in ms."""
    return f"{seconds * 1e3:.3g} ms"
