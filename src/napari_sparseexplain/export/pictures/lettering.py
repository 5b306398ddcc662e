"""Text in pictures: a font that ships with matplotlib; for other scripts, fonts of the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from math import ceil, floor
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from ..typesetting.joined_letters import in_seen_order, turned
from ..typesetting.letter_notes import has_layout
from ..typesetting.line_breaks import broken_lines
from ..typesetting.text_runs import TextRun, clusters, program_font, text_runs

#: Colours of text.
WHITE, PALE, DIM, WARNING = "#FFFFFF", "#D8D8D8", "#A8A8A8", "#FFB000"


#: Lines that were written since `noted_lines` began, in order.
_NOTED: ContextVar[list[str] | None] = ContextVar("noted lines", default=None)


@contextmanager
def noted_lines() -> Iterator[list[str]]:
    """A list of every line that is written inside the block: what can be read in a picture."""
    lines: list[str] = []
    token = _NOTED.set(lines)
    try:
        yield lines
    finally:
        _NOTED.reset(token)


#: What cannot stand in one line: control characters and line ends, which the layout refuses; marks
#: that turn the direction of what follows; halves of surrogate pairs.
_NO_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


#: Characters of one line; at the smallest size they are wider than any picture.
_LONGEST = 20_000


def one_line(text: str) -> str:
    """A text as one line that can be drawn: what cannot stand in it becomes a space."""
    return _NO_LINE.sub(" ", text)


#: How much bolder than regular letters (400) bold ones are, in fonts that have every weight.
_REGULAR, _BOLD = 400, 700


@lru_cache(maxsize=64)
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans at ``size`` pixels."""
    return ImageFont.truetype(str(program_font(bold=bold)), size)


