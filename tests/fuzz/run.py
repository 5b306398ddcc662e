"""Cases made, opened under guard, and thrown away again."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from .cases import make_case
from .guarded_run import run_guarded
from .table import Row
from .valid_files import ValidFiles


def run_cases(
    wanted: Iterable[tuple[str, int, int]], valid: ValidFiles, work: Path
) -> Iterator[Row]:
    """Run cases one by one.

    Parameters
    ----------
    wanted : iterable of (kind, seed, number)
    valid : ValidFiles
    work : Path
        A folder for what is made on the way.

    Raises
    ------
    RuntimeError
        This process has several threads: what they hold is held for ever in a fork, and a case
        would wait for it.
    """
    if (threads := len(os.listdir("/proc/self/task"))) > 1:
        raise RuntimeError(f"cases run in forks of a process of one thread; this has {threads}")
    for kind, seed, number in wanted:
        place = Path(tempfile.mkdtemp(dir=work))
        folder = place / "case"
        folder.mkdir()
        try:
            case = make_case(kind, seed, number, valid, folder)
            outcome = run_guarded(case.door, place / "log")
        finally:
            shutil.rmtree(place, ignore_errors=True)
        yield Row(seed, kind, number, case.said, outcome)
