"""Colours: which, and why these. The viewer, the pictures and the reports take them from here.

Label colours come from the palette of Okabe and Ito, which stays apart for the common kinds of
colour blindness. Signed maps run blue - black - orange: zero is the dark canvas, so that what a
model left alone stays dark, and the two signs differ in hue for every kind of colour vision.

References
----------
M. Okabe, K. Ito, Color Universal Design (2008), https://jfly.uni-koeln.de/color/
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..volumes.labels.tumour import BRATS_LABELS

#: Okabe-Ito: vermilion, bluish green, sky blue, yellow.
VERMILION = "#D55E00"
GREEN = "#009E73"
SKY = "#56B4E9"
YELLOW = "#F0E442"

#: The rest of the palette: for labels that are none of the tumour's.
FURTHER_COLOURS = ("#0072B2", "#CC79A7", "#E69F00", "#56B4E9")

#: Of the parts of a tumour.
PART_COLOURS: Mapping[str, str] = {"NCR": VERMILION, "ED": GREEN, "ET": YELLOW}

#: BraTS label values: 1 necrotic and non-enhancing core, 2 oedema, 4 (3 since 2023) enhancing.
BRATS_COLOURS: dict[int, str] = {v: PART_COLOURS[part] for v, part in BRATS_LABELS.items()}

#: A mask with a single class: what a person drew, and what a model estimated.
TRUE_MASK_COLOUR = VERMILION
ESTIMATED_MASK_COLOUR = SKY

#: Name of the colour map of signed maps, and what it is made of: a place in 0..1, red, green, blue.
SIGNED_COLORMAP = "blue-black-orange"
SIGNED_STOPS: tuple[tuple[float, float, float, float], ...] = (
    (0.00, 0.60, 0.86, 1.00),
    (0.22, 0.00, 0.45, 0.70),
    (0.50, 0.00, 0.00, 0.00),
    (0.78, 0.84, 0.37, 0.00),
    (1.00, 1.00, 0.90, 0.60),
)


#: Name of the colour map of parameters (radius, share, density): perceptually uniform, and its low
#: end is not black, which is where nothing was estimated.
PARAMETER_COLORMAP = "viridis"

#: The map of how many fibre populations a voxel has: no tumour's parts, so none of their colours.
POPULATIONS = "populations"
POPULATION_COLOURS: Mapping[int, str] = {1: SKY, 2: YELLOW, 3: VERMILION}


#: Red, green and blue of a map of colours, for its legend.
RGB_COLOURS: Mapping[int, str] = {1: "#FF0000", 2: "#00FF00", 3: "#0000FF"}


def brats_label_colours(labels: Collection[int]) -> Mapping[int, str] | None:
    """Colours for a tumour label map; None when it is no such map.

    A map of zeros and ones is one merged lesion class.

    Parameters
    ----------
    labels : collection of int
        Values that occur, without 0.
    """
    if set(labels) <= {1}:
        return {1: TRUE_MASK_COLOUR}
    return BRATS_COLOURS if set(labels) <= set(BRATS_COLOURS) else None


def label_colours(labels: Collection[int]) -> Mapping[int, str]:
    """A colour for every value of a label map: those of a tumour's parts, else the palette's.

    Parameters
    ----------
    labels : collection of int
        Values that occur, without 0; there are as many colours as these, however large they are.
    """
    brats = brats_label_colours(labels)
    if brats is not None:
        return brats
    return {value: FURTHER_COLOURS[value % len(FURTHER_COLOURS)] for value in labels}