@lru_cache(maxsize=64)
def _font_of(path: Path, size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """A font at ``size`` pixels; of one that has every weight, the one that is wanted."""
    if path in (program_font(), program_font(bold=True)):
        return font(size, bold=bold)
    try:
        found = ImageFont.truetype(str(path), size)
    except OSError:  # its list of letters could be read, and it is damaged all the same
        return font(size, bold=bold)
    try:
        axes = found.get_variation_axes()
    except (OSError, NotImplementedError):  # one weight alone
        return found
    weight = _BOLD if bold else _REGULAR
    found.set_variation_by_axes(
        [
            min(max(weight, axis["minimum"] or 0), axis["maximum"] or weight)
            if "eight" in str(axis.get("name", ""))
            else (axis["default"] or 0)
            for axis in axes
        ]
    )
    return found


def line_height(size: int) -> int:
    """Pixels from one line to the next."""
    return round(size * 1.3)


def text_width(text: str, size: int, *, bold: bool = False) -> float:
    """Width of one line in pixels."""
    # Of a text longer than any picture is wide the beginning is enough; the layout refuses a
    # million characters, and is slow long before.
    runs = text_runs(one_line(text[:_LONGEST]), bold=bold)
    return sum(run_width(run, size, bold=bold) for run in runs)


@lru_cache(maxsize=4096)
def run_width(run: TextRun, size: int, *, bold: bool = False) -> float:
    """Width of a part of a line in pixels."""
    letters, how = _laid_out(run)
    return _font_of(run.font, size, bold).getlength(letters, **how)


def _laid_out(run: TextRun) -> tuple[str, dict[str, Any]]:
    """Letters of a run and how Pillow shall lay them out.

    Without raqm it draws letter by letter from left to right: what runs to the left is turned, and
    Arabic letters take the forms that join.
    """
    if not has_layout():
        if run.leftward is None:
            return in_seen_order(run.text), {}
        return turned(run.text) if run.leftward else run.text, {}
    if run.leftward is None:  # as raqm orders a whole line by itself
        return run.text, {}
    how = {"direction": "rtl" if run.leftward else "ltr"}
    return run.text, {**how, "language": run.language} if run.language else how


def fitted(text: str, size: int, width: float, *, bold: bool = False) -> str:
    """The text, cut with an ellipsis where it is wider than ``width`` pixels."""
    most = _most_letters(size, width)
    text = one_line(text[: most + 1])
    if len(text) <= most and text_width(text, size, bold=bold) <= width:
        return text
    low, high = 0, min(len(text), most)
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(text[:middle].rstrip() + "…", size, bold=bold) <= width:
            low = middle
        else:
            high = middle - 1
    return _whole_letters(text, low).rstrip() + "…"


def _whole_letters(text: str, most: int) -> str:
    """The beginning of a text, no letter without the marks that stand on it."""
    if text[most - 1 : most + 1].isascii():
        return text[:most]
    near = max(0, most - 20)
    kept = text[:near]
    for cluster in clusters(text[near:]):
        if len(kept) + len(cluster) > most:
            break
        kept += cluster
    return kept


def _most_letters(size: int, width: float) -> int:
    """Letters that could be in a width, each as narrow as none is; more need not be laid out."""
    return round(width / size * 20) + 20


def wrapped(text: str, size: int, width: float, most: int = 99) -> list[str]:
    """Lines no wider than ``width``, the last of ``most`` cut.

    They are broken at spaces, and between letters in scripts that have no spaces (`broken_lines`).
    """
    return broken_lines(
        text,
        lambda line: text_width(line, size) <= width,
        lambda line: fitted(line, size, width),
        most,
    )


def write(
    image: Image.Image,
    place: tuple[float, float],
    text: str,
    size: int,
    *,
    colour: str = WHITE,
    anchor: str = "la",
    bold: bool = False,
    outlined: bool = True,
) -> None:
    """Write one line.

    Parameters
    ----------
    place : pair of float
        Where the anchor is, in pixels (x, y).
    anchor : str
        Pillow's two letters: ``l``, ``m``, ``r`` and ``a`` (top), ``m``, ``d`` (bottom).
    outlined : bool
        Whether a thin dark edge keeps it readable on a bright picture.
    """
    noted = _NOTED.get()
    if noted is not None:
        noted.append(text)
    edge = max(1, size // 9) if outlined else 0
    runs = text_runs(one_line(text[: _most_letters(size, image.width)]), bold=bold)
    x, y = round(place[0]), round(place[1])
    if len(runs) == 1 and runs[0].leftward is None:
        _write_run(image, (x, y), runs[0], size, colour, edge, anchor, bold=bold)
        return
    # All edges first, so that none lies over a letter of the part before.
    for fill, wide in (("#000000", edge), (colour, 0)) if edge else ((colour, 0),):
        left, base = _begin(runs, (x, y), anchor, size, bold=bold)
        for run in runs:
            _write_run(image, (left, base), run, size, fill, wide, "ls", bold=bold)
            left += run_width(run, size, bold=bold)


def _write_run(
    image: Image.Image,
    place: tuple[float, float],
    run: TextRun,
    size: int,
    colour: str,
    edge: int,
    anchor: str,
    *,
    bold: bool,
) -> None:
    letters, how = _laid_out(run)
    ImageDraw.Draw(image).text(
        place,
        letters,
        fill=colour,
        font=_font_of(run.font, size, bold),
        anchor=anchor,
        stroke_width=edge,
        stroke_fill="#000000",
        **how,
    )


def runs_mask(
    runs: Sequence[TextRun], size: int, *, bold: bool = False
) -> tuple[Image.Image, float, float]:
    """Parts of a line as a mask, and how far its left and top edge are from their origin.

    Parameters
    ----------
    runs : sequence of TextRun
        From left to right.
    size : int
        Pixels; the mask holds whole letters.

    Returns
    -------
    Image, float, float
        White letters on black (``L``); pixels to the right of and below the left end of the base
        line, where its upper left corner is.
    """
    boxes, left = [], 0.0
    for run in runs:
        letters, how = _laid_out(run)
        found = _font_of(run.font, size, bold)
        box = found.getbbox(letters, anchor="ls", **how)
        boxes.append((box[0] + left, box[1], box[2] + left, box[3]))
        left += run_width(run, size, bold=bold)
    x0, y0 = (floor(min(box[i] for box in boxes)) - 1 for i in (0, 1))
    x1, y1 = (ceil(max(box[i] for box in boxes)) + 1 for i in (2, 3))
    mask = Image.new("L", (x1 - x0, y1 - y0))
    left = 0.0
    for run in runs:
        _write_run(mask, (left - x0, -y0), run, size, "#FFFFFF", 0, "ls", bold=bold)
        left += run_width(run, size, bold=bold)
    return mask, x0, y0


def _begin(
    runs: Sequence[TextRun], place: tuple[float, float], anchor: str, size: int, *, bold: bool
) -> tuple[float, float]:
    """Left end of the base line of a line whose anchor is at ``place``."""
    width = sum(run_width(run, size, bold=bold) for run in runs)
    ascent, descent = font(size, bold=bold).getmetrics()
    left = {"l": 0.0, "m": width / 2, "r": width}[anchor[0]]
    # As Pillow places a line of the program's font: another script's does not move it.
    base = {"a": ascent, "m": (ascent - descent) / 2, "s": 0, "d": -descent}[anchor[1]]
    return place[0] - left, place[1] + base
