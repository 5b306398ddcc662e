"""Pages of a PDF: headings, paragraphs, tables that go on over pages, and pictures."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, Table, TableStyle

from ..pictures.lettering import one_line
from ..typesetting.text_runs import is_plain, program_font
from .shaped_text import ShapedText, words_width

#: Margins of a page in points.
MARGIN = 40.0

_FONT, _BOLD = "DejaVuSans", "DejaVuSans-Bold"
_BODY, _HEADING, _TITLE, _SMALL = 8.5, 11.5, 18.0, 7.0
#: Share of a page that words and a table may take beside a picture; more have pages of their own.
_MOST_BESIDE = 0.4
#: Lines of a heading, of a paragraph and of a table's row that are kept on one page.
_HEADING_LINES, _PART_LINES, _ROW_LINES = 8, 40, 12
#: Characters that are measured at once.
_PIECE = 100
#: Characters by which a column's width is chosen; no column shows more on a line.
_LONGEST = 400
#: Space within a table's cells.
_LEFT, _RIGHT = 2.0, 4.0


def text_parts(text: str, font: str, size: float, width: float, lines: int) -> list[str]:
    """A text in parts of about so many lines each, broken between words where there are any.

    Parts are what goes on over a page: a text of any length is laid out part by part, in a time
    that grows with its length alone.
    """
    room = 0.7 * width * lines  # a line is not filled to its end
    parts: list[str] = []
    part, used = "", 0.0
    for word in _words(" ".join(one_line(text).split()), font, size, room):
        wide = words_width(word, font, size)
        if part and used + wide > room:
            parts.append(part.rstrip())
            part, used = "", 0.0
        part, used = part + word, used + wide
    return [*parts, part.rstrip()]


def _words(text: str, font: str, size: float, room: float) -> Iterator[str]:
    """Words with the space behind them; one that is longer than ``room`` in pieces."""
    for word in re.findall(r"\S+ ?", text):
        while len(word) > 1 and words_width(word[:_PIECE], font, size) > room:
            yield word[: _PIECE // 10]
            word = word[_PIECE // 10 :]
        for start in range(0, len(word), _PIECE):
            yield word[start : start + _PIECE]


def _rows_in_parts(rows: list[list[str]], widths: list[float]) -> tuple[list[list[str]], list[int]]:
    """Rows none of which is higher than a page, and which of them go on in the next one."""
    found, going_on = [], []
    for place, row in enumerate(rows):
        font = _BOLD if place == 0 else _FONT
        parts = [
            text_parts(cell, font, _SMALL, max(width, _SMALL), _ROW_LINES)
            for cell, width in zip(row, widths, strict=True)
        ]
        if place == 0:  # it stands on every page
            found.append([part[0] + ("…" if len(part) > 1 else "") for part in parts])
            continue
        for lines in zip_longest(*parts, fillvalue=""):
            going_on.append(len(found))
            found.append(list(lines))
        going_on.pop()
    return found, going_on


class ReportPages:
    """A PDF written from top to bottom.

    Parameters
    ----------
    title : str
        Title in the file's properties.
    foot : str
        Line at the foot of every page, beside its number.

    Attributes
    ----------
    shaped : dict of str
        Texts that need more than the program's font from left to right; the values mean nothing.
    """

    def __init__(self, title: str, foot: str) -> None:
        for name, bold in ((_FONT, False), (_BOLD, True)):
            if name not in pdfmetrics.getRegisteredFontNames():
                pdfmetrics.registerFont(TTFont(name, str(program_font(bold=bold))))
        self._stream = io.BytesIO()
        # invariant: no time or random number of its own, so that one reading gives one file.
        self._canvas = Canvas(self._stream, pagesize=A4, pageCompression=1, invariant=1)
        self._canvas.setTitle(title)
        self._canvas.setAuthor("")
        self._canvas.setSubject(foot)
        self._foot = foot
        self._number = 0
        self._top = A4[1] - MARGIN
        self._used = False
        self.shaped: dict[str, None] = {}

    @property
    def width(self) -> float:
        """Points between the margins."""
        return A4[0] - 2 * MARGIN

    def heading(self, text: str, level: int = 2) -> None:
        """A heading, never alone at the end of a page."""
        size = _TITLE if level == 1 else _HEADING
        style = ParagraphStyle("heading", fontName=_BOLD, fontSize=size, leading=size * 1.3)
        *parts, last = text_parts(text, _BOLD, size, self.width, _HEADING_LINES)
        for place, part in enumerate(parts):
            self._place(self._flowable(part, style), before=size * 0.7 * (place == 0))
        before = 0.0 if parts else size * 0.7
        self._place(self._flowable(last, style), before=before, keep=50.0)

    def paragraph(self, text: str, *, strong: bool = False) -> None:
        """Text over the whole width, on as many pages as it needs."""
        for place, block in enumerate(self._paragraphs(text, strong=strong)):
            self._place(block, before=4.0 * (place == 0))

    def _paragraphs(self, text: str, *, strong: bool = False) -> list[Flowable]:
        font = _BOLD if strong else _FONT
        style = ParagraphStyle(
            "body",
            fontName=font,
            fontSize=_BODY,
            leading=_BODY * 1.4,
            textColor=colors.HexColor("#9A4A00") if strong else colors.black,
        )
        parts = text_parts(text, font, _BODY, self.width, _PART_LINES)
        return [self._flowable(part, style) for part in parts]

    def table(self, rows: list[list[str]]) -> None:
        """A table with its heads in the first row; long ones go on over the page."""
        if not rows:
            return
        self._place(self._table(rows), before=4.0)

    def end_section(self) -> None:
        """What follows begins on a new page."""
        if self._used:
            self._end_page()

    def picture_room(
        self, lines: Sequence[str], table: list[list[str]] | None = None
    ) -> tuple[float, float]:
        """Width and height in points that a picture has on a page with these lines and rows.

        Where they are long they go on over pages, and the picture has one for itself.
        """
        words = sum(p.wrap(self.width, A4[1])[1] for line in lines for p in self._paragraphs(line))
        rows = self._table(table).wrap(self.width, A4[1])[1] + 4.0 if table else 0.0
        words = max(words + 4.0 * len(lines), 40.0 * bool(lines))
        if words + rows > _MOST_BESIDE * A4[1]:
            words = rows = 0.0
        return self.width, A4[1] - 2 * MARGIN - _HEADING * 2.2 - 16.0 - words - rows

    def picture_page(
        self,
        heading: str,
        lines: Sequence[str],
        image: Image.Image,
        table: list[list[str]] | None = None,
    ) -> None:
        """A page of its own with a picture as large as it can be, below a table if there is one."""
        self.end_section()
        self.heading(heading)
        for line in lines:
            self.paragraph(line)
        self.table(table or [])
        width, height = self.picture_room(lines, table)
        if height > self._top - MARGIN - 14:
            self._end_page()
        scale = min(width / image.width, height / image.height)
        size = (image.width * scale, image.height * scale)
        bottom = max(self._top - 6 - size[1], MARGIN + 14)
        self._canvas.drawImage(ImageReader(image), MARGIN, bottom, *size)
        self._used = True
        self._end_page()

    def content(self) -> bytes:
        """The finished file."""
        if self._used or self._number == 0:
            self._end_page()
        self._canvas.save()
        return self._stream.getvalue()

    def _flowable(self, text: str, style: ParagraphStyle) -> Flowable:
        """A text in its style; what reportlab would set wrongly or as boxes is set here."""
        text = one_line(text)
        if is_plain(text):
            return Paragraph(escape(text), style)
        self.shaped[text] = None
        return ShapedText(text, style, bold=style.fontName == _BOLD)

    def _table(self, rows: list[list[str]]) -> Table:
        body = ParagraphStyle("cell", fontName=_FONT, fontSize=_SMALL, leading=_SMALL * 1.3,
                              splitLongWords=1)  # fmt: skip
        head = ParagraphStyle("head", parent=body, fontName=_BOLD)
        widths = self._column_widths(rows)
        rows, going_on = _rows_in_parts(rows, [w - _LEFT - _RIGHT for w in widths])
        cells = [
            [self._flowable(cell, head if place == 0 else body) for cell in row]
            for place, row in enumerate(rows)
        ]
        table = Table(cells, colWidths=widths, repeatRows=1)
        table.setStyle(
            TableStyle(
                [
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("LINEBELOW", (0, 0), (-1, 0), 0.6, colors.HexColor("#404040")),
                    ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.HexColor("#C0C0C0")),
                    *(("LINEBELOW", (0, n), (-1, n), 0.25, colors.white) for n in going_on),
                    ("LEFTPADDING", (0, 0), (-1, -1), _LEFT),
                    ("RIGHTPADDING", (0, 0), (-1, -1), _RIGHT),
                    ("TOPPADDING", (0, 0), (-1, -1), 2),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
                ]
            )
        )
        return table

    def _column_widths(self, rows: list[list[str]]) -> list[float]:
        """Widths in proportion to what stands in the columns, none lost beside a long one."""
        count = len(rows[0])
        wanted = []
        for column in range(count):
            longest = max(
                words_width(row[column][:_LONGEST], _BOLD if i == 0 else _FONT, _SMALL)
                for i, row in enumerate(rows)
            )
            wanted.append(min(longest + 8.0, self.width * 0.6))
        room = self.width
        if sum(wanted) <= room:
            return [*wanted[:-1], room - sum(wanted[:-1])]
        small = [w if w < room / count else 0.0 for w in wanted]
        rest = room - sum(small)
        large = sum(w for w, s in zip(wanted, small, strict=True) if s == 0)
        return [s or w * rest / large for w, s in zip(wanted, small, strict=True)]

    def _place(self, flowable: Any, before: float, keep: float = 0.0) -> None:
        """Draw a block under what is there; what does not fit goes on over the page."""
        rest = [flowable]
        while rest:
            block = rest.pop(0)
            room = self._top - before - MARGIN - 14
            _, height = block.wrap(self.width, room)
            if height + keep <= room or (not self._used and height <= room):
                block.drawOn(self._canvas, MARGIN, self._top - before - height)
                self._top -= before + height
                self._used = True
                continue
            parts = [] if keep else block.split(self.width, room)
            if len(parts) > 1:
                parts[0].wrap(self.width, room)
                rest = [*parts, *rest]
            elif self._used:
                self._end_page()
                rest.insert(0, block)
            else:
                raise ValueError("a block that is larger than a page")

    def _end_page(self) -> None:
        self._number += 1
        self._canvas.setFont(_FONT, _SMALL)
        self._canvas.setFillColor(colors.HexColor("#606060"))
        self._canvas.drawString(MARGIN, MARGIN - 8, self._foot)
        self._canvas.drawRightString(A4[0] - MARGIN, MARGIN - 8, str(self._number))
        self._canvas.showPage()
        self._top = A4[1] - MARGIN
        self._used = False
