"""Long work as a generator of `Progress` that ends in its result.

The command line draws it as a bar, a widget as napari progress with Cancel, a script or a
test drains it. Closing the generator cancels the work at the next step.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Progress:
    """One step of long work.

    Attributes
    ----------
    done, total : int
        Steps finished and steps in all; ``total == 0`` means not known.
    message : str
        What is being done, for a person.
    preview : Any
        A partial result worth showing, or None.
    """

    done: int
    total: int
    message: str = ""
    preview: Any = None


#: Work that yields its progress and returns its result.
Work = Generator[Progress, None, Result]


def drain(work: Work[Result], report: Callable[[Progress], None] | None = None) -> Result:
    """Run ``work`` to its end and return its result, handing each step to ``report``.

    However it ends, also by Ctrl-C between two steps, what the work made beside its goal is taken
    away before this returns.
    """
    try:
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                return end.value
            if report is not None:
                report(step)
    finally:
        work.close()
