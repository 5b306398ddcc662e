"""Words with a dark edge on the canvas, so that they are read on a bright and on a dark picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.utils.colormaps.standardize_color import transform_color

from ...export.typesetting.joined_letters import in_seen_order

_DARK = (0.0, 0.0, 0.0, 1.0)

#: Pixels of the screen in a point of napari's text: the 96 / 72 of other programs, taken twice.
PIXELS_IN_POINT = (96 / 72) ** 2

#: Width of the edge in pixels of the screen.
EDGE = 1.0


def write_outlined(
    node: Any,
    words: Sequence[str],
    places: npt.ArrayLike,
    colours: Sequence[Any],
    pixel: float = 1.0,
) -> None:
    """Let a text visual of napari show words with a dark edge.

    vispy's text has no outline of its own: dark copies lie one pixel to every side below each word.
    It draws letter by letter from left to right: words are given to it in the order in which they
    are seen, Arabic letters in the forms that join.

    Parameters
    ----------
    node : napari._vispy.visuals.text.Text
    words : sequence of str
        Of one line each.
    places : array_like, shape (words, 2)
        Where their anchors are, (x, y) in the node's own unit.
    colours : sequence of colour
        One for each word.
    pixel : float
        Size of a pixel of the screen in the node's unit.
    """
    words = [in_seen_order(word) for word in words]
    steps = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0)]
    text = [word for word in words if word] and [*words] * (len(steps) + 1)
    if node.text != text:  # the glyphs are placed anew, which is slow, only for other words
        node.text = text
    if not text:
        return
    at = np.asarray(places, dtype=np.float64).reshape(-1, 2)
    copies = [at + np.multiply(step, EDGE * pixel) for step in steps]
    node.pos = np.concatenate([*copies, at])
    own = [transform_color(colour)[0] for colour in colours]
    node.color = np.array([_DARK] * (len(steps) * len(own)) + own)
