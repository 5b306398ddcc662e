"""Words on a page in scripts that reportlab sets wrongly or not at all.

reportlab draws letter by letter from left to right, in one font. A line that needs more is set
here: parts that its font can draw stay letters of the page, every other part is a picture of the
words as `lettering` draws them, with invisible letters under it, so that they are found and copied.
Letters stand in the file as they are seen from left to right, which is what readers of PDF expect
of scripts that run to the left. Beside a line without such letters stands its text (ActualText, ISO
32000-1, 14.9.4), which joins the words of its parts again.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from PIL import Image
from reportlab.lib import colors
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.platypus import Flowable

from ..pictures.lettering import fitted, one_line, run_width, runs_mask, text_width
from ..typesetting.direction import has_leftward, runs_leftward
from ..typesetting.line_breaks import broken_lines
from ..typesetting.text_runs import TextRun, clusters, is_plain, text_runs
from .invisible_letters import EM, WIDTH, invisible_font

#: Pixels in a point in which words are measured and drawn: 360 an inch.
_PIXELS = 5


def words_width(text: str, font: str, size: float, *, bold: bool = False) -> float:
    """Width of words in points, whatever they are written in.

    Parameters
    ----------
    text : str
    font : str
        Name of the program's font in reportlab.
    size : float
        Points.
    """
    if is_plain(text):
        return pdfmetrics.stringWidth(text, font, size)
    return text_width(text, round(size * _PIXELS), bold=bold) / _PIXELS


class ShapedText(Flowable):
    """A paragraph in any script, broken into lines.

    Parameters
    ----------
    text : str
        Its words, or the lines that another paragraph of the same width was broken into.
    style : ParagraphStyle
        Font, size, leading and colour.
    bold : bool
        Whether the font is the bold one.
    lines : sequence of str, optional
        As they are, where they were broken already.
    """

    def __init__(
        self,
        text: str,
        style: ParagraphStyle,
        *,
        bold: bool = False,
        lines: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self._text = one_line(text)
        self._style = style
        self._bold = bold
        self._lines = lines
        self._broken: list[str] = []

    @property
    def _size(self) -> int:
        """Pixels of the letters as they are measured."""
        return round(float(self._style.fontSize) * _PIXELS)

    def wrap(self, aW: float, aH: float) -> tuple[float, float]:
        """Width and height in points."""
        del aH
        room = aW * _PIXELS
        self._broken = (
            list(self._lines)
            if self._lines is not None
            else broken_lines(
                self._text,
                lambda line: text_width(line, self._size, bold=self._bold) <= room,
                lambda line: fitted(line, self._size, room, bold=self._bold),
                len(self._text) + 1,
            )
        )
        self.width, self.height = aW, max(len(self._broken), 1) * float(self._style.leading)
        return self.width, self.height

    def split(self, aW: float, aH: float) -> list[Flowable]:
        """What has room, and the rest."""
        if not self._broken:
            self.wrap(aW, aH)
        most = int(aH // float(self._style.leading))
        if most <= 0:
            return []
        if most >= len(self._broken):
            return [self]
        parts = (self._broken[:most], self._broken[most:])
        return [
            ShapedText(self._text, self._style, bold=self._bold, lines=lines) for lines in parts
        ]

    def draw(self) -> None:
        """Draw all lines on the page."""
        leading = float(self._style.leading)
        leftward = runs_leftward(self._text)
        for place, line in enumerate(self._broken):
            wide = text_width(line, self._size, bold=self._bold) / _PIXELS
            left = self.width - wide if leftward else 0.0
            base = self.height - place * leading - float(self._style.fontSize)
            self._draw_line(line, left, base)

    def _draw_line(self, line: str, left: float, base: float) -> None:
        canvas: Any = self.canv
        # Readers turn what they take for letters in the order in which they are seen.
        told = not has_leftward(line)
        if told:
            said = line.encode("utf-16-be", "replace").hex().upper()
            canvas._code.append(f"/Span <</ActualText <FEFF{said}>>> BDC")
        runs = text_runs(line, bold=self._bold, whole=False)
        for plain, beside in groupby(runs, key=lambda run: is_plain(run.text) and not run.leftward):
            part = list(beside)
            wide = sum(run_width(run, self._size, bold=self._bold) for run in part) / _PIXELS
            if plain:
                self._draw_letters("".join(run.text for run in part), left, base)
            else:
                self._draw_picture(part, left, base)
                self._draw_invisible(part, left, base, wide)
            left += wide
        if told:
            canvas._code.append("EMC")

    def _draw_letters(self, text: str, left: float, base: float) -> None:
        writing = self.canv.beginText(left, base)
        writing.setFont(str(self._style.fontName), float(self._style.fontSize))
        writing.setFillColor(self._style.textColor)
        writing.textOut(text)
        self.canv.drawText(writing)

    def _draw_picture(self, runs: Sequence[TextRun], left: float, base: float) -> None:
        mask, across, down = runs_mask(runs, self._size, bold=self._bold)
        colour = colors.toColor(self._style.textColor)
        ground = tuple(round(255 * part) for part in (colour.red, colour.green, colour.blue))
        picture = Image.new("RGBA", mask.size, (*ground, 0))
        picture.putalpha(mask)
        width, height = mask.width / _PIXELS, mask.height / _PIXELS
        bottom = base - down / _PIXELS - height
        place = (left + across / _PIXELS, bottom, width, height)
        self.canv.drawImage(ImageReader(picture), *place, mask="auto")

    def _draw_invisible(
        self, runs: Sequence[TextRun], left: float, base: float, wide: float
    ) -> None:
        """Letters of parts from left to right, as wide together as they are."""
        size = float(self._style.fontSize)
        seen: list[str] = []
        for run in runs:
            parts = clusters(run.text)
            # Brackets too as they are written: readers that turn letters do not mirror them.
            seen += parts[::-1] if run.leftward else parts
        # What reportlab's maps to Unicode cannot hold is told by ActualText alone.
        letters = [letter for letter in "".join(seen) if 0x20 <= ord(letter) <= 0xFFFF]
        if not letters or wide <= 0:
            return
        writing = self.canv.beginText(left, base)
        writing.setTextRenderMode(3)
        writing.setHorizScale(100 * wide / (len(letters) * size * WIDTH / EM))
        for part in _by_font(letters):
            writing.setFont(invisible_font(part[0]), size)
            writing.textOut(part)
        writing.setHorizScale(100)
        writing.setTextRenderMode(0)
        self.canv.drawText(writing)


def _by_font(letters: Sequence[str]) -> list[str]:
    parts: list[str] = []
    for letter in letters:
        if parts and invisible_font(parts[-1][0]) == invisible_font(letter):
            parts[-1] += letter
        else:
            parts.append(letter)
    return parts
