"""One picture that shows whether a prior lies over a current scan: checkerboard, edges, words."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...volumes.comparison.made_pictures import MadePicture
from ...volumes.intensity.intensity_window import display_limits
from ...volumes.volume import Volume
from .lettering import PALE, WARNING, line_height, wrapped, write

#: Height of one slice in pixels, of the words, and where the slices lie in the head.
_HEIGHT, _WORDS, _PLACES = 300, 15, (0.3, 0.5, 0.7)
_EDGE = np.array([213, 94, 0], dtype=np.uint8)


def prior_check_picture(
    current: Volume,
    board: MadePicture,
    edges: MadePicture,
    words: str,
    *,
    warns: bool,
) -> bytes:
    """A PNG: above the checkerboard, below the prior's edges over the current scan.

    Parameters
    ----------
    current : Volume
    board, edges : MadePicture
    words : str
        How the prior is placed, with its error.
    warns : bool
        Whether it is not registered.
    """
    scan = current.spatial()
    limits = display_limits(current)
    inside = np.flatnonzero((scan > scan.min()).any(axis=(1, 2)))
    first, last = (int(inside[0]), int(inside[-1])) if inside.size else (0, len(scan) - 1)
    places = [round(first + share * (last - first)) for share in _PLACES]
    spacing = current.grid.spacing[1:]
    rows = []
    for what in (board, edges):
        tiles = []
        for place in places:
            grey = what.data[place] if what is board else scan[place]
            picture = np.repeat(_grey(grey, limits)[..., None], 3, axis=-1)
            if what is edges:
                picture[np.asarray(what.data[place]) > 0] = _EDGE
            tiles.append(np.asarray(_sized(picture, spacing, smooth=what is board)))
        rows.append(np.concatenate(tiles, axis=1))
    sheet = Image.fromarray(np.concatenate(rows, axis=0))
    step = line_height(_WORDS)
    said = [(words, WARNING if warns else PALE), (board.words, PALE), (edges.words, PALE)]
    lines = [
        (line, colour)
        for text, colour in said
        for line in wrapped(text, _WORDS, sheet.width - 16)
        if line
    ]
    whole = Image.new("RGB", (sheet.width, sheet.height + step * len(lines) + 12))
    whole.paste(sheet, (0, step * len(lines) + 12))
    for number, (line, colour) in enumerate(lines):
        write(whole, (8, 6 + number * step), line, _WORDS, colour=colour)
    held = BytesIO()
    whole.save(held, "PNG")
    return held.getvalue()


def _grey(values: npt.NDArray[Any], limits: tuple[float, float]) -> npt.NDArray[np.uint8]:
    low, high = limits
    share = np.clip((values.astype(np.float32) - low) / max(high - low, 1e-12), 0, 1)
    return np.rint(255 * share).astype(np.uint8)


def _sized(
    picture: npt.NDArray[np.uint8], spacing: tuple[float, ...], *, smooth: bool
) -> Image.Image:
    rows, columns = picture.shape[:2]
    width = max(1, round(_HEIGHT * columns * spacing[1] / (rows * spacing[0])))
    way = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    return Image.fromarray(picture).resize((width, _HEIGHT), way)
