"""Outlines of label maps over a picture: closed lines, solid about a reference, else dashed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import find_objects
from skimage.measure import find_contours

from ...review.reading import Reading
from ...review.review import Panel
from .annotation_drawing import stroke
from .colour_scale import UNKNOWN_LABEL
from .plane_view import PlaneView

#: Dashes of an estimate's outline and the gaps between them, in widths of the line.
DASHES = (4.0, 3.0)

#: Size of text at which a line is as wide as its overlay says, in pixels.
_USUAL_TEXT = 13

#: A line about a label, (row, column) in voxels.
Line = npt.NDArray[np.float64]


def outlines(mask: npt.NDArray[Any]) -> list[tuple[int, list[Line]]]:
    """Closed lines about every label of a slice but 0, the largest label first.

    Where two labels touch they share a line: that of the smaller one, as a core's, is seen.

    A line runs half way between the middles of voxels inside and outside the label (marching
    squares, Lorensen and Cline 1987).

    Parameters
    ----------
    mask : ndarray, shape (rows, columns)

    Returns
    -------
    list of (label, lines)
        A line has shape (n, 2): row and column in voxels, whole numbers at their middles.
    """
    values = np.asarray(mask)
    labels, dense, counts = np.unique(values, return_inverse=True, return_counts=True)
    boxes = find_objects(dense.reshape(values.shape).astype(np.int32) + 1)
    found = []
    for place in np.argsort(-counts, kind="stable"):
        box, label = boxes[place], labels[place]
        if label == 0 or box is None:
            continue
        inside = np.pad(values[box] == label, 1).astype(np.float32)
        corner = np.array([box[0].start - 1, box[1].start - 1], dtype=np.float64)
        found.append((int(label), [line + corner for line in find_contours(inside, 0.5)]))
    return found


def draw_outlines(
    image: Image.Image, reading: Reading, panel: Panel, view: PlaneView, size: int
) -> None:
    """Draw the outlines of a panel's label maps where they are to be outlined, in place.

    Parameters
    ----------
    size : int
        Size of text in pixels; lines follow it.

    Raises
    ------
    StudyError
        Something that the panel shows is not here.
    """
    for overlay in panel.overlays:
        if not overlay.is_label or overlay.drawn == "fill":
            continue
        plane = reading.plane_of(overlay, panel)
        if plane is None:
            continue
        wide = overlay.line_width * max(1.0, size / _USUAL_TEXT)
        for label, lines in outlines(plane):
            colour = overlay.colours.get(label, UNKNOWN_LABEL)
            paths = [_pixels(line, view) for line in lines]
            if overlay.shelf != "study":
                paths = [piece for path in paths for piece in dashed(path, wide)]
            stroke(image, paths, colour, wide)


def _pixels(line: Line, view: PlaneView) -> Line:
    index = np.zeros((len(line), 3))
    index[:, view.axes] = line
    return view.pixels_of_index(index)


def dashed(path: Line, wide: float) -> Iterator[Line]:
    """The dashes of a line, each from its beginning to its end.

    Parameters
    ----------
    path : ndarray, shape (n, 2)
        In pixels.
    wide : float
        Width of the line.
    """
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    dash, gap = (part * wide for part in DASHES)
    for start in np.arange(0.0, along[-1], dash + gap):
        end = min(start + dash, along[-1])
        between = (along > start) & (along < end)
        places = np.concatenate([[start], along[between], [end]])
        yield np.stack([np.interp(places, along, path[:, side]) for side in (0, 1)], axis=1)
