"""A small folder of classes: bright squares and discs in a dim head, numbered, with boxes."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np

#: Rows and columns.
SIDE = 48

#: Pictures of each class and view.
EACH = 12

CLASSES = ("disc", "square")
VIEWS = ("axial", "coronal")


def picture(label: str, seed: int) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """A picture, and its box as x, y, width and height, shares of the picture."""
    random = np.random.default_rng(seed)
    rows, columns = np.indices((SIDE, SIDE))
    head = (rows - SIDE / 2) ** 2 + (columns - SIDE / 2) ** 2 < (0.46 * SIDE) ** 2
    values = 60.0 * head + random.normal(0, 4, (SIDE, SIDE)).clip(-8, 8)
    y, x = random.integers(15, SIDE - 15, 2)
    size = 5
    if label == "square":
        inside = (abs(rows - y) <= size) & (abs(columns - x) <= size)
    else:
        inside = (rows - y) ** 2 + (columns - x) ** 2 <= size**2
    values[inside] += 120 if label == "square" else 60
    box = ((x + 0.5) / SIDE, (y + 0.5) / SIDE, (2 * size + 1) / SIDE, (2 * size + 1) / SIDE)
    return values.clip(0, 255).astype(np.uint8), box


def write_classes(folder: Path, each: int = EACH) -> Path:
    """``disc/1.png`` and ``1.txt``, …, and the table of views; numbers run by class, then view."""
    lines = ["number,class,view"]
    number = 0
    for label in CLASSES:
        (folder / label).mkdir(parents=True)
        for view in VIEWS:
            for _ in range(each):
                number += 1
                values, box = picture(label, number)
                iio.imwrite(folder / label / f"{number}.png", values)
                text = " ".join(f"{value:.4f}" for value in box)
                (folder / label / f"{number}.txt").write_text(f"0 {text}\n", encoding="utf-8")
                lines.append(f"{number},{label},{view}")
    (folder / "views.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
