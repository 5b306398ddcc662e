"""The code inside a TorchScript archive as words: read, and written anew.

Comments are left out and texts are made plain, so that what torch reads is what was read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_TOKEN = re.compile(
    r"(?P<space>[ \t]+)|(?P<comment>\#[^\n]*)|(?P<line>\r?\n)"
    r"|(?P<text>\"(?:[^\"\\\n]|\\[^\n])*\"|'(?:[^'\\\n]|\\[^\n])*')"
    r"|(?P<number>(?:\d[\d]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?j?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<sign>->|\*\*|//|<<|>>|<=|>=|==|!=|[-+*/%&|^~<>=.,:()\[\]{}])"
)

OPENING, CLOSING = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}
_DEEPEST, _LONGEST_TEXT, _LONGEST_NUMBER = 100, 2000, 40

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class CodeRefused(Exception):
    """The code holds what is not allowed; said so that it completes "the file ..."."""


class Token(NamedTuple):
    """One word, text, number or sign of the code."""

    kind: str
    text: str


@dataclass(frozen=True)
class Line:
    """A logical line: its indentation and its words."""

    indent: int
    tokens: tuple[Token, ...]


@dataclass(frozen=True)
class Source:
    """One file of code.

    Attributes
    ----------
    module : str
        Its dotted name (``__torch__.torch.nn.modules.conv``).
    lines : tuple of Line
    """

    module: str
    lines: tuple[Line, ...]

    def written(self) -> str:
        """The code as torch is given it."""
        lines = [" " * line.indent + " ".join(t.text for t in line.tokens) for line in self.lines]
        return "\n".join(lines) + "\n"


def read_source(module: str, content: bytes) -> Source:
    """Split a file of code into words.

    Raises
    ------
    CodeRefused
        It holds what is none.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise CodeRefused("has code that is no text") from None
    return Source(module, tuple(_lines(text)))


def _lines(text: str) -> Iterator[Line]:
    indent, words, open_signs = 0, [], []
    place, fresh = 0, True
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise CodeRefused(f"has code that torch does not write ({text[place : place + 10]!r})")
        kind, found, place = match.lastgroup or "", match[0], match.end()
        if kind == "space":
            if fresh and not open_signs:
                indent = len(found.replace("\t", "        "))
            fresh = False
            continue
        if kind == "comment":
            continue
        if kind == "line":
            if open_signs:
                continue
            if words:
                yield Line(indent, tuple(words))
            indent, words, fresh = 0, [], True
            continue
        fresh = False
        words.append(_token(kind, found))
        if found in OPENING:
            open_signs.append(OPENING[found])
            if len(open_signs) > _DEEPEST:
                raise CodeRefused("has code nested too deeply")
        elif found in CLOSING and (not open_signs or open_signs.pop() != found):
            raise CodeRefused("has code with brackets that do not match")
    if open_signs:
        raise CodeRefused("has code that ends within brackets")
    if words:
        yield Line(indent, tuple(words))


def _token(kind: str, found: str) -> Token:
    if kind == "text":
        return Token(kind, _plain_text(found))
    if kind == "number" and len(found) > _LONGEST_NUMBER:
        raise CodeRefused("has a number of many digits")
    if kind == "name" and len(found) > 500:
        raise CodeRefused("has a name without end")
    return Token(kind, found)


def _plain_text(found: str) -> str:
    """A text between double quotes, its unusual characters as octal numbers, as torch writes it."""
    raw = found[1:-1]
    characters, place = [], 0
    while place < len(raw):
        if raw[place] != "\\":
            characters.append(raw[place])
            place += 1
        elif (octal := re.match(r"[0-7]{3}", raw[place + 1 : place + 4])) is not None:
            characters.append(chr(int(octal[0], 8)))
            place += 4
        elif raw[place + 1] in "\\\"'":
            characters.append(raw[place + 1])
            place += 2
        elif raw[place + 1] in _ESCAPES:
            characters.append(_ESCAPES[raw[place + 1]])
            place += 2
        else:
            raise CodeRefused("has a text that torch does not write")
    if len(characters) > _LONGEST_TEXT:
        raise CodeRefused("has a text without end")
    out = []
    for character in characters:
        if character.isascii() and character.isprintable() and character not in "\\\"'":
            out.append(character)
        else:
            # Those above 255 stand in messages alone: nothing is computed from them.
            out.append(f"\\{ord(character):03o}" if ord(character) < 256 else "?")
    return '"' + "".join(out) + '"'
