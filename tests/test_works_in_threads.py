"""Pieces of long work in threads: each is run once, one that fails stops all, closing does too."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from napari_sparseexplain.progress import Progress, Work, drain
from napari_sparseexplain.works_in_threads import found_ahead, works_in_threads


def piece(name: int, found: list[tuple[int, int]], steps: int = 3) -> Callable[[int], Work[None]]:
    """Notes its name and thread at its end."""

    def start(number: int) -> Work[None]:
        for step in range(steps):
            yield Progress(step, steps, str(name))
        found.append((name, number))

    return start


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_piece_is_run_once_and_its_steps_come_out(threads: int) -> None:
    found: list[tuple[int, int]] = []
    told: list[str] = []
    work = works_in_threads((piece(n, found) for n in range(7)), threads)
    drain(work, lambda step: told.append(step.message))
    assert sorted(name for name, _ in found) == list(range(7))
    assert {number for _, number in found} <= set(range(threads))
    assert sorted(told) == sorted(str(n) for n in range(7) for _ in range(3))


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_piece_raises_is_raised_and_no_thread_stays(threads: int) -> None:
    def fails(_number: int) -> Work[None]:
        yield Progress(0, 1)
        raise ValueError("the picture is gone")

    before = threading.active_count()
    starts = [piece(0, []), fails, *(piece(n, [], 10_000) for n in range(1, 4))]
    with pytest.raises(ValueError, match="the picture is gone"):
        drain(works_in_threads(starts, threads))
    assert threading.active_count() == before


def test_closing_stops_pieces_at_their_next_step_and_closes_them() -> None:
    closed: list[int] = []

    def endless(number: int) -> Work[None]:
        try:
            while True:
                yield Progress(0, 0)
        finally:
            closed.append(number)

    before = threading.active_count()
    work = works_in_threads([endless, endless, endless], 2)
    next(work)
    work.close()
    assert sorted(closed) == [0, 1] or closed in ([0], [1]), "the third was never begun"
    assert threading.active_count() == before


@pytest.mark.parametrize("threads", [1, 3])
def test_what_is_found_ahead_comes_in_order_and_few_are_held(threads: int) -> None:
    begun: list[int] = []

    def find(item: int) -> int:
        begun.append(item)
        if item == 90:
            raise ValueError("90 is gone")
        return item * 2

    found = found_ahead(find, range(100), threads)
    assert [next(found) for _ in range(10)] == list(range(0, 20, 2))
    assert len(begun) <= 10 + 2 * threads
    with pytest.raises(ValueError, match="90 is gone"):
        list(found)
    before = threading.active_count()
    left = found_ahead(find, range(50), threads)
    next(left)
    left.close()
    assert threading.active_count() == before
