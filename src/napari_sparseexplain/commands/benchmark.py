"""`sparseexplain bench`: the benchmarks of the source tree, as ratios against a peer in one run."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Annotated

import typer

from ..errors import SparseExplainError


def bench(
    name: Annotated[
        list[str] | None, typer.Argument(help="Benchmarks to run; all if left out.")
    ] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Torch threads.")] = 1,
    repeats: Annotated[
        int, typer.Option("--repeats", min=3, help="Runs of each, median taken.")
    ] = 5,
) -> None:
    """Measure against peers in the same run and print ratios."""
    folder = Path(__file__).resolve().parents[3] / "benchmarks"
    main = folder / "run.py"
    if not main.is_file():
        raise SparseExplainError(
            "the benchmarks are not part of an installed package",
            where=str(folder),
            remedy="Clone the repository and run `make bench` there",
        )
    runpy.run_path(str(main))["main"](name or [], threads=threads, repeats=repeats)
