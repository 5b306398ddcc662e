"""The test files are shared between processes by what they cost, and none is left out."""

from __future__ import annotations

from pathlib import Path

from .shared_parts import Part, costs_of, files_of, shared_out

TESTS = Path(__file__).resolve().parent


def test_every_file_of_windows_is_in_one_part() -> None:
    first, second = (files_of(TESTS, "gui", Part(number, 2)) for number in (1, 2))
    assert not first & second
    assert first | second == files_of(TESTS, "gui", Part(1, 1))


def test_the_dearest_files_do_not_share_a_part() -> None:
    costs = {Path(name): seconds for name, seconds in (("a", 9.0), ("b", 8.0), ("c", 1.5))}
    assert shared_out(costs, 2) == {Path("a"): 1, Path("b"): 2, Path("c"): 2}


def test_a_file_that_was_not_measured_counts_by_its_tests() -> None:
    tests = {Path("known"): 4, Path("new"): 3}
    costs = costs_of(tests, {Path("known"): 8.0, Path("gone"): 100.0})
    assert costs == {Path("known"): 8.0, Path("new"): 6.0}
    assert costs_of(tests, {}) == {Path("known"): 4.0, Path("new"): 3.0}
