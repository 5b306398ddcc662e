"""Run the benchmarks, each in a process of its own with the threads stated, and print one table."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent


def names() -> list[str]:
    """The benchmarks there are."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def one(name: str, repeats: int) -> None:
    """Run one benchmark here and print its rows as JSON lines."""
    sys.path.insert(0, str(HERE))
    for row in import_module(f"bench_{name}").measure(repeats):
        print("ROW " + json.dumps(asdict(row)), flush=True)


def main(chosen: list[str], *, threads: int = 1, repeats: int = 5) -> None:
    """Print a Markdown table of all rows; exit 1 when a benchmark could not run."""
    unknown = sorted(set(chosen) - set(names()))
    if unknown:
        print(
            f"no benchmark called {', '.join(unknown)}; there are {', '.join(names())}",
            file=sys.stderr,
        )
        raise SystemExit(2)
    environment = os.environ | {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "NUMBA_NUM_THREADS": str(threads),
    }
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{threads} thread(s), median of {repeats} runs turn about\n"
    )
    print(
        "| benchmark | ours | peer | ratio | wanted | met |\n| --- | --- | --- | --- | --- | --- |"
    )
    failed = []
    for name in chosen or names():
        done = subprocess.run(
            [sys.executable, str(HERE / "run.py"), name, str(repeats)],
            env=environment,
            capture_output=True,
            text=True,
        )
        rows = [line[4:] for line in done.stdout.splitlines() if line.startswith("ROW ")]
        for line in rows:
            row = json.loads(line)
            print(
                f"| {row['name']} | {row['ours']} | {row['peer']} | {row['ratio']} | "
                f"{row['wanted']} | {'yes' if row['met'] else 'NO'} |",
                flush=True,
            )
        if done.returncode:
            failed.append(name)
            print(f"{name} failed:\n{done.stderr}", file=sys.stderr)
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    one(sys.argv[1], int(sys.argv[2]))
    # The rows are out. Qt's binding can abort while the interpreter is taken down after a window.
    os._exit(0)
