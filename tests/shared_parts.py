"""How the test files are shared between processes, found by their text: nothing is imported.

What a file costs stands in ``costs.toml``, as measured; ``python -m tests.cpu_of_files --costs``
writes it anew. A file that is not there yet counts by its tests.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

#: A file in which every test opens a window, and one in which any does.
_ALL_GUI = re.compile(r"^pytestmark = pytest\.mark\.gui$", re.MULTILINE)
_SOME_GUI = "pytest.mark.gui"
_TEST = re.compile(r"^def test_", re.MULTILINE)

#: CPU seconds of the files, by the mark that was asked for.
COSTS = Path(__file__).resolve().parent / "costs.toml"


@dataclass(frozen=True)
class Part:
    """The ``number``-th of so many parts, counted from 1."""

    number: int
    parts: int


def part_of(said: str) -> Part:
    """What ``--part K/N`` says.

    Raises
    ------
    pytest.UsageError
        There is no such part.
    """
    number, _, parts = said.partition("/")
    if not (number.isdecimal() and parts.isdecimal() and 1 <= int(number) <= int(parts)):
        raise pytest.UsageError(f"--part {said}: there is no such part")
    return Part(int(number), int(parts))


def shared_out(costs: Mapping[Path, float], parts: int) -> dict[Path, int]:
    """Which part reads each file: the dearest first, each into the part that costs least so far."""
    filled, found = [0.0] * parts, {}
    for path in sorted(costs, key=lambda path: (-costs[path], path)):
        found[path] = filled.index(min(filled)) + 1
        filled[found[path] - 1] += costs[path]
    return found


def costs_of(tests: Mapping[Path, int], measured: Mapping[Path, float]) -> dict[Path, float]:
    """CPU seconds of files: as measured, else those of so many tests of the measured files.

    Parameters
    ----------
    tests : mapping of Path to int
        How many tests each file holds.
    measured : mapping of Path to float
        CPU seconds, also of files that are no more.
    """
    known = [path for path in tests if path in measured]
    mean = sum(measured[path] for path in known) / max(sum(tests[path] for path in known), 1)
    return {path: measured.get(path, number * (mean or 1.0)) for path, number in tests.items()}


@cache
def files_of(tests: Path, asked: str, part: Part) -> frozenset[Path]:
    """Files of one part that may hold a test of the asked mark: ``gui``, ``not gui``, else all."""
    sizes = {}
    for path in tests.rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        if asked == "gui" and _SOME_GUI not in text:
            continue
        if asked == "not gui" and _ALL_GUI.search(text):
            continue
        sizes[path] = len(_TEST.findall(text))
    table = tomllib.loads(COSTS.read_text(encoding="utf-8")).get(asked, {})
    measured = {tests.parent / name: float(seconds) for name, seconds in table.items()}
    shared = shared_out(costs_of(sizes, measured), part.parts)
    return frozenset(path for path, number in shared.items() if number == part.number)
