"""Places in words. A person counts slices from 1, as scanners do; scripts count from 0.

Words that a person reads count from 1 wherever they are shown: in the window, on a picture, in
names of files, in errors and the progress of a run, whose words the window and the command line
share; they say "slice 75, row 121, column 90". What a script gives or reads (``--slices``,
``voxel:``, keys of a file, fields of a record) counts from 0, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable


def voxel_caption(index: Iterable[float]) -> str:
    """As ``"slice 75, row 121, column 90"``, of the nearest voxel."""
    slice_, row, column = (round(float(place)) + 1 for place in index)
    return f"slice {slice_}, row {row}, column {column}"


def slice_caption(span: slice) -> str:
    """As ``"slice 75"`` or ``"slices 61–80"``, the last included."""
    first, last = span.start + 1, span.stop
    return f"slice {first}" if first == last else f"slices {first}–{last}"


def axis_captions(ras_mm: Iterable[float]) -> list[str]:
    """A point in RAS+ millimetres, by the side that each axis leads to: ``["R 12.0", …]``."""
    return [
        f"{positive if value >= 0 else negative} {abs(value):.1f}"
        for value, positive, negative in zip(ras_mm, "RAS", "LPI", strict=True)
    ]


def millimetre_caption(ras_mm: Iterable[float]) -> str:
    """As ``"R 12.0  A 30.5  S 4.0 mm"``."""
    return "  ".join(axis_captions(ras_mm)) + " mm"
