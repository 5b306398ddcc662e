"""Colours: which, and why these.

Label colours come from the palette of Okabe and Ito, which stays apart for the common kinds of
colour blindness. Signed maps run blue - black - orange: zero is the dark canvas, so that what a
model left alone stays dark, and the two signs differ in hue for every kind of colour vision.

References
----------
M. Okabe, K. Ito, Color Universal Design (2008), https://jfly.uni-koeln.de/color/
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from napari.utils.colormaps import Colormap, DirectLabelColormap

#: Okabe-Ito: vermilion, bluish green, sky blue, yellow.
VERMILION = "#D55E00"
GREEN = "#009E73"
SKY = "#56B4E9"
YELLOW = "#F0E442"

#: BraTS label values: 1 necrotic and non-enhancing core, 2 oedema, 4 (3 since 2023) enhancing.
BRATS_COLOURS: dict[int, str] = {1: VERMILION, 2: GREEN, 3: YELLOW, 4: YELLOW}

#: A mask with a single class: what a person drew, and what a model estimated.
TRUE_MASK_COLOUR = VERMILION
ESTIMATED_MASK_COLOUR = SKY


def label_colormap(colours: Mapping[int, str]) -> DirectLabelColormap:
    """Colours by label value: 0 is clear, a value without a colour of its own is white."""
    table: dict[int | None, str | np.ndarray] = {None: "white", 0: np.zeros(4)}
    table |= dict(colours)
    return DirectLabelColormap(color_dict=table)


def brats_label_colours(highest: int) -> Mapping[int, str] | None:
    """Colours for a tumour label map with values up to ``highest``; None when it is no such map.

    A map of zeros and ones is one merged lesion class.
    """
    if highest <= 1:
        return {1: TRUE_MASK_COLOUR}
    return BRATS_COLOURS if highest <= max(BRATS_COLOURS) else None


def signed_colormap() -> Colormap:
    """Blue below zero, black at zero, orange above; use with limits symmetric about zero."""
    return Colormap(
        colors=np.array(
            [
                [0.60, 0.86, 1.00, 1.0],
                [0.00, 0.45, 0.70, 1.0],
                [0.00, 0.00, 0.00, 1.0],
                [0.84, 0.37, 0.00, 1.0],
                [1.00, 0.90, 0.60, 1.0],
            ]
        ),
        controls=np.array([0.0, 0.22, 0.5, 0.78, 1.0]),
        name="blue-black-orange",
    )
