"""How the test files are shared between processes, found by their text: nothing is imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

#: A file in which every test opens a window, and one in which any does.
_ALL_GUI = re.compile(r"^pytestmark = pytest\.mark\.gui$", re.MULTILINE)
_SOME_GUI = "pytest.mark.gui"
_TEST = re.compile(r"^def test_", re.MULTILINE)


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


def shared_out(sizes: Mapping[Path, int], parts: int) -> dict[Path, int]:
    """Which part reads each file: the largest first, each into the part with the fewest tests."""
    filled, found = [0] * parts, {}
    for path in sorted(sizes, key=lambda path: (-sizes[path], path)):
        found[path] = filled.index(min(filled)) + 1
        filled[found[path] - 1] += sizes[path]
    return found


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
    shared = shared_out(sizes, part.parts)
    return frozenset(path for path, number in shared.items() if number == part.number)
