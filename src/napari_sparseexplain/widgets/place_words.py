"""Slices and voxels in words. A person counts from 1, as scanners do; scripts count from 0."""

from __future__ import annotations


def voxel_words(index: tuple[int, int, int]) -> str:
    """As ``"slice 75, row 121, column 90"``."""
    slice_, row, column = (place + 1 for place in index)
    return f"slice {slice_}, row {row}, column {column}"


def slice_words(span: slice) -> str:
    """As ``"slice 75"`` or ``"slices 61–80"``, the last included."""
    first, last = span.start + 1, span.stop
    return f"slice {first}" if first == last else f"slices {first}–{last}"
