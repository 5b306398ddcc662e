"""Several pieces of long work at a time, each in a thread, as one piece of long work.

Small networks gain little from a second thread within one product of matrices, and images, sorting
and triangulations use one thread alone; two pictures at a time use two cores.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, TypeVar

from .progress import Progress, Work

Item = TypeVar("Item")
Found = TypeVar("Found")

#: Items begun before they are asked for, for each thread: what is held at a time.
_AHEAD = 2

#: Starts a piece of work, given the number of the thread that it runs in.
Start = Callable[[int], Work[Any]]


def works_in_threads(starts: Iterable[Start], threads: int) -> Work[None]:
    """Run pieces of work, as many at a time as there are threads; steps come as they are made.

    Parameters
    ----------
    starts : iterable of callable
        Each is called with the number of its thread, from 0, and gives the work. What a piece finds
        it keeps itself.
    threads : int
        1 runs all in the calling thread, one after the other.

    Raises
    ------
    Exception
        What the first piece that failed raised. The others are stopped at their next step, as
        they are when this work is closed.
    """
    if threads < 2:
        for start in starts:
            yield from start(0)
        return
    waiting, lock = iter(starts), Lock()
    stop = Event()
    told: SimpleQueue[Progress | BaseException | None] = SimpleQueue()

    def run(number: int) -> None:
        try:
            while not stop.is_set():
                with lock:
                    start = next(waiting, None)
                if start is None:
                    break
                work = start(number)
                try:
                    for step in work:
                        told.put(step)
                        if stop.is_set():
                            break
                finally:
                    work.close()
        except BaseException as error:  # handed to the calling thread, which raises it
            told.put(error)
        finally:
            told.put(None)

    running = [Thread(target=run, args=(n,), daemon=True) for n in range(threads)]
    for thread in running:
        thread.start()
    try:
        left = threads
        while left:
            step = told.get()
            if step is None:
                left -= 1
            elif isinstance(step, BaseException):
                raise step
            else:
                yield step
    finally:
        stop.set()
        for thread in running:
            thread.join()


def found_ahead(
    find: Callable[[Item], Found], items: Iterable[Item], threads: int
) -> Iterator[Found]:
    """What ``find`` gives for each item, in order; the next ones are under way in threads.

    Parameters
    ----------
    find : callable
        May be called for several items at a time. What it raises is raised where its item is due.
    threads : int
        1 calls it in the calling thread, when an item is due.
    """
    if threads < 2:
        yield from map(find, items)
        return
    waiting: deque[Future[Found]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(find, item))
                if len(waiting) > threads * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
