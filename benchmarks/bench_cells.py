"""Twelve cells of scan, map and contours: which canvas draws them, in CPU seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from cell_canvases import Canvas, Cell, NapariGrid, PaintedCells, VispyCells, drawn
from paired_timing import Row

_CELLS = 12
_SHAPE = (40, 240, 240)
_STEPS = 20

#: What is wanted of an act, in ms (there and back: twice 150); else 1.5 times what napari takes.
_MOST = {"other rows and columns": 400.0, "one cell and back": 300.0}

_NAMES = {"VispyCells": "a vispy view each", "PaintedCells": "painted"}


def cells() -> list[Cell]:
    """A head with a lesion in it, another noise in every cell."""
    z, y, x = np.meshgrid(*[np.linspace(-1, 1, n) for n in _SHAPE], indexing="ij")
    head = ((x / 0.8) ** 2 + (y / 0.95) ** 2 + z**2 < 1).astype(np.float32)
    away = np.sqrt((x - 0.25) ** 2 + (y + 0.2) ** 2 + 0.3 * z**2 + 0.02 * np.sin(9 * x + 7 * y))
    mask = np.where(away < 0.15, 2, np.where(away < 0.3, 1, 0)).astype(np.uint8)
    found = []
    for number in range(_CELLS):
        noise = np.random.default_rng(number).standard_normal(_SHAPE).astype(np.float32)
        scan = np.clip(head * (0.5 + 0.05 * noise) + 0.3 * (mask > 0), 0, 1).astype(np.float32)
        heat = np.exp(-3 * away).astype(np.float32) * head
        found.append(Cell(scan, heat.astype(np.float32), mask))
    return found


def cpu_milliseconds(act: Callable[[], Any], repeats: int) -> float:
    """Median milliseconds of CPU of an act, over all threads."""
    spent = []
    for _ in range(repeats):
        before = time.process_time()
        act()
        spent.append(time.process_time() - before)
    return 1e3 * median(spent)


def acts(canvas: Canvas, repeats: int) -> dict[str, float]:
    """Milliseconds of CPU of what a hand does."""
    here = iter(range(10_000))

    def step() -> None:
        canvas.slice_to(10 + next(here) % _STEPS)

    def other_shape() -> None:
        canvas.shape_to(*((2, 6), (3, 4))[next(here) % 2])

    def enlarge() -> None:
        canvas.enlarge(5)
        canvas.enlarge(None)

    for act in (step, other_shape, enlarge):
        act()
    drawn()
    return {
        "a slice": cpu_milliseconds(step, 6 * repeats),
        "other rows and columns": cpu_milliseconds(other_shape, 2 * repeats),
        "one cell and back": cpu_milliseconds(enlarge, repeats),
    }


def measure(repeats: int) -> list[Row]:
    """A row for each act and canvas, beside napari's grid with the same arrays."""
    shown = cells()
    found = {}
    for canvas in (NapariGrid, VispyCells, PaintedCells):
        started = time.process_time()
        one = canvas(shown)
        opened = 1e3 * (time.process_time() - started)
        found[canvas.__name__] = {"opening": opened, **acts(one, repeats)}
        one.close()
        drawn()
    rows = []
    for name in ("VispyCells", "PaintedCells"):
        for act, mine in found[name].items():
            theirs = found["NapariGrid"][act]
            most = _MOST.get(act, 1.5 * theirs)
            wanted = f"≤ {most:.0f} ms" if act in _MOST else "≥ 0.67×"
            rows.append(
                Row(
                    f"cells, {_NAMES[name]}: {act}", f"{mine:.0f} ms", f"{theirs:.0f} ms",
                    f"{theirs / mine:.2f}×", wanted, mine <= most,
                )
            )  # fmt: skip
    return rows
