"""Do the tests see a fault? Ten seeded ones, each in a copy of the source: caught, or not caught.

``python -m tests.mutations`` prints the table; ``--checkout FOLDER`` takes source and tests of
another checkout, so that an older suite can be asked the same. Status 1: one was not caught.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).with_name("mutations.toml")
PACKAGE = "napari_sparseexplain"


@dataclass(frozen=True)
class Mutation:
    """One fault: a text of a source file, what stands there instead, the tests that must see it."""

    file: str
    old: str
    new: str
    why: str
    tests: tuple[str, ...]

    def apply(self, source: Path) -> None:
        """Put the fault into a copy of ``src``.

        Raises
        ------
        ValueError
            The text is not there exactly once: the list is older than the source.
        """
        path = source / PACKAGE / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file}: {self.old!r} is there {text.count(self.old)} times")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


def mutations() -> list[Mutation]:
    """The list."""
    found = tomllib.loads(LIST.read_text(encoding="utf-8"))["mutation"]
    return [Mutation(**{**one, "tests": tuple(one["tests"])}) for one in found]


def failed(mutation: Mutation | None, tests: tuple[str, ...], checkout: Path) -> bool:
    """Whether tests fail in a copy of the checkout's source with a fault in it, or with none.

    Raises
    ------
    RuntimeError
        They did not run: nothing is known.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(checkout / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        (Path(folder) / "sample_data").symlink_to(checkout / "sample_data")
        if mutation is not None:
            mutation.apply(source)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(source)},
            capture_output=True,
            text=True,
        )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(tests)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 1


def main() -> int:
    """Run every mutation and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkout", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--only", type=int, help="number of one mutation")
    asked = parser.parse_args()
    missed = 0
    print("| | fault | file | tests | |\n| --- | --- | --- | --- | --- |", flush=True)
    for number, mutation in enumerate(mutations(), start=1):
        if asked.only not in (None, number):
            continue
        caught = failed(mutation, mutation.tests, asked.checkout.resolve())
        missed += not caught
        tests = ", ".join(f"`{test.removeprefix('tests/')}`" for test in mutation.tests)
        end = "caught" if caught else "**not caught**"
        print(f"| {number} | {mutation.why} | `{mutation.file}` | {tests} | {end} |", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
