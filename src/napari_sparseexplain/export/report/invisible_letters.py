"""Letters that are found and copied in a PDF, and not seen: a picture of the words lies over them.

A font without forms, made for a part of Unicode when it is needed; reportlab embeds of it what a
page uses, with its map to Unicode.
"""

from __future__ import annotations

import io
from functools import cache

from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib.tables._g_l_y_f import Glyph
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

#: Characters of one font: few fonts for a text in Chinese, each made in no time.
_BLOCK = 4096

#: Units of an em, and the width of every letter in them.
EM, WIDTH = 1000, 500


def invisible_font(letter: str) -> str:
    """Name of the font, known to reportlab, that holds a letter of the basic plane."""
    return _registered(ord(letter) // _BLOCK)


@cache
def _registered(block: int) -> str:
    name = f"SparseExplainInvisible{block}"
    codes = range(max(block * _BLOCK, 0x20), (block + 1) * _BLOCK)
    pdfmetrics.registerFont(TTFont(name, io.BytesIO(_font(name, codes))))
    return name


def _font(name: str, codes: range) -> bytes:
    """A TrueType font whose letters have a width and no form."""
    builder = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder([".notdef", "letter"])
    builder.setupCharacterMap(dict.fromkeys(codes, "letter"))
    builder.setupGlyf({".notdef": Glyph(), "letter": Glyph()})
    builder.setupHorizontalMetrics({".notdef": (WIDTH, 0), "letter": (WIDTH, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    names = {"familyName": name, "styleName": "Regular", "psName": name, "fullName": name}
    builder.setupNameTable(names)
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200, sCapHeight=700)
    builder.setupPost()
    # One reading gives one file: no time of its own.
    builder.updateHead(created=0, modified=0)
    builder.font.recalcTimestamp = False
    stream = io.BytesIO()
    builder.save(stream)
    return stream.getvalue()
