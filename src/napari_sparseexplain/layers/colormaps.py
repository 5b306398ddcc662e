"""The colours of `evidence/colours.py` as napari's colour maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.utils.colormaps import Colormap

from ..evidence.colours import (
    BRATS_COLOURS,
    ESTIMATED_MASK_COLOUR,
    GREEN,
    SIGNED_COLORMAP,
    SIGNED_STOPS,
    SKY,
    TRUE_MASK_COLOUR,
    VERMILION,
    YELLOW,
    brats_label_colours,
)
from .class_colormap import ClassColormap

__all__ = [
    "BRATS_COLOURS",
    "ESTIMATED_MASK_COLOUR",
    "GREEN",
    "SKY",
    "TRUE_MASK_COLOUR",
    "VERMILION",
    "YELLOW",
    "brats_label_colours",
    "label_colormap",
    "rank_colours",
    "signed_colormap",
]


def label_colormap(colours: Mapping[int, Any]) -> ClassColormap:
    """Colours by label value: 0 is clear, a value without a colour of its own is white."""
    table: dict[int | None, Any] = {None: "white", 0: np.zeros(4)}
    table |= dict(colours)
    return ClassColormap(color_dict=table)


def rank_colours(count: int) -> dict[int, tuple[float, float, float, float]]:
    """Colours of regions by rank, 1 to ``count``: yellow, green, blue, at last nearly black.

    Neighbours in rank alternate a little in brightness, so that two regions that touch are told
    apart.
    """
    table = Colormap(
        colors=np.array(
            [
                [0.94, 0.89, 0.26, 1.0],
                [0.00, 0.62, 0.45, 1.0],
                [0.00, 0.45, 0.70, 1.0],
                [0.05, 0.08, 0.16, 1.0],
            ]
        ),
        name="ranks",
    )
    places = np.sqrt(np.linspace(0.0, 1.0, max(count, 1)))
    colours: dict[int, tuple[float, float, float, float]] = {}
    for rank, (red, green, blue, _) in enumerate(table.map(places), start=1):
        shade = 1.0 if rank % 2 else 0.8
        colours[rank] = (float(red) * shade, float(green) * shade, float(blue) * shade, 1.0)
    return colours


def signed_colormap() -> Colormap:
    """Blue below zero, black at zero, orange above; use with limits symmetric about zero."""
    return Colormap(
        colors=np.array([[*colour, 1.0] for _, *colour in SIGNED_STOPS]),
        controls=np.array([place for place, *_ in SIGNED_STOPS]),
        name=SIGNED_COLORMAP,
    )
