"""Tables as text: aligned columns that are also Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, its columns aligned for a terminal; the first one to the left.

    Raises
    ------
    ValueError
        A row has another number of cells than the header.
    """
    lines = [list(header), *[list(row) for row in rows]]
    if any(len(line) != len(header) for line in lines):
        raise ValueError("every row needs one cell for each column")
    widths = [max(len(line[k]) for line in lines) for k in range(len(header))]

    def row(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "| " + " | ".join(padded) + " |"

    rule = [("-" * w if k == 0 else "-" * (w - 1) + ":") for k, w in enumerate(widths)]
    return "\n".join([row(header), "| " + " | ".join(rule) + " |", *map(row, lines[1:])])


def mean_and_deviation(values: Sequence[float | None], digits: int = 3) -> str:
    """``mean ± standard deviation`` over runs; the mean alone for one run, a dash for none.

    Runs in which the value does not apply are left out.
    """
    numbers = [value for value in values if value is not None]
    if not numbers:
        return "-"
    mean = f"{np.mean(numbers):.{digits}f}"
    if len(numbers) == 1:
        return mean
    return f"{mean} ± {np.std(numbers, ddof=1):.{digits}f}"
