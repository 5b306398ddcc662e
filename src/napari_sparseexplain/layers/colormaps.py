"""The colours of `evidence/colours.py` as napari's colour maps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from napari.utils.colormaps import Colormap, DirectLabelColormap

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
    "signed_colormap",
]


def label_colormap(colours: Mapping[int, str]) -> DirectLabelColormap:
    """Colours by label value: 0 is clear, a value without a colour of its own is white."""
    table: dict[int | None, str | np.ndarray] = {None: "white", 0: np.zeros(4)}
    table |= dict(colours)
    return DirectLabelColormap(color_dict=table)


def signed_colormap() -> Colormap:
    """Blue below zero, black at zero, orange above; use with limits symmetric about zero."""
    return Colormap(
        colors=np.array([[*colour, 1.0] for _, *colour in SIGNED_STOPS]),
        controls=np.array([place for place, *_ in SIGNED_STOPS]),
        name=SIGNED_COLORMAP,
    )
