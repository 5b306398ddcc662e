"""Arrows, lines, outlines and the probe's ring over a picture, with smooth edges and measures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from ...evidence.colours import YELLOW
from ...review.annotation import Annotation, measure_text
from ...review.label_position import WORDS_GAP, LabelledMark, label_corners
from .lettering import line_height, text_width, write
from .plane_view import PlaneView

#: Lines are drawn this many times larger and then made smaller, which smooths their edges.
_SMOOTH = 3


def draw_annotations(
    image: Image.Image, annotations: Sequence[Annotation], view: PlaneView, size: int
) -> int:
    """Draw the annotations of a slice; how many of them lie outside the picture.

    Parameters
    ----------
    image : Image
        The panel's picture, changed in place.
    annotations : sequence of Annotation
        Of this slice.
    view : PlaneView
    size : int
        Size of text in pixels; lines follow it.
    """
    seen: list[tuple[Annotation, npt.NDArray[np.float64], list[str]]] = []
    outside = 0
    height, width = view.size
    for item in annotations:
        points = view.pixels(item.outline())
        inside = (points >= 0).all(axis=1) & (points[:, 0] <= width) & (points[:, 1] <= height)
        low, high = points.min(axis=0), points.max(axis=0)
        if not inside.any() and ((high < 0).any() or (low > (width, height)).any()):
            outside += 1
            continue
        seen.append((item, points, _words(item, view)))
    # Lines first, so that no line lies over words.
    for item, points, _ in seen:
        _draw_lines(image, item, points, size)
    marks = [LabelledMark(item.kind, points, _box(words, size)) for item, points, words in seen]
    corners = label_corners(marks, size * WORDS_GAP, (width, height))
    for (item, _, words), corner in zip(seen, corners, strict=True):
        if corner is not None:
            for place, text in enumerate(words):
                at = (corner[0], corner[1] + place * line_height(size))
                write(image, at, text, size, colour=item.colour)
    return outside


def draw_crosshair(image: Image.Image, place: npt.NDArray[np.float64], size: int) -> None:
    """A thin cross at a pixel, open about its middle."""
    width, height = image.size
    x, y, gap = float(place[0]), float(place[1]), size * 0.8
    draw = ImageDraw.Draw(image)
    for line in ((0, y, x - gap, y), (x + gap, y, width, y), (x, 0, x, y - gap), (x, y + gap, x,
                 height)):  # fmt: skip
        draw.line([round(v) for v in line], fill="#56B4E9", width=max(1, size // 12))


def draw_ring(image: Image.Image, place: npt.NDArray[np.float64], size: int) -> None:
    """A ring about a pixel, as about the clicked voxel on the screen; what is inside stays seen."""
    turn = np.linspace(0, 2 * np.pi, 49)
    circle = np.asarray(place) + 0.6 * size * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    stroke(image, [circle], YELLOW, _thick(size), _edge(size))


def _draw_lines(
    image: Image.Image, item: Annotation, points: npt.NDArray[np.float64], size: int
) -> None:
    stroke(image, _paths(item, points, size), item.colour, _thick(size), _edge(size))


def _thick(size: int) -> float:
    """Width of a mark's line beside text of a size."""
    return max(1.5, size / 8)


def _edge(size: int) -> float:
    """Width of the dark edge on each side of a line: a pixel on the screen, as much in print."""
    return max(1.0, size / 12)


def stroke(
    image: Image.Image,
    paths: Sequence[npt.NDArray[np.float64]],
    over: str,
    thick: float,
    edge: float = 0.0,
) -> None:
    """Lines with smooth edges, through masks drawn larger.

    Parameters
    ----------
    paths : sequence of ndarray, shape (n, 2)
        Points (x, y) in pixels, joined in their order.
    over : str
        Colour.
    thick, edge : float
        Width of a line, and of a dark edge about it, in pixels.
    """
    if not paths:
        return
    reach = thick + edge + 3
    everything = np.concatenate(paths)
    low = np.maximum(np.floor(everything.min(axis=0)) - reach, 0).astype(int)
    high = np.minimum(np.ceil(everything.max(axis=0)) + reach, image.size).astype(int)
    if (high <= low).any():
        return
    box = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    span = (box[2] - box[0], box[3] - box[1])
    dark = (("#000000", thick + 2 * edge),) if edge else ()
    for colour, wide in (*dark, (over, thick)):
        mask = Image.new("L", (span[0] * _SMOOTH, span[1] * _SMOOTH))
        draw = ImageDraw.Draw(mask)
        for path in paths:
            at = [(float(x), float(y)) for x, y in (path - low) * _SMOOTH]
            draw.line(at, fill=255, width=round(wide * _SMOOTH), joint="curve")
        small = mask.resize(span, Image.Resampling.BOX)
        image.paste(colour, box, small)


def _paths(
    item: Annotation, points: npt.NDArray[np.float64], size: int
) -> list[npt.NDArray[np.float64]]:
    """What is drawn, as lines from point to point."""
    if item.kind == "text":  # a small cross
        arm = size * 0.25
        return [points[0] + np.outer((-arm, arm), way) for way in ((1, 0), (0, 1))]
    if item.kind in ("polygon", "ellipse"):
        return [np.concatenate([points, points[:2]])]
    if item.kind in ("angle", "cobb", "bidirectional"):
        return [points]
    along = points[1] - points[0]
    length = max(float(np.linalg.norm(along)), 1e-6)
    along = along / length
    across = np.array([-along[1], along[0]])
    if item.kind == "distance":
        tick = across * size * 0.45
        return [points, *(np.stack([p - tick, p + tick]) for p in points)]
    barb = min(size * 0.9, length * 0.5)
    back = points[1] - along * barb
    return [points, np.stack([back + across * barb * 0.5, points[1], back - across * barb * 0.5])]


def _words(item: Annotation, view: PlaneView) -> list[str]:
    """Text and measure beside the mark, as in the window."""
    measure = measure_text(item, calibrated=view.grid.calibrated)
    return [line for text in (item.text, measure) for line in text.splitlines() if line]


def _box(words: Sequence[str], size: int) -> tuple[float, float] | None:
    """Width and height of words; None without any."""
    if not words:
        return None
    return max(text_width(text, size) for text in words), float(line_height(size) * len(words))
