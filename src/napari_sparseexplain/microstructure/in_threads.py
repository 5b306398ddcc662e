"""Voxels, or spins, shared out between threads: compiled loops without numba's own threads.

A loop of ``prange`` takes numba half as long again to compile as the loop by itself, in every
installation once and in every clone; a kernel compiled with ``nogil=True`` runs in Python's threads
just as well. Each is given a part of the count.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numba

#: Parts for each thread: voxels do not all take the same time.
_PARTS = 4


def in_threads(work: Callable[[int, int], object], count: int) -> None:
    """Call ``work(start, stop)`` for parts that make up ``range(count)``.

    Parameters
    ----------
    work : callable
        Writes what it finds into arrays that are there; it lets others run while it computes.
    count : int
        Of voxels or spins. As many threads take part as numba has (``NUMBA_NUM_THREADS``).
    """
    threads = min(numba.get_num_threads(), count)
    if threads < 2:
        work(0, count)
        return
    parts = min(threads * _PARTS, count)
    edges = [count * k // parts for k in range(parts + 1)]
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, edges[:-1], edges[1:]):
            pass  # what one raised is raised here
