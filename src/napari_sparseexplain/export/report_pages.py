"""Pages of a PDF: headings, paragraphs, tables that go on over pages, and pictures."""

from __future__ import annotations

import io
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
from reportlab.platypus import Paragraph, Table, TableStyle

from .lettering import font_file

#: Margins of a page in points.
MARGIN = 40.0

_FONT, _BOLD = "DejaVuSans", "DejaVuSans-Bold"
#: Share of a page that a table beside a picture may take.
_MOST_TABLE = 0.4
_BODY, _HEADING, _TITLE, _SMALL = 8.5, 11.5, 18.0, 7.0


class ReportPages:
    """A PDF written from top to bottom.

    Parameters
    ----------
    title : str
        Title in the file's properties.
    foot : str
        Line at the foot of every page, beside its number.
    """

    def __init__(self, title: str, foot: str) -> None:
        for name, bold in ((_FONT, False), (_BOLD, True)):
            if name not in pdfmetrics.getRegisteredFontNames():
                pdfmetrics.registerFont(TTFont(name, str(font_file(bold=bold))))
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

    @property
    def width(self) -> float:
        """Points between the margins."""
        return A4[0] - 2 * MARGIN

    def heading(self, text: str, level: int = 2) -> None:
        """A heading, never alone at the end of a page."""
        size = _TITLE if level == 1 else _HEADING
        style = ParagraphStyle("heading", fontName=_BOLD, fontSize=size, leading=size * 1.3)
        self._place(Paragraph(escape(text), style), before=size * 0.7, keep=50.0)

    def paragraph(self, text: str, *, strong: bool = False) -> None:
        """Text over the whole width."""
        style = ParagraphStyle(
            "body",
            fontName=_BOLD if strong else _FONT,
            fontSize=_BODY,
            leading=_BODY * 1.4,
            textColor=colors.HexColor("#9A4A00") if strong else colors.black,
        )
        self._place(Paragraph(escape(text), style), before=4.0)

    def table(self, rows: list[list[str]]) -> None:
        """A table with its heads in the first row; long ones go on over the page."""
        if not rows:
            return
        self._place(self._table(rows), before=4.0)

    def end_section(self) -> None:
        """What follows begins on a new page."""
        if self._used:
            self._end_page()

    def picture_room(self, lines: int, table: list[list[str]] | None = None) -> tuple[float, float]:
        """Width and height in points that a picture has on a page with that many lines and rows."""
        rows = self._table(table).wrap(self.width, A4[1])[1] + 4.0 if table else 0.0
        # A table of very long words must not take the picture's place: it goes on over the page.
        rows = min(rows, _MOST_TABLE * A4[1])
        return self.width, A4[1] - 2 * MARGIN - _HEADING * 2.2 - 40.0 * bool(lines) - 16.0 - rows

    def picture_page(
        self,
        heading: str,
        lines: list[str],
        image: Image.Image,
        table: list[list[str]] | None = None,
    ) -> None:
        """A page of its own with a picture as large as it can be, below a table if there is one."""
        self.end_section()
        self.heading(heading)
        for line in lines:
            self.paragraph(line[:400])
        self.table(table or [])
        width, height = self.picture_room(len(lines), table)
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

    def _table(self, rows: list[list[str]]) -> Table:
        body = ParagraphStyle("cell", fontName=_FONT, fontSize=_SMALL, leading=_SMALL * 1.3,
                              splitLongWords=1)  # fmt: skip
        head = ParagraphStyle("head", parent=body, fontName=_BOLD)
        cells = [
            [Paragraph(escape(cell), head if place == 0 else body) for cell in row]
            for place, row in enumerate(rows)
        ]
        table = Table(cells, colWidths=self._column_widths(rows), repeatRows=1)
        table.setStyle(
            TableStyle(
                [
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("LINEBELOW", (0, 0), (-1, 0), 0.6, colors.HexColor("#404040")),
                    ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.HexColor("#C0C0C0")),
                    ("LEFTPADDING", (0, 0), (-1, -1), 2),
                    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
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
                pdfmetrics.stringWidth(row[column], _BOLD if i == 0 else _FONT, _SMALL)
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
