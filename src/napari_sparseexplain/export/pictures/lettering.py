"""Text in pictures: one font that ships with matplotlib, so that every machine draws the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

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


@lru_cache(maxsize=64)
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans at ``size`` pixels."""
    return ImageFont.truetype(str(font_file(bold=bold)), size)


def font_file(*, bold: bool = False) -> Path:
    """File of the font."""
    # matplotlib ships the font; it need not be loaded for it.
    found = find_spec("matplotlib")
    assert found is not None
    assert found.origin is not None
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / name


def line_height(size: int) -> int:
    """Pixels from one line to the next."""
    return round(size * 1.3)


def text_width(text: str, size: int, *, bold: bool = False) -> float:
    """Width of one line in pixels."""
    # Of a text longer than any picture is wide the beginning is enough; the layout refuses a
    # million characters, and is slow long before.
    return font(size, bold=bold).getlength(one_line(text[:_LONGEST]))


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
    return text[:low].rstrip() + "…"


def _most_letters(size: int, width: float) -> int:
    """Letters that could be in a width, each as narrow as none is; more need not be laid out."""
    return round(width / size * 20) + 20


def wrapped(text: str, size: int, width: float, most: int = 99) -> list[str]:
    """Lines no wider than ``width``, broken at spaces; the last of ``most`` is cut."""
    lines: list[str] = []
    words = text.split()
    first = 0
    while first < len(words):
        if len(lines) == most - 1:
            return [*lines, fitted(" ".join(words[first:]), size, width)]
        end = first + 1
        while end < len(words) and text_width(" ".join(words[first : end + 1]), size) <= width:
            end += 1
        lines.append(fitted(" ".join(words[first:end]), size, width))
        first = end
    return lines


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
    ImageDraw.Draw(image).text(
        (round(place[0]), round(place[1])),
        one_line(text[: _most_letters(size, image.width)]),
        fill=colour,
        font=font(size, bold=bold),
        anchor=anchor,
        stroke_width=edge,
        stroke_fill="#000000",
    )
