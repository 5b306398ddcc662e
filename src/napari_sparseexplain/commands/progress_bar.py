"""Draw `Work` as a bar on standard error."""

from __future__ import annotations

import sys
from typing import TypeVar

from tqdm import tqdm

from ..progress import Progress, Work, drain

Result = TypeVar("Result")


def tell(line: str) -> None:
    """Print a line while a bar may be drawn."""
    tqdm.write(line, file=sys.stdout)


def run(work: Work[Result], title: str) -> Result:
    """Drain ``work`` under a progress bar (none when standard error is no terminal)."""
    with tqdm(desc=title, file=sys.stderr, disable=not sys.stderr.isatty(), leave=False) as bar:

        def report(step: Progress) -> None:
            bar.total = step.total or None
            bar.n = step.done
            bar.set_postfix_str(step.message, refresh=False)
            bar.refresh()

        return drain(work, report)
