"""CPU seconds of every test file, its children included, for one list of the slowest.

Each process of the tests writes what it measured into ``out/test-cpu/``; ``python -m
tests.cpu_of_files`` prints the list over all of them, and with ``--costs`` writes what the files of
windows cost into ``tests/costs.toml``, by which they are shared between two processes. CPU seconds
are measured and not the clock: several parts run at a time on two cores. What a fixture does for
all of them, as the first window of a process, is charged to a line of its own: see `charged_to`.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .shared_parts import COSTS

FOLDER = Path(__file__).resolve().parents[1] / "out" / "test-cpu"


def cpu_seconds() -> float:
    """User and system time of this process and of those it has waited for."""
    return sum(os.times()[:4])


#: CPU seconds of this process that were charged to what they were for, not to the test under way.
_CHARGED: defaultdict[str, float] = defaultdict(float)


@contextmanager
def charged_to(name: str) -> Iterator[None]:
    """Charge what is done to a file of tests or to a purpose, not to the test that asks first."""
    before = cpu_seconds()
    try:
        yield
    finally:
        _CHARGED[name] += cpu_seconds() - before


class CpuOfFiles:
    """A plugin that notes what each phase of each test costs, and what reading a file costs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.start = cpu_seconds()
        self.collected: dict[str, float] = {}
        self.tests: dict[str, list[float]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        """Reading a file: what it imports falls on the first file that imports it."""
        before = cpu_seconds()
        report = yield
        if isinstance(collector, pytest.Module):
            self.collected[collector.nodeid] = cpu_seconds() - before
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        """Fixtures: one that is shared falls on the first test that asks for it."""
        return (yield from self._phase(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """The test itself."""
        return (yield from self._phase(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        """What is closed after it."""
        return (yield from self._phase(item))

    def _phase(self, item: pytest.Item) -> Iterator[None]:
        before = cpu_seconds() - sum(_CHARGED.values())
        try:
            return (yield)
        finally:
            spent = cpu_seconds() - sum(_CHARGED.values()) - before
            self.tests.setdefault(item.nodeid, []).append(round(spent, 3))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """One file for this process."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        measured = {
            "before the first file": self.start,
            "in all": cpu_seconds(),
            "collected": self.collected,
            "charged": dict(_CHARGED),
            "tests": self.tests,
        }
        (FOLDER / f"{self.name}.json").write_text(json.dumps(measured, indent=1))


def slowest_files(most: int = 20) -> list[str]:
    """Lines of a table: CPU seconds in all, and those of the slowest files over all processes."""
    spent: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    whole = reading = 0.0
    for path in sorted(FOLDER.glob("*.json")):
        measured = json.loads(path.read_text())
        whole += measured["in all"]
        reading += measured["before the first file"] + sum(measured["collected"].values())
        spent.update(measured["charged"])
        for name, phases in measured["tests"].items():
            file = name.partition("::")[0]
            spent[file] += sum(phases)
            tests[file] += 1
    lines = [
        f"CPU seconds of {tests.total()} tests in {len(tests)} files: {whole:.0f}, "
        f"of which {reading:.0f} to start and to read the files. The slowest:"
    ]
    return lines + [
        f"{seconds:7.1f}  {name}" + (f" ({tests[name]} tests)" if name in tests else "")
        for name, seconds in spent.most_common(most)
    ]


def window_costs() -> str:
    """CPU seconds of every file of windows in the last run, as ``costs.toml`` holds them."""
    spent: Counter[str] = Counter()
    for path in sorted(FOLDER.glob("gui-*.json")):
        measured = json.loads(path.read_text())
        spent.update({name: of for name, of in measured["charged"].items() if ".py" in name})
        for name, phases in measured["tests"].items():
            spent[name.partition("::")[0]] += sum(phases)
    lines = [f'"{file}" = {spent[file]:.1f}' for file in sorted(spent)]
    told = "# CPU seconds; `python -m tests.cpu_of_files --costs` writes them after `make test`."
    return "\n".join([told, "[gui]", *lines, ""])


if __name__ == "__main__":
    if sys.argv[1:] == ["--costs"]:
        COSTS.write_text(window_costs(), encoding="utf-8")
    else:
        print("\n".join(slowest_files(*map(int, sys.argv[1:2]))))
